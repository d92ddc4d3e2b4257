//! Tensors side by side: each is written straight into its part of the result.

use super::walk::{Walk, expect_axis, strides};
use crate::base::Shape;
use crate::expect;
use crate::tensor::Tensor;

/// The tensors one after the other along an axis, along which alone their extents may differ. Any element type. Equivalent of
/// `torch.cat(xs, axis)`.
///
/// # Panics
/// If there is no tensor, or types, devices or other extents differ.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 2.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2, 2], &[3.0f32, 4.0, 5.0, 6.0]);
/// assert_eq!(ops::concat(&[&a, &b], 1).to_vec()?, [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn concat(xs: &[&Tensor], axis: usize) -> Tensor {
    let first = expect_alike("concat", xs);
    expect_axis("concat", first, axis);
    let same = |x: &&Tensor| {
        let x = x.shape();
        x.rank() == first.rank() && (0..x.rank()).all(|k| k == axis || x.dim(k) == first.dim(k))
    };
    assert!(xs.iter().all(same), "concat: the shapes differ in more than axis {axis} ({})", listed(xs));
    join("concat", xs, first, axis)
}

/// The tensors, all of one shape, along a new axis. Any element type. Equivalent of `torch.stack(xs, axis)`.
///
/// # Panics
/// If there is no tensor, types, devices or shapes differ, or the rank would be over six.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (a, b) = (Tensor::from_slice(&Device::Cpu, [2], &[1u32, 2]), Tensor::from_slice(&Device::Cpu, [2], &[3u32, 4]));
/// assert_eq!(ops::stack(&[&a, &b], 1).read::<u32>()?, [1, 3, 2, 4]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn stack(xs: &[&Tensor], axis: usize) -> Tensor {
    let first = expect_alike("stack", xs);
    assert!(xs.iter().all(|x| x.shape() == first), "stack: the shapes differ ({})", listed(xs));
    let fits = axis <= first.rank() && first.rank() < crate::MAX_RANK;
    assert!(fits, "stack: there is no place for a new axis {axis} ({})", listed(xs));
    let rows: Vec<Tensor> = xs.iter().map(|x| x.unsqueeze(axis)).collect();
    let rows: Vec<&Tensor> = rows.iter().collect();
    join("stack", &rows, rows[0].shape(), axis)
}

#[track_caller]
fn join(op: &str, xs: &[&Tensor], first: Shape, axis: usize) -> Tensor {
    let mut dims = first.dims().to_vec();
    dims[axis] = xs.iter().map(|x| x.shape().dim(axis)).sum();
    let y = Tensor::empty_of(xs[0].device(), dims.as_slice(), xs[0].dtype());
    let steps = strides(y.shape());
    let mut at = 0;
    for x in xs {
        Walk::scatter(x.shape(), at * steps[axis] as usize, &steps).run(op, x, &y);
        at += x.shape().dim(axis);
    }
    y
}

/// Panics unless there is a tensor, and all are of one type and on one device; the first one's shape.
#[track_caller]
fn expect_alike(op: &str, xs: &[&Tensor]) -> Shape {
    let Some(first) = xs.first() else { panic!("{op}: there is nothing to join") };
    for x in xs {
        let (a, b) = (first.dtype(), x.dtype());
        assert!(a == b, "{op}: some hold {a}, some {b} ({})", listed(xs));
    }
    let named: Vec<(&str, &Tensor)> = xs.iter().map(|&x| ("x", x)).collect();
    expect::one_device(op, &named);
    first.shape()
}

fn listed(xs: &[&Tensor]) -> String {
    let named: Vec<(&str, &Tensor)> = xs.iter().map(|&x| ("x", x)).collect();
    expect::shapes(&named)
}
