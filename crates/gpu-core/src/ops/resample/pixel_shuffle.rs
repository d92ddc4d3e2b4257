//! Channels to pixels and back: `y[n, c, h r + i, w r + j] = x[n, (c r + i) r + j, h, w]`. Each is the other's inverse, and so its
//! gradient.

use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("pixel_shuffle.wgsl");
static PIXEL_SHUFFLE: Kernel = kernel!(WGSL, "pixel_shuffle", pixel_shuffle_cpu);
static PIXEL_UNSHUFFLE: Kernel = kernel!(WGSL, "pixel_unshuffle", pixel_unshuffle_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&PIXEL_SHUFFLE, &PIXEL_UNSHUFFLE];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    planes: u32,
    h: u32,
    w: u32,
}

/// For each row of a plane of large pixels and each phase of its columns: where in the small planes of the same channel they begin,
/// and the phase.
fn for_each_row(p: Params, r: usize, mut f: impl FnMut(usize, usize, usize)) {
    let (h, w) = (p.h as usize, p.w as usize);
    for row in 0..h * r {
        (0..r).for_each(|j| f(row, j, ((row % r * r + j) * h + row / r) * w));
    }
}

fn pixel_shuffle_cpu<T: Real>(args: &mut Args<'_>) {
    let (p, r): (Params, usize) = (args.params(), args.constant("R") as usize);
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (w, plane) = (p.w as usize, (p.h * p.w) as usize * r * r);
    y.par_chunks_mut(plane).zip(x.par_chunks(plane)).run(|(y, x)| {
        for_each_row(p, r, |row, j, at| {
            y[row * w * r + j..].iter_mut().step_by(r).zip(&x[at..][..w]).for_each(|(y, &x)| *y = x);
        });
    });
}

fn pixel_unshuffle_cpu<T: Real>(args: &mut Args<'_>) {
    let (p, r): (Params, usize) = (args.params(), args.constant("R") as usize);
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (w, plane) = (p.w as usize, (p.h * p.w) as usize * r * r);
    y.par_chunks_mut(plane).zip(x.par_chunks(plane)).run(|(y, x)| {
        for_each_row(p, r, |row, j, at| {
            y[at..][..w].iter_mut().zip(x[row * w * r + j..].iter().step_by(r)).for_each(|(y, &x)| *y = x);
        });
    });
}

#[track_caller]
fn expect_image(op: &str, x: &Tensor, r: usize) {
    expect::f32s(op, &[("x", x)]);
    expect::rank(op, ("x", x), 4..=4);
    assert!((1..=65_535).contains(&r), "{op}: the factor is {r}, not 1 to 65535 (x {})", x.shape());
}

#[track_caller]
fn launch(kernel: &'static Kernel, x: &Tensor, y: &Tensor, [planes, h, w]: [usize; 3], r: usize) {
    let [planes, h, w] = [planes, h, w].map(|v| v as u32);
    kernel.with(&[("R", r as u32)]).launch(Params { planes, h, w }, &[x], &[y], Grid::linear(x.len(), 256));
}

/// (N, C r^2, H, W) as (N, C, H r, W r): `r` squared channels become the pixels of one. Equivalent of
/// `torch.nn.functional.pixel_shuffle`, and the gradient of [`pixel_unshuffle`].
///
/// # Panics
/// If `r` squared does not divide the channels, or `x` does not have four axes of f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 4, 1, 2], &[0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
/// assert_eq!(ops::pixel_shuffle(&x, 2).to_vec()?, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pixel_shuffle(x: &Tensor, r: usize) -> Tensor {
    expect_image("pixel_shuffle", x, r);
    let &[n, c, h, w] = x.shape().dims() else { unreachable!("the rank is four") };
    assert!(c.is_multiple_of(r * r), "pixel_shuffle: {c} channels do not divide by {r} squared (x {})", x.shape());
    let y = Tensor::empty(x.device(), [n, c / (r * r), h * r, w * r]);
    launch(&PIXEL_SHUFFLE, x, &y, [n * c / (r * r), h, w], r);
    y
}

/// (N, C, H r, W r) as (N, C r^2, H, W). Equivalent of `torch.nn.functional.pixel_unshuffle`, and the gradient of
/// [`pixel_shuffle`].
///
/// # Panics
/// If `r` does not divide the height and the width, or `x` does not have four axes of f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [1, 1, 2, 4], &[0.0f32, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
/// assert_eq!(ops::pixel_unshuffle(&x, 2).to_vec()?, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pixel_unshuffle(x: &Tensor, r: usize) -> Tensor {
    expect_image("pixel_unshuffle", x, r);
    let &[n, c, h, w] = x.shape().dims() else { unreachable!("the rank is four") };
    let divides = h.is_multiple_of(r) && w.is_multiple_of(r);
    assert!(divides, "pixel_unshuffle: {h} rows and {w} columns do not divide by {r} (x {})", x.shape());
    let y = Tensor::empty(x.device(), [n, c * r * r, h / r, w / r]);
    launch(&PIXEL_UNSHUFFLE, x, &y, [n * c, h / r, w / r], r);
    y
}
