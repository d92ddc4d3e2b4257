//! Dropout for self-normalising networks: what is dropped becomes SELU's lower limit, and an affine map restores mean 0 and
//! variance 1.
//!
//! With `q = 1 - p` and `alpha' = 1.758...`: `a = 1 / sqrt(q (1 + p alpha'^2))`; kept elements become `a x + a p alpha'`, dropped
//! ones `a (p - 1) alpha'`; everything is zero for `p = 1`.

use super::{ALPHA_DROPOUT, DROPOUT, DROPOUT2D, DropoutKey, FEATURE_ALPHA_DROPOUT, Params, channel_len, launch};
use crate::tensor::Tensor;

/// Minus the limit of SELU at minus infinity: its alpha times its scale.
const LIMIT: f64 = 1.758_099_340_847_376_6;

#[track_caller]
fn params(op: &str, x: &Tensor, inner: usize, p: f32, key: DropoutKey, step: &Tensor) -> Params {
    let params = Params::new(op, x.shape(), inner, p.into(), key, step);
    if params.drop_all != 0 {
        return params;
    }
    let p = f64::from(p);
    let a = 1.0 / ((LIMIT * LIMIT * p + 1.0) * (1.0 - p)).sqrt();
    Params { scale: a as f32, shift: (a * p * LIMIT) as f32, dropped: (a * (p - 1.0) * LIMIT) as f32, ..params }
}

/// Elements of `x` (any shape) set to SELU's lower limit with probability `p`, then all mapped so that mean 0 and variance 1 stay.
/// Equivalent of `torch.nn.functional.alpha_dropout(x, p, training=True)`.
///
/// # Panics
/// If `p` is not in [0, 1], `step` is not one u32, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (x, step) = (Tensor::full(&Device::Cpu, [1000], 0.0), Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// let y = ops::alpha_dropout(&x, 0.5, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?;
/// assert!(y.iter().all(|&v| (v.abs() - 0.7791939).abs() < 1e-6));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn alpha_dropout(x: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    launch("alpha_dropout", &ALPHA_DROPOUT, 1, params("alpha_dropout", x, 1, p, key, step), x, step)
}

/// The gradient of [`alpha_dropout`] to `x`: `a dy` where kept, 0 where dropped. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// As [`alpha_dropout`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (dy, step) = (Tensor::full(&Device::Cpu, [8], 1.0), Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// assert_eq!(ops::alpha_dropout_bwd_x(&dy, 1.0, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?, [0.0; 8]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn alpha_dropout_bwd_x(dy: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    launch("alpha_dropout_bwd_x", &DROPOUT, 1, params("alpha_dropout_bwd_x", dy, 1, p, key, step), dy, step)
}

/// [`alpha_dropout`] of whole channels of `x` (N, C, ...). Equivalent of
/// `torch.nn.functional.feature_alpha_dropout(x, p, training=True)`.
///
/// # Panics
/// If `x` has no channels, `p` is not in [0, 1], `step` is not one u32, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (x, step) = (Tensor::full(&Device::Cpu, [4, 8, 3, 3], 1.0), Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// let y = ops::feature_alpha_dropout(&x, 0.5, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?;
/// assert!(y.chunks(9).all(|channel| channel.iter().all(|v| v == &channel[0])));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn feature_alpha_dropout(x: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    let inner = channel_len("feature_alpha_dropout", x);
    let params = params("feature_alpha_dropout", x, inner, p, key, step);
    launch("feature_alpha_dropout", &FEATURE_ALPHA_DROPOUT, 2, params, x, step)
}

/// The gradient of [`feature_alpha_dropout`] to `x`. Equivalent of `y.backward(dy)`.
///
/// # Panics
/// As [`feature_alpha_dropout`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::DropoutKey};
/// let (dy, step) = (Tensor::full(&Device::Cpu, [1, 2, 1, 1], 3.0), Tensor::from_slice(&Device::Cpu, [1], &[0u32]));
/// assert_eq!(ops::feature_alpha_dropout_bwd_x(&dy, 0.0, DropoutKey { seed: 7, stream: 0 }, &step).to_vec()?, [3.0, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn feature_alpha_dropout_bwd_x(dy: &Tensor, p: f32, key: DropoutKey, step: &Tensor) -> Tensor {
    let inner = channel_len("feature_alpha_dropout_bwd_x", dy);
    let params = params("feature_alpha_dropout_bwd_x", dy, inner, p, key, step);
    launch("feature_alpha_dropout_bwd_x", &DROPOUT2D, 2, params, dy, step)
}
