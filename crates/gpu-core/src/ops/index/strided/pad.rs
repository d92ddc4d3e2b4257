//! Edges added, and rotations: `y[i] = x[f(i - before)]` with f an index or nothing at all, axis by axis.

use super::walk::{expect_axes, strides};
use crate::base::{DType, MAX_RANK, Shape};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("pad.wgsl");
static PAD: Kernel = Kernel::new_trusted(WGSL, "pad", pad_cpu).with_f64(pad_f64_cpu);
static PAD4: Kernel = Kernel::new_trusted(WGSL, "pad4", pad_cpu).with_f64(pad_f64_cpu);
static PAD_NARROW: Kernel = Kernel::new_trusted(WGSL, "pad_narrow", pad_narrow_cpu);
static PAD_BWD_X: Kernel = kernel!(WGSL, "pad_bwd_x", pad_bwd_x_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&PAD, &PAD4, &PAD_NARROW, &PAD_BWD_X];

/// What [`pad`] puts around a tensor. The names are PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PadMode {
    /// One value, which the element type must be able to hold. Negative amounts cut off.
    Constant(f32),
    /// The mirror image without the edge itself: `c b | a b c | b a`.
    Reflect,
    /// The edge again and again: `a a | a b c | c c`.
    Replicate,
    /// The other end: `b c | a b c | a b`.
    Circular,
}

const CONSTANT: u32 = 0;
const REFLECT: u32 = 1;
const REPLICATE: u32 = 2;
const CIRCULAR: u32 = 3;

impl PadMode {
    fn code(self) -> u32 {
        match self {
            Self::Constant(_) => CONSTANT,
            Self::Reflect => REFLECT,
            Self::Replicate => REPLICATE,
            Self::Circular => CIRCULAR,
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    rank: u32,
    mode: u32,
    value: u32,
    bytes: u32,
    // The innermost axis first: extents of y, steps through x, what is before x, extents of x.
    dims: [u32; MAX_RANK],
    steps: [u32; MAX_RANK],
    before: [i32; MAX_RANK],
    extents: [u32; MAX_RANK],
}

/// The index that stands at `i` of an axis of `n`.
#[inline(always)]
fn inside(mode: u32, i: isize, n: isize) -> Option<usize> {
    let i = match mode {
        CONSTANT => i,
        REFLECT if i < 0 => -i,
        REFLECT if i >= n => 2 * (n - 1) - i,
        REFLECT => i,
        REPLICATE => i.clamp(0, n - 1),
        _ if i < 0 => i + n,
        _ if i >= n => i - n,
        _ => i,
    };
    (0..n).contains(&i).then_some(i as usize)
}

fn padded<E: Pod + Send + Sync>(p: &Params, value: E, x: &[E], y: &mut [E]) {
    let (row, n, before) = (p.dims[0] as usize, p.extents[0] as usize, p.before[0] as isize);
    mirror::for_each_plane(y, row, |number, y| {
        let (mut rest, mut base) = (number, Some(0));
        for k in 1..p.rank as usize {
            let (i, n) = ((rest % p.dims[k] as usize) as isize - p.before[k] as isize, p.extents[k] as isize);
            base = base.and_then(|at| Some(at + inside(p.mode, i, n)? * p.steps[k] as usize));
            rest /= p.dims[k] as usize;
        }
        let Some(base) = base else { return y.fill(value) };
        let x = &x[base..base + n];
        // What is of x itself goes over in one piece.
        let start = before.clamp(0, row as isize) as usize;
        let end = (before + n as isize).clamp(start as isize, row as isize) as usize;
        if start < end {
            let first = (start as isize - before) as usize;
            y[start..end].copy_from_slice(&x[first..first + end - start]);
        }
        let edge = |i: usize| inside(p.mode, i as isize - before, n as isize).map_or(value, |i| x[i]);
        (0..start).chain(end..row).for_each(|i| y[i] = edge(i));
    });
}

fn pad_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    padded(&p, p.value, args.input(0), args.output(0));
}

fn pad_f64_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    padded(&p, f64::from(f32::from_bits(p.value)), args.input(0), args.output(0));
}

fn pad_narrow_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    match p.bytes {
        1 => padded(&p, p.value as u8, args.input(0), args.output(0)),
        _ => padded(&p, p.value as u16, args.input(0), args.output(0)),
    }
}

/// `dims[0]` of dy fold onto `extents[0]` of dx, `steps[0]` elements inside.
fn pad_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (dy, dx): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (m, n, inner, before) = (p.dims[0] as usize, p.extents[0] as usize, p.steps[0] as usize, p.before[0] as usize);
    mirror::for_each_plane(dx, n * inner, |number, dx| {
        let dy = &dy[number * m * inner..][..m * inner];
        dx.copy_from_slice(&dy[before * inner..(before + n) * inner]);
        for i in (0..before).chain(before + n..m) {
            let onto = inside(p.mode, i as isize - before as isize, n as isize).unwrap_or_default();
            let (dx, dy) = (&mut dx[onto * inner..][..inner], &dy[i * inner..][..inner]);
            dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += dy);
        }
    });
}

/// One axis of the map from y to x.
#[derive(Clone, Copy)]
struct Axis {
    dim: usize,
    step: usize,
    before: isize,
    extent: usize,
}

impl Axis {
    fn is_whole(&self) -> bool {
        self.before == 0 && self.dim == self.extent
    }
}

/// The axes, innermost first; those inside that are taken whole join the next one, where its map allows it.
fn merged(axes: impl Iterator<Item = Axis>, mode: u32) -> Vec<Axis> {
    let mut merged: Vec<Axis> = Vec::new();
    for axis in axes.filter(|axis| axis.dim != 1 || axis.extent != 1 || axis.before != 0) {
        // Where indices only shift, whole rows shift too.
        let joins = |inner: &Axis| inner.is_whole() && (axis.is_whole() || mode == CONSTANT || mode == CIRCULAR);
        match merged.last_mut() {
            Some(inner) if joins(inner) => {
                let n = inner.extent;
                *inner = Axis { dim: axis.dim * n, step: inner.step, before: axis.before * n as isize, extent: axis.extent * n };
            }
            _ => merged.push(axis),
        }
    }
    if merged.is_empty() {
        merged.push(Axis { dim: 1, step: 1, before: 0, extent: 1 });
    }
    merged
}

/// The same by groups of `by` neighbours, if none is cut.
fn grouped(axes: &[Axis], by: usize, mode: u32) -> Option<Vec<Axis>> {
    if by == 1 {
        return Some(axes.to_vec());
    }
    let inner = axes[0];
    let even = [inner.dim, inner.extent, inner.before.unsigned_abs()].iter().all(|v| v.is_multiple_of(by));
    let even = even && axes[1..].iter().all(|axis| axis.step.is_multiple_of(by));
    if !even || (mode != CONSTANT && mode != CIRCULAR && !inner.is_whole()) {
        return None;
    }
    let rest = axes[1..].iter().map(|axis| Axis { step: axis.step / by, ..*axis });
    let inner = Axis { dim: inner.dim / by, before: inner.before / by as isize, extent: inner.extent / by, ..inner };
    Some(std::iter::once(inner).chain(rest).collect())
}

/// `y[i] = x[f(i - before)]`, for `axes` from the innermost on.
#[track_caller]
fn mapped(op: &str, x: &Tensor, y: Shape, axes: impl Iterator<Item = Axis>, mode: u32, value: u32) -> Tensor {
    let shape = x.shape();
    assert!(x.len().max(y.len()) < 1 << 31, "{op}: 2^31 elements or more (x {shape}, y {y})");
    let y = Tensor::empty_of(x.device(), y, x.dtype());
    if y.is_empty() {
        return y;
    }
    let (bytes, mut axes) = (x.dtype().bytes(), merged(axes, mode));
    let each = if bytes < 4 { 4 / bytes } else { 1 };
    let words = grouped(&axes, each, mode);
    let narrow = words.is_none();
    // A word of narrow elements is padded with the value in every place.
    let repeated = (0..each).fold(0, |word, j| word | (value << (32 / each * j % 32)));
    let value = if narrow { value } else { repeated };
    axes = words.unwrap_or(axes);
    let len = axes.iter().map(|axis| axis.dim).product::<usize>();
    let mut p = Params { len: len as u32, rank: axes.len() as u32, mode, value, bytes: bytes as u32, ..Params::zeroed() };
    for (k, axis) in axes.iter().enumerate() {
        (p.dims[k], p.steps[k]) = (axis.dim as u32, axis.step as u32);
        (p.before[k], p.extents[k]) = (axis.before as i32, axis.extent as u32);
    }
    match narrow {
        true => PAD_NARROW.launch(p, &[x], &[&y], Grid::linear(len.div_ceil(each), 256).trips(each)),
        false if axes[0].dim.is_multiple_of(4) => PAD4.launch(p, &[x], &[&y], Grid::linear(len / 4, 256)),
        false => PAD.launch(p, &[x], &[&y], Grid::linear(len, 256)),
    }
    y
}

/// [`pad`] by `edges[k]` before and after axis k.
#[track_caller]
pub(super) fn pad_by(op: &str, x: &Tensor, edges: &[[isize; 2]], mode: PadMode) -> Tensor {
    let (shape, strides) = (x.shape(), strides(x.shape()));
    let mut dims = shape.dims().to_vec();
    for (k, &[before, after]) in edges.iter().enumerate() {
        let n = dims[k] as isize;
        let fits = match mode {
            PadMode::Constant(_) => before + after + n >= 0,
            PadMode::Reflect => (0..n.max(1)).contains(&before) && (0..n.max(1)).contains(&after),
            PadMode::Replicate => before >= 0 && after >= 0 && (n > 0 || before + after == 0),
            PadMode::Circular => (0..=n).contains(&before) && (0..=n).contains(&after),
        };
        assert!(fits, "{op}: axis {k} cannot get {before} before and {after} after it in mode {mode:?} (x {shape})");
        dims[k] = (n + before + after) as usize;
    }
    let value = if let PadMode::Constant(v) = mode { bits(op, x, v) } else { 0 };
    let y = Shape::new(&dims);
    let axis = |k: usize| Axis { dim: dims[k], step: strides[k] as usize, before: edges[k][0], extent: shape.dim(k) };
    mapped(op, x, y, (0..shape.rank()).rev().map(axis), mode.code(), value)
}

/// The bits of `value` in the element type of `x`.
#[track_caller]
fn bits(op: &str, x: &Tensor, value: f32) -> u32 {
    let (low, high) = match x.dtype() {
        DType::F32 | DType::F64 => return value.to_bits(),
        DType::F16 => return half::f16::from_f32(value).to_bits().into(),
        // The largest integers below 2^31 and 2^32 that an f32 holds.
        DType::I32 => (-2f32.powi(31), 2_147_483_520.0),
        DType::U32 => (0.0, 4_294_967_040.0),
        DType::U8 => (0.0, 255.0),
        DType::Bool => (0.0, 1.0),
    };
    let fits = (low..=high).contains(&value) && value.fract() == 0.0;
    assert!(fits, "{op}: {value} is not a value of {} (x {})", x.dtype(), x.shape());
    value as i64 as u32
}

/// `amounts` as PyTorch orders them (before and after the last axis, then the one in front of it, ..) by axis.
#[track_caller]
fn edges(op: &str, x: Shape, amounts: &[isize]) -> Vec<[isize; 2]> {
    let (pairs, rest) = amounts.as_chunks::<2>();
    let fits = rest.is_empty() && pairs.len() <= x.rank();
    assert!(fits, "{op}: {} amounts are not two for each of at most {} axes (x {x})", amounts.len(), x.rank());
    let counted = amounts.iter().all(|amount| amount.unsigned_abs() <= expect::MAX_NUMBER);
    assert!(counted, "{op}: an amount is over {} (amounts {amounts:?}, x {x})", expect::MAX_NUMBER);
    let mut edges = vec![[0; 2]; x.rank()];
    edges.iter_mut().rev().zip(pairs).for_each(|(edge, pair)| *edge = *pair);
    edges
}

/// `x` with edges: `amounts` are two for an axis, the last axis first: `[left, right, top, bottom, ..]`. Any element type. Equivalent
/// of `torch.nn.functional.pad(x, amounts, mode)`.
///
/// # Panics
/// If there are more amounts than two an axis, an amount is negative (but for `Constant`, where it cuts), a reflected edge is as long
/// as the axis or a circular one longer, or the value is none of the element type.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::PadMode};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 2.0, 3.0]);
/// assert_eq!(ops::pad(&x, &[1, 2], PadMode::Constant(9.0)).to_vec()?, [9.0, 1.0, 2.0, 3.0, 9.0, 9.0]);
/// assert_eq!(ops::pad(&x, &[2, 1], PadMode::Reflect).to_vec()?, [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pad(x: &Tensor, amounts: &[isize], mode: PadMode) -> Tensor {
    let edges = edges("pad", x.shape(), amounts);
    pad_by("pad", x, &edges, mode)
}

/// The gradient of [`pad`] to its input of shape `x`: what was copied several times is summed. What PyTorch's autograd computes for
/// `torch.nn.functional.pad`. Axis by axis, the outermost first; the copies of an element are added in the order in which they
/// stand in `dy`, after
/// the element itself.
///
/// # Panics
/// As [`pad`], and if `dy` is not of the shape that [`pad`] gives, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::PadMode};
/// let dy = Tensor::from_slice(&Device::Cpu, [5], &[1.0f32, 10.0, 100.0, 1000.0, 10000.0]);
/// let dx = ops::pad_bwd_x(&dy, [3], &[2, 0], PadMode::Reflect);
/// assert_eq!(dx.to_vec()?, [100.0, 1010.0, 10001.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pad_bwd_x(dy: &Tensor, x: impl Into<Shape>, amounts: &[isize], mode: PadMode) -> Tensor {
    const OP: &str = "pad_bwd_x";
    let x = x.into();
    expect::f32s(OP, &[("dy", dy)]);
    let edges = edges(OP, x, amounts);
    let grown = |k: usize| x.dim(k) as isize + edges[k][0] + edges[k][1];
    let fits = dy.shape().rank() == x.rank() && (0..x.rank()).all(|k| dy.shape().dim(k) as isize == grown(k));
    assert!(fits, "{OP}: dy is not x with {amounts:?} more (x {x}, dy {})", dy.shape());
    if let PadMode::Constant(_) = mode {
        let cut: Vec<[isize; 2]> = edges.iter().map(|[before, after]| [-before, -after]).collect();
        return pad_by(OP, dy, &cut, PadMode::Constant(0.0));
    }
    let mut dx = dy.clone();
    for (k, &[before, after]) in edges.iter().enumerate().filter(|(_, edge)| **edge != [0, 0]) {
        let (m, n, inner) = (dx.shape().dim(k), x.dim(k), dx.shape().inner(k + 1));
        let mut dims = dx.shape().dims().to_vec();
        dims[k] = n;
        let folded = Tensor::empty(dy.device(), dims.as_slice());
        let mut p = Params { len: folded.len() as u32, rank: 1, mode: mode.code(), bytes: 4, ..Params::zeroed() };
        (p.dims[0], p.extents[0], p.steps[0], p.before[0]) = (m as u32, n as u32, inner as u32, before as i32);
        let trips = (before + after) as usize;
        PAD_BWD_X.launch(p, &[&dx], &[&folded], Grid::linear(folded.len(), 256).trips(trips));
        dx = folded;
    }
    dx
}

/// The elements along each axis `axes[j]` moved on by `shifts[j]`, those that fall off coming in at the other end. Any element type.
/// Equivalent of `torch.roll(x, shifts, axes)`.
///
/// # Panics
/// If `x` has no such axis, one is named twice, or there are not as many shifts as axes.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4], &[1.0f32, 2.0, 3.0, 4.0]);
/// assert_eq!(ops::roll(&x, &[1], &[0]).to_vec()?, [4.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn roll(x: &Tensor, shifts: &[isize], axes: &[usize]) -> Tensor {
    let (shape, strides) = (x.shape(), strides(x.shape()));
    expect_axes("roll", shape, axes);
    let (s, a) = (shifts.len(), axes.len());
    assert!(s == a, "roll: {s} shifts of {a} axes (x {shape})");
    let mut before = [0; MAX_RANK];
    for (&shift, &axis) in shifts.iter().zip(axes) {
        before[axis] = shift.rem_euclid(shape.dim(axis).max(1) as isize);
    }
    let axis = |k: usize| Axis { dim: shape.dim(k), step: strides[k] as usize, before: before[k], extent: shape.dim(k) };
    mapped("roll", x, shape, (0..shape.rank()).rev().map(axis), CIRCULAR, 0)
}
