//! What is held against the mirror: every form, on every width of element.

use crate::{Bound, Case, input_integers, tensor};
use gpu_core::ops::{
    PadMode, Slice, concat, expand, flip, internals, narrow, pad, pad_bwd_x, repeat, roll, select, slice, slice_bwd_x, stack,
    transpose,
};
use gpu_core::{DType, Device, Shape, Tensor, f16};

/// The widths that elements have on a GPU: 4, 2 and 1 bytes.
pub(super) const WIDTHS: [DType; 4] = [DType::F32, DType::F16, DType::U8, DType::Bool];

/// Element `i` of [`numbers`].
pub(super) fn number(dtype: DType, i: usize) -> f32 {
    match dtype {
        DType::U8 => (i * 7 % 251) as f32,
        DType::Bool => (i.wrapping_mul(2_654_435_761) >> 13 & 1) as f32,
        DType::F16 => (i % 2039) as f32,
        _ => i as f32,
    }
}

/// A tensor whose elements tell where they come from.
pub(super) fn numbers(device: &Device, shape: Shape, dtype: DType) -> Tensor {
    let values = (0..shape.len()).map(|i| number(dtype, i));
    match dtype {
        DType::F16 => Tensor::from_slice(device, shape, &values.map(f16::from_f32).collect::<Vec<_>>()),
        DType::U8 => Tensor::from_slice(device, shape, &values.map(|v| v as u8).collect::<Vec<_>>()),
        DType::Bool => Tensor::from_slice(device, shape, &values.map(|v| v != 0.0).collect::<Vec<_>>()),
        DType::I32 => Tensor::from_slice(device, shape, &values.map(|v| v as i32).collect::<Vec<_>>()),
        DType::U32 => Tensor::from_slice(device, shape, &values.map(|v| v as u32).collect::<Vec<_>>()),
        _ => Tensor::from_slice(device, shape, &values.collect::<Vec<_>>()),
    }
}

/// An operator on all widths.
fn case(name: &'static str, what: String, dims: &[usize], f: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static) -> Case {
    let shape = Shape::new(dims);
    Case::new(name, format!("{shape} {what}"), Bound::Exact, move |device| {
        WIDTHS.map(|dtype| f(&numbers(device, shape, dtype))).to_vec()
    })
}

fn axes_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let orders: &[(&[usize], &[usize])] = &[
        (&[1, 1], &[1, 0]),
        (&[7, 1031], &[1, 0]),
        (&[64, 96], &[1, 0]),
        (&[33, 65], &[1, 0]),
        (&[5, 4, 4], &[1, 0, 2]),
        (&[2, 3, 17, 12], &[0, 2, 3, 1]),
        (&[3, 40, 5, 7], &[0, 2, 3, 1]),
        (&[2, 5, 7, 24], &[0, 3, 1, 2]),
        (&[3, 18, 2, 20], &[3, 0, 2, 1]),
        (&[2, 3, 4, 5, 2, 3], &[5, 2, 0, 4, 1, 3]),
    ];
    for &(dims, order) in orders {
        for registers in [true, false] {
            let form = if registers { "in registers" } else { "in tiles" };
            cases.push(case("permute", format!("to {order:?} {form}"), dims, move |x| internals::permute(registers, x, order)));
        }
    }
    cases.push(case("transpose", "0 1".to_owned(), &[31, 8, 5], |x| transpose(x, 0, 1)));
    let shapes: &[(&[usize], &[usize])] = &[
        (&[], &[3]),
        (&[3, 1], &[3, 8]),
        (&[5, 1, 7], &[2, 5, 3, 7]),
        (&[4], &[3, 4]),
        (&[1, 3, 1, 2, 1, 1], &[2, 3, 2, 2, 3, 2]),
    ];
    for &(dims, to) in shapes {
        cases.push(case("expand", format!("to {to:?}"), dims, move |x| expand(x, to)));
    }
    let flips: &[(&[usize], &[usize])] =
        &[(&[1], &[0]), (&[1031], &[0]), (&[3, 4, 8], &[2]), (&[3, 4, 8], &[0, 1]), (&[2, 3, 5, 7], &[0, 3])];
    for &(dims, axes) in flips {
        cases.push(case("flip", format!("along {axes:?}"), dims, move |x| flip(x, axes)));
    }
    cases
}

fn slice_cases() -> Vec<Case> {
    let slices: &[(&[usize], &[(usize, usize, isize)])] = &[
        (&[9], &[(2, 9, 3)]),
        (&[9], &[(0, 9, -2)]),
        (&[4, 10], &[(0, 4, 1), (2, 10, 1)]),
        (&[6, 8], &[(1, 5, 2), (0, 8, 1)]),
        (&[3, 5, 16], &[(0, 3, -1), (1, 4, 2), (4, 12, 1)]),
        (&[2, 3, 4, 3, 2, 5], &[(0, 2, 1), (1, 3, -1), (0, 4, 3), (2, 3, 1), (0, 2, -1), (1, 5, 2)]),
    ];
    let mut cases = Vec::new();
    for &(dims, parts) in slices {
        let parts: Vec<Slice> = parts.iter().map(|&(start, end, step)| Slice::from(start..end).step(step)).collect();
        let what = format!("{parts:?}");
        let backward = parts.clone();
        cases.push(case("slice", what.clone(), dims, move |x| slice(x, &parts)));
        let shape = Shape::new(dims);
        cases.push(Case::new("slice_bwd_x", format!("{shape} {what}"), Bound::Exact, move |device| {
            let dy = slice(&tensor(device, shape, 1), &backward);
            vec![slice_bwd_x(&dy, shape, &backward)]
        }));
    }
    cases.push(case("narrow", "axis 1 from 3".to_owned(), &[3, 11, 5], |x| narrow(x, 1, 3, 7)));
    cases.push(case("select", "axis 2 at 4".to_owned(), &[3, 4, 5], |x| select(x, 2, 4)));
    cases
}

fn pad_cases() -> Vec<Case> {
    const MODES: [PadMode; 4] = [PadMode::Constant(1.0), PadMode::Reflect, PadMode::Replicate, PadMode::Circular];
    let pads: &[(&[usize], &[isize])] = &[
        (&[5], &[4, 2]),
        (&[2, 3, 8, 8], &[2, 2, 2, 2]),
        (&[2, 3, 7, 5], &[1, 0, 3, 2]),
        (&[3, 4, 8], &[0, 0, 1, 2]),
        (&[2, 2, 3, 2, 3, 2], &[1, 1, 0, 2, 1, 0, 2, 1, 1, 1, 0, 1]),
    ];
    let mut cases = Vec::new();
    for (&(dims, amounts), mode) in pads.iter().flat_map(|pad| MODES.map(|mode| (pad, mode))) {
        cases.push(case("pad", format!("{amounts:?} {mode:?}"), dims, move |x| pad(x, amounts, mode)));
        let shape = Shape::new(dims);
        // Small integers: their sums are exact in any order.
        cases.push(Case::new("pad_bwd_x", format!("{shape} {amounts:?} {mode:?}"), Bound::Exact, move |device| {
            let y = pad(&Tensor::zeros(device, shape), amounts, mode).shape();
            let dy = Tensor::from_slice(device, y, &input_integers(device, y.len(), 1));
            vec![pad_bwd_x(&dy, shape, amounts, mode)]
        }));
    }
    cases.push(case("pad", "cut".to_owned(), &[4, 9], |x| pad(x, &[-2, -3, 1, -2], PadMode::Constant(0.0))));
    cases.push(case("roll", "3 -1".to_owned(), &[4, 7, 8], |x| roll(x, &[3, -1], &[1, 2])));
    cases.push(case("roll", "along the first".to_owned(), &[5, 3, 4], |x| roll(x, &[-7], &[0])));
    cases.push(case("repeat", "2 1 3".to_owned(), &[3, 5], |x| repeat(x, &[2, 1, 3])));
    cases.push(case("repeat", "3 2".to_owned(), &[2, 4], |x| repeat(x, &[3, 2])));
    cases
}

fn join_cases() -> Vec<Case> {
    let joins: &[(&[usize], usize, &[usize])] = &[
        (&[1], 0, &[1, 2, 3]),
        (&[2, 1, 4, 4], 1, &[3, 5, 4]),
        (&[3, 1, 7], 1, &[2, 1]),
        (&[5, 1], 1, &[1, 1, 2, 3]),
        (&[1, 8], 0, &[2, 3]),
    ];
    let of = |&(dims, axis, extents): &(&'static [usize], usize, &'static [usize])| {
        Case::new("concat", format!("{dims:?} along {axis}, {extents:?}"), Bound::Exact, move |device| {
            let part = |extent: usize, dtype| {
                let mut dims = dims.to_vec();
                dims[axis] = extent;
                numbers(device, Shape::new(&dims), dtype)
            };
            let join = |dtype| {
                let parts: Vec<Tensor> = extents.iter().map(|&extent| part(extent, dtype)).collect();
                concat(&parts.iter().collect::<Vec<_>>(), axis)
            };
            WIDTHS.map(join).to_vec()
        })
    };
    let stacks = [0, 1, 2].map(|axis| case("stack", format!("three along {axis}"), &[5, 6], move |x| stack(&[x, x, x], axis)));
    joins.iter().map(of).chain(stacks).collect()
}

pub fn cases() -> Vec<Case> {
    let tables = [axes_cases(), slice_cases(), pad_cases(), join_cases()];
    let mut cases: Vec<Case> = tables.into_iter().flatten().collect();
    // More workgroups than fit into a row of the grid.
    cases.push(Case::new("expand", "[4099] to [4099, 4099]".to_owned(), Bound::Exact, |device| {
        vec![expand(&tensor(device, [4099], 1), [4099, 4099])]
    }));
    cases
}
