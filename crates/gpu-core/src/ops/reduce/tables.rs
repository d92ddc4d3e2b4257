//! What is proved, what is timed, and what is refused.

use super::*;
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::shape::Shape;
use crate::tensor::Tensor;

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
const CHAIN: Bound = Bound::Relative(300.0 / 16_777_216.0);

/// [`CHAIN`], of terms that are exponentials (3 + 2|x| units in the last place, |x| up to 2), and a logarithm (2^-21).
const EXPONENTIALS: Bound = Bound::Relative(314.0 / 16_777_216.0 + 1.0 / 2_097_152.0);

fn floats(device: &Device, shape: Shape) -> Tensor {
    check::tensor(device, shape, 1)
}

/// Small integers: sums are exact in whatever order, and extrema have ties.
fn integers(device: &Device, shape: Shape) -> Tensor {
    Tensor::from_slice(device, shape, &check::input_integers(device, shape.len(), 1))
}

/// One in a hundred does not hold.
fn truths(device: &Device, shape: Shape) -> Tensor {
    let values: Vec<bool> = check::input_values(device, shape.len(), 1).iter().map(|&v| v < 0.98).collect();
    Tensor::from_slice(device, shape, &values)
}

pub(in crate::ops) fn cases() -> Vec<Case> {
    type Reduction = fn(&Tensor, &[usize], bool) -> Tensor;
    type Values = fn(&Device, Shape) -> Tensor;
    let rows: [(&'static str, Reduction, Values, Bound); 10] = [
        ("sum_axes", sum_axes, integers, Bound::Exact),
        ("amax", amax, floats, Bound::Exact),
        ("amin", amin, integers, Bound::Exact),
        ("amax_ties", amax_ties, integers, Bound::Exact),
        ("amin_ties", amin_ties, floats, Bound::Exact),
        ("var", |x, axes, keepdim| var(x, axes, 0, keepdim), floats, CHAIN),
        ("std", |x, axes, keepdim| std(x, axes, 0, keepdim), floats, CHAIN),
        ("logsumexp", logsumexp, floats, EXPONENTIALS),
        ("any_axes", any_axes, truths, Bound::Exact),
        ("all_axes", all_axes, truths, Bound::Exact),
    ];
    let of = |&(dims, axes): &(&[usize], &'static [usize])| {
        let (shape, what) = (Shape::new(dims), format!("{:?} over {axes:?}", Shape::new(dims)));
        let terms = axes.iter().map(|&axis| shape.dim(axis)).product::<usize>().max(1);
        let rows = if shape.len() > 1 << 22 { &rows[..1] } else { &rows };
        let case = |&(name, f, values, bound): &(&'static str, Reduction, Values, Bound)| {
            Case::new(name, what.clone(), bound, move |device| vec![f(&values(device, shape), axes, false)])
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

pub(in crate::ops) fn benches() -> Vec<Bench> {
    type Reduction = fn(&Tensor) -> Tensor;
    const IMAGES: [usize; 4] = [128, 64, 32, 32];
    let rows: [(&'static str, &'static str, Reduction); 8] = [
        ("sum", "128x64x32x32", sum),
        ("sum_axes", "128x64x32x32 over n, h, w", |x| sum_axes(x, &[0, 2, 3], false)),
        ("sum_axes", "128x64x32x32 over c", |x| sum_axes(x, &[1], false)),
        ("amax", "128x64x32x32 over h, w", |x| amax(x, &[2, 3], false)),
        ("argmax_axis", "128x64x32x32 over c", |x| argmax_axis(x, 1, false)),
        ("var", "128x64x32x32 over n, h, w", |x| var(x, &[0, 2, 3], 0, false)),
        ("logsumexp", "128x64x32x32 over c", |x| logsumexp(x, &[1], false)),
        ("logsumexp", "128x64x32x32 over h, w", |x| logsumexp(x, &[2, 3], false)),
    ];
    let mut rows: Vec<Bench> = rows
        .map(|(name, what, f)| {
            Bench::new(name, what, 0, move |device| {
                let x = floats(device, IMAGES.into());
                move || vec![f(&x)]
            })
        })
        .into();
    rows.push(Bench::new("any", "128x64x32x32", 0, |device| {
        let x = truths(device, IMAGES.into());
        move || vec![any(&x)]
    }));
    rows
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    fn words(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[1u32, 2])
    }
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    fn yes(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[true, false])
    }
    /// Of each reduction of floats over axes: a wrong type, an axis that is not there, one named twice.
    macro_rules! of_axes {
        ($make:ident: $wrong:ident, $($name:literal $f:expr),*) => {
            vec![$(
                misuse!($name, ["x holds u32, not", "x [2]"], |device| $f(&$wrong(device), &[0][..])),
                misuse!($name, ["no axis 1", "x [2]"], |device| $f(&$make(device), &[0, 1][..])),
                misuse!($name, ["axis 0 is named twice", "x [2]"], |device| $f(&$make(device), &[0, 0][..])),
            )*]
        };
    }
    fn two(device: &Device) -> Tensor {
        Tensor::zeros(device, [2])
    }
    let mut rows = of_axes!(two: words,
        "sum_axes" |x: &_, axes| sum_axes(x, axes, false), "mean_axes" |x: &_, axes| mean_axes(x, axes, false),
        "amax" |x: &_, axes| amax(x, axes, false), "amin" |x: &_, axes| amin(x, axes, false),
        "amax_ties" |x: &_, axes| amax_ties(x, axes, false), "amin_ties" |x: &_, axes| amin_ties(x, axes, false),
        "var" |x: &_, axes| var(x, axes, 0, false), "std" |x: &_, axes| std(x, axes, 0, false),
        "logsumexp" |x: &_, axes| logsumexp(x, axes, false)
    );
    rows.extend(of_axes!(yes: words,
        "any_axes" |x: &_, axes| any_axes(x, axes, false), "all_axes" |x: &_, axes| all_axes(x, axes, false)
    ));
    rows.extend(vec![
        misuse!("sum", ["x holds u32, not f32", "x [2]"], |device| sum(&words(device))),
        misuse!("mean", ["x holds u32, not f32", "x [2]"], |device| mean(&words(device))),
        misuse!("mean", ["the mean of no elements", "x [0, 2]"], |device| mean(&zeros(device, &[0, 2]))),
        misuse!("mean_axes", ["the mean of no elements", "axes [0]", "x [0, 2]"], |device| {
            mean_axes(&zeros(device, &[0, 2]), &[0], false)
        }),
        misuse!("sum_to", ["[3] does not broadcast to x [2, 2]"], |device| sum_to(&zeros(device, &[2, 2]), [3])),
        misuse!("amax", ["of no elements", "axes [0]", "x [0, 2]"], |device| amax(&zeros(device, &[0, 2]), &[0], false)),
        misuse!("amin_ties", ["of no elements", "x [0, 2]"], |device| amin_ties(&zeros(device, &[0, 2]), &[0], false)),
        misuse!("var", ["2 elements less 2", "x [2]"], |device| var(&zeros(device, &[2]), &[0], 2, false)),
        misuse!("argmax_axis", ["no axis 1", "x [2]"], |device| argmax_axis(&zeros(device, &[2]), 1, false)),
        misuse!("argmax_axis", ["x holds bool, not f32", "x [2]"], |device| argmax_axis(&yes(device), 0, false)),
        misuse!("argmin_axis", ["of no elements", "x [2, 0]"], |device| argmin_axis(&zeros(device, &[2, 0]), 1, false)),
        misuse!("argmax_all", ["of no elements", "x [2, 0]"], |device| argmax_all(&zeros(device, &[2, 0]))),
        misuse!("argmin_all", ["x holds u32, not f32"], |device| argmin_all(&words(device))),
        misuse!("any", ["x holds f32, not bool", "x [2]"], |device| any(&zeros(device, &[2]))),
        misuse!("all", ["x holds f32, not bool", "x [2]"], |device| all(&zeros(device, &[2]))),
    ]);
    rows
}
