//! Products, arithmetic, reductions and functions of one element.

use crate::error::Result;
use crate::golden::call::{Call, Operator, Results};
use nn::Var;

pub(super) fn operator(op: &str) -> Option<Operator> {
    Some(match op {
        "linear" => |c| c.differentiate(&["x", "w", "b"], |v| v[0].linear(&v[1], Some(&v[2]))),
        "matmul" => |c| c.differentiate(&["a", "b"], |v| v[0].matmul(&v[1])),
        "add" => |c| c.differentiate(&["a", "b"], |v| v[0].add(&v[1])),
        "sub" => |c| c.differentiate(&["a", "b"], |v| v[0].sub(&v[1])),
        "mul" => |c| c.differentiate(&["a", "b"], |v| v[0].mul(&v[1])),
        "div" => |c| c.differentiate(&["a", "b"], |v| v[0].div(&v[1])),
        "maximum" => |c| c.differentiate(&["a", "b"], |v| v[0].maximum(&v[1])),
        "minimum" => |c| c.differentiate(&["a", "b"], |v| v[0].minimum(&v[1])),
        "exp" => |c| c.differentiate(&["x"], |v| v[0].exp()),
        "abs" => |c| c.differentiate(&["x"], |v| v[0].abs()),
        "square" => |c| c.differentiate(&["x"], |v| v[0].square()),
        "log" => |c| c.differentiate(&["x"], |v| v[0].log()),
        "sqrt" => |c| c.differentiate(&["x"], |v| v[0].sqrt()),
        "sum" => |c| reduce(c, Var::sum_axes),
        "mean" => |c| reduce(c, Var::mean_axes),
        "amax" => |c| reduce(c, Var::amax),
        "var" => |c| reduce(c, |x, axes, keepdim| x.var(axes, 0, keepdim)),
        _ => return None,
    })
}

fn reduce(c: &Call<'_>, f: fn(&Var, &[usize], bool) -> Var) -> Result<Option<Results>> {
    let (axes, keepdim): (Vec<usize>, bool) = (c.case.attr("axes", Vec::new()), c.case.attr("keepdim", false));
    c.differentiate(&["x"], |v| f(&v[0], &axes, keepdim))
}
