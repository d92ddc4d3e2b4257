//! How operands are read as one of the result's shape: the walk that all operators of this folder share.
//!
//! The operation is a constant of the kernel's header, not a parameter: a switch that is taken at run time would cost every addition
//! the registers of a power, and on drivers that execute all branches its time too. A pipeline more is compiled at the first use
//! of an operation only, and a program uses few of them.

use crate::base::{MAX_RANK, Shape};
use crate::expect;
use crate::kernel::{Grid, Kernel};
use crate::mirror::{self, CHUNK};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub len: u32,
    pub rank: u32,
    pub factor: f32,
    // The last axis first.
    dims: [u32; MAX_RANK],
    steps: [[u32; MAX_RANK]; 3],
}

impl Params {
    /// The walk through operands that are read as of shape `y`: axes along which all go on evenly are one.
    fn new(operands: &[&Tensor], y: Shape, factor: f32) -> Self {
        let strides: Vec<_> = operands.iter().map(|t| t.shape().broadcast_strides(y)).collect();
        let mut p = Self { len: y.len() as u32, factor, ..Self::zeroed() };
        for axis in (0..y.rank()).rev().filter(|&axis| y.dim(axis) != 1) {
            let mut steps = [0; 3];
            steps.iter_mut().zip(&strides).for_each(|(step, strides)| *step = strides[axis] as u32);
            let d = y.dim(axis) as u32;
            match (p.rank as usize).checked_sub(1) {
                Some(last) if (0..3).all(|k| steps[k] == p.dims[last] * p.steps[k][last]) => p.dims[last] *= d,
                _ => {
                    let at = p.rank as usize;
                    p.dims[at] = d;
                    (0..3).for_each(|k| p.steps[k][at] = steps[k]);
                    p.rank += 1;
                }
            }
        }
        if p.rank == 0 {
            (p.rank, p.dims[0]) = (1, 1);
        }
        p
    }

    /// One operand of `len` elements, from end to end.
    pub fn flat(len: usize) -> Self {
        Self { len: len as u32, rank: 1, factor: 1.0, ..Self::zeroed() }
    }

    /// The constant FORM of the kernels.
    fn form(&self, operands: usize) -> u32 {
        let (flat, rows, any) = (0, 1, 2);
        match self.rank {
            1 if self.steps[..operands].iter().all(|steps| steps[0] == 1) => flat,
            1 => rows,
            _ if self.dims[0].is_multiple_of(4) => rows,
            _ => any,
        }
    }

    /// The steps of the operands along the last axis: 0 or 1.
    pub fn inner(&self) -> [usize; 3] {
        self.steps.map(|steps| steps[0] as usize)
    }
}

/// Launches a kernel of this folder with the walk from `operands` to `y`.
#[track_caller]
pub(super) fn launch(kernel: &'static Kernel, constants: &[(&'static str, u32)], operands: &[&Tensor], y: &Tensor, factor: f32) {
    let p = Params::new(operands, y.shape(), factor);
    let constants = [constants, &[("FORM", p.form(operands.len()))]].concat();
    kernel.with(&constants).launch(p, operands, &[y], Grid::linear(y.len().div_ceil(4), 256));
}

/// The shape that all of them broadcast to.
#[track_caller]
pub(super) fn shape_of(op: &str, operands: &expect::Named<'_>) -> Shape {
    match operands.iter().try_fold(Shape::SCALAR, |shape, (_, t)| shape.broadcast(t.shape())) {
        Some(shape) => shape,
        None => panic!("{op}: the shapes do not broadcast ({})", expect::shapes(operands)),
    }
}

/// Calls `f` with pieces of rows of `y` and where each begins in the operands. Rows go on by [`Params::inner`].
pub(super) fn for_each_row<Y: Send>(p: &Params, y: &mut [Y], f: impl Fn(&mut [Y], [usize; 3]) + Sync) {
    if p.rank == 1 {
        let steps = p.inner();
        return mirror::for_each_chunk(y, CHUNK, &|i, y| f(y, steps.map(|step| i * CHUNK * step)));
    }
    mirror::for_each_plane(y, p.dims[0] as usize, |number, y| {
        let (mut rest, mut from) = (number as u32, [0; 3]);
        for axis in 1..p.rank as usize {
            let digit = rest % p.dims[axis];
            rest /= p.dims[axis];
            (0..3).for_each(|k| from[k] += (digit * p.steps[k][axis]) as usize);
        }
        f(y, from);
    });
}

/// `y = f(a, b)` along the walk, with a loop for each way in which an operand may repeat, so that each vectorises.
pub(super) fn zip<T: Copy + Sync, Y: Send + Copy>(p: &Params, a: &[T], b: &[T], y: &mut [Y], f: impl Fn(T, T) -> Y + Sync) {
    let [step_a, step_b, _] = p.inner();
    for_each_row(p, y, |y, [a_at, b_at, _]| match (step_a, step_b) {
        (0, 0) => y.fill(f(a[a_at], b[b_at])),
        (0, _) => y.iter_mut().zip(&b[b_at..]).for_each(|(y, &b)| *y = f(a[a_at], b)),
        (_, 0) => y.iter_mut().zip(&a[a_at..]).for_each(|(y, &a)| *y = f(a, b[b_at])),
        _ => y.iter_mut().zip(&a[a_at..]).zip(&b[b_at..]).for_each(|((y, &a), &b)| *y = f(a, b)),
    });
}

/// `y = f(a, b, c)` along the walk.
pub(super) fn zip3<A: Copy + Sync, T: Copy + Sync, Y: Send>(
    p: &Params,
    (a, b, c): (&[A], &[T], &[T]),
    y: &mut [Y],
    f: impl Fn(A, T, T) -> Y + Sync,
) {
    let steps = p.inner();
    for_each_row(p, y, |y, [a_at, b_at, c_at]| {
        let (a, b, c) = (&a[a_at..], &b[b_at..], &c[c_at..]);
        match steps {
            [1, 1, 1] => y.iter_mut().zip(a).zip(b).zip(c).for_each(|(((y, &a), &b), &c)| *y = f(a, b, c)),
            _ => y.iter_mut().enumerate().for_each(|(i, y)| *y = f(a[i * steps[0]], b[i * steps[1]], c[i * steps[2]])),
        }
    });
}
