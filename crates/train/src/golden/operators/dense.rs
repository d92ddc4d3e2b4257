//! Products, arithmetic, reductions and functions of one element.

use super::{Call, Operator, Results};
use crate::error::Result;
use gpu_core::{Shape, Tensor, ops};

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "linear" => |c| c.differentiate(&["x", "w", "b"], |v| v[0].linear(&v[1], Some(&v[2]))),
        "matmul" => |c| c.differentiate(&["a", "b"], |v| v[0].matmul(&v[1])),
        "add" => |c| c.differentiate(&["a", "b"], |v| v[0].add(&v[1])),
        "sub" => |c| c.differentiate(&["a", "b"], |v| v[0].sub(&v[1])),
        "mul" => |c| c.differentiate(&["a", "b"], |v| v[0].mul(&v[1])),
        "div" => div,
        "sum" => |c| reduce(c, ops::sum_axes, 1.0),
        "mean" => |c| reduce(c, ops::mean_axes, inverse_count(c)?),
        _ => return None,
    })
}

/// One over how many elements are averaged.
fn inverse_count(c: &Call<'_>) -> Result<f32> {
    let (shape, _) = c.file.array(&c.key("x"))?;
    let axes: Vec<usize> = c.case.attr("axes", Vec::new());
    Ok(1.0 / axes.iter().map(|&a| shape[a]).product::<usize>() as f32)
}

fn div(c: &Call<'_>) -> Result<Option<Results>> {
    let (a, b, dy) = (c.tensor("a")?, c.tensor("b")?, c.dy()?);
    let y = ops::div(&a, &b);
    let da = ops::div(&dy, &b);
    let db = ops::scale(&ops::mul(&da, &y), -1.0);
    c.results([("da", ops::sum_to(&da, a.shape())), ("db", ops::sum_to(&db, b.shape())), ("y", y)])
}

/// `dx` is `dy`, spread over what was summed.
fn reduce(c: &Call<'_>, f: fn(&Tensor, &[usize], bool) -> Tensor, factor: f32) -> Result<Option<Results>> {
    let (x, dy) = (c.tensor("x")?, c.dy()?);
    let axes: Vec<usize> = c.case.attr("axes", Vec::new());
    let y = f(&x, &axes, c.case.attr("keepdim", false));
    let mut kept: Vec<usize> = x.shape().dims().to_vec();
    axes.iter().for_each(|&a| kept[a] = 1);
    let dx = ops::mul(&Tensor::full(c.device, x.shape(), factor), &dy.reshape(Shape::new(&kept)));
    c.results([("y", y), ("dx", dx)])
}
