//! What is held against the mirror.

use crate::{Bound, Case, input_integers, input_values, tensor, tensor_of};
use gpu_core::ops::{
    add, add_scaled, amax_bwd_x, copy_into, div, div_bwd_b, eq, ge, gt, le, logical_and, logical_not, logical_or, logical_xor,
    logsumexp_bwd_x, lt, maximum, maximum_bwd_a, minimum, minimum_bwd_a, mul, ne, pow, pow_bwd_a, pow_bwd_b, scale, spread, sub,
    var_bwd_x, where_,
};
use gpu_core::{Device, Shape, Tensor};

type Binary = fn(&Tensor, &Tensor) -> Tensor;
type Ternary = fn(&Tensor, &Tensor, &Tensor) -> Tensor;

/// Shapes that broadcast: equal, scalars, rows and columns, axes in between; last axes of four and not.
const PAIRS: &[(&[usize], &[usize])] = &[
    (&[], &[]),
    (&[1], &[1]),
    (&[257], &[257]),
    (&[13, 7], &[13, 7]),
    (&[4, 1], &[1, 6]),
    (&[2, 3, 4, 5], &[1, 3, 1, 1]),
    (&[5], &[2, 3, 5]),
    (&[3, 1, 5, 1, 2, 1], &[4, 1, 3, 1, 7]),
    (&[31, 1031], &[]),
    (&[3, 1, 8], &[5, 1]),
    (&[2, 5, 6, 6], &[5, 1, 1]),
    (&[2, 1, 12], &[3, 12]),
];

/// WGSL gives a division 2.5 units in the last place (2^-24 each), on a normal range.
const DIVISION: Bound = Bound::own(3.0 / 16_777_216.0);

/// WGSL's power is `exp2(e log2(x))`: a logarithm is right to 2^-21 near one, and three units in the last place elsewhere, and
/// an exponential to `3 + 2 |e log2(x)|` units. The exponents of the cases are at most 4 and the bases 0.25 to 2.25.
const POWER: Bound = Bound::own(4.0 / 2_097_152.0 + 19.0 / 16_777_216.0);

/// `exp` of at most 2 in size is right to `3 + 2 * 2` units in the last place, `log` to 2^-21; three roundings.
const EXPONENTIAL: Bound = Bound::own(1.0 / 2_097_152.0 + 10.0 / 16_777_216.0);

fn floats(device: &Device, shape: Shape, seed: u64) -> Tensor {
    tensor(device, shape, seed)
}

/// Values in 0.25 .. 2.25.
fn positive(device: &Device, shape: Shape, seed: u64) -> Tensor {
    tensor_of(device, shape, seed, |v| v + 1.25)
}

/// Small integers as floats: many are equal.
fn integers(device: &Device, shape: Shape, seed: u64) -> Tensor {
    Tensor::from_slice(device, shape, &input_integers(device, shape.len(), seed))
}

fn signed(device: &Device, shape: Shape, seed: u64) -> Tensor {
    let values: Vec<i32> = input_integers(device, shape.len(), seed).iter().map(|&v| v as i32).collect();
    Tensor::from_slice(device, shape, &values)
}

/// Around 2^31, where an order of signed words would be another.
fn unsigned(device: &Device, shape: Shape, seed: u64) -> Tensor {
    let values: Vec<u32> =
        input_integers(device, shape.len(), seed).iter().map(|&v| (v as i32 as u32).wrapping_add(1 << 31)).collect();
    Tensor::from_slice(device, shape, &values)
}

pub(super) fn bools(device: &Device, shape: Shape, seed: u64) -> Tensor {
    let values: Vec<bool> = input_values(device, shape.len(), seed).iter().map(|&v| v > 0.0).collect();
    Tensor::from_slice(device, shape, &values)
}

type Values = fn(&Device, Shape, u64) -> Tensor;

fn binary_cases(a: Shape, b: Shape) -> Vec<Case> {
    let rows: [(&'static str, Binary, Values, Bound); 23] = [
        ("add", add, floats, Bound::Exact),
        ("sub", sub, floats, Bound::Exact),
        ("mul", mul, floats, Bound::Exact),
        ("add", add, signed, Bound::Exact),
        ("sub", sub, unsigned, Bound::Exact),
        ("mul", mul, unsigned, Bound::Exact),
        ("div", div, positive, DIVISION),
        ("maximum", maximum, integers, Bound::Exact),
        ("minimum", minimum, floats, Bound::Exact),
        ("pow", pow, positive, POWER),
        ("eq", eq, integers, Bound::Exact),
        ("ne", ne, integers, Bound::Exact),
        ("lt", lt, floats, Bound::Exact),
        ("le", le, integers, Bound::Exact),
        ("gt", gt, signed, Bound::Exact),
        ("ge", ge, unsigned, Bound::Exact),
        ("lt", lt, signed, Bound::Exact),
        ("le", le, unsigned, Bound::Exact),
        ("eq", eq, bools, Bound::Exact),
        ("logical_and", logical_and, bools, Bound::Exact),
        ("logical_or", logical_or, bools, Bound::Exact),
        ("logical_xor", logical_xor, bools, Bound::Exact),
        ("ne", ne, unsigned, Bound::Exact),
    ];
    let case = |(name, f, values, bound): (&'static str, Binary, Values, Bound)| {
        Case::new(name, format!("{a} with {b}"), bound, move |device| vec![f(&values(device, a, 1), &values(device, b, 2))])
    };
    rows.map(case).into()
}

fn ternary_cases(a: Shape, b: Shape) -> Vec<Case> {
    let rows: [(&'static str, Ternary, Values, Bound); 7] = [
        ("maximum_bwd_a", maximum_bwd_a, integers, Bound::Exact),
        ("minimum_bwd_a", minimum_bwd_a, integers, Bound::Exact),
        // Two divisions and a product.
        ("div_bwd_b", div_bwd_b, positive, Bound::own(7.0 / 16_777_216.0)),
        ("pow_bwd_a", pow_bwd_a, positive, POWER),
        // A logarithm more.
        ("pow_bwd_b", pow_bwd_b, positive, Bound::own(6.0 / 2_097_152.0 + 24.0 / 16_777_216.0)),
        ("amax_bwd_x", amax_bwd_x, integers, Bound::Exact),
        ("logsumexp_bwd_x", logsumexp_bwd_x, floats, EXPONENTIAL),
    ];
    let y = a.broadcast(b).expect("the pairs broadcast");
    let case = |(name, f, values, bound): (&'static str, Ternary, Values, Bound)| {
        Case::new(name, format!("{a}, {b} and {y}"), bound, move |device| {
            vec![f(&values(device, a, 1), &values(device, b, 2), &values(device, y, 3))]
        })
    };
    let mut cases: Vec<Case> = rows.map(case).into();
    let what = format!("{a}, {b} and {y}");
    cases.push(Case::new("var_bwd_x", what.clone(), Bound::own(3.0 / 16_777_216.0), move |device| {
        vec![var_bwd_x(&floats(device, a, 1), &floats(device, b, 2), &floats(device, y, 3), 0.3)]
    }));
    cases.push(Case::new("where_", what, Bound::Exact, move |device| {
        let (cond, b, y) = (bools(device, a, 1), |values: Values| values(device, b, 2), |values: Values| values(device, y, 3));
        vec![where_(&cond, &b(floats), &y(floats)), where_(&cond, &y(signed), &b(signed))]
    }));
    cases
}

fn copy_cases(len: usize) -> Vec<Case> {
    let what = || format!("{len} elements");
    let shape = Shape::from([len]);
    vec![
        Case::new("add_scaled", what(), Bound::own(2e-7), move |device| {
            vec![add_scaled(&floats(device, shape, 1), &floats(device, shape, 2), 0.7)]
        }),
        Case::new("scale", what(), Bound::Exact, move |device| vec![scale(&floats(device, shape, 1), -3.7)]),
        Case::new("copy_into", what(), Bound::Exact, move |device| {
            let dst = Tensor::empty(device, shape);
            copy_into(&tensor(device, [1, len], 1), &dst);
            vec![dst]
        }),
        Case::new("logical_not", what(), Bound::Exact, move |device| vec![logical_not(&bools(device, shape, 1))]),
        Case::new("spread", what(), Bound::Exact, move |device| {
            vec![spread(&tensor(device, [3, 1, len, 1], 1), [3, 5, len, 2], 0.7), spread(&floats(device, shape, 1), shape, 0.3)]
        }),
    ]
}

pub fn cases() -> Vec<Case> {
    let pairs = PAIRS.iter().map(|&(a, b)| (Shape::new(a), Shape::new(b)));
    let mut cases: Vec<Case> = pairs.flat_map(|(a, b)| binary_cases(a, b).into_iter().chain(ternary_cases(a, b))).collect();
    cases.extend([1, 6, 1031].into_iter().flat_map(copy_cases));
    cases
}
