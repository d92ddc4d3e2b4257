//! The explicit way: columns in memory, then a plain matrix product. The implicit kernels are held against it, and it is the
//! faster one where a kernel reads the same columns many times.

use super::layout::Layout;
use super::mirrors;
use crate::kernel::{Args, Grid, Kernel, MAX_TRIPS, kernel};
use crate::mirror::Real;
use crate::ops::matmul::{Extents, Factor, launch as matmul};
use crate::tensor::Tensor;
use crate::work::Work;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = concat!(wgsl!("conv_taps.wgsl"), wgsl!("im2col.wgsl"));
static IM2COL: Kernel = kernel!(WGSL, "im2col", im2col_cpu);
static COL2IM: Kernel = kernel!(WGSL, "col2im", col2im_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&IM2COL, &COL2IM];

/// Bytes that a column buffer may take; images are worked on in runs that fit.
const COLUMN_BYTES: usize = 256 << 20;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    planes: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    channels: u32,
}

impl Params {
    fn new(l: &Layout, [in_h, in_w]: [usize; 2], [out_h, out_w]: [usize; 2]) -> Self {
        let [planes, in_h, in_w, out_h, out_w, channels] = [l.n * l.c, in_h, in_w, out_h, out_w, l.c].map(|v| v as u32);
        Self { planes, in_h, in_w, out_h, out_w, channels }
    }
}

fn im2col_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let l = Layout::of(args, [1, p.planes, p.in_h, p.in_w], [1, p.out_h, p.out_w], 1);
    mirrors::im2col::<T>(&l, args.input(0), args.output(0));
}

fn col2im_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let l = Layout::of(args, [1, p.planes, p.out_h, p.out_w], [1, p.in_h, p.in_w], 1);
    let dx = args.output(0);
    mirrors::col2im::<T>(&l, args.input(0), dx);
    if args.constant("HAS_BIAS") == 1 {
        let bias: &[T] = args.input(1);
        let planes = dx.chunks_mut((p.out_h * p.out_w).max(1) as usize).enumerate();
        planes.for_each(|(plane, dx)| dx.iter_mut().for_each(|v| *v += bias[plane % bias.len()]));
    }
}

fn constants(l: &Layout, transposed: bool, bias: bool) -> Vec<(&'static str, u32)> {
    let mut constants = l.constants(transposed);
    constants.push(("HAS_BIAS", u32::from(bias)));
    constants
}

/// `columns[n, (c,r,s), (p,q)]` of a whole batch.
#[track_caller]
pub(super) fn im2col(l: &Layout, x: &Tensor) -> Tensor {
    let columns = Tensor::empty(x.device(), [l.n, l.c * l.taps(), l.p * l.q]);
    let params = Params::new(l, [l.h, l.w], [l.p, l.q]);
    IM2COL.with(&constants(l, false, false)).launch(params, &[x], &[&columns], Grid::linear(columns.len(), 256));
    columns
}

#[track_caller]
fn col2im(l: &Layout, columns: &Tensor, bias: Option<&Tensor>, dx: &Tensor) {
    let inputs = [columns, bias.unwrap_or(columns)];
    let params = Params::new(l, [l.p, l.q], [l.h, l.w]);
    COL2IM.with(&constants(l, true, bias.is_some())).launch(params, &inputs, &[dx], Grid::linear(dx.len(), 256).trips(l.taps()));
}

/// Bytes of the columns of the whole batch.
fn column_bytes(l: &Layout) -> usize {
    [l.n, l.terms(), l.p, l.q].iter().fold(4, |bytes: usize, &extent| bytes.saturating_mul(extent))
}

/// Whether the columns of the whole batch stay within the budget, the matrix products are plain ones, and a pixel's taps are walked in
/// one loop.
pub(super) fn fits(l: &Layout) -> bool {
    l.groups == 1 && column_bytes(l) <= COLUMN_BYTES && l.taps() as u64 <= MAX_TRIPS
}

/// Whether the input gradient should go this way where nobody says otherwise: the register forms run all taps for each element of dx,
/// of which a stride leaves one in (stride x stride), and on the drivers that they are for a product costs more than its columns.
pub(super) fn suits_backward_x(l: &Layout, work: Work) -> bool {
    let strided = l.stride[0] * l.stride[1] > 1;
    work.is_by_registers() && strided && l.groups == 1 && column_bytes(l) <= COLUMN_BYTES / 4 && work.can_loop(l.taps())
}

/// The product of one image: weights (k by terms), columns (terms by pixels), output (k by pixels).
struct Factors {
    w: Factor,
    columns: Factor,
    y: Factor,
}

fn factors(l: &Layout) -> Factors {
    let (terms, pixels) = (l.terms(), l.p * l.q);
    Factors {
        w: Factor { row: terms, col: 1, batch: 0 },
        columns: Factor { row: pixels, col: 1, batch: terms * pixels },
        y: Factor { row: pixels, col: 1, batch: l.k * pixels },
    }
}

fn transposed(f: Factor) -> Factor {
    Factor { row: f.col, col: f.row, batch: f.batch }
}

/// y = W columns(x).
#[track_caller]
pub(super) fn forward(l: &Layout, x: &Tensor, w: &Tensor, y: &Tensor) {
    let f = factors(l);
    matmul(w, f.w, &im2col(l, x), f.columns, y, Extents { batch: l.n, m: l.k, n: l.p * l.q, k: l.terms() });
}

/// dx = col2im(W^T dy), and the bias of a transposed convolution's forward pass.
#[track_caller]
pub(super) fn backward_x(l: &Layout, dy: &Tensor, w: &Tensor, bias: Option<&Tensor>, dx: &Tensor) {
    let f = factors(l);
    let columns = Tensor::empty(dx.device(), [l.n, l.terms(), l.p * l.q]);
    let extents = Extents { batch: l.n, m: l.terms(), n: l.p * l.q, k: l.k };
    matmul(w, transposed(f.w), dy, f.y, &columns, extents);
    col2im(l, &columns, bias, dx);
}

/// dw = sum over the batch of dy columns(x)^T: a product an image, then the sum over images in order.
#[track_caller]
pub(super) fn backward_w(l: &Layout, x: &Tensor, dy: &Tensor, dw: &Tensor) {
    let f = factors(l);
    let partial = Tensor::empty(dw.device(), [l.n, dw.len()]);
    let extents = Extents { batch: l.n, m: l.k, n: l.terms(), k: l.p * l.q };
    matmul(dy, f.y, &im2col(l, x), transposed(f.columns), &partial, extents);
    super::weight::sum_splits(&l.constants(false), &partial, dw);
}
