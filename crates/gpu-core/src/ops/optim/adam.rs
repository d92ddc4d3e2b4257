//! Adam and AdamW by PyTorch's rule, in place over flat parameters: one dispatch for a whole network (Kingma and Ba, "Adam", 2014;
//! Loshchilov and Hutter, "Decoupled weight decay regularization", 2017).
//!
//! `m = beta1 * m + (1 - beta1) * g`, `v = beta2 * v + (1 - beta2) * g^2`,
//! `w -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)`. AdamW shrinks `w` by `lr * weight_decay` first; Adam adds
//! `weight_decay * w` to `g`.
//!
//! AMSGrad divides by the largest `v` so far (Reddi et al., "On the convergence of Adam and beyond", 2018).
//!
//! The figures lie in a tensor, so that a replayed capture follows a schedule and its own step count. They are worked out in f64 on
//! the host: `1 - 0.999` in f32 is wrong in the fifth digit.

use super::parameters::{self, JOB, Params};
use crate::kernel::{Args, Kernel};
use crate::mirror::in_vectors;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;

const WGSL: &str = wgsl!("adam.wgsl");
static ADAMW_STEP: Kernel = Kernel::new_trusted(WGSL, "adamw_step", adamw_step_cpu);
static ADAMW_STEP_AMSGRAD: Kernel = Kernel::new_trusted(WGSL, "adamw_step_amsgrad", adamw_step_amsgrad_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&ADAMW_STEP, &ADAMW_STEP_AMSGRAD];

/// The figures of [`adamw_step`], PyTorch's names; the default is PyTorch's `AdamW`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamHyper {
    /// Learning rate.
    pub lr: f64,
    /// What is kept of the mean gradient.
    pub beta1: f64,
    /// What is kept of the mean squared gradient.
    pub beta2: f64,
    /// Keeps the divisor from zero.
    pub eps: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Whether the decay shrinks the weights (AdamW) or is added to the gradient (Adam).
    pub decoupled: bool,
}

impl Default for AdamHyper {
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01, decoupled: true }
    }
}

impl AdamHyper {
    /// What [`adamw_step`] reads at step `step`, which counts from 1: lr / (1 - beta1^t), 1 - beta1, 1 - beta2,
    /// 1 / sqrt(1 - beta2^t), eps, lr * decay (AdamW), decay (Adam), 0.
    ///
    /// # Panics
    /// If `step` is 0.
    #[track_caller]
    pub fn at_step(self, step: u64) -> [f32; 8] {
        assert!(step > 0, "AdamHyper: steps count from 1");
        let t = step as f64;
        let correction = |beta: f64| 1.0 - beta.powf(t);
        let (shrink, decay) = if self.decoupled { (self.lr * self.weight_decay, 0.0) } else { (0.0, self.weight_decay) };
        let rate = self.lr / correction(self.beta1);
        let unbias = 1.0 / correction(self.beta2).sqrt();
        [rate, 1.0 - self.beta1, 1.0 - self.beta2, unbias, self.eps, shrink, decay, 0.0].map(|v| v as f32)
    }
}

/// One job. With AMSGrad `largest` holds the largest second moments so far, else nothing.
#[inline(always)]
fn update<const AMSGRAD: bool>(
    hyper: &[f32],
    weights: &mut [f32],
    grads: &[f32],
    first: &mut [f32],
    second: &mut [f32],
    largest: &mut [f32],
) {
    let &[rate, fresh1, fresh2, unbias, eps, shrink, decay, _] = hyper else { unreachable!("adamw_step checks the length") };
    // All of one length, which spares the loop its checks.
    let n = weights.len();
    let (grads, first, second) = (&grads[..n], &mut first[..n], &mut second[..n]);
    let largest = &mut largest[..if AMSGRAD { n } else { 0 }];
    for i in 0..n {
        let g = grads[i] + decay * weights[i];
        first[i] += (g - first[i]) * fresh1;
        second[i] += (g * g - second[i]) * fresh2;
        let mut divisor = second[i];
        if AMSGRAD {
            largest[i] = largest[i].max(divisor);
            divisor = largest[i];
        }
        weights[i] = weights[i] - shrink * weights[i] - rate * first[i] / (divisor.sqrt() * unbias + eps);
    }
}

fn adamw_step_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, first, second) = (args.output::<f32>(0), args.output::<f32>(1), args.output::<f32>(2));
    let jobs =
        weights.par_chunks_mut(JOB).zip(grads.par_chunks(JOB)).zip(first.par_chunks_mut(JOB)).zip(second.par_chunks_mut(JOB));
    jobs.run(|(((weights, grads), first), second)| {
        in_vectors!(update::<false>(hyper, weights, grads, first, second, &mut []));
    });
}

fn adamw_step_amsgrad_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, first, second) = (args.output::<f32>(0), args.output::<f32>(1), args.output::<f32>(2));
    let jobs =
        weights.par_chunks_mut(JOB).zip(grads.par_chunks(JOB)).zip(first.par_chunks_mut(JOB)).zip(second.par_chunks_mut(JOB));
    jobs.zip(args.output::<f32>(3).par_chunks_mut(JOB)).run(|((((weights, grads), first), second), largest)| {
        in_vectors!(update::<true>(hyper, weights, grads, first, second, largest));
    });
}

/// One step of AdamW (or Adam): `params` and the moments `m` and `v` change in place; all four parameters are f32 of one length,
/// `hyper` is [`AdamHyper::at_step`]. Equivalent of `torch.optim.AdamW(...).step()`.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::AdamHyper};
/// let cpu = Device::Cpu;
/// let (w, dw) = (Tensor::from_slice(&cpu, [2], &[1.0f32, 2.0]), Tensor::from_slice(&cpu, [2], &[3.0f32, -4.0]));
/// let (m, v) = (Tensor::zeros(&cpu, [2]), Tensor::zeros(&cpu, [2]));
/// let hyper = AdamHyper { lr: 0.5, weight_decay: 0.0, ..AdamHyper::default() };
/// ops::adamw_step(&w, &dw, &m, &v, &Tensor::from_slice(&cpu, [8], &hyper.at_step(1)));
/// // The first step is the gradient's sign.
/// assert!(w.to_vec()?.iter().zip([0.5, 2.5]).all(|(w, want)| (w - want).abs() < 1e-6));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn adamw_step(params: &Tensor, grads: &Tensor, m: &Tensor, v: &Tensor, hyper: &Tensor) {
    parameters::expect("adamw_step", params, &[("grads", grads), ("m", m), ("v", v)]);
    parameters::expect_hyper("adamw_step", params, hyper);
    ADAMW_STEP.launch(Params::of(params), &[grads, hyper], &[params, m, v], parameters::grid(params));
}

/// [`adamw_step`] with the largest second moment so far, `max_v`, in the divisor. Equivalent of
/// `torch.optim.AdamW(..., amsgrad=True).step()`.
///
/// # Panics
/// As [`adamw_step`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::AdamHyper};
/// let cpu = Device::Cpu;
/// let [w, m, v, max_v] = [0; 4].map(|_| Tensor::zeros(&cpu, [1]));
/// let hyper = AdamHyper { lr: 0.5, weight_decay: 0.0, ..AdamHyper::default() }.at_step(1);
/// ops::adamw_step_amsgrad(&w, &Tensor::full(&cpu, [1], 3.0), &m, &v, &max_v, &Tensor::from_slice(&cpu, [8], &hyper));
/// assert!((w.item()? + 0.5).abs() < 1e-6);
/// assert_eq!(max_v.item()?, v.item()?);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn adamw_step_amsgrad(params: &Tensor, grads: &Tensor, m: &Tensor, v: &Tensor, max_v: &Tensor, hyper: &Tensor) {
    parameters::expect("adamw_step_amsgrad", params, &[("grads", grads), ("m", m), ("v", v), ("max_v", max_v)]);
    parameters::expect_hyper("adamw_step_amsgrad", params, hyper);
    ADAMW_STEP_AMSGRAD.launch(Params::of(params), &[grads, hyper], &[params, m, v, max_v], parameters::grid(params));
}
