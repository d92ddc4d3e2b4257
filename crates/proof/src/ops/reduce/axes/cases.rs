//! What is held against the mirror.

use crate::{Bound, Case, input_integers, input_values, tensor, tensor_of};
use gpu_core::ops::{
    all_axes, amax, amax_ties, amin, amin_ties, any_axes, argmax_axis, argmin_axis, logsumexp, mean_axes, std, sum_axes, var,
};
use gpu_core::{Device, Shape, Tensor};

pub(super) const CASES: &[(&[usize], &[usize])] = &[
    (&[], &[]),
    (&[1], &[0]),
    (&[3, 1], &[1]),
    (&[127], &[0]),
    (&[1_048_583], &[0]),
    (&[4, 5], &[1]),
    (&[70, 9], &[0]),
    (&[5, 1031], &[1]),
    (&[1031, 5], &[0]),
    (&[65_537, 3], &[0]),
    (&[2, 3, 4, 5], &[0, 2, 3]),
    (&[2, 3, 4, 5], &[1]),
    (&[3, 5, 7, 2], &[0, 2]),
    (&[2, 3, 2, 5, 2, 7], &[1, 3, 5]),
    (&[17, 13, 37, 41], &[0, 2, 3]),
    // More workgroups than fit into a row of the grid, of either kernel: for sums and places, since the grid is everyone's.
    (&[65_537, 129], &[1]),
    (&[4_194_305, 4], &[1]),
];

/// A hundred additions after each other, of terms with three roundings each: what one thread does in the longest of the cases, all
/// stages together. All terms have one sign.
const CHAIN: Bound = Bound::own(300.0 / 16_777_216.0);

/// [`CHAIN`], of terms that are exponentials (3 + 2|x| units in the last place, |x| up to 2), and a logarithm (2^-21).
const EXPONENTIALS: Bound = Bound::own(314.0 / 16_777_216.0 + 1.0 / 2_097_152.0);

pub(super) fn floats(device: &Device, shape: Shape) -> Tensor {
    tensor(device, shape, 1)
}

/// Small integers: sums are exact in whatever order, and extrema have ties.
fn integers(device: &Device, shape: Shape) -> Tensor {
    Tensor::from_slice(device, shape, &input_integers(device, shape.len(), 1))
}

/// Far from zero: squares of them would lose what they differ by.
fn far(device: &Device, shape: Shape) -> Tensor {
    tensor_of(device, shape, 1, |v| v + 1000.0)
}

/// One in fifty is so large that all others come to nothing beside it: whoever misses the largest finds infinity.
fn peaked(device: &Device, shape: Shape) -> Tensor {
    tensor_of(device, shape, 1, |v| if v > 0.96 { 300.0 * v } else { v })
}

/// One in a hundred does not hold.
pub(super) fn truths(device: &Device, shape: Shape) -> Tensor {
    let values: Vec<bool> = input_values(device, shape.len(), 1).iter().map(|&v| v < 0.98).collect();
    Tensor::from_slice(device, shape, &values)
}

pub fn cases() -> Vec<Case> {
    type Reduction = fn(&Tensor, &[usize], bool) -> Tensor;
    type Values = fn(&Device, Shape) -> Tensor;
    let rows: [(&'static str, Reduction, Values, Bound); 12] = [
        ("sum_axes", sum_axes, integers, Bound::Exact),
        ("amax", amax, floats, Bound::Exact),
        ("amin", amin, integers, Bound::Exact),
        ("amax_ties", amax_ties, integers, Bound::Exact),
        ("amin_ties", amin_ties, floats, Bound::Exact),
        ("var", |x, axes, keepdim| var(x, axes, 0, keepdim), floats, CHAIN),
        ("var", |x, axes, keepdim| var(x, axes, 0, keepdim), far, CHAIN),
        ("std", |x, axes, keepdim| std(x, axes, 0, keepdim), floats, CHAIN),
        ("logsumexp", logsumexp, floats, EXPONENTIALS),
        ("logsumexp", logsumexp, peaked, EXPONENTIALS),
        ("any_axes", any_axes, truths, Bound::Exact),
        ("all_axes", all_axes, truths, Bound::Exact),
    ];
    let of = |&(dims, axes): &(&[usize], &'static [usize])| {
        let (shape, what) = (Shape::new(dims), format!("{:?} over {axes:?}", Shape::new(dims)));
        let terms = axes.iter().map(|&axis| shape.dim(axis)).product::<usize>().max(1);
        let rows = if shape.len() > 1 << 22 { &rows[..1] } else { &rows };
        let case = |&(name, f, values, bound): &(&'static str, Reduction, Values, Bound)| {
            let case = Case::new(name, what.clone(), bound, move |device| vec![f(&values(device, shape), axes, false)]);
            // The logarithm of a sum is off by what the sum is off by, a part of one, however small it is.
            if name == "logsumexp" { case.adding(|device| vec![Tensor::scalar(device, 1.0)]) } else { case }
        };
        let mut cases: Vec<Case> = rows.iter().map(case).collect();
        // A long sum is cut into parts of 4096 that are summed again: no chain of additions is longer than two of those.
        let bound = Bound::Sum { terms: terms.min(2 * 4096) };
        cases.push(Case::new("mean_axes", what.clone(), bound, move |device| vec![mean_axes(&floats(device, shape), axes, true)]));
        for (name, values) in [("argmax_axis", integers as Values), ("argmin_axis", floats)] {
            if let &[axis] = axes {
                cases.push(Case::new(name, what.clone(), Bound::Exact, move |device| {
                    let x = values(device, shape);
                    vec![argmax_axis(&x, axis, false), argmin_axis(&x, axis, true)]
                }));
            }
        }
        cases
    };
    CASES.iter().flat_map(of).collect()
}
