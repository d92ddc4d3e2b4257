//! Averages of the weights over the steps, in place over flat arenas, and their exchange with the weights.
//!
//! The exponential moving average: `ema += (1 - decay) * (w - ema)`. Lookahead: at every k-th step `slow += alpha * (w - slow)` and
//! `w = slow` (Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", 2019). How far to go lies in a tensor, so that
//! a replayed capture knows when it is time.

use super::arenas::{self, JOB, Params};
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::dtype::DType;
use crate::kernel::{Args, Kernel};
use crate::tensor::Tensor;
use rayon::prelude::*;

const WGSL: &str = wgsl!("average.wgsl");
static EMA_STEP: Kernel = Kernel::new_trusted(WGSL, "ema_step", ema_step_cpu);
static LOOKAHEAD_STEP: Kernel = Kernel::new_trusted(WGSL, "lookahead_step", lookahead_step_cpu);
static EXCHANGE: Kernel = Kernel::new_trusted(WGSL, "exchange", exchange_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&EMA_STEP, &LOOKAHEAD_STEP, &EXCHANGE];

fn ema_step_cpu(args: &mut Args<'_>) {
    let (weights, far) = (args.input::<f32>(0), args.input::<f32>(1)[0]);
    let average = args.output::<f32>(0);
    if far >= 1.0 {
        return average.copy_from_slice(weights);
    }
    average.par_chunks_mut(JOB).zip(weights.par_chunks(JOB)).for_each(|(average, weights)| {
        average.iter_mut().zip(weights).for_each(|(a, w)| *a += (w - *a) * far);
    });
}

fn lookahead_step_cpu(args: &mut Args<'_>) {
    let far = args.input::<f32>(0)[0];
    let (slow, fast) = (args.output::<f32>(0), args.output::<f32>(1));
    if far == 0.0 {
        return;
    }
    slow.par_chunks_mut(JOB).zip(fast.par_chunks_mut(JOB)).for_each(|(slow, fast)| {
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
/// If lengths or types do not fit, or if arenas share memory that they must not.
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
    arenas::expect("ema_step", params, &[("average", average)]);
    expect_figure("ema_step", far);
    EMA_STEP.launch(Params::of(params), &[params, far], &[average], arenas::grid(params));
}

/// Moves `slow` towards `params` by the part that `far` (f32, one element) holds, and `params` to where it then is; at 0 both stay. From
/// Zhang et al., 2019; PyTorch has none.
///
/// # Panics
/// If lengths or types do not fit, or if arenas share memory that they must not.
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
    arenas::expect("lookahead_step", params, &[("slow", slow)]);
    expect_figure("lookahead_step", far);
    LOOKAHEAD_STEP.launch(Params::of(params), &[far], &[slow, params], arenas::grid(params));
}

/// Exchanges the elements of two arenas, bit for bit. In PyTorch it takes three copies, through a third tensor.
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
    arenas::expect("exchange", params, &[("other", other)]);
    assert!(!params.shares_storage(other), "exchange: both lie in one buffer (params {}, other {})", params.shape(), other.shape());
    EXCHANGE.launch(Params::of(params), &[], &[params, other], arenas::grid(params));
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1021, 300_007] {
        for far in [0.0f32, 0.1, 1.0] {
            let what = format!("{len} elements, {far} of the way");
            cases.push(Case::new("ema_step", what.clone(), Bound::Relative(3e-7), move |device| {
                let (w, ema) = (check::tensor(device, [len], 1), check::tensor(device, [len], 2));
                ema_step(&w, &ema, &Tensor::scalar(device, far));
                vec![ema]
            }));
            cases.push(Case::new("lookahead_step", what, Bound::Relative(3e-7), move |device| {
                let (w, slow) = (check::tensor(device, [len], 1), check::tensor(device, [len], 2));
                lookahead_step(&w, &slow, &Tensor::scalar(device, far));
                vec![w, slow]
            }));
        }
        cases.push(Case::new("exchange", format!("{len} elements"), Bound::Exact, move |device| {
            let (a, b) = (check::tensor(device, [len], 1), check::tensor(device, [len], 2));
            exchange(&a, &b);
            vec![a, b]
        }));
    }
    cases
}

pub(super) fn benches() -> Vec<Bench> {
    let pair = |device: &Device| (check::tensor(device, [1 << 24], 1), check::tensor(device, [1 << 24], 2));
    vec![
        Bench::new("ema_step", "16777216 elements", 3 << 24, move |device| {
            let ((w, ema), far) = (pair(device), Tensor::scalar(device, 0.001));
            move || {
                ema_step(&w, &ema, &far);
                Vec::new()
            }
        }),
        Bench::new("lookahead_step", "16777216 elements", 3 << 24, move |device| {
            let ((w, slow), far) = (pair(device), Tensor::scalar(device, 0.5));
            move || {
                lookahead_step(&w, &slow, &far);
                Vec::new()
            }
        }),
        Bench::new("exchange", "16777216 elements", 0, move |device| {
            let (w, other) = pair(device);
            move || {
                exchange(&w, &other);
                Vec::new()
            }
        }),
    ]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    vec![
        misuse!("ema_step", ["average differs in length", "params [4], average [3]"], |device| ema_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [1])
        )),
        misuse!("lookahead_step", ["far is one element", "far [2]"], |device| lookahead_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [2])
        )),
        misuse!("exchange", ["other differs in length", "params [4], other [3]"], |device| exchange(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3])
        )),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirrors_are_the_formulas() {
        let (len, far) = (37_003, 0.1f32);
        let [w, ema, fast, slow] = [1, 2, 1, 2].map(|seed| check::tensor(&Device::Cpu, [len], seed));
        ema_step(&w, &ema, &Tensor::scalar(&Device::Cpu, far));
        lookahead_step(&fast, &slow, &Tensor::scalar(&Device::Cpu, far));
        let (ema, fast, slow) = (ema.to_vec().unwrap(), fast.to_vec().unwrap(), slow.to_vec().unwrap());
        assert_eq!(fast, slow);
        for (i, (w, before)) in check::values(len, 1).iter().zip(check::values(len, 2)).enumerate() {
            let want = f64::from(before) + (f64::from(*w) - f64::from(before)) * f64::from(far);
            assert!((f64::from(ema[i]) - want).abs() < 1e-6 && (f64::from(slow[i]) - want).abs() < 1e-6, "{i}: {want}");
        }
    }

    #[test]
    fn the_whole_way_is_a_copy_and_an_exchange_keeps_every_bit() {
        let words: Vec<f32> = [0x7fc1_2345, 0x8000_0000, 1, 0x7f80_0000, 0x3f80_0001].map(f32::from_bits).to_vec();
        let bits = |t: &Tensor| t.to_vec().unwrap().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        for device in check::devices() {
            let (w, other) = (check::tensor(&device, [5], 1), Tensor::from_slice(&device, [5], &words));
            exchange(&w, &other);
            assert_eq!(bits(&w), words.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), "{}", device.name());
            assert_eq!(other.to_vec().unwrap(), check::values(5, 1));
            let ema = Tensor::full(&device, [5], 1e30);
            ema_step(&other, &ema, &Tensor::scalar(&device, 1.0));
            assert_eq!(bits(&ema), bits(&other));
        }
    }

    #[test]
    #[should_panic(expected = "exchange: other differs in length from params (params [4], other [3])")]
    fn arenas_that_do_not_fit_are_named() {
        exchange(&Tensor::zeros(&Device::Cpu, [4]), &Tensor::zeros(&Device::Cpu, [3]));
    }
}
