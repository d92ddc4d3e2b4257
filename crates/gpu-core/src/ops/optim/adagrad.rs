//! Adagrad by PyTorch's rule, in place over flat parameters: one dispatch for a whole network (Duchi, Hazan and Singer, "Adaptive
//! subgradient methods for online learning and stochastic optimization", 2011).
//!
//! `g = grad + weight_decay * w`, `sum += g^2`, `w -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(sum) + eps)`.

use super::parameters::{self, JOB, Params};
use crate::kernel::{Args, Kernel};
use crate::mirror::in_vectors;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;

const WGSL: &str = wgsl!("adagrad.wgsl");
static ADAGRAD_STEP: Kernel = Kernel::new_trusted(WGSL, "adagrad_step", adagrad_step_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&ADAGRAD_STEP];

/// The figures of [`adagrad_step`], PyTorch's names; the default is PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdagradHyper {
    /// Learning rate.
    pub lr: f64,
    /// By how much of itself the divisor of the rate grows with each step.
    pub lr_decay: f64,
    /// Weight decay, added to the gradient.
    pub weight_decay: f64,
    /// Keeps the divisor from zero.
    pub eps: f64,
}

impl Default for AdagradHyper {
    fn default() -> Self {
        Self { lr: 0.01, lr_decay: 0.0, weight_decay: 0.0, eps: 1e-10 }
    }
}

impl AdagradHyper {
    /// What [`adagrad_step`] reads at step `step`, which counts from 1: lr / (1 + (step - 1) * lr_decay), eps, weight decay, and
    /// five zeros.
    ///
    /// # Panics
    /// If `step` is 0.
    #[track_caller]
    pub fn at_step(self, step: u64) -> [f32; 8] {
        assert!(step > 0, "AdagradHyper: steps count from 1");
        let rate = self.lr / (1.0 + (step - 1) as f64 * self.lr_decay);
        [rate, self.eps, self.weight_decay, 0.0, 0.0, 0.0, 0.0, 0.0].map(|v| v as f32)
    }
}

/// One job.
#[inline(always)]
fn update(hyper: &[f32], weights: &mut [f32], sums: &mut [f32], grads: &[f32]) {
    let &[rate, eps, decay, ..] = hyper else { unreachable!("adagrad_step checks the length") };
    for ((w, sum), g) in weights.iter_mut().zip(sums).zip(grads) {
        let g = g + decay * *w;
        *sum += g * g;
        *w -= rate * (g / (sum.sqrt() + eps));
    }
}

fn adagrad_step_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, sums) = (args.output::<f32>(0), args.output::<f32>(1));
    let jobs = weights.par_chunks_mut(JOB).zip(sums.par_chunks_mut(JOB)).zip(grads.par_chunks(JOB));
    jobs.run(|((weights, sums), grads)| {
        in_vectors!(update(hyper, weights, sums, grads));
    });
}

/// One step of Adagrad: `params` and `square_sum` change in place; all three parameters are f32 of one length, `hyper` is
/// [`AdagradHyper::at_step`]. Equivalent of `torch.optim.Adagrad(...).step()`; `initial_accumulator_value` is what `square_sum`
/// begins with.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::AdagradHyper};
/// let cpu = Device::Cpu;
/// let (w, dw) = (Tensor::from_slice(&cpu, [2], &[1.0f32, 2.0]), Tensor::from_slice(&cpu, [2], &[3.0f32, -4.0]));
/// let hyper = AdagradHyper { lr: 0.5, ..AdagradHyper::default() }.at_step(1);
/// ops::adagrad_step(&w, &dw, &Tensor::zeros(&cpu, [2]), &Tensor::from_slice(&cpu, [8], &hyper));
/// assert_eq!(w.to_vec()?, [0.5, 2.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn adagrad_step(params: &Tensor, grads: &Tensor, square_sum: &Tensor, hyper: &Tensor) {
    parameters::expect("adagrad_step", params, &[("grads", grads), ("square_sum", square_sum)]);
    parameters::expect_hyper("adagrad_step", params, hyper);
    ADAGRAD_STEP.launch(Params::of(params), &[grads, hyper], &[params, square_sum], parameters::grid(params));
}
