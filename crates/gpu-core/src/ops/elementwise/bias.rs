//! One number a channel, added everywhere: `y[n,c,..] = x[n,c,..] + b[c]`, and its gradient `db[c] = sum over n,.. of dy[n,c,..]`.

use crate::base::Shape;
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, each};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;
use crate::work::splits;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("bias.wgsl");
static ADD_BIAS: Kernel = kernel!(WGSL, "add_bias", add_bias_cpu);
static ADD_BIAS_BWD_B_PARTIAL: Kernel = kernel!(WGSL, "add_bias_bwd_b_partial", add_bias_bwd_b_partial_cpu);
static ADD_BIAS_BWD_B_ROWS: Kernel = kernel!(WGSL, "add_bias_bwd_b_rows", add_bias_bwd_b_rows_cpu);
static ADD_BIAS_BWD_B: Kernel = kernel!(WGSL, "add_bias_bwd_b", add_bias_bwd_b_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&ADD_BIAS, &ADD_BIAS_BWD_B_PARTIAL, &ADD_BIAS_BWD_B_ROWS, &ADD_BIAS_BWD_B];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    n: u32,
    c: u32,
    inner: u32,
    splits: u32,
    part: u32,
}

impl Params {
    /// A channel of `x` summed in `splits` parts.
    fn of(x: Shape, splits: usize) -> Self {
        let (n, c, inner) = (x.n(), x.c(), x.inner(2));
        let part = (n * inner).div_ceil(splits).next_multiple_of(4);
        Self { len: x.len() as u32, n: n as u32, c: c as u32, inner: inner as u32, splits: splits as u32, part: part as u32 }
    }

    fn vec(&self) -> [(&'static str, u32); 1] {
        [("VEC", u32::from(self.inner.is_multiple_of(4)))]
    }
}

fn add_bias_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, b, y): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    let (c, inner) = (p.c as usize, p.inner as usize);
    if inner == 1 {
        mirror::for_each_plane(y, c, |n, y| {
            y.iter_mut().zip(&x[n * c..]).zip(b).for_each(|((y, &x), &b)| *y = x + b);
        });
    } else {
        mirror::for_each_plane(y, inner, |plane, y| {
            let b = b[plane % c];
            y.iter_mut().zip(&x[plane * inner..]).for_each(|(y, &x)| *y = x + b);
        });
    }
}

fn add_bias_bwd_b_partial_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (dy, sums): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (c, inner, splits, part) = (p.c as usize, p.inner as usize, p.splits as usize, p.part as usize);
    sums.par_iter_mut().enumerate().run(|(which, total)| {
        let from = which % splits * part;
        let mut sum = 0.0;
        mirror::for_each_run(c, inner, which / splits, from, (from + part).min(p.n as usize * inner), |run| {
            sum += mirror::sum_by(&dy[run], |v| v);
        });
        *total = T::of(sum);
    });
}

fn add_bias_bwd_b_rows_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (dy, sums): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (c, splits, part) = (p.c as usize, p.splits as usize, p.part as usize);
    let of_part = |s: usize| {
        let mut sum = vec![0f64; c];
        for row in dy.chunks_exact(c).skip(s * part).take(part) {
            sum.iter_mut().zip(row).for_each(|(sum, &v)| *sum += v.into());
        }
        sum
    };
    let parts: Vec<Vec<f64>> = each(0..splits).gather(of_part);
    for (which, total) in sums.iter_mut().enumerate() {
        *total = T::of(parts[which % splits][which / splits]);
    }
}

fn add_bias_bwd_b_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (partial, db): (&[T], &mut [T]) = (args.input(0), args.output(0));
    for (db, parts) in db.iter_mut().zip(partial.chunks_exact(p.splits as usize)) {
        *db = T::of(mirror::sum_by(parts, |v| v));
    }
}

/// Adds `b` of shape (C) to every sample and place of `x` of shape (N, C, ...).
/// Equivalent of `x + b.view(1, -1, 1, 1)`, and of what `torch.nn.Linear` does with its bias.
///
/// # Panics
/// If `b` does not have one element a channel, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[10.0f32, 20.0]);
/// assert_eq!(ops::add_bias(&x, &b).to_vec()?, [11.0, 12.0, 23.0, 24.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn add_bias(x: &Tensor, b: &Tensor) -> Tensor {
    let named = [("x", x), ("b", b)];
    expect::f32s("add_bias", &named);
    let shapes = || expect::shapes(&named);
    assert!(x.shape().rank() >= 2, "add_bias: x needs axes (n, c, ..) ({})", shapes());
    assert!(b.shape().dims() == [x.shape().c()], "add_bias: x has {} channels, b does not ({})", x.shape().c(), shapes());
    let y = Tensor::empty(x.device(), x.shape());
    let p = Params::of(x.shape(), 1);
    ADD_BIAS.with(&p.vec()).launch(p, &[x, b], &[&y], Grid::linear(x.len().div_ceil(4), 256));
    y
}

/// db of [`add_bias`]: the sum of `dy` of shape (N, C, ...) over all axes but the channels. Equivalent of `dy.sum((0, 2, 3))`.
///
/// # Panics
/// If `dy` has no channel axis, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let dy = Tensor::from_slice(&Device::Cpu, [1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// assert_eq!(ops::add_bias_bwd_b(&dy).to_vec()?, [3.0, 7.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn add_bias_bwd_b(dy: &Tensor) -> Tensor {
    expect::f32s("add_bias_bwd_b", &[("dy", dy)]);
    assert!(dy.shape().rank() >= 2, "add_bias_bwd_b: dy needs axes (n, c, ..) (dy {})", dy.shape());
    let (n, c, inner) = (dy.shape().n(), dy.shape().c(), dy.shape().inner(2));
    let db = Tensor::empty(dy.device(), [c]);
    if n * inner == 0 {
        db.fill(0.0);
        return db;
    }
    let splits = if inner == 1 { (8192 / c.max(1)).clamp(1, 64).min(n.div_ceil(16)) } else { splits(c, n * inner) };
    let p = Params::of(dy.shape(), splits);
    let sums = if splits == 1 { db.clone() } else { Tensor::empty(dy.device(), [c, splits]) };
    if inner == 1 {
        let grid = Grid::linear(c * splits, 256).trips(p.part as usize);
        ADD_BIAS_BWD_B_ROWS.with(&p.vec()).launch(p, &[dy], &[&sums], grid);
    } else {
        let grid = Grid::folded(c * splits).trips((p.part as usize).div_ceil(256));
        // Bound twice: as elements and as vectors of four.
        ADD_BIAS_BWD_B_PARTIAL.with(&p.vec()).launch(p, &[dy, dy], &[&sums], grid);
    }
    if splits > 1 {
        ADD_BIAS_BWD_B.with(&p.vec()).launch(p, &[&sums], &[&db], Grid::linear(c, 256).trips(splits));
    }
    db
}
