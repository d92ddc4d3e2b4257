//! Dropout: elements, or whole channels, set to zero with probability `p`, the rest scaled by `1 / (1 - p)`.
//!
//! What is dropped is a pure function of (seed, stream, step, index): element `i` takes word `i % 4` of the Philox block with
//! counter `(i / 4, stream, step, 0)` and key `seed`, and is dropped iff the word is below `round(p * 2^32)` (all are, for
//! `p = 1`). Nothing is kept for the backward pass: it draws the same words again. The step is read on the device, so it must not
//! change between the two passes.

use crate::check::{self, Bound, Case};
use crate::device::Device;
use crate::dtype::DType;
use crate::kernel::{Args, Grid, Kernel};
use crate::rng::Stream;
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

/// Seed and stream of a dropout layer.
pub use crate::rng::Key as DropoutKey;

const WGSL: &str = include_str!("../../../../shaders/dropout.wgsl");
static DROPOUT: Kernel = Kernel::new(WGSL, "dropout", dropout_cpu);
static DROPOUT2D: Kernel = Kernel::new(WGSL, "dropout2d", dropout2d_cpu);
static DROPOUT_MASK: Kernel = Kernel::new(WGSL, "dropout_mask", dropout_mask_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&DROPOUT, &DROPOUT2D, &DROPOUT_MASK];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    inner: u32,
    stream: u32,
    seed_lo: u32,
    seed_hi: u32,
    threshold: u32,
    drop_all: u32,
    scale: f32,
}

impl Params {
    #[track_caller]
    fn new(op: &str, shape: Shape, inner: usize, p: f32, key: DropoutKey, step: &Tensor) -> Self {
        assert!((0.0..=1.0).contains(&p), "{op}: p {p} is not in [0, 1] (x {shape})");
        let fits = step.len() == 1 && step.dtype() == DType::U32;
        assert!(fits, "{op}: step must be one u32 (step {} {}, x {shape})", step.dtype(), step.shape());
        let threshold = (f64::from(p) * 2f64.powi(32)).round() as u64;
        let drop_all = threshold > u64::from(u32::MAX);
        Self {
            len: shape.len() as u32,
            inner: inner as u32,
            stream: key.stream,
            seed_lo: key.seed as u32,
            seed_hi: (key.seed >> 32) as u32,
            threshold: if drop_all { u32::MAX } else { threshold as u32 },
            drop_all: drop_all.into(),
            scale: if drop_all { 0.0 } else { (1.0 / (1.0 - f64::from(p))) as f32 },
        }
    }

    fn words(&self, step: u32) -> Stream {
        Stream::new(u64::from(self.seed_hi) << 32 | u64::from(self.seed_lo), self.stream, step)
    }

    fn keeps(&self, word: u32) -> bool {
        (word >= self.threshold) & (self.drop_all == 0)
    }
}

/// Elements of a job: a multiple of 32, so that jobs share neither a Philox block nor a word of a mask.
const JOB: usize = 1 << 14;

/// Elements whose words are drawn at once: four blocks fill the registers, eight were half as fast.
const RUN: usize = 16;

/// For each of the elements `RUN * run ..` all ones where it is kept, and zero where it is dropped.
#[inline(always)]
fn kept(p: &Params, words: &Stream, run: usize) -> [u32; RUN] {
    let words = words.blocks::<{ RUN / 4 }>((run * (RUN / 4)) as u32);
    std::array::from_fn(|i| 0u32.wrapping_sub(p.keeps(words[i % 4][i / 4]).into()))
}

fn dropout_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let words = p.words(args.input::<u32>(1)[0]);
    let jobs = args.output::<f32>(0).par_chunks_mut(JOB).zip(args.input::<f32>(0).par_chunks(JOB));
    jobs.enumerate().for_each(|(job, (y, x))| {
        let first = job * (JOB / RUN);
        // By bits and not by `if`, which became a branch that was mispredicted every other time.
        let put = |y: &mut f32, x: f32, kept: u32| *y = f32::from_bits((x * p.scale).to_bits() & kept);
        let ((y, y_rest), (x, x_rest)) = (y.as_chunks_mut::<RUN>(), x.as_chunks::<RUN>());
        for (run, (y, x)) in y.iter_mut().zip(x).enumerate() {
            let kept = kept(&p, &words, first + run);
            for i in 0..RUN {
                put(&mut y[i], x[i], kept[i]);
            }
        }
        let kept = kept(&p, &words, first + y.len());
        y_rest.iter_mut().zip(x_rest).zip(kept).for_each(|((y, x), kept)| put(y, *x, kept));
    });
}

fn dropout2d_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let words = p.words(args.input::<u32>(1)[0]);
    let inner = p.inner as usize;
    let channels = args.output::<f32>(0).par_chunks_exact_mut(inner).zip(args.input::<f32>(0).par_chunks_exact(inner));
    channels.with_min_len(JOB.div_ceil(inner)).enumerate().for_each(|(channel, (y, x))| {
        if p.keeps(words.word(channel as u64)) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x * p.scale);
        } else {
            y.fill(0.0);
        }
    });
}

fn dropout_mask_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let words = p.words(args.input::<u32>(0)[0]);
    args.output::<u32>(0).par_iter_mut().with_min_len(JOB / 32).enumerate().for_each(|(i, mask)| {
        let bits = |run| kept(&p, &words, run).iter().zip(0..).fold(0u32, |bits, (kept, at)| bits | (kept & 1) << at);
        let (word, rest) = (bits(2 * i) | bits(2 * i + 1) << 16, p.len as usize - 32 * i);
        *mask = if rest < 32 { word & ((1 << rest) - 1) } else { word };
    });
}

#[track_caller]
fn elements(op: &str, x: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    let params = Params::new(op, x.shape(), 1, p, key, step);
    let y = Tensor::empty(x.device(), x.shape());
    DROPOUT.launch(params, &[x, step], &[&y], Grid::linear(x.len().div_ceil(4), 256).trips(10));
    y
}

#[track_caller]
fn channels(op: &str, x: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    assert!(x.shape().rank() >= 2, "{op}: x must be (N, C, ...) (x {})", x.shape());
    let params = Params::new(op, x.shape(), x.shape().inner(2), p, key, step);
    let y = Tensor::empty(x.device(), x.shape());
    DROPOUT2D.launch(params, &[x, step], &[&y], Grid::linear(x.len().div_ceil(4), 256).trips(54));
    y
}

/// Each element of `x` (any shape) set to zero with probability `p`, the others scaled by `1 / (1 - p)`; `step` is one u32 on the
/// device. Equivalent of `F.dropout(x, p, training=True)`.
///
/// # Panics
/// If `p` is not in [0, 1] or `step` is not one u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let x = Tensor::full(&Device::Cpu, [1000], 1.0);
/// let step = Tensor::from_slice(&Device::Cpu, [1], &[0u32]);
/// let y = ops::dropout(&x, 0.5, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?;
/// assert!(y.iter().all(|&v| v == 0.0 || v == 2.0));
/// assert!((400..600).contains(&y.iter().filter(|&&v| v == 0.0).count()));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn dropout(x: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    elements("dropout", x, p, key, step)
}

/// The gradient of [`dropout`] to `x`: the same elements of `dy` dropped, the others scaled. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// As [`dropout`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (x, step) = (Tensor::full(&Device::Cpu, [8], 1.0), Tensor::from_slice(&Device::Cpu, [1], &[3u32]));
/// let key = DropoutKey { seed: 7, stream: 0 };
/// // The mask times the scale, applied to ones, either way.
/// assert_eq!(ops::dropout_bwd_x(&x, 0.5, key, &step).to_vec()?, ops::dropout(&x, 0.5, key, &step).to_vec()?);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn dropout_bwd_x(dy: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    elements("dropout_bwd_x", dy, p, key, step)
}

/// Each channel `x[n, c]` of `x` (N, C, ...) set to zero as a whole with probability `p`, the others scaled by `1 / (1 - p)`;
/// channel `n * C + c` takes the word that element `n * C + c` takes in [`dropout`]. Equivalent of
/// `F.dropout2d(x, p, training=True)`.
///
/// # Panics
/// If `x` has no channels, `p` is not in [0, 1], or `step` is not one u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let x = Tensor::full(&Device::Cpu, [4, 8, 3, 3], 1.0);
/// let step = Tensor::from_slice(&Device::Cpu, [1], &[0u32]);
/// let y = ops::dropout2d(&x, 0.5, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?;
/// assert!(y.chunks(9).all(|channel| channel.iter().all(|v| v == &channel[0])));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn dropout2d(x: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    channels("dropout2d", x, p, key, step)
}

/// The gradient of [`dropout2d`] to `x`. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// As [`dropout2d`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (dy, step) = (Tensor::full(&Device::Cpu, [1, 2, 1, 1], 3.0), Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// assert_eq!(ops::dropout2d_bwd_x(&dy, 1.0, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?, [0.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn dropout2d_bwd_x(dy: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    channels("dropout2d_bwd_x", dy, p, key, step)
}

/// Which elements [`dropout`] keeps for a tensor of `shape`: bit `i % 32` of word `i / 32` is set iff element `i` is kept. On the
/// device of `step`. Equivalent of `F.dropout(torch.ones(shape), p) != 0`, packed.
///
/// # Panics
/// If `p` is not in [0, 1] or `step` is not one u32.
///
/// ```
/// # use gpu_core::{Device, Shape, Tensor, ops, ops::DropoutKey};
/// let (key, step) = (DropoutKey { seed: 7, stream: 0 }, Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// assert_eq!(ops::dropout_mask(Shape::from([5, 7]), 0.0, key, &step).read::<u32>()?, [u32::MAX, 0b111]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn dropout_mask(shape: Shape, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    let params = Params::new("dropout_mask", shape, 1, p, key, step);
    let words = shape.len().div_ceil(32);
    let mask = Tensor::empty_of(step.device(), [words], DType::U32);
    DROPOUT_MASK.launch(params, &[step], &[&mask], Grid::linear(words, 256).trips(88));
    mask
}

pub(super) fn cases() -> Vec<Case> {
    const KEY: DropoutKey = DropoutKey { seed: 0x0123_4567_89ab_cdef, stream: 5 };
    let step = |device: &Device| Tensor::from_slice(device, [1], &[41u32]);
    let mut cases = Vec::new();
    for len in [1usize, 3, 4, 31, 33, 1021, 1_000_003] {
        for p in [0.0, 0.3, 0.5, 1.0] {
            cases.push(Case::new("dropout", format!("{len} elements, p {p}"), Bound::Exact, move |device| {
                let (x, step) = (check::tensor(device, [len], 1), step(device));
                vec![dropout(&x, p, KEY, &step), dropout_bwd_x(&x, p, KEY, &step), dropout_mask(Shape::from([len]), p, KEY, &step)]
            }));
        }
    }
    for shape in [[1, 1, 1, 1], [5, 7, 1, 1], [3, 5, 1, 3], [2, 3, 7, 11], [2, 33, 4, 4], [17, 64, 16, 16]] {
        cases.push(Case::new("dropout2d", format!("{shape:?}"), Bound::Exact, move |device| {
            let (x, step) = (check::tensor(device, shape, 2), step(device));
            vec![dropout2d(&x, 0.4, KEY, &step), dropout2d_bwd_x(&x, 0.4, KEY, &step)]
        }));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{devices, hold};

    const KEY: DropoutKey = DropoutKey { seed: 9, stream: 2 };

    fn step(device: &Device, value: u32) -> Tensor {
        Tensor::from_slice(device, [1], &[value])
    }

    #[test]
    fn kernels_equal_their_mirrors() {
        hold(&cases());
    }

    #[test]
    fn the_mirrors_follow_the_rule() {
        let x = check::tensor(&Device::Cpu, [3, 5, 7, 331], 1);
        let values = x.to_vec().unwrap();
        let words = Stream::new(KEY.seed, KEY.stream, 77);
        let keep = |i: usize| f64::from(words.word(i as u64)) >= (f64::from(0.3f32) * 2f64.powi(32)).round();
        let mask = dropout_mask(x.shape(), 0.3, KEY, &step(&Device::Cpu, 77)).read::<u32>().unwrap();
        let y = dropout(&x, 0.3, KEY, &step(&Device::Cpu, 77)).to_vec().unwrap();
        let y2d = dropout2d(&x, 0.3, KEY, &step(&Device::Cpu, 77)).to_vec().unwrap();
        let scale = (1.0 / (1.0 - f64::from(0.3f32))) as f32;
        for (i, &v) in values.iter().enumerate() {
            assert_eq!(y[i], if keep(i) { v * scale } else { 0.0 });
            assert_eq!(y2d[i], if keep(i / (7 * 331)) { v * scale } else { 0.0 });
            assert_eq!(mask[i / 32] >> (i % 32) & 1 == 1, keep(i));
        }
    }

    #[test]
    fn the_kept_fraction_and_the_mean_are_right_within_five_sigma() {
        let n = 1_000_000;
        let x = Tensor::full(&Device::Cpu, [n], 1.0);
        for p in [0.1f32, 0.5, 0.9] {
            let y = dropout(&x, p, KEY, &step(&Device::Cpu, 0)).to_vec().unwrap();
            let kept = y.iter().filter(|&&v| v != 0.0).count() as f64 / n as f64;
            let p = f64::from(p);
            let sigma = (p * (1.0 - p) / n as f64).sqrt();
            assert!((kept - (1.0 - p)).abs() < 5.0 * sigma, "p {p}: {kept} kept");
            let mean = y.iter().map(|&v| f64::from(v)).sum::<f64>() / n as f64;
            assert!((mean - 1.0).abs() < 5.0 * sigma / (1.0 - p) + 1e-6, "p {p}: mean {mean}");
        }
    }

    #[test]
    fn masks_of_other_steps_streams_and_seeds_are_independent() {
        let mask = |key, s| dropout_mask(Shape::from([320_000]), 0.5, key, &step(&Device::Cpu, s)).read::<u32>().unwrap();
        let first = mask(KEY, 0);
        for other in [mask(KEY, 1), mask(DropoutKey { stream: 3, ..KEY }, 0), mask(DropoutKey { seed: 9 | 1 << 32, ..KEY }, 0)] {
            let equal: u32 = first.iter().zip(&other).map(|(a, b)| (a ^ b).count_zeros()).sum();
            // Sigma is sqrt(320,000) / 2 = 283.
            assert!((i64::from(equal) - 160_000).abs() < 5 * 283, "{equal} of 320,000 equal");
        }
    }

    #[test]
    fn none_and_all() {
        for device in devices() {
            let x = check::tensor(&device, [1003], 1);
            assert_eq!(dropout(&x, 0.0, KEY, &step(&device, 0)).to_vec().unwrap(), x.to_vec().unwrap());
            assert!(dropout(&x, 1.0, KEY, &step(&device, 0)).to_vec().unwrap().iter().all(|v| v.to_bits() == 0));
        }
    }

    #[test]
    fn a_replayed_capture_draws_with_the_step_of_the_moment() {
        for device in devices() {
            let (x, counter) = (check::tensor(&device, [1003], 1), step(&device, 0));
            let (y, capture) = device.capture(|| dropout(&x, 0.5, KEY, &counter)).unwrap();
            for s in [5u32, 6, 5] {
                counter.write(&[s]);
                capture.replay().unwrap();
                assert_eq!(y.to_vec().unwrap(), dropout(&x, 0.5, KEY, &step(&device, s)).to_vec().unwrap());
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let x = check::tensor(&Device::Cpu, [3, 5, 70, 331], 1);
        let run = || {
            let step = step(&Device::Cpu, 1);
            (dropout(&x, 0.3, KEY, &step).to_vec().unwrap(), dropout2d(&x, 0.3, KEY, &step).to_vec().unwrap())
        };
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(run);
        let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap().install(run);
        assert!(one == three);
    }

    #[test]
    fn gradients_equal_difference_quotients() {
        let (x, step) = (check::tensor(&Device::Cpu, [2, 3, 3, 5], 1), step(&Device::Cpu, 4));
        let inputs = std::slice::from_ref(&x);
        check::gradients(inputs, |t| dropout(&t[0], 0.4, KEY, &step), |_, dy| vec![dropout_bwd_x(dy, 0.4, KEY, &step)]);
        check::gradients(inputs, |t| dropout2d(&t[0], 0.4, KEY, &step), |_, dy| vec![dropout2d_bwd_x(dy, 0.4, KEY, &step)]);
    }

    #[test]
    #[should_panic(expected = "dropout: p 1.01 is not in [0, 1] (x [3])")]
    fn a_probability_over_one_is_refused() {
        dropout(&Tensor::zeros(&Device::Cpu, [3]), 1.01, KEY, &step(&Device::Cpu, 0));
    }

    #[test]
    #[should_panic(expected = "dropout2d: step must be one u32 (step f32 [2], x [3, 4])")]
    fn a_step_of_another_type_is_refused() {
        dropout2d(&Tensor::zeros(&Device::Cpu, [3, 4]), 0.5, KEY, &Tensor::zeros(&Device::Cpu, [2]));
    }

    #[test]
    #[should_panic(expected = "dropout2d: x must be (N, C, ...) (x [3])")]
    fn a_tensor_without_channels_is_refused() {
        dropout2d(&Tensor::zeros(&Device::Cpu, [3]), 0.5, KEY, &step(&Device::Cpu, 0));
    }
}
