//! Which steps a reduction takes, and in how many parts.

use super::WGSL;
use super::mirrors::reduce_cpu;
use super::params::Params;
use super::state::Op;
use crate::base::{DType, MAX_RANK, Shape};
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;

pub(super) static REDUCE_ROWS: Kernel = kernel!(WGSL, "reduce_rows", reduce_cpu);
pub(super) static REDUCE_COLUMNS: Kernel = kernel!(WGSL, "reduce_columns", reduce_cpu);

/// In how many parts to reduce: enough invocations to fill a large GPU, and enough elements for each of them.
fn splits(outer: usize, len: usize, inner: usize) -> usize {
    let splits = match is_rows(len, inner) {
        true => 1024usize.div_ceil(outer).min(len.div_ceil(4096)),
        false => 65_536usize.div_ceil(outer * inner).min(len.div_ceil(32)),
    };
    // As many as have elements.
    len.div_ceil(len.div_ceil(splits))
}

fn is_rows(len: usize, inner: usize) -> bool {
    inner == 1 && len >= 128
}

/// One launch: `x` as (outer, len, inner), its middle axis in `splits` parts. `first`: `x` holds elements; `last`: the result is
/// wanted.
fn step(op: Op, x: &Tensor, [outer, len, inner]: [usize; 3], splits: usize, [first, last]: [bool; 2], factor: f32) -> Tensor {
    let part = len.div_ceil(splits);
    let words = if last { 1 } else { op.words() };
    let shape = [outer * splits * inner * words];
    let y = match op.is_of_words() || last && op.is_place() {
        true => Tensor::empty_of(x.device(), shape, DType::U32),
        false => Tensor::empty(x.device(), shape),
    };
    let p = Params { outer: outer as u32, len: len as u32, inner: inner as u32, splits: splits as u32, part: part as u32, factor };
    let constants = [("OP", op as u32), ("FIRST", first.into()), ("LAST", last.into())];
    let passes = if first { op.passes() } else { 1 };
    if is_rows(len, inner) {
        let grid = Grid::folded(outer * splits).trips(passes * part.div_ceil(64) + 6);
        REDUCE_ROWS.with(&constants).launch(p, &[x], &[&y], grid);
    } else {
        let grid = Grid::linear(outer * splits * inner, 256).trips(passes * part);
        REDUCE_COLUMNS.with(&constants).launch(p, &[x], &[&y], grid);
    }
    y
}

/// All steps, each over the middle axis of an (outer, len, inner).
fn run(op: Op, x: &Tensor, steps: &[[usize; 3]], factor: f32) -> Tensor {
    let (mut x, mut first) = (x.clone(), true);
    for (i, &[outer, mut len, inner]) in steps.iter().enumerate() {
        loop {
            let splits = splits(outer, len, inner);
            let last = splits == 1 && i + 1 == steps.len();
            // A state that is a float like an element is both: one pipeline serves all steps.
            let plain = op.words() == 1 && !op.is_of_words();
            let ends = if plain { [true, true] } else { [first, last || op.is_of_words()] };
            x = step(op, &x, [outer, len, inner], splits, ends, if last { factor } else { 1.0 });
            (first, len) = (false, splits);
            if splits == 1 {
                break;
            }
        }
    }
    x
}

/// Reduces over the axes that `reduced` marks; every one of them is left with extent 1. `x` is not empty, unless it is a sum.
pub(super) fn reduce_axes(op: Op, x: &Tensor, reduced: [bool; MAX_RANK], factor: f32) -> Tensor {
    let shape = x.shape();
    let mut kept = shape.dims().to_vec();
    (0..shape.rank()).filter(|&axis| reduced[axis]).for_each(|axis| kept[axis] = 1);
    let kept = Shape::new(&kept);
    if shape.is_empty() {
        return op.of_nothing(x.device(), kept);
    }
    // An axis of extent 1 joins any group.
    let is_reduced = |axis: usize| reduced[axis] && shape.dim(axis) > 1;
    let (mut axis, mut inner) = (shape.rank(), 1);
    let mut steps = Vec::new();
    while axis > 0 {
        let mut len = 1;
        while axis > 0 && (is_reduced(axis - 1) || shape.dim(axis - 1) == 1) {
            axis -= 1;
            len *= shape.dim(axis);
        }
        if len > 1 {
            steps.push([shape.outer(axis), len, inner]);
        }
        while axis > 0 && !is_reduced(axis - 1) {
            axis -= 1;
            inner *= shape.dim(axis);
        }
    }
    if steps.is_empty() {
        // Nothing to reduce, but the result is fresh memory all the same.
        steps.push([1, 1, x.len()]);
    }
    run(op, x, &steps, factor).reshape(kept)
}

/// The axes as marks.
#[track_caller]
pub(super) fn marks(op: &str, x: &Tensor, axes: &[usize]) -> [bool; MAX_RANK] {
    let (shape, mut marks) = (x.shape(), [false; MAX_RANK]);
    for &axis in axes {
        assert!(axis < shape.rank(), "{op}: x of shape {shape} has no axis {axis} (axes {axes:?}, x {shape})");
        assert!(!marks[axis], "{op}: axis {axis} is named twice (axes {axes:?}, x {shape})");
        marks[axis] = true;
    }
    marks
}

/// How many elements make a result.
#[track_caller]
pub(super) fn count(op: &str, x: &Tensor, axes: &[usize]) -> usize {
    marks(op, x, axes);
    axes.iter().map(|&axis| x.shape().dim(axis)).product()
}

#[track_caller]
pub(super) fn over_axes(op: &str, kind: Op, x: &Tensor, axes: &[usize], keepdim: bool, factor: f32) -> Tensor {
    match kind {
        Op::Any | Op::All => expect::dtype(op, ("x", x), DType::Bool),
        _ => expect::f32s(op, &[("x", x)]),
    }
    let (shape, reduced) = (x.shape(), marks(op, x, axes));
    let y = reduce_axes(kind, x, reduced, factor);
    let left: Vec<usize> = (0..shape.rank()).filter(|&axis| !reduced[axis]).map(|axis| shape.dim(axis)).collect();
    if keepdim { y } else { y.reshape(Shape::new(&left)) }
}

pub(super) const ALL_AXES: [usize; MAX_RANK] = [0, 1, 2, 3, 4, 5];

#[track_caller]
pub(super) fn over_all(op: &str, kind: Op, x: &Tensor) -> Tensor {
    over_axes(op, kind, x, &ALL_AXES[..x.shape().rank()], false, 1.0)
}
