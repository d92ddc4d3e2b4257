//! Adadelta by PyTorch's rule, in place over flat parameters: one dispatch for a whole network (Zeiler, "ADADELTA: an adaptive learning
//! rate method", 2012).
//!
//! `g = grad + weight_decay * w`, `s = rho * s + (1 - rho) * g^2`, `delta = sqrt(acc + eps) / sqrt(s + eps) * g`,
//! `acc = rho * acc + (1 - rho) * delta^2`, `w -= lr * delta`.

use super::parameters::{self, JOB, Params};
use crate::kernel::{Args, Kernel};
use crate::mirror::in_vectors;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;

const WGSL: &str = wgsl!("adadelta.wgsl");
static ADADELTA_STEP: Kernel = Kernel::new_trusted(WGSL, "adadelta_step", adadelta_step_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&ADADELTA_STEP];

/// The figures of [`adadelta_step`], PyTorch's names; the default is PyTorch's.
///
/// ```
/// use gpu_core::ops::AdadeltaHyper;
/// let hyper = AdadeltaHyper { rho: 0.75, ..AdadeltaHyper::default() };
/// assert_eq!(hyper.to_array(), [1.0, 0.25, 1e-6, 0.0, 0.0, 0.0, 0.0, 0.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdadeltaHyper {
    /// Learning rate, by which the step is scaled.
    pub lr: f64,
    /// What is kept of the mean squared gradient, and of the mean squared step.
    pub rho: f64,
    /// What is added under both roots. Its root is the size of the very first steps.
    pub eps: f64,
    /// Weight decay, added to the gradient.
    pub weight_decay: f64,
}

impl Default for AdadeltaHyper {
    fn default() -> Self {
        Self { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0 }
    }
}

impl AdadeltaHyper {
    /// What [`adadelta_step`] reads: lr, 1 - rho, eps, weight decay, and four zeros.
    pub fn to_array(self) -> [f32; 8] {
        [self.lr, 1.0 - self.rho, self.eps, self.weight_decay, 0.0, 0.0, 0.0, 0.0].map(|v| v as f32)
    }
}

/// One job.
#[inline(always)]
fn update(hyper: &[f32], weights: &mut [f32], grads: &[f32], squares: &mut [f32], deltas: &mut [f32]) {
    let &[lr, fresh, eps, decay, ..] = hyper else { unreachable!("adadelta_step checks the length") };
    for (((w, g), s), acc) in weights.iter_mut().zip(grads).zip(squares).zip(deltas) {
        let g = g + decay * *w;
        *s += (g * g - *s) * fresh;
        let delta = (*acc + eps).sqrt() / (*s + eps).sqrt() * g;
        *acc += (delta * delta - *acc) * fresh;
        *w -= lr * delta;
    }
}

fn adadelta_step_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, squares, deltas) = (args.output::<f32>(0), args.output::<f32>(1), args.output::<f32>(2));
    let moments = squares.par_chunks_mut(JOB).zip(deltas.par_chunks_mut(JOB));
    let jobs = weights.par_chunks_mut(JOB).zip(grads.par_chunks(JOB)).zip(moments);
    jobs.run(|((weights, grads), (squares, deltas))| {
        in_vectors!(update(hyper, weights, grads, squares, deltas));
    });
}

/// One step of Adadelta: `params`, `square_avg` and `acc_delta` change in place; all four parameters are f32 of one length, `hyper` is
/// [`AdadeltaHyper::to_array`]. Equivalent of `torch.optim.Adadelta(...).step()`.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::AdadeltaHyper};
/// let cpu = Device::Cpu;
/// let (w, dw) = (Tensor::from_slice(&cpu, [2], &[1.0f32, 2.0]), Tensor::from_slice(&cpu, [2], &[2.0f32, -2.0]));
/// let (square_avg, acc_delta) = (Tensor::zeros(&cpu, [2]), Tensor::zeros(&cpu, [2]));
/// let hyper = AdadeltaHyper { lr: 0.5, rho: 0.25, eps: 1.0, weight_decay: 0.0 }.to_array();
/// ops::adadelta_step(&w, &dw, &square_avg, &acc_delta, &Tensor::from_slice(&cpu, [8], &hyper));
/// assert_eq!((w.to_vec()?, square_avg.to_vec()?, acc_delta.to_vec()?), (vec![0.5, 2.5], vec![3.0; 2], vec![0.75; 2]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn adadelta_step(params: &Tensor, grads: &Tensor, square_avg: &Tensor, acc_delta: &Tensor, hyper: &Tensor) {
    let others = [("grads", grads), ("square_avg", square_avg), ("acc_delta", acc_delta)];
    parameters::expect("adadelta_step", params, &others);
    parameters::expect_hyper("adadelta_step", params, hyper);
    ADADELTA_STEP.launch(Params::of(params), &[grads, hyper], &[params, square_avg, acc_delta], parameters::grid(params));
}
