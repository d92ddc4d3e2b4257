//! Adam and AdamW by PyTorch's rule, in place over flat arenas: one dispatch for a whole network (Kingma and Ba, "Adam", 2014;
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

use super::arenas::{self, JOB, Params};
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::kernel::{Args, Kernel};
use crate::tensor::Tensor;
use rayon::prelude::*;

const WGSL: &str = wgsl!("adam.wgsl");
static ADAMW_STEP: Kernel = Kernel::new_trusted(WGSL, "adamw_step", adamw_step_cpu);
static ADAMW_STEP_AMSGRAD: Kernel = Kernel::new_trusted(WGSL, "adamw_step_amsgrad", adamw_step_amsgrad_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&ADAMW_STEP, &ADAMW_STEP_AMSGRAD];

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

/// One job: weights, gradients and moments of a stretch, and what `divisor` makes of the second moment of its `i`-th element.
fn update(
    hyper: &[f32],
    (weights, grads): (&mut [f32], &[f32]),
    (first, second): (&mut [f32], &mut [f32]),
    mut divisor: impl FnMut(usize, f32) -> f32,
) {
    let &[rate, fresh1, fresh2, unbias, eps, shrink, decay, _] = hyper else { unreachable!("adamw_step checks the length") };
    for (i, ((w, g), (m, v))) in weights.iter_mut().zip(grads).zip(first.iter_mut().zip(second)).enumerate() {
        let g = g + decay * *w;
        *m += (g - *m) * fresh1;
        *v += (g * g - *v) * fresh2;
        *w = *w - shrink * *w - rate * *m / (divisor(i, *v).sqrt() * unbias + eps);
    }
}

fn adamw_step_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, first, second) = (args.output::<f32>(0), args.output::<f32>(1), args.output::<f32>(2));
    let moments = first.par_chunks_mut(JOB).zip(second.par_chunks_mut(JOB));
    let jobs = weights.par_chunks_mut(JOB).zip(grads.par_chunks(JOB)).zip(moments);
    jobs.for_each(|(here, moments)| update(hyper, here, moments, |_, v| v));
}

fn adamw_step_amsgrad_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, first, second) = (args.output::<f32>(0), args.output::<f32>(1), args.output::<f32>(2));
    let largest = args.output::<f32>(3);
    let moments = first.par_chunks_mut(JOB).zip(second.par_chunks_mut(JOB)).zip(largest.par_chunks_mut(JOB));
    let jobs = weights.par_chunks_mut(JOB).zip(grads.par_chunks(JOB)).zip(moments);
    jobs.for_each(|(here, (moments, largest))| {
        update(hyper, here, moments, |i, v| {
            largest[i] = largest[i].max(v);
            largest[i]
        });
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
    arenas::expect("adamw_step", params, &[("grads", grads), ("m", m), ("v", v)]);
    arenas::expect_hyper("adamw_step", params, hyper);
    ADAMW_STEP.launch(Params::of(params), &[grads, hyper], &[params, m, v], arenas::grid(params));
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
    arenas::expect("adamw_step_amsgrad", params, &[("grads", grads), ("m", m), ("v", v), ("max_v", max_v)]);
    arenas::expect_hyper("adamw_step_amsgrad", params, hyper);
    ADAMW_STEP_AMSGRAD.launch(Params::of(params), &[grads, hyper], &[params, m, v, max_v], arenas::grid(params));
}

/// Three steps, whose gradients shrink, so that the largest second moment is not the last one.
fn three_steps(device: &Device, len: usize, hyper: AdamHyper, amsgrad: bool) -> Vec<Tensor> {
    let w = check::tensor(device, [len], 1);
    let [m, v, max_v] = [0; 3].map(|_| Tensor::zeros(device, [len]));
    for step in 1..4 {
        let figures = Tensor::from_slice(device, [8], &hyper.at_step(step));
        let grads: Vec<f32> = check::input_values(device, len, 1 + step).iter().map(|g| g / step.pow(3) as f32).collect();
        let grads = Tensor::from_slice(device, [len], &grads);
        match amsgrad {
            true => adamw_step_amsgrad(&w, &grads, &m, &v, &max_v, &figures),
            false => adamw_step(&w, &grads, &m, &v, &figures),
        }
    }
    vec![w, m, v, max_v]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for (decoupled, amsgrad) in [(true, false), (false, false), (true, true), (false, true)] {
            let name = if amsgrad { "adamw_step_amsgrad" } else { "adamw_step" };
            let what = format!("{len} elements, decoupled {decoupled}");
            // A short memory of the squares, so that AMSGrad's largest is not the newest.
            let hyper = AdamHyper { lr: 0.1, beta2: if amsgrad { 0.6 } else { 0.999 }, decoupled, ..AdamHyper::default() };
            cases.push(Case::new(name, what, Bound::Relative(5e-6), move |device| three_steps(device, len, hyper, amsgrad)));
        }
    }
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    vec![
        Bench::new("adamw_step", "16777216 elements", 14 << 24, |device| {
            let [w, g, m, v] = arenas::many(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &AdamHyper::default().at_step(1));
            move || {
                adamw_step(&w, &g, &m, &v, &hyper);
                Vec::new()
            }
        }),
        Bench::new("adamw_step_amsgrad", "16777216 elements", 15 << 24, |device| {
            let [w, g, m, v, most] = arenas::many(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &AdamHyper::default().at_step(1));
            move || {
                adamw_step_amsgrad(&w, &g, &m, &v, &most, &hyper);
                Vec::new()
            }
        }),
    ]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    vec![
        misuse!("adamw_step", ["v differs in length", "params [4], v [3]"], |device| adamw_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [8])
        )),
        misuse!("adamw_step_amsgrad", ["max_v differs in length", "params [4], max_v [3]"], |device| adamw_step_amsgrad(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [8])
        )),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirrors_equal_a_naive_loop() {
        for (decoupled, weight_decay, amsgrad) in [(true, 0.0, false), (true, 0.1, false), (false, 0.1, false), (true, 0.1, true)] {
            let h = AdamHyper { lr: 0.01, beta2: 0.6, weight_decay, decoupled, ..AdamHyper::default() };
            let len = 37_003;
            let got = three_steps(&Device::Cpu, len, h, amsgrad)[0].to_vec().unwrap();
            let mut want: Vec<[f64; 4]> = check::values(len, 1).iter().map(|&w| [f64::from(w), 0.0, 0.0, 0.0]).collect();
            let mut fell = false;
            for step in 1..4u64 {
                for ([w, m, v, most], g) in want.iter_mut().zip(check::values(len, 1 + step)) {
                    let mut g = f64::from(g) / step.pow(3) as f64;
                    if decoupled {
                        *w *= 1.0 - h.lr * weight_decay;
                    } else {
                        g += weight_decay * *w;
                    }
                    *m = h.beta1 * *m + (1.0 - h.beta1) * g;
                    *v = h.beta2 * *v + (1.0 - h.beta2) * g * g;
                    fell |= *v < *most;
                    *most = most.max(*v);
                    let unbiased = |moment: f64, beta: f64| moment / (1.0 - beta.powi(step as i32));
                    let square = if amsgrad { *most } else { *v };
                    *w -= h.lr * unbiased(*m, h.beta1) / (unbiased(square, h.beta2).sqrt() + h.eps);
                }
            }
            assert!(fell, "no second moment ever fell: AMSGrad was not tried");
            for (got, [want, ..]) in got.iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < 1e-6, "{h:?} amsgrad {amsgrad}: {got} is not {want}");
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
