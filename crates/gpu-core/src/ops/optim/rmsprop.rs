//! RMSprop by PyTorch's rule, in place over flat parameters: one dispatch for a whole network (Tieleman and Hinton, lecture 6.5 of
//! "Neural networks for machine learning", 2012; centred: Graves, "Generating sequences with recurrent neural networks", 2013).
//!
//! `g = grad + weight_decay * w`, `s = alpha * s + (1 - alpha) * g^2`, `w -= lr * g / (sqrt(s) + eps)`. Centred, the mean of the
//! gradients is taken off: `a = alpha * a + (1 - alpha) * g`, and `s - a^2` stands under the root. With momentum
//! `buf = momentum * buf + g / (sqrt(s) + eps)`, `w -= lr * buf`.

use super::parameters::{self, JOB, Params};
use crate::kernel::{Args, Kernel};
use crate::mirror::in_vectors;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;

const WGSL: &str = wgsl!("rmsprop.wgsl");
static RMSPROP_STEP: Kernel = Kernel::new_trusted(WGSL, "rmsprop_step", step_cpu::<false, false>);
static RMSPROP_STEP_MOMENTUM: Kernel = Kernel::new_trusted(WGSL, "rmsprop_step_momentum", step_cpu::<true, false>);
static RMSPROP_STEP_CENTERED: Kernel = Kernel::new_trusted(WGSL, "rmsprop_step_centered", step_cpu::<false, true>);
static RMSPROP_STEP_CENTERED_MOMENTUM: Kernel = Kernel::new_trusted(WGSL, "rmsprop_step_centered_momentum", step_cpu::<true, true>);
pub(in crate::ops) const KERNELS: &[&Kernel] =
    &[&RMSPROP_STEP, &RMSPROP_STEP_MOMENTUM, &RMSPROP_STEP_CENTERED, &RMSPROP_STEP_CENTERED_MOMENTUM];

/// The figures of [`rmsprop_step`], PyTorch's names; the default is PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RmspropHyper {
    /// Learning rate.
    pub lr: f64,
    /// What is kept of the mean squared gradient, and of the mean gradient.
    pub alpha: f64,
    /// Keeps the divisor from zero.
    pub eps: f64,
    /// Weight decay, added to the gradient.
    pub weight_decay: f64,
    /// What is kept of the last step, where there is a buffer for it.
    pub momentum: f64,
}

impl Default for RmspropHyper {
    fn default() -> Self {
        Self { lr: 0.01, alpha: 0.99, eps: 1e-8, weight_decay: 0.0, momentum: 0.0 }
    }
}

impl RmspropHyper {
    /// What [`rmsprop_step`] reads: lr, 1 - alpha, eps, weight decay, momentum, 0, 0, 0.
    pub fn to_array(self) -> [f32; 8] {
        [self.lr, 1.0 - self.alpha, self.eps, self.weight_decay, self.momentum, 0.0, 0.0, 0.0].map(|v| v as f32)
    }
}

/// Cuts an arena that may be missing into jobs; a missing one into as many empty ones.
fn jobs(arena: Option<&mut [f32]>, count: usize) -> Vec<&mut [f32]> {
    match arena {
        Some(arena) => arena.chunks_mut(JOB).collect(),
        None => (0..count).map(|_| &mut [][..]).collect(),
    }
}

/// One job. Without momentum there are no `buffers`, and not centred no `means`.
#[inline(always)]
fn update<const MOMENTUM: bool, const CENTERED: bool>(
    hyper: &[f32],
    weights: &mut [f32],
    grads: &[f32],
    squares: &mut [f32],
    buffers: &mut [f32],
    means: &mut [f32],
) {
    let &[lr, fresh, eps, decay, kept, ..] = hyper else { unreachable!("rmsprop_step checks the length") };
    // All of one length, which spares the loop its checks.
    let n = weights.len();
    let (grads, squares) = (&grads[..n], &mut squares[..n]);
    let (buffers, means) = (&mut buffers[..if MOMENTUM { n } else { 0 }], &mut means[..if CENTERED { n } else { 0 }]);
    for i in 0..n {
        let g = grads[i] + decay * weights[i];
        squares[i] += (g * g - squares[i]) * fresh;
        let mut under = squares[i];
        if CENTERED {
            means[i] += (g - means[i]) * fresh;
            under = (under - means[i] * means[i]).max(0.0);
        }
        let mut step = g / (under.sqrt() + eps);
        if MOMENTUM {
            buffers[i] = kept * buffers[i] + step;
            step = buffers[i];
        }
        weights[i] -= lr * step;
    }
}

fn step_cpu<const MOMENTUM: bool, const CENTERED: bool>(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, squares) = (args.output::<f32>(0), args.output::<f32>(1));
    let count = weights.len().div_ceil(JOB);
    let buffers = jobs(MOMENTUM.then(|| args.output::<f32>(2)), count);
    let means = jobs(CENTERED.then(|| args.output::<f32>(if MOMENTUM { 3 } else { 2 })), count);
    let here = weights.par_chunks_mut(JOB).zip(grads.par_chunks(JOB)).zip(squares.par_chunks_mut(JOB));
    here.zip(buffers).zip(means).run(|((((weights, grads), squares), buffers), means)| {
        in_vectors!(update::<MOMENTUM, CENTERED>(hyper, weights, grads, squares, buffers, means));
    });
}

/// One step of RMSprop: `params`, `square_avg` and, where they are given, `momentum_buf` (for momentum) and `grad_avg` (centred)
/// change in place; all parameters are f32 of one length, `hyper` is [`RmspropHyper::to_array`]. Equivalent of
/// `torch.optim.RMSprop(...).step()`.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::RmspropHyper};
/// let cpu = Device::Cpu;
/// let (w, dw) = (Tensor::from_slice(&cpu, [2], &[1.0f32, 2.0]), Tensor::from_slice(&cpu, [2], &[3.0f32, -4.0]));
/// let square_avg = Tensor::zeros(&cpu, [2]);
/// let hyper = RmspropHyper { lr: 0.5, alpha: 0.75, ..RmspropHyper::default() }.to_array();
/// ops::rmsprop_step(&w, &dw, &square_avg, None, None, &Tensor::from_slice(&cpu, [8], &hyper));
/// // The first step is the gradient's sign over the root of 1 - alpha.
/// assert!(w.to_vec()?.iter().zip([0.0, 3.0]).all(|(w, want)| (w - want).abs() < 1e-6));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn rmsprop_step(
    params: &Tensor,
    grads: &Tensor,
    square_avg: &Tensor,
    momentum_buf: Option<&Tensor>,
    grad_avg: Option<&Tensor>,
    hyper: &Tensor,
) {
    parameters::expect("rmsprop_step", params, &[("grads", grads), ("square_avg", square_avg)]);
    for (name, arena) in [("momentum_buf", momentum_buf), ("grad_avg", grad_avg)] {
        if let Some(arena) = arena {
            parameters::expect("rmsprop_step", params, &[(name, arena)]);
        }
    }
    parameters::expect_hyper("rmsprop_step", params, hyper);
    let kernel = match (momentum_buf, grad_avg) {
        (None, None) => &RMSPROP_STEP,
        (Some(_), None) => &RMSPROP_STEP_MOMENTUM,
        (None, Some(_)) => &RMSPROP_STEP_CENTERED,
        (Some(_), Some(_)) => &RMSPROP_STEP_CENTERED_MOMENTUM,
    };
    let outputs: Vec<&Tensor> = [params, square_avg].into_iter().chain(momentum_buf).chain(grad_avg).collect();
    kernel.launch(Params::of(params), &[grads, hyper], &outputs, parameters::grid(params));
}
