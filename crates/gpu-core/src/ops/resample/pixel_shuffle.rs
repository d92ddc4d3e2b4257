//! Channels to pixels and back: `y[n, c, h r + i, w r + j] = x[n, (c r + i) r + j, h, w]`. Each is the other's inverse, and so its
//! gradient.

use crate::check::{self, Bench, Bound, Case};
use crate::expect;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

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
    y.par_chunks_mut(plane).zip(x.par_chunks(plane)).for_each(|(y, x)| {
        for_each_row(p, r, |row, j, at| {
            y[row * w * r + j..].iter_mut().step_by(r).zip(&x[at..][..w]).for_each(|(y, &x)| *y = x);
        });
    });
}

fn pixel_unshuffle_cpu<T: Real>(args: &mut Args<'_>) {
    let (p, r): (Params, usize) = (args.params(), args.constant("R") as usize);
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (w, plane) = (p.w as usize, (p.h * p.w) as usize * r * r);
    y.par_chunks_mut(plane).zip(x.par_chunks(plane)).for_each(|(y, x)| {
        for_each_row(p, r, |row, j, at| {
            y[at..][..w].iter_mut().zip(x[row * w * r + j..].iter().step_by(r)).for_each(|(y, &x)| *y = x);
        });
    });
}

#[track_caller]
fn expect_image(op: &str, x: &Tensor, r: usize) {
    expect::f32s(op, &[("x", x)]);
    expect::rank(op, ("x", x), 4..=4);
    assert!(r > 0, "{op}: the factor is zero (x {})", x.shape());
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

/// Shapes of the small planes, and factors.
const ROWS: &[([usize; 4], usize)] =
    &[([2, 8, 3, 5], 2), ([1, 1, 1, 1], 1), ([1, 9, 4, 7], 3), ([2, 3, 5, 4], 1), ([0, 4, 2, 2], 2)];

pub(in crate::ops) fn cases() -> Vec<Case> {
    let of = |&(x, r): &([usize; 4], usize)| {
        Case::new("pixel_shuffle", format!("{x:?} by {r}"), Bound::Exact, move |device| {
            let y = pixel_shuffle(&check::tensor(device, x, 1), r);
            vec![pixel_unshuffle(&check::tensor(device, y.shape(), 2), r), y]
        })
    };
    // The last: more workgroups than fit into a row of the grid.
    ROWS.iter().chain(&[([1, 4 * 65_537, 8, 8], 2)]).map(of).collect()
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    vec![
        Bench::new("pixel_shuffle", "32x64x32x32 by 2", 0, |device| {
            let x = check::tensor(device, [32, 64, 32, 32], 1);
            move || vec![pixel_shuffle(&x, 2)]
        }),
        Bench::new("pixel_unshuffle", "32x16x64x64 by 2", 0, |device| {
            let x = check::tensor(device, [32, 16, 64, 64], 1);
            move || vec![pixel_unshuffle(&x, 2)]
        }),
    ]
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    vec![
        misuse!("pixel_shuffle", ["6 channels do not divide by 2 squared", "x [1, 6, 2, 2]"], |d| {
            pixel_shuffle(&Tensor::zeros(d, [1, 6, 2, 2]), 2)
        }),
        misuse!("pixel_shuffle", ["the factor is zero", "x [1, 6, 2, 2]"], |d| pixel_shuffle(&Tensor::zeros(d, [1, 6, 2, 2]), 0)),
        misuse!("pixel_shuffle", ["x has rank 2, not 4", "x [4, 4]"], |d| pixel_shuffle(&Tensor::zeros(d, [4, 4]), 2)),
        misuse!("pixel_unshuffle", ["3 rows and 4 columns do not divide by 2", "x [1, 1, 3, 4]"], |d| {
            pixel_unshuffle(&Tensor::zeros(d, [1, 1, 3, 4]), 2)
        }),
        misuse!("pixel_unshuffle", ["x holds u32, not f32", "x [1, 1, 1, 1]"], |d| {
            pixel_unshuffle(&Tensor::from_slice(d, [1, 1, 1, 1], &[1u32]), 1)
        }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::shape::Shape;

    #[test]
    fn every_pixel_goes_where_the_formula_says_and_back() {
        for device in check::devices() {
            for &(dims, r) in ROWS {
                let x = Shape::from(dims);
                let values = check::values(x.len(), 1);
                let y = pixel_shuffle(&Tensor::from_slice(&device, x, &values), r);
                let (c, rows, columns) = (x.c() / (r * r), x.h() * r, x.w() * r);
                assert_eq!(y.shape(), Shape::from([x.n(), c, rows, columns]));
                for (at, got) in y.to_vec().unwrap().into_iter().enumerate() {
                    let (v, u, k, n) = (at % columns, at / columns % rows, at / (rows * columns) % c, at / (rows * columns * c));
                    let channel = (k * r + u % r) * r + v % r;
                    assert_eq!(got, values[((n * x.c() + channel) * x.h() + u / r) * x.w() + v / r], "{x} by {r}, {at}");
                }
                assert_eq!(pixel_unshuffle(&y, r).to_vec().unwrap(), values);
            }
        }
    }

    /// From `torch.nn.functional.pixel_shuffle(torch.arange(16.).view(1, 8, 1, 2), 2)`.
    #[test]
    fn pixel_shuffle_agrees_with_pytorch() {
        for device in check::devices() {
            let x = Tensor::from_slice(&device, [1, 8, 1, 2], &(0..16).map(|v| v as f32).collect::<Vec<_>>());
            let want = [0., 2., 1., 3., 4., 6., 5., 7., 8., 10., 9., 11., 12., 14., 13., 15.];
            assert_eq!(pixel_shuffle(&x, 2).to_vec().unwrap(), want);
        }
    }

    #[test]
    fn each_is_the_gradient_of_the_other() {
        let (small, large) = (check::tensor(&Device::Cpu, [1, 4, 2, 3], 1), check::tensor(&Device::Cpu, [2, 1, 4, 6], 1));
        check::gradients(&[small], |t| pixel_shuffle(&t[0], 2), |_, dy| vec![pixel_unshuffle(dy, 2)]);
        check::gradients(&[large], |t| pixel_unshuffle(&t[0], 2), |_, dy| vec![pixel_shuffle(dy, 2)]);
    }
}
