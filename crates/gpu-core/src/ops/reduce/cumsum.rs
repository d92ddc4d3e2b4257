//! Running sums along an axis: `y[j] = x[0] + .. + x[j]`, and their gradient, which runs from the end: `dx[j] = dy[j] + .. +
//! dy[len-1]`.
//!
//! A long axis is cut into parts: their totals first, then the running sums of the totals, then each part from where the one before
//! it ended.

use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use std::ops::Range;

const WGSL: &str = wgsl!("cumsum.wgsl");
static CUMSUM_ROW_TOTALS: Kernel = kernel!(WGSL, "cumsum_row_totals", cumsum_totals_cpu);
static CUMSUM_COLUMN_TOTALS: Kernel = kernel!(WGSL, "cumsum_column_totals", cumsum_totals_cpu);
static CUMSUM_ROWS: Kernel = kernel!(WGSL, "cumsum_rows", cumsum_cpu);
static CUMSUM_COLUMNS: Kernel = kernel!(WGSL, "cumsum_columns", cumsum_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&CUMSUM_ROW_TOTALS, &CUMSUM_COLUMN_TOTALS, &CUMSUM_ROWS, &CUMSUM_COLUMNS];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    outer: u32,
    len: u32,
    inner: u32,
    part: u32,
    parts: u32,
    reverse: u32,
}

/// Elements that a workgroup takes at a time: the shader's constant.
const TILE: usize = 1024;

impl Params {
    fn of([outer, len, inner]: [usize; 3], part: usize, reverse: bool) -> Self {
        Self {
            outer: outer as u32,
            len: len as u32,
            inner: inner as u32,
            part: part as u32,
            parts: len.div_ceil(part) as u32,
            reverse: u32::from(reverse),
        }
    }

    /// Where the elements of a part lie in their line.
    fn places(&self, part: usize) -> Range<usize> {
        let (len, first) = (self.len as usize, part * self.part as usize);
        let end = (first + self.part as usize).min(len);
        if self.reverse == 1 { len - end..len - first } else { first..end }
    }
}

fn cumsum_totals_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, totals): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (len, inner, parts) = (p.len as usize, p.inner as usize, p.parts as usize);
    mirror::for_each_chunk(totals, inner, &|which, totals| {
        let (places, first) = (p.places(which % parts), which / parts * len);
        let x = &x[(first + places.start) * inner..(first + places.end) * inner];
        if inner == 1 {
            return totals[0] = T::of(mirror::sum_by(x, |v| v));
        }
        let mut sums = vec![0f64; inner];
        for row in x.chunks_exact(inner) {
            sums.iter_mut().zip(row).for_each(|(sum, &v)| *sum += v.into());
        }
        totals.iter_mut().zip(&sums).for_each(|(total, &sum)| *total = T::of(sum));
    });
}

fn cumsum_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, carries, y): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    let (len, inner, parts) = (p.len as usize, p.inner as usize, p.parts as usize);
    let run = |outer: usize, part: usize, y: &mut [T]| {
        let mut sums = vec![0f64; inner];
        if part > 0 {
            let carries = &carries[(outer * parts + part - 1) * inner..][..inner];
            sums.iter_mut().zip(carries).for_each(|(sum, &carry)| *sum = carry.into());
        }
        let places = p.places(part);
        let x = &x[(outer * len + places.start) * inner..(outer * len + places.end) * inner];
        match p.reverse {
            1 => rows(&mut sums, x.rchunks_exact(inner).zip(y.rchunks_exact_mut(inner))),
            _ => rows(&mut sums, x.chunks_exact(inner).zip(y.chunks_exact_mut(inner))),
        }
    };
    let size = p.part as usize * inner;
    mirror::for_each_chunk(y, len * inner, &|outer, y| match p.reverse {
        1 => y.par_rchunks_mut(size).enumerate().run(|(part, y)| run(outer, part, y)),
        _ => mirror::for_each_chunk(y, size, &|part, y| run(outer, part, y)),
    });
}

/// Adds row after row and notes the sums so far.
fn rows<'a, T: Real>(sums: &mut [f64], rows: impl Iterator<Item = (&'a [T], &'a mut [T])>) {
    if let [sum] = sums {
        // One column needs no loop within the loop.
        let mut so_far = *sum;
        for (x, y) in rows {
            so_far += x[0].into();
            y[0] = T::of(so_far);
        }
        return;
    }
    for (x, y) in rows {
        for ((sum, &x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x.into();
            *y = T::of(*sum);
        }
    }
}

/// The elements of a part of an axis, and whether a workgroup takes a part: few parts, and parts of a size that pays.
fn part([outer, len, inner]: [usize; 3]) -> (usize, bool) {
    if inner == 1 && len >= 128 {
        return (len.div_ceil(1024).next_multiple_of(TILE), true);
    }
    let wanted = 65_536usize.div_ceil(outer * inner).min(len.div_ceil(32)).clamp(1, 1024);
    let parts = wanted.max(len.div_ceil(32_768));
    (len.div_ceil(parts), false)
}

/// Running sums of `x` as (outer, len, inner) along its middle axis.
#[track_caller]
fn scan(x: &Tensor, about: [usize; 3], reverse: bool) -> Tensor {
    let y = Tensor::empty(x.device(), x.shape());
    if y.is_empty() {
        return y;
    }
    let ([outer, _, inner], (part, is_rows)) = (about, part(about));
    let p = Params::of(about, part, reverse);
    let parts = p.parts as usize;
    let (rows, columns) = (Grid::folded(outer * parts), Grid::linear(outer * parts * inner, 256).trips(part));
    let carries = (parts > 1).then(|| {
        let totals = Tensor::empty(x.device(), [outer, parts, inner]);
        match is_rows {
            true => CUMSUM_ROW_TOTALS.launch(p, &[x], &[&totals], rows.trips(part.div_ceil(256) + 8)),
            false => CUMSUM_COLUMN_TOTALS.launch(p, &[x], &[&totals], columns),
        }
        // Few enough of them for one part.
        scan_whole(&totals, [outer, parts, inner], is_rows)
    });
    let carries = carries.as_ref().unwrap_or(x);
    match is_rows {
        true => CUMSUM_ROWS.launch(p, &[x, carries], &[&y], rows.trips(part / TILE * 9)),
        false => CUMSUM_COLUMNS.launch(p, &[x, carries], &[&y], columns),
    }
    y
}

/// Running sums in one part.
#[track_caller]
fn scan_whole(x: &Tensor, about: [usize; 3], is_rows: bool) -> Tensor {
    let ([outer, len, inner], y) = (about, Tensor::empty(x.device(), x.shape()));
    match is_rows {
        true => {
            let p = Params::of(about, len.next_multiple_of(TILE), false);
            CUMSUM_ROWS.launch(p, &[x, x], &[&y], Grid::folded(outer).trips(9 * len.div_ceil(TILE)));
        }
        false => {
            CUMSUM_COLUMNS.launch(Params::of(about, len, false), &[x, x], &[&y], Grid::linear(outer * inner, 256).trips(len));
        }
    }
    y
}

#[track_caller]
fn along(op: &str, (name, x): (&str, &Tensor), axis: usize, reverse: bool) -> Tensor {
    expect::f32s(op, &[(name, x)]);
    let shape = x.shape();
    assert!(axis < shape.rank(), "{op}: {name} has no axis {axis} ({name} {shape})");
    scan(x, [shape.outer(axis), shape.dim(axis), shape.inner(axis + 1)], reverse)
}

/// The sums of the elements along `axis` up to and with each. Equivalent of `torch.cumsum(x, axis)`.
///
/// # Panics
/// If `x` has no such axis or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(ops::cumsum(&x, 1).to_vec()?, [1.0, 3.0, 6.0, 4.0, 9.0, 15.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn cumsum(x: &Tensor, axis: usize) -> Tensor {
    along("cumsum", ("x", x), axis, false)
}

/// dX of [`cumsum`]: the sums of `dy` from each element to the end. What PyTorch's autograd computes for `torch.cumsum`.
///
/// # Panics
/// As [`cumsum`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 2.0, 3.0]);
/// assert_eq!(ops::cumsum_bwd_x(&dy, 0).to_vec()?, [6.0, 5.0, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn cumsum_bwd_x(dy: &Tensor, axis: usize) -> Tensor {
    along("cumsum_bwd_x", ("dy", dy), axis, true)
}
