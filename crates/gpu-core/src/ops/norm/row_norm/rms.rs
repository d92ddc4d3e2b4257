//! The norm by the root mean square: no mean is taken away, and nothing is added.

use super::layer::{expect_affine, leading, normalized, params};
use super::{Form, Params, RowStats, bwd_w, bwd_x, forward};
use crate::base::Shape;
use crate::expect;
use crate::tensor::Tensor;

/// Divides `x` by the root of `eps` and the mean of its squares over its last axes, `normalized`, then scales by `gamma` of that shape.
/// Returns y and what it was multiplied by before, `1 / sqrt(mean of squares + eps)`, of the shape of the other axes. Equivalent of
/// `torch.nn.functional.rms_norm(x, normalized, gamma, eps)`, whose own `eps` is `f32::EPSILON`.
///
/// # Panics
/// If `normalized` is not the last axes of `x`, `gamma` is not of that shape, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 4], &[2.0f32, -2.0, 2.0, 2.0]);
/// let (y, rstd) = ops::rms_norm(&x, [4], None, 0.0);
/// assert_eq!((y.to_vec()?, rstd.to_vec()?), (vec![1.0, -1.0, 1.0, 1.0], vec![0.5]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn rms_norm(x: &Tensor, normalized: impl Into<Shape>, gamma: Option<&Tensor>, eps: f32) -> (Tensor, Tensor) {
    let normalized = normalized.into();
    expect::f32s("rms_norm", &[("x", x)]);
    let leading = leading("rms_norm", x, normalized);
    expect_affine("rms_norm", x, normalized, &[("gamma", gamma)]);
    let p = Params { eps, centered: 0, ..params(leading, normalized) };
    let stats = RowStats::new(x, leading);
    (forward(Form::choose(x.device().work(), p), p, x, gamma, None, &stats), stats.rstd)
}

#[track_caller]
fn expect_bwd(op: &str, x: &Tensor, dy: &Tensor, rstd: &Tensor) -> (Params, Shape, RowStats) {
    expect::f32s(op, &[("x", x), ("dy", dy), ("rstd", rstd)]);
    expect::one_shape(op, &[("x", x), ("dy", dy)]);
    let normalized = normalized(op, x, rstd);
    let p = Params { centered: 0, ..params(rstd.shape(), normalized) };
    // No offset is read where no mean is taken away.
    (p, normalized, RowStats { offset: rstd.clone(), rstd: rstd.clone() })
}

/// dX of [`rms_norm`], from its input and the `rstd` that it returned. What PyTorch's autograd computes for `rms_norm`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, `rstd` is not of its first axes, `gamma` not of its last, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 4], &[2.0f32, -2.0, 2.0, 2.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 4], &[4.0f32, 0.0, 0.0, 0.0]);
/// let (_, rstd) = ops::rms_norm(&x, [4], None, 0.0);
/// assert_eq!(ops::rms_norm_bwd_x(&x, &dy, None, &rstd).to_vec()?, [1.5, 0.5, -0.5, -0.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn rms_norm_bwd_x(x: &Tensor, dy: &Tensor, gamma: Option<&Tensor>, rstd: &Tensor) -> Tensor {
    let (p, normalized, stats) = expect_bwd("rms_norm_bwd_x", x, dy, rstd);
    expect_affine("rms_norm_bwd_x", x, normalized, &[("gamma", gamma)]);
    bwd_x(Form::choose(x.device().work(), p), p, x, dy, gamma, &stats)
}

/// dgamma of [`rms_norm`], of the shape that was normalised over. What PyTorch's autograd computes for `rms_norm`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, `rstd` is not of its first axes, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 4], &[2.0f32, -2.0, 2.0, 2.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 4], &[4.0f32, 3.0, 2.0, 1.0]);
/// let (_, rstd) = ops::rms_norm(&x, [4], None, 0.0);
/// assert_eq!(ops::rms_norm_bwd_w(&x, &dy, &rstd).to_vec()?, [4.0, -3.0, 2.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn rms_norm_bwd_w(x: &Tensor, dy: &Tensor, rstd: &Tensor) -> Tensor {
    let (p, normalized, stats) = expect_bwd("rms_norm_bwd_w", x, dy, rstd);
    bwd_w(p, x, dy, &stats, normalized).0
}
