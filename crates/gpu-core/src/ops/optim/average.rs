//! Averages of the weights over the steps, in place over flat parameters, and their exchange with the weights.
//!
//! The exponential moving average: `ema += (1 - decay) * (w - ema)`. Lookahead: at every k-th step `slow += alpha * (w - slow)` and
//! `w = slow` (Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", 2019). How far to go lies in a tensor, so that
//! a replayed capture knows when it is time.

use super::parameters::{self, JOB, Params};
use crate::base::DType;
use crate::kernel::{Args, Kernel};
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;

const WGSL: &str = wgsl!("average.wgsl");
static EMA_STEP: Kernel = Kernel::new_trusted(WGSL, "ema_step", ema_step_cpu);
static LOOKAHEAD_STEP: Kernel = Kernel::new_trusted(WGSL, "lookahead_step", lookahead_step_cpu);
static EXCHANGE: Kernel = Kernel::new_trusted(WGSL, "exchange", exchange_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&EMA_STEP, &LOOKAHEAD_STEP, &EXCHANGE];

fn ema_step_cpu(args: &mut Args<'_>) {
    let (weights, far) = (args.input::<f32>(0), args.input::<f32>(1)[0]);
    let average = args.output::<f32>(0);
    if far >= 1.0 {
        return average.copy_from_slice(weights);
    }
    average.par_chunks_mut(JOB).zip(weights.par_chunks(JOB)).run(|(average, weights)| {
        average.iter_mut().zip(weights).for_each(|(a, w)| *a += (w - *a) * far);
    });
}

fn lookahead_step_cpu(args: &mut Args<'_>) {
    let far = args.input::<f32>(0)[0];
    let (slow, fast) = (args.output::<f32>(0), args.output::<f32>(1));
    if far == 0.0 {
        return;
    }
    slow.par_chunks_mut(JOB).zip(fast.par_chunks_mut(JOB)).run(|(slow, fast)| {
        for (slow, fast) in slow.iter_mut().zip(fast) {
            *slow += (*fast - *slow) * far;
            *fast = *slow;
        }
    });
}

fn exchange_cpu(args: &mut Args<'_>) {
    args.output::<u32>(0).swap_with_slice(args.output::<u32>(1));
}

#[track_caller]
fn expect_figure(op: &str, far: &Tensor) {
    assert!(far.dtype() == DType::F32, "{op}: far must hold f32, it holds {} (far {})", far.dtype(), far.shape());
    assert!(far.len() == 1, "{op}: far is one element (far {})", far.shape());
}

/// Moves `average` towards `params` by the part that `far` (f32, one element) holds: `1 - decay`. At 1 or more it is a copy.
/// Equivalent of `torch.optim.swa_utils.get_ema_multi_avg_fn`.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (w, ema) = (Tensor::full(&Device::Cpu, [2], 1.0), Tensor::full(&Device::Cpu, [2], 5.0));
/// ops::ema_step(&w, &ema, &Tensor::scalar(&Device::Cpu, 0.25));
/// assert_eq!(ema.to_vec()?, [4.0, 4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn ema_step(params: &Tensor, average: &Tensor, far: &Tensor) {
    parameters::expect("ema_step", params, &[("average", average)]);
    expect_figure("ema_step", far);
    EMA_STEP.launch(Params::of(params), &[params, far], &[average], parameters::grid(params));
}

/// Moves `slow` towards `params` by the part that `far` (f32, one element) holds, and `params` to where it then is; at 0 both stay. From
/// Zhang et al., 2019; PyTorch has none.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (w, slow) = (Tensor::full(&Device::Cpu, [2], 1.0), Tensor::full(&Device::Cpu, [2], 5.0));
/// ops::lookahead_step(&w, &slow, &Tensor::scalar(&Device::Cpu, 0.5));
/// assert_eq!((w.to_vec()?, slow.to_vec()?), (vec![3.0; 2], vec![3.0; 2]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn lookahead_step(params: &Tensor, slow: &Tensor, far: &Tensor) {
    parameters::expect("lookahead_step", params, &[("slow", slow)]);
    expect_figure("lookahead_step", far);
    LOOKAHEAD_STEP.launch(Params::of(params), &[far], &[slow, params], parameters::grid(params));
}

/// Exchanges the elements of two parameters, bit for bit. In PyTorch it takes three copies, through a third tensor.
///
/// # Panics
/// If lengths or types do not fit, or if they share memory.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (a, b) = (Tensor::full(&Device::Cpu, [2], 1.0), Tensor::full(&Device::Cpu, [2], 5.0));
/// ops::exchange(&a, &b);
/// assert_eq!((a.to_vec()?, b.to_vec()?), (vec![5.0; 2], vec![1.0; 2]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn exchange(params: &Tensor, other: &Tensor) {
    parameters::expect("exchange", params, &[("other", other)]);
    assert!(!params.shares_storage(other), "exchange: both lie in one buffer (params {}, other {})", params.shape(), other.shape());
    EXCHANGE.launch(Params::of(params), &[], &[params, other], parameters::grid(params));
}
