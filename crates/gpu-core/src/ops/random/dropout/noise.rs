//! Factors drawn for each element: from a normal distribution, or 0 and 1.
//!
//! A normal pair is made by Box and Muller from two words `u`, `v`: `sqrt(-2 ln((u / 2^8 + 1) / 2^24))` times the cosine and the
//! sine of `2 pi v / 2^32`. Elements `4 b` and `4 b + 1` have words 0 and 1 of block `b`, the next two words 2 and 3.

use super::{DROPOUT, DropoutKey, GAUSSIAN_NOISE, Params, launch};
use crate::base::Shape;
use crate::tensor::Tensor;

#[track_caller]
fn normal(op: &str, shape: Shape, [mean, sigma]: [f32; 2], key: DropoutKey, step: &Tensor) -> Params {
    assert!(sigma >= 0.0, "{op}: sigma {sigma} is negative (x {shape})");
    Params { scale: sigma, shift: mean, ..Params::new(op, shape, 1, 0.0, key, step) }
}

/// Each element of `x` (any shape) times a number of its own from the normal distribution of `mean` and deviation `sigma`.
/// Equivalent of `x * torch.normal(mean, sigma, x.shape)`.
///
/// The words are the same on every device; the numbers agree to 2e-6 of the largest.
///
/// # Panics
/// If `sigma` is negative, `step` is not one u32, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (x, step) = (Tensor::full(&Device::Cpu, [10_000], 1.0), Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// let y = ops::gaussian_noise(&x, 3.0, 0.5, DropoutKey { seed: 7, stream: 0 }, &step);
/// assert!((ops::mean(&y).item()? - 3.0).abs() < 0.03);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gaussian_noise(x: &Tensor, mean: f32, sigma: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    let params = normal("gaussian_noise", x.shape(), [mean, sigma], key, step);
    launch("gaussian_noise", &GAUSSIAN_NOISE, 1, params, x, step)
}

/// The gradient of [`gaussian_noise`] to `x`: `dy` times the same numbers, drawn again. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// As [`gaussian_noise`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (dy, step) = (Tensor::full(&Device::Cpu, [8], 2.0), Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// assert_eq!(ops::gaussian_noise_bwd_x(&dy, 1.5, 0.0, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?, [3.0; 8]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gaussian_noise_bwd_x(dy: &Tensor, mean: f32, sigma: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    let params = normal("gaussian_noise_bwd_x", dy.shape(), [mean, sigma], key, step);
    launch("gaussian_noise_bwd_x", &GAUSSIAN_NOISE, 1, params, dy, step)
}

#[track_caller]
fn unscaled(op: &str, shape: Shape, keep: f32, key: DropoutKey, step: &Tensor) -> Params {
    assert!((0.0..=1.0).contains(&keep), "{op}: keep {keep} is not in [0, 1] (x {shape})");
    Params { scale: 1.0, ..Params::new(op, shape, 1, 1.0 - f64::from(keep), key, step) }
}

/// Each element of `x` (any shape) kept as it is with probability `keep`, else set to zero; what is kept is not scaled. Equivalent
/// of `x * torch.bernoulli(torch.full_like(x, keep))`.
///
/// # Panics
/// If `keep` is not in [0, 1], `step` is not one u32, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (x, step) = (Tensor::full(&Device::Cpu, [1000], 3.0), Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// let y = ops::bernoulli_keep(&x, 0.5, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?;
/// assert!(y.iter().all(|&v| v == 0.0 || v == 3.0));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn bernoulli_keep(x: &Tensor, keep: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    launch("bernoulli_keep", &DROPOUT, 1, unscaled("bernoulli_keep", x.shape(), keep, key, step), x, step)
}

/// The gradient of [`bernoulli_keep`] to `x`: `dy` where kept. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// As [`bernoulli_keep`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (dy, step) = (Tensor::full(&Device::Cpu, [8], 2.0), Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// assert_eq!(ops::bernoulli_keep_bwd_x(&dy, 1.0, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?, [2.0; 8]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn bernoulli_keep_bwd_x(dy: &Tensor, keep: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    launch("bernoulli_keep_bwd_x", &DROPOUT, 1, unscaled("bernoulli_keep_bwd_x", dy.shape(), keep, key, step), dy, step)
}
