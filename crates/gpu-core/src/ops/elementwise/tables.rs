//! What is proved, what is timed, and what is refused.

use super::*;
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;
use crate::shape::Shape;

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
const DIVISION: Bound = Bound::Relative(3.0 / 16_777_216.0);

/// WGSL's power is `exp2(e log2(x))`: a logarithm is right to 2^-21 near one, and three units in the last place elsewhere, and
/// an exponential to `3 + 2 |e log2(x)|` units. The exponents of the cases are at most 4 and the bases 0.25 to 2.25.
const POWER: Bound = Bound::Relative(4.0 / 2_097_152.0 + 19.0 / 16_777_216.0);

/// `exp` of at most 2 in size is right to `3 + 2 * 2` units in the last place, `log` to 2^-21; three roundings.
const EXPONENTIAL: Bound = Bound::Relative(1.0 / 2_097_152.0 + 10.0 / 16_777_216.0);

fn floats(device: &Device, shape: Shape, seed: u64) -> Tensor {
    check::tensor(device, shape, seed)
}

/// Values in 0.25 .. 2.25.
fn positive(device: &Device, shape: Shape, seed: u64) -> Tensor {
    let values: Vec<f32> = check::input_values(device, shape.len(), seed).iter().map(|v| v + 1.25).collect();
    Tensor::from_slice(device, shape, &values)
}

/// Small integers as floats: many are equal.
fn integers(device: &Device, shape: Shape, seed: u64) -> Tensor {
    Tensor::from_slice(device, shape, &check::input_integers(device, shape.len(), seed))
}

fn signed(device: &Device, shape: Shape, seed: u64) -> Tensor {
    let values: Vec<i32> = check::input_integers(device, shape.len(), seed).iter().map(|&v| v as i32).collect();
    Tensor::from_slice(device, shape, &values)
}

/// Around 2^31, where an order of signed words would be another.
fn unsigned(device: &Device, shape: Shape, seed: u64) -> Tensor {
    let values: Vec<u32> =
        check::input_integers(device, shape.len(), seed).iter().map(|&v| (v as i32 as u32).wrapping_add(1 << 31)).collect();
    Tensor::from_slice(device, shape, &values)
}

pub(super) fn truths(device: &Device, shape: Shape, seed: u64) -> Tensor {
    let values: Vec<bool> = check::input_values(device, shape.len(), seed).iter().map(|&v| v > 0.0).collect();
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
        ("eq", eq, truths, Bound::Exact),
        ("logical_and", logical_and, truths, Bound::Exact),
        ("logical_or", logical_or, truths, Bound::Exact),
        ("logical_xor", logical_xor, truths, Bound::Exact),
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
        ("div_bwd_b", div_bwd_b, positive, Bound::Relative(7.0 / 16_777_216.0)),
        ("pow_bwd_a", pow_bwd_a, positive, POWER),
        // A logarithm more.
        ("pow_bwd_b", pow_bwd_b, positive, Bound::Relative(6.0 / 2_097_152.0 + 24.0 / 16_777_216.0)),
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
    cases.push(Case::new("var_bwd_x", what.clone(), Bound::Relative(3.0 / 16_777_216.0), move |device| {
        vec![var_bwd_x(&floats(device, a, 1), &floats(device, b, 2), &floats(device, y, 3), 0.3)]
    }));
    cases.push(Case::new("where_", what, Bound::Exact, move |device| {
        let (cond, b, y) = (truths(device, a, 1), |values: Values| values(device, b, 2), |values: Values| values(device, y, 3));
        vec![where_(&cond, &b(floats), &y(floats)), where_(&cond, &y(signed), &b(signed))]
    }));
    cases
}

fn copy_cases(len: usize) -> Vec<Case> {
    let what = || format!("{len} elements");
    let shape = Shape::from([len]);
    vec![
        Case::new("add_scaled", what(), Bound::Relative(2e-7), move |device| {
            vec![add_scaled(&floats(device, shape, 1), &floats(device, shape, 2), 0.7)]
        }),
        Case::new("scale", what(), Bound::Exact, move |device| vec![scale(&floats(device, shape, 1), -3.7)]),
        Case::new("copy_into", what(), Bound::Exact, move |device| {
            let dst = Tensor::empty(device, shape);
            copy_into(&check::tensor(device, [1, len], 1), &dst);
            vec![dst]
        }),
        Case::new("logical_not", what(), Bound::Exact, move |device| vec![logical_not(&truths(device, shape, 1))]),
        Case::new("spread", what(), Bound::Exact, move |device| {
            vec![
                spread(&check::tensor(device, [3, 1, len, 1], 1), [3, 5, len, 2], 0.7),
                spread(&floats(device, shape, 1), shape, 0.3),
            ]
        }),
    ]
}

pub(in crate::ops) fn cases() -> Vec<Case> {
    let pairs = PAIRS.iter().map(|&(a, b)| (Shape::new(a), Shape::new(b)));
    let mut cases: Vec<Case> = pairs.flat_map(|(a, b)| binary_cases(a, b).into_iter().chain(ternary_cases(a, b))).collect();
    cases.extend([1, 6, 1031].into_iter().flat_map(copy_cases));
    cases
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    const LEN: usize = 1 << 24;
    const IMAGES: [usize; 4] = [128, 64, 32, 32];
    let x = |device: &Device| check::tensor(device, [LEN], 1);
    vec![
        Bench::new("add", "16777216 elements", LEN as u64, move |device| {
            let x = x(device);
            move || vec![add(&x, &x)]
        }),
        Bench::new("mul", "128x64x32x32 by channels", LEN as u64 / 2, |device| {
            let (x, b) = (check::tensor(device, IMAGES, 1), check::tensor(device, [64, 1, 1], 2));
            move || vec![mul(&x, &b)]
        }),
        Bench::new("mul", "128x64x31x31 by channels", 0, |device| {
            let (x, b) = (check::tensor(device, [128, 64, 31, 31], 1), check::tensor(device, [64, 1, 1], 2));
            move || vec![mul(&x, &b)]
        }),
        Bench::new("pow", "16777216 elements", 0, move |device| {
            let x = x(device);
            move || vec![pow(&x, &x)]
        }),
        Bench::new("maximum_bwd_a", "16777216 elements", 0, move |device| {
            let x = x(device);
            move || vec![maximum_bwd_a(&x, &x, &x)]
        }),
        Bench::new("gt", "16777216 elements", 0, move |device| {
            let (x, zero) = (x(device), Tensor::zeros(device, Shape::SCALAR));
            move || vec![gt(&x, &zero)]
        }),
        Bench::new("logical_not", "16777216 elements", 0, move |device| {
            let x = truths(device, [LEN].into(), 1);
            move || vec![logical_not(&x)]
        }),
        Bench::new("where_", "16777216 elements", 0, move |device| {
            let (cond, x) = (truths(device, [LEN].into(), 1), x(device));
            move || vec![where_(&cond, &x, &x)]
        }),
        Bench::new("spread", "128x64 to 128x64x32x32", 0, |device| {
            let x = check::tensor(device, [128, 64, 1, 1], 1);
            move || vec![spread(&x, IMAGES, 0.5)]
        }),
        Bench::new("scale", "16777216 elements", 0, move |device| {
            let x = x(device);
            move || vec![scale(&x, 0.5)]
        }),
        Bench::new("add_scaled", "16777216 elements", 0, move |device| {
            let x = x(device);
            move || vec![add_scaled(&x, &x, 0.5)]
        }),
        Bench::new("copy_into", "16777216 elements", 0, move |device| {
            let (x, y) = (x(device), Tensor::zeros(device, [LEN]));
            move || {
                copy_into(&x, &y);
                vec![]
            }
        }),
    ]
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    fn words(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[1u32, 2])
    }
    fn yes(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[true, false])
    }
    /// Of each function of two: shapes that do not broadcast, a wrong type, and two devices.
    macro_rules! of_two {
        ($make:ident, $($name:literal $f:ident),*) => {
            vec![$(
                misuse!($name, ["do not broadcast", "a [2], b [3]"], |device| $f(&$make(device, 2), &$make(device, 3))),
                misuse!($name, ["holds", "a [2], b [2]"], |device| $f(&$make(device, 2), &Tensor::from_slice(device, [2], &[0u8, 1]))),
                misuse!($name, ["b on CPU", "a [2], b [2]"], |device| $f(&$make(device, 2), &$make(&Device::Cpu, 2))),
            )*]
        };
    }
    /// Of each function of three: shapes that do not broadcast, and a wrong type.
    macro_rules! of_three {
        ($($name:literal $f:expr),*) => {
            vec![$(
                misuse!($name, ["do not broadcast", "[2], ", " [3], ", " [2]"], |device| {
                    $f(&zeros(device, &[2]), &zeros(device, &[3]), &zeros(device, &[2]))
                }),
                misuse!($name, ["holds u32, not f32", " [3], ", " [2]"], |device| {
                    $f(&zeros(device, &[2]), &zeros(device, &[3]), &words(device))
                }),
            )*]
        };
    }
    fn floats(device: &Device, n: usize) -> Tensor {
        Tensor::zeros(device, [n])
    }
    fn flags(device: &Device, n: usize) -> Tensor {
        Tensor::from_slice(device, [n], &vec![true; n])
    }
    let mut rows = of_two!(floats, "add" add, "sub" sub, "mul" mul, "div" div, "maximum" maximum, "minimum" minimum, "pow" pow);
    rows.extend(of_two!(floats, "eq" eq, "ne" ne, "lt" lt, "le" le, "gt" gt, "ge" ge));
    rows.extend(of_two!(flags, "logical_and" logical_and, "logical_or" logical_or, "logical_xor" logical_xor));
    rows.extend(of_three!("maximum_bwd_a" maximum_bwd_a, "minimum_bwd_a" minimum_bwd_a, "div_bwd_b" div_bwd_b));
    rows.extend(of_three!("pow_bwd_a" pow_bwd_a, "pow_bwd_b" pow_bwd_b, "amax_bwd_x" amax_bwd_x));
    rows.extend(of_three!("logsumexp_bwd_x" logsumexp_bwd_x));
    rows.extend(of_three!("var_bwd_x" |x: &_, mean: &_, dy: &_| var_bwd_x(x, mean, dy, 1.0)));
    rows.extend(vec![
        misuse!("div", ["a holds u32, not f32", "a [2], b [2]"], |device| div(&words(device), &words(device))),
        misuse!("logical_and", ["a and b hold f32, not bool", "a [2], b [2]"], |device| {
            logical_and(&zeros(device, &[2]), &zeros(device, &[2]))
        }),
        misuse!("eq", ["a and b hold u8", "a [1], b [1]"], |device| {
            eq(&Tensor::from_slice(device, [1], &[0u8]), &Tensor::from_slice(device, [1], &[0u8]))
        }),
        misuse!("logical_not", ["x holds u32, not bool", "x [2]"], |device| logical_not(&words(device))),
        misuse!("where_", ["cond holds u32, not bool", "cond [2], a [2], b [3]"], |device| {
            where_(&words(device), &zeros(device, &[2]), &zeros(device, &[3]))
        }),
        misuse!("where_", ["a holds u32, b f32", "cond [2], a [2], b [2]"], |device| {
            where_(&yes(device), &words(device), &zeros(device, &[2]))
        }),
        misuse!("where_", ["a and b hold bool, not f32", "cond [2], a [2], b [2]"], |device| {
            where_(&yes(device), &yes(device), &yes(device))
        }),
        misuse!("where_", ["do not broadcast", "cond [2], a [2], b [3]"], |device| {
            where_(&yes(device), &zeros(device, &[2]), &zeros(device, &[3]))
        }),
        misuse!("spread", ["x [2, 3]", "does not broadcast to [2]"], |device| spread(&zeros(device, &[2, 3]), [2], 1.0)),
        misuse!("spread", ["x holds u32", "x [2]"], |device| spread(&words(device), [2], 1.0)),
        misuse!("scale", ["x holds u32, not f32", "x [2]"], |device| scale(&words(device), 1.0)),
        misuse!("add_scaled", ["the shapes differ", "a [2], b [2, 1]"], |device| {
            add_scaled(&zeros(device, &[2]), &zeros(device, &[2, 1]), 1.0)
        }),
        misuse!("copy_into", ["2 elements into 3", "src [2], dst [3]"], |device| {
            copy_into(&zeros(device, &[2]), &zeros(device, &[3]))
        }),
    ]);
    rows
}
