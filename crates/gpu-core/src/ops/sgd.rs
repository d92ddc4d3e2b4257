//! Stochastic gradient descent by PyTorch's rule, in place over flat arenas: one dispatch for a whole network.
//!
//! `g = grad + weight_decay * w`, `buf = momentum * buf + (1 - dampening) * g` (the first step: `buf = g`),
//! `w -= lr * buf`, or with Nesterov's momentum `w -= lr * (g + momentum * buf)`. Without momentum `w -= lr * g`.
//!
//! The figures lie in a tensor, so that a replayed capture follows a schedule.

use super::arenas::{self, JOB, Params};
use crate::check::{self, Bench, Bound, Case};
use crate::kernel::{Args, Kernel};
use crate::tensor::Tensor;
use rayon::prelude::*;

const WGSL: &str = wgsl!("sgd.wgsl");
static SGD_STEP: Kernel = Kernel::new_trusted(WGSL, "sgd_step", sgd_step_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&SGD_STEP];

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

fn sgd_step_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (weights, buffers) = (args.output::<f32>(0), args.output::<f32>(1));
    let &[lr, momentum, undamped, decay, nesterov, first_step, ..] = hyper else { unreachable!("sgd_step checks the length") };
    let jobs = weights.par_chunks_mut(JOB).zip(buffers.par_chunks_mut(JOB)).zip(grads.par_chunks(JOB));
    jobs.for_each(|((weights, buffers), grads)| {
        if momentum == 0.0 {
            return weights.iter_mut().zip(grads).for_each(|(w, g)| *w -= lr * (g + decay * *w));
        }
        let (of_gradient, of_buffer) = if nesterov != 0.0 { (1.0, momentum) } else { (0.0, 1.0) };
        for ((w, buf), g) in weights.iter_mut().zip(buffers).zip(grads) {
            let g = g + decay * *w;
            *buf = if first_step != 0.0 { g } else { momentum * *buf + undamped * g };
            *w -= lr * (of_gradient * g + of_buffer * *buf);
        }
    });
}

/// One step of stochastic gradient descent: `params` and `momentum_buf` change in place; all three arenas are f32 of one length,
/// `hyper` is [`SgdHyper::to_array`]. Equivalent of `torch.optim.SGD(...).step()`.
///
/// # Panics
/// If lengths or types do not fit, or if arenas share memory that they must not.
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
    arenas::expect("sgd_step", params, &[("grads", grads), ("momentum_buf", momentum_buf)]);
    arenas::expect_hyper("sgd_step", params, hyper);
    SGD_STEP.launch(Params::of(params), &[grads, hyper], &[params, momentum_buf], arenas::grid(params));
}

/// Plain, momentum, momentum with dampening, Nesterov; with and without decay.
const HYPERS: &[SgdHyper] = &[
    SgdHyper { lr: 0.1, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false, first_step: true },
    SgdHyper { lr: 0.1, momentum: 0.0, dampening: 0.5, weight_decay: 0.01, nesterov: false, first_step: true },
    SgdHyper { lr: 0.1, momentum: 0.9, dampening: 0.0, weight_decay: 0.01, nesterov: false, first_step: true },
    SgdHyper { lr: 0.1, momentum: 0.9, dampening: 0.3, weight_decay: 0.0, nesterov: false, first_step: true },
    SgdHyper { lr: 0.1, momentum: 0.9, dampening: 0.0, weight_decay: 0.01, nesterov: true, first_step: true },
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for &hyper in HYPERS {
            cases.push(Case::new("sgd_step", format!("{len} elements, {hyper:?}"), Bound::Relative(1e-6), move |device| {
                let (w, buf) = (check::tensor(device, [len], 1), check::tensor(device, [len], 2));
                for step in 0..3 {
                    let hyper = SgdHyper { first_step: step == 0, ..hyper };
                    let hyper = Tensor::from_slice(device, [8], &hyper.to_array());
                    sgd_step(&w, &check::tensor(device, [len], 3 + step), &buf, &hyper);
                }
                vec![w, buf]
            }));
        }
    }
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    vec![Bench::new("sgd_step", "16777216 elements", 6 << 24, |device| {
        let [w, g, buf] = arenas::many(device, 1 << 24);
        let hyper = Tensor::from_slice(device, [8], &HYPERS[4].to_array());
        move || {
            sgd_step(&w, &g, &buf, &hyper);
            Vec::new()
        }
    })]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    vec![
        misuse!("sgd_step", ["grads differs in length", "params [4], grads [3]"], |device| sgd_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [8])
        )),
        misuse!("sgd_step", ["hyper must be [8]", "hyper [7]"], |device| sgd_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [7])
        )),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::device::Device;

    #[test]
    fn the_mirror_equals_a_naive_loop() {
        for &hyper in HYPERS {
            let len = 37_003;
            let (w, buf) = (check::tensor(&Device::Cpu, [len], 1), check::tensor(&Device::Cpu, [len], 2));
            let mut want: Vec<f64> = w.to_vec().unwrap().iter().map(|&v| f64::from(v)).collect();
            let mut momentum: Vec<Option<f64>> = vec![None; len];
            for step in 0..3 {
                let grads = check::tensor(&Device::Cpu, [len], 3 + step);
                let figures = SgdHyper { first_step: step == 0, ..hyper }.to_array();
                sgd_step(&w, &grads, &buf, &Tensor::from_slice(&Device::Cpu, [8], &figures));
                for ((w, b), g) in want.iter_mut().zip(&mut momentum).zip(grads.to_vec().unwrap()) {
                    let mut g = f64::from(g) + hyper.weight_decay * *w;
                    if hyper.momentum != 0.0 {
                        let new = b.map_or(g, |b| hyper.momentum * b + (1.0 - hyper.dampening) * g);
                        *b = Some(new);
                        g = if hyper.nesterov { g + hyper.momentum * new } else { new };
                    }
                    *w -= hyper.lr * g;
                }
            }
            for (got, want) in w.to_vec().unwrap().iter().zip(want) {
                assert!((f64::from(*got) - want).abs() < 1e-6, "{hyper:?}: {got} is not {want}");
            }
        }
    }

    #[test]
    fn without_dampening_a_buffer_of_zeros_is_a_first_step() {
        let run = |first_step| {
            let (w, buf) = (check::tensor(&Device::Cpu, [99], 1), Tensor::zeros(&Device::Cpu, [99]));
            let figures = SgdHyper { first_step, ..HYPERS[4] }.to_array();
            sgd_step(&w, &check::tensor(&Device::Cpu, [99], 2), &buf, &Tensor::from_slice(&Device::Cpu, [8], &figures));
            (w.to_vec().unwrap(), buf.to_vec().unwrap())
        };
        assert_eq!(run(true), run(false));
    }

    #[test]
    #[should_panic(expected = "sgd_step: grads differs in length from params (params [4], grads [3])")]
    fn arenas_that_do_not_fit_are_named() {
        let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
        sgd_step(&zeros(4), &zeros(3), &zeros(4), &zeros(8));
    }
}
