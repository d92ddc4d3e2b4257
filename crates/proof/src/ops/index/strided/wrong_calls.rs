//! Wrong calls, and what their panics say.

use super::cases::numbers;
use crate::{Misuse, misuse};
use gpu_core::ops::{
    PadMode, concat, expand, flip, narrow, pad, pad_bwd_x, permute, repeat, roll, select, slice, slice_bwd_x, stack, transpose,
};
use gpu_core::{DType, Device, Shape, Tensor};

fn zeros(device: &Device, dims: &[usize]) -> Tensor {
    Tensor::zeros(device, dims)
}

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("permute", ["axis 0 is named twice in [0, 0]", "x [2, 3]"], |d| permute(&zeros(d, &[2, 3]), &[0, 0])),
        misuse!("permute", ["[1] names 1 of 2 axes", "x [2, 3]"], |d| permute(&zeros(d, &[2, 3]), &[1])),
        misuse!("transpose", ["no axis 2", "x [2, 3]"], |d| transpose(&zeros(d, &[2, 3]), 0, 2)),
        misuse!("expand", ["does not broadcast to [2, 4]", "x [2, 3]"], |d| expand(&zeros(d, &[2, 3]), [2, 4])),
        misuse!("expand", ["does not broadcast to [3]", "x [2, 3]"], |d| expand(&zeros(d, &[2, 3]), [3])),
        misuse!("flip", ["no axis 1", "x [2]"], |d| flip(&zeros(d, &[2]), &[1])),
        misuse!("slice", ["1..4 is not a part of axis 0", "x [3]"], |d| slice(&zeros(d, &[3]), &[(1..4).into()])),
        misuse!("repeat", ["are more than can be counted", "x [4]"], |d| repeat(&zeros(d, &[4]), &[usize::MAX / 4 + 2])),
        misuse!("pad", ["an amount is over 2147483647", "x [4]"], |d| {
            pad(&zeros(d, &[4]), &[isize::MAX, isize::MAX], PadMode::Constant(0.0))
        }),
        misuse!("narrow", ["is not a part of axis 0", "x [4]"], |d| narrow(&zeros(d, &[4]), 0, usize::MAX, 2)),
        misuse!("slice", ["2 slices of 1 axes", "x [3]"], |d| slice(&zeros(d, &[3]), &[(..).into(), (..).into()])),
        misuse!("slice_bwd_x", ["the slices give [2]", "x [3], dy [3]"], |d| {
            slice_bwd_x(&zeros(d, &[3]), [3], &[(..2).into()])
        }),
        misuse!("slice_bwd_x", ["dy holds u8, not f32", "dy [3]"], |d| {
            slice_bwd_x(&numbers(d, Shape::from([3]), DType::U8), [3], &[])
        }),
        misuse!("narrow", ["2..5 is not a part of axis 1", "x [9, 4]"], |d| narrow(&zeros(d, &[9, 4]), 1, 2, 3)),
        misuse!("select", ["axis 0 has no index 9", "x [9, 4]"], |d| select(&zeros(d, &[9, 4]), 0, 9)),
        misuse!("concat", ["nothing to join"], |_| concat(&[], 0)),
        misuse!("concat", ["differ in more than axis 0", "x [2, 3], x [2, 4]"], |d| {
            concat(&[&zeros(d, &[2, 3]), &zeros(d, &[2, 4])], 0)
        }),
        misuse!("concat", ["some hold f32, some u8", "x [2], x [3]"], |d| {
            concat(&[&zeros(d, &[2]), &numbers(d, Shape::from([3]), DType::U8)], 0)
        }),
        misuse!("concat", ["on CPU", "x [2], x [3]"], |d| concat(&[&zeros(d, &[2]), &zeros(&Device::Cpu, &[3])], 0)),
        misuse!("stack", ["the shapes differ", "x [2], x [3]"], |d| stack(&[&zeros(d, &[2]), &zeros(d, &[3])], 0)),
        misuse!("stack", ["no place for a new axis 2", "x [2]"], |d| stack(&[&zeros(d, &[2])], 2)),
        misuse!("pad", ["4 amounts", "at most 1 axes", "x [2]"], |d| pad(&zeros(d, &[2]), &[1; 4], PadMode::Reflect)),
        misuse!("pad", ["2 before and 0 after", "Reflect", "x [2]"], |d| pad(&zeros(d, &[2]), &[2, 0], PadMode::Reflect)),
        misuse!("pad", ["0.5 is not a value of u8", "x [2]"], |d| {
            pad(&numbers(d, Shape::from([2]), DType::U8), &[1, 1], PadMode::Constant(0.5))
        }),
        misuse!("pad_bwd_x", ["dy is not x with [1, 1] more", "x [2], dy [2]"], |d| {
            pad_bwd_x(&zeros(d, &[2]), [2], &[1, 1], PadMode::Circular)
        }),
        misuse!("roll", ["2 shifts of 1 axes", "x [2]"], |d| roll(&zeros(d, &[2]), &[1, 1], &[0])),
        misuse!("repeat", ["1 numbers for 2 axes", "x [2, 3]"], |d| repeat(&zeros(d, &[2, 3]), &[2])),
    ]
}
