//! RMSprop by PyTorch's rule, in place over flat arenas: one dispatch for a whole network (Tieleman and Hinton, lecture 6.5 of
//! "Neural networks for machine learning", 2012; centred: Graves, "Generating sequences with recurrent neural networks", 2013).
//!
//! `g = grad + weight_decay * w`, `s = alpha * s + (1 - alpha) * g^2`, `w -= lr * g / (sqrt(s) + eps)`. Centred, the mean of the
//! gradients is taken off: `a = alpha * a + (1 - alpha) * g`, and `s - a^2` stands under the root. With momentum
//! `buf = momentum * buf + g / (sqrt(s) + eps)`, `w -= lr * buf`.

use super::arenas::{self, JOB, Params};
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::kernel::{Args, Kernel};
use crate::tensor::Tensor;
use rayon::prelude::*;

const WGSL: &str = wgsl!("rmsprop.wgsl");
static RMSPROP_STEP: Kernel = Kernel::new_trusted(WGSL, "rmsprop_step", |args| step_cpu(args, false, false));
static RMSPROP_STEP_MOMENTUM: Kernel = Kernel::new_trusted(WGSL, "rmsprop_step_momentum", |args| step_cpu(args, true, false));
static RMSPROP_STEP_CENTERED: Kernel = Kernel::new_trusted(WGSL, "rmsprop_step_centered", |args| step_cpu(args, false, true));
static RMSPROP_STEP_CENTERED_MOMENTUM: Kernel =
    Kernel::new_trusted(WGSL, "rmsprop_step_centered_momentum", |args| step_cpu(args, true, true));
pub(super) const KERNELS: &[&Kernel] =
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

fn step_cpu(args: &mut Args<'_>, momentum: bool, centered: bool) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, squares) = (args.output::<f32>(0), args.output::<f32>(1));
    let count = weights.len().div_ceil(JOB);
    let buffers = jobs(momentum.then(|| args.output::<f32>(2)), count);
    let means = jobs(centered.then(|| args.output::<f32>(if momentum { 3 } else { 2 })), count);
    let &[lr, fresh, eps, decay, kept, ..] = hyper else { unreachable!("rmsprop_step checks the length") };
    let here = weights.par_chunks_mut(JOB).zip(grads.par_chunks(JOB)).zip(squares.par_chunks_mut(JOB));
    here.zip(buffers).zip(means).for_each(|((((weights, grads), squares), buffers), means)| {
        for (i, ((w, g), s)) in weights.iter_mut().zip(grads).zip(squares).enumerate() {
            let g = g + decay * *w;
            *s += (g * g - *s) * fresh;
            let mut under = *s;
            if centered {
                means[i] += (g - means[i]) * fresh;
                under = (under - means[i] * means[i]).max(0.0);
            }
            let step = g / (under.sqrt() + eps);
            *w -= lr
                * match momentum {
                    false => step,
                    true => {
                        buffers[i] = kept * buffers[i] + step;
                        buffers[i]
                    }
                };
        }
    });
}

/// One step of RMSprop: `params`, `square_avg` and, where they are given, `momentum_buf` (for momentum) and `grad_avg` (centred)
/// change in place; all arenas are f32 of one length, `hyper` is [`RmspropHyper::to_array`]. Equivalent of
/// `torch.optim.RMSprop(...).step()`.
///
/// # Panics
/// If lengths or types do not fit, or if arenas share memory that they must not.
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
    arenas::expect("rmsprop_step", params, &[("grads", grads), ("square_avg", square_avg)]);
    for (name, arena) in [("momentum_buf", momentum_buf), ("grad_avg", grad_avg)] {
        if let Some(arena) = arena {
            arenas::expect("rmsprop_step", params, &[(name, arena)]);
        }
    }
    arenas::expect_hyper("rmsprop_step", params, hyper);
    let kernel = match (momentum_buf, grad_avg) {
        (None, None) => &RMSPROP_STEP,
        (Some(_), None) => &RMSPROP_STEP_MOMENTUM,
        (None, Some(_)) => &RMSPROP_STEP_CENTERED,
        (Some(_), Some(_)) => &RMSPROP_STEP_CENTERED_MOMENTUM,
    };
    let outputs: Vec<&Tensor> = [params, square_avg].into_iter().chain(momentum_buf).chain(grad_avg).collect();
    kernel.launch(Params::of(params), &[grads, hyper], &outputs, arenas::grid(params));
}

/// Momentum and whether the mean is taken off; the weight decay changes with them.
const FORMS: [(f64, bool); 4] = [(0.0, false), (0.9, false), (0.0, true), (0.5, true)];

fn hyper(momentum: f64, centered: bool) -> RmspropHyper {
    let weight_decay = if centered { 0.01 } else { 0.0 };
    RmspropHyper { lr: 0.1, alpha: 0.9, eps: 1e-3, weight_decay, momentum }
}

/// Three steps; parameters first.
fn three_steps(device: &Device, len: usize, momentum: f64, centered: bool) -> Vec<Tensor> {
    let w = check::tensor(device, [len], 1);
    let [square_avg, buffer, mean] = [0; 3].map(|_| Tensor::zeros(device, [len]));
    let figures = Tensor::from_slice(device, [8], &hyper(momentum, centered).to_array());
    for step in 0..3 {
        let (buffer, mean) = ((momentum > 0.0).then_some(&buffer), centered.then_some(&mean));
        rmsprop_step(&w, &check::tensor(device, [len], 2 + step), &square_avg, buffer, mean, &figures);
    }
    vec![w, square_avg, buffer, mean]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for (momentum, centered) in FORMS {
            let what = format!("{len} elements, momentum {momentum}, centered {centered}");
            // From zeros, the square of the mean is well below the mean square for ten steps: nothing cancels.
            let bound = Bound::Relative(5e-6);
            cases.push(Case::new("rmsprop_step", what, bound, move |device| three_steps(device, len, momentum, centered)));
        }
    }
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    vec![
        Bench::new("rmsprop_step", "16777216 elements", 9 << 24, |device| {
            let [w, g, s] = arenas::many(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &hyper(0.0, false).to_array());
            move || {
                rmsprop_step(&w, &g, &s, None, None, &hyper);
                Vec::new()
            }
        }),
        Bench::new("rmsprop_step", "16777216 elements, momentum", 11 << 24, |device| {
            let [w, g, s, buf] = arenas::many(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &hyper(0.9, false).to_array());
            move || {
                rmsprop_step(&w, &g, &s, Some(&buf), None, &hyper);
                Vec::new()
            }
        }),
        Bench::new("rmsprop_step", "16777216 elements, centered", 14 << 24, |device| {
            let [w, g, s, mean] = arenas::many(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &hyper(0.0, true).to_array());
            move || {
                rmsprop_step(&w, &g, &s, None, Some(&mean), &hyper);
                Vec::new()
            }
        }),
        Bench::new("rmsprop_step", "16777216 elements, centered, momentum", 16 << 24, |device| {
            let [w, g, s, buf, mean] = arenas::many(device, 1 << 24);
            let hyper = Tensor::from_slice(device, [8], &hyper(0.9, true).to_array());
            move || {
                rmsprop_step(&w, &g, &s, Some(&buf), Some(&mean), &hyper);
                Vec::new()
            }
        }),
    ]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    vec![misuse!("rmsprop_step", ["grad_avg differs in length", "params [4], grad_avg [3]"], |device| rmsprop_step(
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [4]),
        None,
        Some(&Tensor::zeros(device, [3])),
        &Tensor::zeros(device, [8])
    ))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirrors_equal_a_naive_loop() {
        for (momentum, centered) in FORMS {
            let (len, h) = (37_003, hyper(momentum, centered));
            let got = three_steps(&Device::Cpu, len, momentum, centered)[0].to_vec().unwrap();
            let mut want: Vec<[f64; 4]> = check::values(len, 1).iter().map(|&w| [f64::from(w), 0.0, 0.0, 0.0]).collect();
            for step in 0..3 {
                for ([w, s, mean, buf], g) in want.iter_mut().zip(check::values(len, 2 + step)) {
                    let g = f64::from(g) + h.weight_decay * *w;
                    *s = h.alpha * *s + (1.0 - h.alpha) * g * g;
                    *mean = h.alpha * *mean + (1.0 - h.alpha) * g;
                    let spread = if centered { *s - *mean * *mean } else { *s };
                    *buf = momentum * *buf + g / (spread.sqrt() + h.eps);
                    *w -= h.lr * *buf;
                }
            }
            for (got, [want, ..]) in got.iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < 2e-5, "momentum {momentum}, centered {centered}: {got} is not {want}");
            }
        }
    }

    #[test]
    fn a_constant_gradient_has_no_variance() {
        // Rounding may leave the mean square below the square of the mean: that must not become a root of a negative number.
        for device in check::devices() {
            let [w, square_avg, mean] = [0; 3].map(|_| Tensor::zeros(&device, [1000]));
            let figures = Tensor::from_slice(&device, [8], &RmspropHyper { alpha: 0.5, ..RmspropHyper::default() }.to_array());
            for _ in 0..60 {
                let grads: Vec<f32> = (0..1000).map(|i| 0.1 + i as f32 / 777.0).collect();
                rmsprop_step(&w, &Tensor::from_slice(&device, [1000], &grads), &square_avg, None, Some(&mean), &figures);
            }
            assert!(w.to_vec().unwrap().iter().all(|w| w.is_finite()), "{}", device.name());
        }
    }

    #[test]
    #[should_panic(expected = "rmsprop_step: grad_avg differs in length from params (params [4], grad_avg [3])")]
    fn arenas_that_do_not_fit_are_named() {
        let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
        rmsprop_step(&zeros(4), &zeros(4), &zeros(4), None, Some(&zeros(3)), &zeros(8));
    }
}
