//! Adagrad by PyTorch's rule, in place over flat arenas: one dispatch for a whole network (Duchi, Hazan and Singer, "Adaptive
//! subgradient methods for online learning and stochastic optimization", 2011).
//!
//! `g = grad + weight_decay * w`, `sum += g^2`, `w -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(sum) + eps)`.

use super::arenas::{self, JOB, Params};
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::kernel::{Args, Kernel};
use crate::tensor::Tensor;
use rayon::prelude::*;

const WGSL: &str = wgsl!("adagrad.wgsl");
static ADAGRAD_STEP: Kernel = Kernel::new_trusted(WGSL, "adagrad_step", adagrad_step_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&ADAGRAD_STEP];

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

fn adagrad_step_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, sums) = (args.output::<f32>(0), args.output::<f32>(1));
    let &[rate, eps, decay, ..] = hyper else { unreachable!("adagrad_step checks the length") };
    let jobs = weights.par_chunks_mut(JOB).zip(sums.par_chunks_mut(JOB)).zip(grads.par_chunks(JOB));
    jobs.for_each(|((weights, sums), grads)| {
        for ((w, sum), g) in weights.iter_mut().zip(sums).zip(grads) {
            let g = g + decay * *w;
            *sum += g * g;
            *w -= rate * (g / (sum.sqrt() + eps));
        }
    });
}

/// One step of Adagrad: `params` and `square_sum` change in place; all three arenas are f32 of one length, `hyper` is
/// [`AdagradHyper::at_step`]. Equivalent of `torch.optim.Adagrad(...).step()`; `initial_accumulator_value` is what `square_sum`
/// begins with.
///
/// # Panics
/// If lengths or types do not fit, or if arenas share memory that they must not.
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
    arenas::expect("adagrad_step", params, &[("grads", grads), ("square_sum", square_sum)]);
    arenas::expect_hyper("adagrad_step", params, hyper);
    ADAGRAD_STEP.launch(Params::of(params), &[grads, hyper], &[params, square_sum], arenas::grid(params));
}

const HYPERS: [AdagradHyper; 2] = [
    AdagradHyper { lr: 0.1, lr_decay: 0.0, weight_decay: 0.0, eps: 1e-10 },
    AdagradHyper { lr: 0.1, lr_decay: 0.3, weight_decay: 0.05, eps: 1e-3 },
];

/// Three steps from sums of `initial`; parameters first.
fn three_steps(device: &Device, len: usize, hyper: AdagradHyper, initial: f32) -> Vec<Tensor> {
    let (w, sum) = (check::tensor(device, [len], 1), Tensor::full(device, [len], initial));
    for step in 1..4 {
        let figures = Tensor::from_slice(device, [8], &hyper.at_step(step));
        adagrad_step(&w, &check::tensor(device, [len], 1 + step), &sum, &figures);
    }
    vec![w, sum]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for (hyper, initial) in HYPERS.into_iter().zip([0.0, 0.5]) {
            let what = format!("{len} elements, {hyper:?} from {initial}");
            cases.push(Case::new("adagrad_step", what, Bound::Relative(2e-6), move |device| {
                three_steps(device, len, hyper, initial)
            }));
        }
    }
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    vec![Bench::new("adagrad_step", "16777216 elements", 8 << 24, |device| {
        let [w, g, sum] = arenas::many(device, 1 << 24);
        let hyper = Tensor::from_slice(device, [8], &AdagradHyper::default().at_step(1));
        move || {
            adagrad_step(&w, &g, &sum, &hyper);
            Vec::new()
        }
    })]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    vec![misuse!("adagrad_step", ["square_sum differs in length", "params [4], square_sum [3]"], |device| adagrad_step(
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [4]),
        &Tensor::zeros(device, [3]),
        &Tensor::zeros(device, [8])
    ))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_equals_a_naive_loop() {
        for (h, initial) in HYPERS.into_iter().zip([0.0f32, 0.5]) {
            let len = 37_003;
            let got = three_steps(&Device::Cpu, len, h, initial)[0].to_vec().unwrap();
            let mut want: Vec<[f64; 2]> = check::values(len, 1).iter().map(|&w| [f64::from(w), f64::from(initial)]).collect();
            for step in 1..4u64 {
                for ([w, sum], g) in want.iter_mut().zip(check::values(len, 1 + step)) {
                    let g = f64::from(g) + h.weight_decay * *w;
                    *sum += g * g;
                    *w -= h.lr / (1.0 + (step - 1) as f64 * h.lr_decay) * g / (sum.sqrt() + h.eps);
                }
            }
            for (got, [want, _]) in got.iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < 1e-6, "{h:?}: {got} is not {want}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "adagrad_step: square_sum differs in length from params (params [4], square_sum [3])")]
    fn arenas_that_do_not_fit_are_named() {
        let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
        adagrad_step(&zeros(4), &zeros(4), &zeros(3), &zeros(8));
    }
}
