//! Stochastic gradient descent by PyTorch's rule, in place over flat parameters: one dispatch for a whole network.
//!
//! `g = grad + weight_decay * w`, `buf = momentum * buf + (1 - dampening) * g` (the first step: `buf = g`),
//! `w -= lr * buf`, or with Nesterov's momentum `w -= lr * (g + momentum * buf)`. Without momentum `w -= lr * g`.
//!
//! The figures lie in a tensor, so that a replayed capture follows a schedule.

use super::parameters::{self, JOB, Params};
use crate::kernel::{Args, Kernel};
use crate::mirror::in_vectors;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;

const WGSL: &str = wgsl!("sgd.wgsl");
static SGD_STEP: Kernel = Kernel::new_trusted(WGSL, "sgd_step", sgd_step_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&SGD_STEP];

/// The figures of [`sgd_step`], PyTorch's names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdHyper {
    /// Learning rate.
    pub lr: f64,
    /// What is kept of the last step; 0 leaves the buffer alone.
    pub momentum: f64,
    /// What is left out of the gradient from the second step on.
    pub dampening: f64,
    /// Weight decay, added to the gradient.
    pub weight_decay: f64,
    /// Whether the step looks ahead.
    pub nesterov: bool,
    /// Whether this is the first step, whose buffer is the gradient. Without dampening a buffer of zeros gives the same.
    pub first_step: bool,
}

impl SgdHyper {
    /// What [`sgd_step`] reads: lr, momentum, 1 - dampening, weight decay, nesterov, first step, 0, 0.
    pub fn to_array(self) -> [f32; 8] {
        let flags = [self.nesterov, self.first_step].map(|flag| f32::from(u8::from(flag)));
        let [lr, momentum, undamped, decay] = [self.lr, self.momentum, 1.0 - self.dampening, self.weight_decay].map(|v| v as f32);
        [lr, momentum, undamped, decay, flags[0], flags[1], 0.0, 0.0]
    }
}

/// One job.
#[inline(always)]
fn update(hyper: &[f32], weights: &mut [f32], buffers: &mut [f32], grads: &[f32]) {
    let &[lr, momentum, undamped, decay, nesterov, first_step, ..] = hyper else { unreachable!("sgd_step checks the length") };
    if momentum == 0.0 {
        return weights.iter_mut().zip(grads).for_each(|(w, g)| *w -= lr * (g + decay * *w));
    }
    let (of_gradient, of_buffer) = if nesterov != 0.0 { (1.0, momentum) } else { (0.0, 1.0) };
    for ((w, buf), g) in weights.iter_mut().zip(buffers).zip(grads) {
        let g = g + decay * *w;
        *buf = if first_step != 0.0 { g } else { momentum * *buf + undamped * g };
        *w -= lr * (of_gradient * g + of_buffer * *buf);
    }
}

fn sgd_step_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, buffers) = (args.output::<f32>(0), args.output::<f32>(1));
    let jobs = weights.par_chunks_mut(JOB).zip(buffers.par_chunks_mut(JOB)).zip(grads.par_chunks(JOB));
    jobs.run(|((weights, buffers), grads)| {
        in_vectors!(update(hyper, weights, buffers, grads));
    });
}

/// One step of stochastic gradient descent: `params` and `momentum_buf` change in place; all three parameters are f32 of one length,
/// `hyper` is [`SgdHyper::to_array`]. Equivalent of `torch.optim.SGD(...).step()`.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::SgdHyper};
/// let cpu = Device::Cpu;
/// let (w, dw) = (Tensor::from_slice(&cpu, [2], &[1.0f32, 2.0]), Tensor::from_slice(&cpu, [2], &[1.0f32, -2.0]));
/// let buf = Tensor::zeros(&cpu, [2]);
/// let hyper = SgdHyper { lr: 0.5, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, first_step: true };
/// ops::sgd_step(&w, &dw, &buf, &Tensor::from_slice(&cpu, [8], &hyper.to_array()));
/// assert_eq!(w.to_vec()?, [0.5, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sgd_step(params: &Tensor, grads: &Tensor, momentum_buf: &Tensor, hyper: &Tensor) {
    parameters::expect("sgd_step", params, &[("grads", grads), ("momentum_buf", momentum_buf)]);
    parameters::expect_hyper("sgd_step", params, hyper);
    SGD_STEP.launch(Params::of(params), &[grads, hyper], &[params, momentum_buf], parameters::grid(params));
}
