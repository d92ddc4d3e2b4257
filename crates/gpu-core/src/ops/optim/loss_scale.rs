//! Dynamic loss scaling, for gradients that are computed in f16 (Micikevicius et al., "Mixed precision training", 2018): a loss is
//! multiplied by a power of two, so that small gradients do not become zero, and the gradients of the parameters are divided by it again.
//! Where one of them is not finite the scale was too large: it is halved, and the step is taken back. After as many steps without it is
//! doubled. It is kept within 1 and 2^24: at 1 nothing is taken back, for what is not finite then is not the scale's doing.
//!
//! The state is a tensor of three f32 on the device: the scale, the steps since it changed, the steps that were taken back. Nothing is read
//! back for it, and a captured step does it all.

use super::parameters::{self, GROUP, JOB, parts};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("loss_scale.wgsl");
static COUNT_NOT_FINITE: Kernel = Kernel::new_trusted(WGSL, "count_not_finite", count_not_finite_cpu);
static JUDGE_SCALE: Kernel = Kernel::new_trusted(WGSL, "judge_scale", judge_scale_cpu);
static UNSCALE: Kernel = Kernel::new_trusted(WGSL, "unscale", unscale_cpu);
static TAKE_BACK: Kernel = Kernel::new_trusted(WGSL, "take_back", take_back_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&COUNT_NOT_FINITE, &JUDGE_SCALE, &UNSCALE, &TAKE_BACK];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    interval: u32,
}

const LEAST: f32 = 1.0;
const MOST: f32 = 16_777_216.0;

fn count_not_finite_cpu(args: &mut Args<'_>) {
    let (x, found) = (args.input::<f32>(0), args.output::<f32>(0));
    let part = x.len().div_ceil(found.len()).max(1);
    found.fill(0.0);
    // Where they lie is not asked, only whether there are any.
    found.par_iter_mut().zip(x.par_chunks(part)).run(|(found, x)| *found = x.iter().filter(|v| !v.is_finite()).count() as f32);
}

fn judge_scale_cpu(args: &mut Args<'_>) {
    let interval = args.params::<Params>().interval;
    let found = args.input::<f32>(0).iter().any(|&count| count > 0.0);
    let (state, decided) = (args.output::<f32>(0), args.output::<f32>(1));
    let (scale, steps) = (state[0], state[1] + 1.0);
    let is_taken_back = found && scale > LEAST;
    decided.copy_from_slice(&[1.0 / scale, f32::from(u8::from(is_taken_back))]);
    let is_due = steps >= interval as f32;
    if is_taken_back {
        state[0] = 0.5 * scale;
        state[2] += 1.0;
    } else if is_due && scale < MOST {
        state[0] = 2.0 * scale;
    }
    state[1] = if is_taken_back || is_due { 0.0 } else { steps };
}

fn unscale_cpu(args: &mut Args<'_>) {
    let factor = args.input::<f32>(0)[0];
    args.output::<f32>(0).par_chunks_mut(JOB).run(|y| y.iter_mut().for_each(|y| *y *= factor));
}

fn take_back_cpu(args: &mut Args<'_>) {
    let (before, is_taken_back) = (args.input::<u32>(0), args.input::<f32>(1)[1]);
    if is_taken_back != 0.0 {
        args.output::<u32>(0).copy_from_slice(before);
    }
}

/// Divides `gradients` in place by the scale that `state` (f32 `[3]`: the scale, a power of two; the steps since it changed; the steps that
/// were taken back) says the loss was multiplied by, and brings the state up to date; doubled is the scale after `growth_interval` steps.
/// Gives what [`take_back`] asks: f32 `[2]`, the second 1 where the step is to be taken back. Equivalent of `unscale_` and `update` of
/// `torch.amp.GradScaler`, with `growth_factor=2` and `backoff_factor=0.5`.
///
/// # Panics
/// If a tensor does not hold f32, `state` is not `[3]`, or `growth_interval` is 0.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let state = Tensor::from_slice(&Device::Cpu, [3], &[4.0f32, 0.0, 0.0]);
/// let g = Tensor::from_slice(&Device::Cpu, [2], &[8.0f32, -1.0]);
/// assert_eq!((ops::unscale(&g, &state, 2000).to_vec()?, g.to_vec()?), (vec![0.25, 0.0], vec![2.0, -0.25]));
/// g.write(&[8.0f32, f32::INFINITY]);
/// assert_eq!(ops::unscale(&g, &state, 2000).to_vec()?, [0.25, 1.0]);
/// assert_eq!(state.to_vec()?, [2.0, 0.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn unscale(gradients: &Tensor, state: &Tensor, growth_interval: u32) -> Tensor {
    expect::f32s("unscale", &[("gradients", gradients), ("state", state)]);
    assert!(state.shape() == [3].into(), "unscale: state must be [3] (state {})", state.shape());
    assert!(growth_interval > 0, "unscale: the scale cannot be doubled after 0 steps");
    let (device, parts) = (gradients.device(), parts(gradients.len()));
    let (found, verdict) = (Tensor::empty(device, [parts]), Tensor::empty(device, [2]));
    let trips = gradients.len().div_ceil(GROUP * parts) + 8;
    let of = |len: usize| Params { len: len as u32, interval: growth_interval };
    COUNT_NOT_FINITE.launch(of(gradients.len()), &[gradients], &[&found], Grid::folded(parts).trips(trips));
    JUDGE_SCALE.launch(of(parts), &[&found], &[state, &verdict], Grid::folded(1).trips(parts.div_ceil(256) + 8));
    UNSCALE.launch(of(gradients.len()), &[&verdict], &[gradients], parameters::grid(gradients));
    verdict
}

/// Brings `params` back to what they were `before`, bit for bit, where the `verdict` of [`unscale`] says so; else they stay. Where
/// `torch.amp.GradScaler` passes over a step, which the host must know, this one is computed and taken back.
///
/// # Panics
/// If lengths or types do not fit, or both share memory.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (before, now) = (Tensor::full(&Device::Cpu, [2], 1.0), Tensor::full(&Device::Cpu, [2], 5.0));
/// ops::take_back(&Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 0.0]), &before, &now);
/// assert_eq!(now.to_vec()?, [5.0, 5.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn take_back(verdict: &Tensor, before: &Tensor, params: &Tensor) {
    parameters::expect("take_back", params, &[("before", before)]);
    expect::f32s("take_back", &[("params", params), ("verdict", verdict)]);
    assert!(verdict.shape() == [2].into(), "take_back: verdict must be [2] (verdict {})", verdict.shape());
    let of = Params { len: params.len() as u32, interval: 0 };
    TAKE_BACK.launch(of, &[before, verdict], &[params], parameters::grid(params));
}
