//! The norm of a layer: over the last axes, each element of which is scaled and shifted by its own.

use super::{Form, Params, RowNorm, RowStats, bwd_w, bwd_x, forward};
use crate::base::Shape;
use crate::expect;
use crate::tensor::Tensor;

/// The axes before `normalized`, which must be the last of `x`.
#[track_caller]
pub(super) fn leading(op: &str, x: &Tensor, normalized: Shape) -> Shape {
    let (all, last) = (x.shape(), normalized);
    let fits = last.rank() > 0 && all.dims().ends_with(last.dims());
    assert!(fits, "{op}: {last} is to be normalised over, which are not the last axes of x {all}");
    Shape::new(&all.dims()[..all.rank() - last.rank()])
}

/// The axes behind those of the statistics, which must be the first of `x`.
#[track_caller]
pub(super) fn normalized(op: &str, x: &Tensor, rstd: &Tensor) -> Shape {
    let (all, first) = (x.shape(), rstd.shape());
    let fits = first.rank() < all.rank() && all.dims().starts_with(first.dims());
    assert!(fits, "{op}: the statistics rstd {first} are not of the first axes of x {all}");
    Shape::new(&all.dims()[first.rank()..])
}

/// gamma and beta are of the shape that is normalised over.
#[track_caller]
pub(super) fn expect_affine(op: &str, x: &Tensor, normalized: Shape, affine: &[(&str, Option<&Tensor>)]) {
    for &(name, t) in affine {
        let Some(t) = t else { continue };
        expect::f32s(op, &[("x", x), (name, t)]);
        assert!(t.shape() == normalized, "{op}: {name} {} is not of the shape {normalized} (x {})", t.shape(), x.shape());
    }
}

/// Rows over the last axes: a row is a sample, and each of its elements a channel.
pub(super) fn params(leading: Shape, normalized: Shape) -> Params {
    Params::of([leading.len(), normalized.len(), 1], 1)
}

/// Normalises `x` over its last axes, `normalized`, then scales by `gamma` and shifts by `beta`, both of the shape `normalized`.
/// Equivalent of `torch.nn.functional.layer_norm(x, normalized, gamma, beta, eps)`.
///
/// # Panics
/// If `normalized` is not the last axes of `x`, `gamma` or `beta` is not of that shape, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 3.0, 4.0, 0.0]);
/// let beta = Tensor::from_slice(&Device::Cpu, [2], &[10.0f32, 20.0]);
/// let normed = ops::layer_norm(&x, [2], None, Some(&beta), 0.0);
/// assert_eq!(normed.y.to_vec()?, [9.0, 21.0, 11.0, 19.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn layer_norm(x: &Tensor, normalized: impl Into<Shape>, gamma: Option<&Tensor>, beta: Option<&Tensor>, eps: f32) -> RowNorm {
    let normalized = normalized.into();
    expect::f32s("layer_norm", &[("x", x)]);
    let leading = leading("layer_norm", x, normalized);
    expect_affine("layer_norm", x, normalized, &[("gamma", gamma), ("beta", beta)]);
    let p = Params { eps, ..params(leading, normalized) };
    let stats = RowStats::new(x, leading);
    RowNorm { y: forward(Form::choose(x.device().work(), p), p, x, gamma, beta, &stats), stats }
}

#[track_caller]
fn expect_bwd(op: &str, x: &Tensor, dy: &Tensor, stats: &RowStats) -> (Params, Shape) {
    let RowStats { offset, rstd } = stats;
    expect::f32s(op, &[("x", x), ("dy", dy), ("offset", offset), ("rstd", rstd)]);
    expect::one_shape(op, &[("x", x), ("dy", dy)]);
    expect::one_shape(op, &[("offset", offset), ("rstd", rstd)]);
    let normalized = normalized(op, x, rstd);
    (params(rstd.shape(), normalized), normalized)
}

/// dX of [`layer_norm`], from its input and the statistics that it returned. What PyTorch's autograd computes for `layer_norm`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, the statistics are not of its first axes, `gamma` not of its last, or a tensor does not
/// hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 4], &[1.0f32, 3.0, 1.0, 3.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 4], &[4.0f32, 0.0, 0.0, 0.0]);
/// let normed = ops::layer_norm(&x, [4], None, None, 0.0);
/// assert_eq!(ops::layer_norm_bwd_x(&x, &dy, None, &normed.stats).to_vec()?, [2.0, 0.0, -2.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn layer_norm_bwd_x(x: &Tensor, dy: &Tensor, gamma: Option<&Tensor>, stats: &RowStats) -> Tensor {
    let (p, normalized) = expect_bwd("layer_norm_bwd_x", x, dy, stats);
    expect_affine("layer_norm_bwd_x", x, normalized, &[("gamma", gamma)]);
    bwd_x(Form::choose(x.device().work(), p), p, x, dy, gamma, stats)
}

/// (dgamma, dbeta) of [`layer_norm`], of the shape that was normalised over. What PyTorch's autograd computes for `layer_norm`.
///
/// # Panics
/// If `dy` does not have the shape of `x`, the statistics are not of its first axes, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 3.0, 4.0, 0.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// let normed = ops::layer_norm(&x, [2], None, None, 0.0);
/// let (dgamma, dbeta) = ops::layer_norm_bwd_w(&x, &dy, &normed.stats);
/// assert_eq!((dgamma.to_vec()?, dbeta.to_vec()?), (vec![2.0, -2.0], vec![4.0, 6.0]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn layer_norm_bwd_w(x: &Tensor, dy: &Tensor, stats: &RowStats) -> (Tensor, Tensor) {
    let (p, normalized) = expect_bwd("layer_norm_bwd_w", x, dy, stats);
    bwd_w(p, x, dy, stats, normalized)
}
