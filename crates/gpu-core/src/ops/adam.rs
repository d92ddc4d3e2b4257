//! Adam and AdamW by PyTorch's rule, in place over flat arenas: one dispatch for a whole network.
//!
//! `m = beta1 * m + (1 - beta1) * g`, `v = beta2 * v + (1 - beta2) * g^2`,
//! `w -= lr / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + eps)`. AdamW shrinks `w` by `lr * weight_decay` first; Adam adds
//! `weight_decay * w` to `g`.
//!
//! The figures lie in a tensor, so that a replayed capture follows a schedule and its own step count. They are worked out in f64 on
//! the host: `1 - 0.999` in f32 is wrong in the fifth digit.

use crate::check::{self, Bound, Case};
use crate::dtype::DType;
use crate::kernel::{Args, Grid, Kernel};
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

const WGSL: &str = include_str!("../../../../shaders/adam.wgsl");
static ADAMW_STEP: Kernel = Kernel::new(WGSL, "adamw_step", adamw_step_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&ADAMW_STEP];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
}

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

/// Elements of a job.
const JOB: usize = 1 << 14;

fn adamw_step_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, first, second) = (args.output::<f32>(0), args.output::<f32>(1), args.output::<f32>(2));
    let &[rate, fresh1, fresh2, unbias, eps, shrink, decay, _] = hyper else { unreachable!("adamw_step checks the length") };
    let moments = first.par_chunks_mut(JOB).zip(second.par_chunks_mut(JOB));
    let jobs = weights.par_chunks_mut(JOB).zip(moments).zip(grads.par_chunks(JOB));
    jobs.for_each(|((weights, (first, second)), grads)| {
        for ((w, g), (m, v)) in weights.iter_mut().zip(grads).zip(first.iter_mut().zip(second)) {
            let g = g + decay * *w;
            *m += (g - *m) * fresh1;
            *v += (g * g - *v) * fresh2;
            *w = *w - shrink * *w - rate * *m / (v.sqrt() * unbias + eps);
        }
    });
}

/// One step of AdamW (or Adam): `params` and the moments `m` and `v` change in place; all four arenas are f32 of one length,
/// `hyper` is [`AdamHyper::at_step`]. Equivalent of `torch.optim.AdamW(...).step()`.
///
/// # Panics
/// If lengths or types do not fit, or if arenas share memory that they must not.
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
    for (name, t) in [("params", params), ("grads", grads), ("m", m), ("v", v), ("hyper", hyper)] {
        assert!(t.dtype() == DType::F32, "adamw_step: {name} must hold f32, it holds {} ({name} {})", t.dtype(), t.shape());
    }
    for (name, t) in [("grads", grads), ("m", m), ("v", v)] {
        let fits = t.len() == params.len();
        assert!(fits, "adamw_step: {name} differs in length from params (params {}, {name} {})", params.shape(), t.shape());
    }
    assert!(hyper.shape() == Shape::from([8]), "adamw_step: hyper must be [8] (hyper {})", hyper.shape());
    let grid = Grid::linear(params.len().div_ceil(4), 256);
    ADAMW_STEP.launch(Params { len: params.len() as u32 }, &[grads, hyper], &[params, m, v], grid);
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for decoupled in [true, false] {
            let what = format!("{len} elements, decoupled {decoupled}");
            cases.push(Case::new("adamw_step", what, Bound::Relative(5e-6), move |device| {
                let w = check::tensor(device, [len], 1);
                let (m, v) = (Tensor::zeros(device, [len]), Tensor::zeros(device, [len]));
                for step in 1..4 {
                    let figures = AdamHyper { lr: 0.1, decoupled, ..AdamHyper::default() }.at_step(step);
                    let hyper = Tensor::from_slice(device, [8], &figures);
                    adamw_step(&w, &check::tensor(device, [len], 1 + step), &m, &v, &hyper);
                }
                vec![w, m, v]
            }));
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::hold;
    use crate::device::Device;

    #[test]
    fn kernels_equal_their_mirrors() {
        hold(&cases());
    }

    #[test]
    fn the_mirror_equals_a_naive_loop() {
        for (decoupled, weight_decay) in [(true, 0.0), (true, 0.1), (false, 0.1)] {
            let h = AdamHyper { lr: 0.01, weight_decay, decoupled, ..AdamHyper::default() };
            let len = 37_003;
            let w = check::tensor(&Device::Cpu, [len], 1);
            let (m, v) = (Tensor::zeros(&Device::Cpu, [len]), Tensor::zeros(&Device::Cpu, [len]));
            let mut want: Vec<[f64; 3]> = w.to_vec().unwrap().iter().map(|&w| [f64::from(w), 0.0, 0.0]).collect();
            for step in 1..6 {
                let grads = check::tensor(&Device::Cpu, [len], 1 + step);
                adamw_step(&w, &grads, &m, &v, &Tensor::from_slice(&Device::Cpu, [8], &h.at_step(step)));
                for ([w, m, v], g) in want.iter_mut().zip(grads.to_vec().unwrap()) {
                    let mut g = f64::from(g);
                    if decoupled {
                        *w *= 1.0 - h.lr * weight_decay;
                    } else {
                        g += weight_decay * *w;
                    }
                    *m = h.beta1 * *m + (1.0 - h.beta1) * g;
                    *v = h.beta2 * *v + (1.0 - h.beta2) * g * g;
                    let unbiased = |moment: f64, beta: f64| moment / (1.0 - beta.powi(step as i32));
                    *w -= h.lr * unbiased(*m, h.beta1) / (unbiased(*v, h.beta2).sqrt() + h.eps);
                }
            }
            for (got, [want, ..]) in w.to_vec().unwrap().iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < 1e-6, "{h:?}: {got} is not {want}");
            }
        }
    }

    #[test]
    fn a_parameter_without_gradient_stays() {
        for device in check::devices() {
            let zeros = || Tensor::zeros(&device, [6]);
            let w = Tensor::full(&device, [6], 2.0);
            let figures = AdamHyper { weight_decay: 0.0, ..AdamHyper::default() }.at_step(1);
            adamw_step(&w, &zeros(), &zeros(), &zeros(), &Tensor::from_slice(&device, [8], &figures));
            assert_eq!(w.to_vec().unwrap(), [2.0; 6]);
        }
    }

    #[test]
    #[should_panic(expected = "adamw_step: v differs in length from params (params [4], v [3])")]
    fn arenas_that_do_not_fit_are_named() {
        let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
        adamw_step(&zeros(4), &zeros(4), &zeros(4), &zeros(3), &zeros(8));
    }

    #[test]
    #[should_panic(expected = "AdamHyper: steps count from 1")]
    fn step_zero_is_refused() {
        let _ = AdamHyper::default().at_step(0);
    }
}
