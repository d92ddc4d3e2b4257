//! Noise on activations: elements, or whole channels, dropped with probability `p`; factors from a normal distribution.
//!
//! What is dropped is a pure function of (seed, stream, step, index): element `i` takes word `i % 4` of the Philox block with
//! counter `(i / 4, stream, step, 0)` and key `seed`, and is dropped iff the word is below `round(p * 2^32)` (all are, for
//! `p = 1`). Nothing is kept for the backward pass: it draws the same words again. The step is read on the device, so it must not
//! change between the two passes.

mod alpha;
mod mirrors;
mod noise;
mod params;

pub use alpha::{alpha_dropout, alpha_dropout_bwd_x, feature_alpha_dropout, feature_alpha_dropout_bwd_x};
pub use noise::{bernoulli_keep, bernoulli_keep_bwd_x, gaussian_noise, gaussian_noise_bwd_x};

use crate::base::DType;
use crate::base::Shape;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use mirrors::{alpha_dropout_cpu, dropout_cpu, dropout_mask_cpu, dropout2d_cpu, feature_alpha_dropout_cpu, gaussian_noise_cpu};
use params::Params;

/// Seed and stream of a dropout layer.
pub use crate::base::rng::Key as DropoutKey;

const WGSL: &str = wgsl!("dropout.wgsl");
static DROPOUT: Kernel = kernel!(WGSL, "dropout", dropout_cpu);
static DROPOUT2D: Kernel = kernel!(WGSL, "dropout2d", dropout2d_cpu);
static ALPHA_DROPOUT: Kernel = kernel!(WGSL, "alpha_dropout", alpha_dropout_cpu);
static FEATURE_ALPHA_DROPOUT: Kernel = kernel!(WGSL, "feature_alpha_dropout", feature_alpha_dropout_cpu);
static GAUSSIAN_NOISE: Kernel = kernel!(WGSL, "gaussian_noise", gaussian_noise_cpu);
// From integers to integers.
static DROPOUT_MASK: Kernel = Kernel::new_trusted(WGSL, "dropout_mask", dropout_mask_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] =
    &[&DROPOUT, &DROPOUT2D, &ALPHA_DROPOUT, &FEATURE_ALPHA_DROPOUT, &GAUSSIAN_NOISE, &DROPOUT_MASK];

/// Loop iterations of one Philox block.
const ROUNDS: usize = 10;

/// Runs `kernel`, an invocation for four elements, which draws up to `blocks` blocks.
#[track_caller]
fn launch(op: &str, kernel: &'static Kernel, blocks: usize, params: Params, x: &Tensor, step: &Tensor) -> Tensor {
    expect::f32s(op, &[("x", x)]);
    expect::one_device(op, &[("x", x), ("step", step)]);
    let y = Tensor::empty(x.device(), x.shape());
    kernel.launch(params, &[x, step], &[&y], Grid::linear(x.len().div_ceil(4), 256).trips(blocks * ROUNDS));
    y
}

#[track_caller]
fn elements(op: &str, x: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    launch(op, &DROPOUT, 1, Params::new(op, x.shape(), 1, p.into(), key, step), x, step)
}

/// The elements of a channel of `x`, which must have some axis for them.
#[track_caller]
fn channel_len(op: &str, x: &Tensor) -> usize {
    assert!(x.shape().rank() >= 2, "{op}: x must be (N, C, ...) (x {})", x.shape());
    x.shape().inner(2)
}

#[track_caller]
fn channels(op: &str, x: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    let inner = channel_len(op, x);
    launch(op, &DROPOUT2D, 2, Params::new(op, x.shape(), inner, p.into(), key, step), x, step)
}

/// Each element of `x` (any shape) set to zero with probability `p`, the others scaled by `1 / (1 - p)`; `step` is one u32 on the
/// device. Equivalent of `torch.nn.functional.dropout(x, p, training=True)`.
/// Equivalent of `torch.nn.functional.dropout`.
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
/// `torch.nn.functional.dropout2d(x, p, training=True)`.
/// Equivalent of `torch.nn.functional.dropout2d`.
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
/// device of `step`. Equivalent of `torch.nn.functional.dropout(torch.ones(shape), p) != 0`, packed.
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
    let params = Params::new("dropout_mask", shape, 1, p.into(), key, step);
    let words = shape.len().div_ceil(32);
    let mask = Tensor::empty_of(step.device(), [words], DType::U32);
    DROPOUT_MASK.launch(params, &[step], &[&mask], Grid::linear(words, 256).trips(8 + 8 * ROUNDS));
    mask
}
