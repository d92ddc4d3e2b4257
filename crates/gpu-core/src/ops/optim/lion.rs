//! Lion, in place over flat parameters: one dispatch for a whole network (Chen et al., "Symbolic discovery of optimization
//! algorithms", 2023). PyTorch has none; the rule is the paper's.
//!
//! `c = beta1 * m + (1 - beta1) * g`, `w -= lr * (sign(c) + weight_decay * w)`, `m = beta2 * m + (1 - beta2) * g`. Only the sign
//! counts, so every weight moves by the learning rate: it wants a third to a tenth of AdamW's, and as much more weight decay.

use super::parameters::{self, JOB, Params};
use crate::kernel::{Args, Kernel};
use crate::mirror::in_vectors;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;

const WGSL: &str = wgsl!("lion.wgsl");
static LION_STEP: Kernel = Kernel::new_trusted(WGSL, "lion_step", lion_step_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&LION_STEP];

/// The figures of [`lion_step`], the paper's names; the default is the paper's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LionHyper {
    /// Learning rate.
    pub lr: f64,
    /// What counts of the mean gradient in the step.
    pub beta1: f64,
    /// What is kept of the mean gradient.
    pub beta2: f64,
    /// Weight decay, which shrinks the weights.
    pub weight_decay: f64,
}

impl Default for LionHyper {
    fn default() -> Self {
        Self { lr: 1e-4, beta1: 0.9, beta2: 0.99, weight_decay: 0.0 }
    }
}

impl LionHyper {
    /// What [`lion_step`] reads: lr, 1 - beta1, 1 - beta2, lr * decay, and four zeros.
    pub fn to_array(self) -> [f32; 8] {
        let Self { lr, beta1, beta2, weight_decay } = self;
        [lr, 1.0 - beta1, 1.0 - beta2, lr * weight_decay, 0.0, 0.0, 0.0, 0.0].map(|v| v as f32)
    }
}

/// -1, 0 or 1. `f32::signum` knows no 0.
fn sign(v: f32) -> f32 {
    f32::from(i8::from(v > 0.0) - i8::from(v < 0.0))
}

/// One job.
#[inline(always)]
fn update(hyper: &[f32], weights: &mut [f32], means: &mut [f32], grads: &[f32]) {
    let &[lr, fresh1, fresh2, shrink, ..] = hyper else { unreachable!("lion_step checks the length") };
    for ((w, m), g) in weights.iter_mut().zip(means).zip(grads) {
        let change = g - *m;
        *w = *w - shrink * *w - lr * sign(*m + change * fresh1);
        *m += change * fresh2;
    }
}

fn lion_step_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, means) = (args.output::<f32>(0), args.output::<f32>(1));
    let jobs = weights.par_chunks_mut(JOB).zip(means.par_chunks_mut(JOB)).zip(grads.par_chunks(JOB));
    jobs.run(|((weights, means), grads)| {
        in_vectors!(update(hyper, weights, means, grads));
    });
}

/// One step of Lion: `params` and the mean gradient `m` change in place; all three parameters are f32 of one length, `hyper` is
/// [`LionHyper::to_array`]. From Chen et al., 2023; PyTorch has none.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::LionHyper};
/// let cpu = Device::Cpu;
/// let (w, dw) = (Tensor::from_slice(&cpu, [3], &[1.0f32, 2.0, 3.0]), Tensor::from_slice(&cpu, [3], &[0.1f32, -4.0, 0.0]));
/// let hyper = LionHyper { lr: 0.5, ..LionHyper::default() }.to_array();
/// ops::lion_step(&w, &dw, &Tensor::zeros(&cpu, [3]), &Tensor::from_slice(&cpu, [8], &hyper));
/// assert_eq!(w.to_vec()?, [0.5, 2.5, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn lion_step(params: &Tensor, grads: &Tensor, m: &Tensor, hyper: &Tensor) {
    parameters::expect("lion_step", params, &[("grads", grads), ("m", m)]);
    parameters::expect_hyper("lion_step", params, hyper);
    LION_STEP.launch(Params::of(params), &[grads, hyper], &[params, m], parameters::grid(params));
}
