//! Sums of loss and right answers that stay on the device.
//!
//! All of them are integers, so that none stops counting: a sum of ones in f32 ends at 2^24. The sum of the losses has 128 bits, of
//! which the lowest is 2^-40.

use super::argmax::argmax;
use super::options::{expect_classes, expect_labels};
use super::params::Params as Rows;
use crate::base::{DType, Shape};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::run::Device;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

pub(super) static ACCUMULATE_METRICS: Kernel =
    kernel!(concat!(wgsl!("counts.wgsl"), wgsl!("metric_sums.wgsl")), "accumulate_metrics", accumulate_metrics_cpu);

/// Rows of one launch: a multiple of what a view may begin at.
const LAUNCH_ROWS: usize = 1 << 23;
/// The lowest bit of the sum of the losses.
const UNIT: i32 = -40;
/// Bits of what is added to it at most, so that no number of launches fills the words.
const TERM_BITS: i32 = 100;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    rows: u32,
    images: u32,
}

/// What a sum of losses is from then on, and no sum of numbers: that it is infinite, or no number at all.
const NO_SUM: i128 = i128::MIN;

/// `loss * images` in units of the sum.
fn term(loss: f64, images: u32) -> i128 {
    let (bits, images) = (loss.to_bits(), i128::from(images));
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let mantissa = (bits & ((1 << 52) - 1)) | if exponent > 0 { 1 << 52 } else { 0 };
    let (product, up) = (i128::from(mantissa) * images, exponent.max(1) - 1075 - UNIT);
    let len = (128 - product.leading_zeros()) as i32;
    if loss.is_nan() {
        return NO_SUM + 2;
    }
    if exponent == 0x7ff || len + up > TERM_BITS {
        return NO_SUM + i128::from(loss < 0.0);
    }
    let size = if up >= 0 { product << up } else { product.checked_shr(-up as u32).unwrap_or(0) };
    if loss < 0.0 { -size } else { size }
}

fn is_no_sum(sum: i128) -> bool {
    sum <= NO_SUM + 2
}

fn accumulate_metrics_cpu<T: Real>(args: &mut Args<'_>) {
    let Params { rows, images } = args.params();
    let (predicted, labels, loss): (&[u32], &[u32], &[T]) = (args.input(0), args.input(1), args.input(2));
    let pairs = predicted.iter().zip(labels).take(rows as usize);
    let right = pairs.filter(|(p, l)| p == l).count() as u64;
    let words: &mut [u32] = args.output(0);
    let more = if images > 0 { (term(loss[0].into(), images), right, images.into()) } else { (0, right, 0) };
    words.copy_from_slice(&sum(MetricSums::words(words), more));
}

/// The words of two sums together: of losses, right rows and images. The first of them that is no sum of numbers is what they come to.
fn sum(a: (i128, u64, u64), b: (i128, u64, u64)) -> [u32; MetricSums::WORDS] {
    let loss = match (is_no_sum(a.0), is_no_sum(b.0)) {
        (true, _) => a.0,
        (false, true) => b.0,
        _ => a.0.wrapping_add(b.0),
    };
    let mut words = [0; MetricSums::WORDS];
    let number = |v: i128, words: &mut [u32]| words.iter_mut().enumerate().for_each(|(i, word)| *word = (v >> (32 * i)) as u32);
    number(loss, &mut words[..4]);
    number(a.1.wrapping_add(b.1).into(), &mut words[4..6]);
    number(a.2.wrapping_add(b.2).into(), &mut words[6..]);
    words
}

/// What [`accumulate_metrics`] and [`accumulate_loss`] have added up.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let sums = ops::MetricSums::zeros(&Device::Cpu);
/// ops::accumulate_loss(&Tensor::scalar(&Device::Cpu, 0.5), 3, &sums);
/// assert_eq!(ops::MetricSums::of(&sums.read()?), ops::MetricSums { loss: 1.5, correct: 0, images: 3 });
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricSums {
    /// The sum over the images of their losses, each to 2^-40: infinite once a batch had a loss that was infinite or added 2^60 or
    /// more, NaN once one had a loss that was NaN.
    pub loss: f64,
    /// Rows that were predicted right.
    pub correct: u64,
    /// Images.
    pub images: u64,
}

impl MetricSums {
    /// How many words the tensor has.
    pub const WORDS: usize = 8;

    /// A tensor of zeros to add to: u32 `[8]`.
    #[track_caller]
    pub fn zeros(device: &Device) -> Tensor {
        Tensor::from_slice(device, [Self::WORDS], &[0u32; Self::WORDS])
    }

    /// From the words of the tensor.
    ///
    /// # Panics
    /// If they are not eight.
    #[track_caller]
    pub fn of(words: &[u32]) -> Self {
        assert!(words.len() == Self::WORDS, "MetricSums: {} words are not {}", words.len(), Self::WORDS);
        let (loss, correct, images) = Self::words(words);
        let loss = match loss.wrapping_sub(NO_SUM) {
            0 => f64::INFINITY,
            1 => f64::NEG_INFINITY,
            2 => f64::NAN,
            _ => loss as f64 * 2f64.powi(UNIT),
        };
        Self { loss, correct, images }
    }

    /// The words of `a` and `b` together, as if all batches had been added to one of them: which, makes no difference.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor, ops};
    /// let [one, other] = [0.5, 0.25].map(|loss| {
    ///     let sums = ops::MetricSums::zeros(&Device::Cpu);
    ///     ops::accumulate_loss(&Tensor::scalar(&Device::Cpu, loss), 4, &sums);
    ///     sums.read().unwrap().try_into().unwrap()
    /// });
    /// assert_eq!(ops::MetricSums::of(&ops::MetricSums::joined(one, other)), ops::MetricSums { loss: 3.0, correct: 0, images: 8 });
    /// ```
    pub fn joined(a: [u32; Self::WORDS], b: [u32; Self::WORDS]) -> [u32; Self::WORDS] {
        sum(Self::words(&a), Self::words(&b))
    }

    fn words(words: &[u32]) -> (i128, u64, u64) {
        let number = |words: &[u32]| words.iter().rev().fold(0u128, |v, &word| v << 32 | u128::from(word));
        (number(&words[..4]) as i128, number(&words[4..6]) as u64, number(&words[6..]) as u64)
    }
}

#[track_caller]
fn expect_sums(op: &str, loss: &Tensor, sums: &Tensor) {
    let named = [("loss", loss), ("sums", sums)];
    expect::f32s(op, &named[..1]);
    expect::dtype(op, named[1], DType::U32);
    expect::one_device(op, &named);
    let fits = loss.len() == 1 && sums.shape() == Shape::from([MetricSums::WORDS]);
    assert!(fits, "{op}: loss must be a scalar and sums have {} elements ({})", MetricSums::WORDS, expect::shapes(&named));
}

/// Adds a batch to [`MetricSums`] that stay on the device: its mean `loss` times N, the rows whose [`argmax`] is their label, and N.
/// In place. An image of logits (N, C, H, W) has as many rows as labels. Equivalent of
/// PyTorch's `total += loss.item() * len(labels)` and `correct += (logits.argmax(1) == labels).sum().item()`, without waiting for the device.
///
/// # Panics
/// If `loss` is not a scalar, `sums` not u32 (8), or the shapes do not fit.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let logits = Tensor::from_slice(&Device::Cpu, [2, 2], &[0.0f32, 1.0, 0.0, 1.0]);
/// let labels = Tensor::from_slice(&Device::Cpu, [2], &[1u32, 0]);
/// let sums = ops::MetricSums::zeros(&Device::Cpu);
/// ops::accumulate_metrics(&Tensor::scalar(&Device::Cpu, 0.5), &logits, &labels, &sums);
/// assert_eq!(ops::MetricSums::of(&sums.read()?), ops::MetricSums { loss: 1.0, correct: 1, images: 2 });
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn accumulate_metrics(loss: &Tensor, logits: &Tensor, labels: &Tensor, sums: &Tensor) {
    const OP: &str = "accumulate_metrics";
    expect::f32s(OP, &[("logits", logits), ("loss", loss)]);
    expect_classes(OP, ("logits", logits));
    expect_labels(OP, ("logits", logits), labels);
    expect_sums(OP, loss, sums);
    let rows = Rows::along(logits.shape(), 1).n as usize;
    if rows == 0 {
        return;
    }
    let (predicted, labels) = (argmax(logits).reshape([rows]), labels.reshape([rows]));
    for first in (0..rows).step_by(LAUNCH_ROWS) {
        let part = [(rows - first).min(LAUNCH_ROWS)];
        let images = if first == 0 { logits.shape().n() } else { 0 };
        launch(images, part[0], [&predicted.view(first, part), &labels.view(first, part), loss], sums);
    }
}

/// Adds a batch without labels to [`MetricSums`] that stay on the device: its mean `loss` times `images`, and `images`. In place.
/// Equivalent of PyTorch's `total += loss.item() * images`, without waiting for the device.
///
/// # Panics
/// If `loss` is not a scalar, `sums` not u32 (8), or there are 2^32 images or more.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let sums = ops::MetricSums::zeros(&Device::Cpu);
/// (0..2).for_each(|_| ops::accumulate_loss(&Tensor::scalar(&Device::Cpu, -0.25), 3, &sums));
/// assert_eq!(ops::MetricSums::of(&sums.read()?).loss, -1.5);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn accumulate_loss(loss: &Tensor, images: usize, sums: &Tensor) {
    const OP: &str = "accumulate_loss";
    expect_sums(OP, loss, sums);
    assert!(u32::try_from(images).is_ok(), "{OP}: {images} images are 2^32 or more (loss {})", loss.shape());
    // No row is read of what stands in the place of rows.
    launch(images, 0, [loss; 3], sums);
}

#[track_caller]
fn launch(images: usize, rows: usize, inputs: [&Tensor; 3], sums: &Tensor) {
    let lanes = if rows <= 16_384 && sums.device().work().is_by_registers() { 1 } else { 256 };
    let params = Params { rows: rows as u32, images: images as u32 };
    let grid = Grid::folded(1).trips(rows.div_ceil(lanes) + 8 + 4);
    ACCUMULATE_METRICS.with(&[("LANES", lanes as u32)]).launch(params, &inputs, &[sums], grid);
}
