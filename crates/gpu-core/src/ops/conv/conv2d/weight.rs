//! The weight gradient: a product over all pixels of the batch, split by output rows and added in order.

use super::layout::{Form, Layout};
use super::mirrors;
use crate::base::Shape;
use crate::kernel::{Args, Constants, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;
use crate::work::Work;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = concat!(wgsl!("conv_taps.wgsl"), wgsl!("conv2d_bwd_w.wgsl"));
const TILED: &str =
    concat!(wgsl!("product_tiles.wgsl"), wgsl!("conv_taps.wgsl"), wgsl!("conv2d_bwd_w.wgsl"), wgsl!("conv2d_bwd_w_tiled.wgsl"));
static CONV2D_BWD_W_TILED: Kernel = kernel!(TILED, "conv2d_bwd_w_tiled", conv2d_bwd_w_cpu);
static CONV2D_BWD_W_TILED4: Kernel = kernel!(TILED, "conv2d_bwd_w_tiled4", conv2d_bwd_w_cpu);
static CONV2D_BWD_W_REG: Kernel = kernel!(WGSL, "conv2d_bwd_w_reg", conv2d_bwd_w_cpu);
static CONV2D_BWD_W_ROW3: Kernel = kernel!(WGSL, "conv2d_bwd_w_row3", conv2d_bwd_w_cpu);
static SUM_SPLITS: Kernel = kernel!(WGSL, "sum_splits", sum_splits_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] =
    &[&CONV2D_BWD_W_TILED, &CONV2D_BWD_W_TILED4, &CONV2D_BWD_W_REG, &CONV2D_BWD_W_ROW3, &SUM_SPLITS];

/// Workgroups (tiled) or invocations (registers) that fill a device: a grid is split until it has as many.
const FILL: usize = 1024;
/// Bytes that the partial sums of all splits may take.
const PARTIAL_BYTES: usize = 64 << 20;

#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Params {
    groups: u32,
    in_c: u32,
    out_c: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    rows: u32,
    rows_per_split: u32,
    splits: u32,
    tiles_k: u32,
    tiles_j: u32,
    len: u32,
    first: u32,
}

impl Params {
    /// Of a sum in one part.
    pub fn new(l: &Layout) -> Self {
        let numbers = [l.groups, l.group_c(), l.group_k(), l.h, l.w, l.p, l.q, l.n * l.p, l.k * l.terms()];
        let [groups, in_c, out_c, in_h, in_w, out_h, out_w, rows, len] = numbers.map(|v| v as u32);
        Self { groups, in_c, out_c, in_h, in_w, out_h, out_w, rows, rows_per_split: rows, splits: 1, len, ..Self::default() }
    }

    /// For a dispatch that begins there.
    pub fn from(self, first: usize) -> Self {
        Self { first: first as u32, ..self }
    }
}

/// On the CPU device a launch has one split: the mirror splits by images itself.
pub(super) fn conv2d_bwd_w_cpu<T: Real>(args: &mut Args<'_>) {
    mirrors::backward_w::<T>(&laid(args), args.input(0), args.input(1), args.output(0));
}

/// The convolution of a launch.
pub(super) fn laid(args: &Args<'_>) -> Layout {
    let p: Params = args.params();
    let x = [p.rows / p.out_h, p.groups * p.in_c, p.in_h, p.in_w];
    Layout::of(args, x, [p.groups * p.out_c, p.out_h, p.out_w], p.groups)
}

fn sum_splits_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (partial, dw): (&[T], &mut [T]) = (args.input(0), args.output(0));
    dw.fill(T::zero());
    for partial in partial.chunks(p.len as usize) {
        dw.iter_mut().zip(partial).for_each(|(d, &v)| *d += v);
    }
}

/// Loop iterations of an invocation for a row of pixels.
fn row_trips(l: &Layout, form: Form) -> usize {
    match form {
        Form::Tiled | Form::Tiled4 => 4 * l.q + 50,
        Form::Reg => l.q,
        Form::Row3 => l.q + 1,
    }
}

/// Whether a row alone is more than an invocation may walk.
pub(super) fn is_long(l: &Layout, form: Form, work: Work) -> bool {
    !work.can_loop(row_trips(l, form) + 200)
}

/// How the sum is split: output rows per split, and how many splits.
fn split(l: &Layout, row_trips: usize, tiles: usize, work: Work) -> (usize, usize) {
    let rows = l.n * l.p;
    if work == Work::Mirrors {
        return (rows, 1);
    }
    let memory = (PARTIAL_BYTES / (4 * l.k * l.terms())).max(1);
    let wanted = FILL.div_ceil(tiles).min(memory);
    // Half of what is allowed leaves room for the rest.
    let longest = (crate::MAX_TRIPS as usize / 2 / row_trips).max(1);
    let rows_per_split = rows.div_ceil(wanted).min(longest).max(1);
    (rows_per_split, rows.div_ceil(rows_per_split).max(1))
}

/// How the work is cut: pure in the shapes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    tiles_k: usize,
    tiles_j: usize,
    rows_per_split: usize,
    splits: usize,
    /// Workgroups of tiles, or invocations of registers.
    pub tiles: usize,
}

/// For tiles of `tile_k` output channels and so many tiles of columns, whose invocations make `row_trips` in a row of pixels.
pub(super) fn cut(l: &Layout, tile_k: usize, tiles_j: usize, row_trips: usize, work: Work) -> Plan {
    let tiles_k = l.group_k().div_ceil(tile_k);
    let tiles = l.groups * tiles_k * tiles_j;
    let (rows_per_split, splits) = split(l, row_trips, tiles, work);
    Plan { tiles_k, tiles_j, rows_per_split, splits, tiles: tiles * splits }
}

impl Plan {
    /// Pixels over which an invocation sums.
    pub fn pixels(&self, l: &Layout) -> usize {
        self.rows_per_split * l.q
    }
}

pub(super) fn plan(l: &Layout, form: Form, work: Work) -> Plan {
    let (tile_k, tiles_j) = match form {
        Form::Tiled | Form::Tiled4 => (64, l.terms().div_ceil(64)),
        Form::Reg => (8, l.terms().div_ceil(16)),
        Form::Row3 => (8, l.group_c().div_ceil(4) * l.r),
    };
    cut(l, tile_k, tiles_j, row_trips(l, form), work)
}

/// A sum that is cut, ready to launch.
pub(super) struct Cut {
    pub kernel: &'static Kernel,
    pub constants: Constants,
    pub plan: Plan,
    /// Tiles of a workgroup.
    pub each: usize,
    pub trips: usize,
}

impl Cut {
    /// In dispatches, and in parts of the sum that are added in order.
    #[track_caller]
    pub fn launch(self, l: &Layout, x: &Tensor, dy: &Tensor, dw: &Tensor) {
        let Plan { tiles_k, tiles_j, rows_per_split, splits, tiles } = self.plan;
        let [tiles_k, tiles_j, rows_per_split] = [tiles_k, tiles_j, rows_per_split].map(|v| v as u32);
        let params = Params { rows_per_split, splits: splits as u32, tiles_k, tiles_j, ..Params::new(l) };
        let partial = if splits == 1 { dw.clone() } else { Tensor::empty(dw.device(), [splits, dw.len()]) };
        for part in dw.device().work().dispatches(tiles.div_ceil(self.each), l.flops()) {
            let grid = Grid::folded(part.len()).trips(self.trips);
            self.kernel.with(&self.constants).launch(params.from(part.start), &[x, dy], &[&partial], grid);
        }
        if splits > 1 {
            sum_splits(&l.constants(false), &partial, dw);
        }
    }
}

/// dw of the convolution `l`.
#[track_caller]
pub(super) fn launch(l: &Layout, form: Form, x: &Tensor, dy: &Tensor, dw: &Tensor) {
    let work = dw.device().work();
    let l = &l.laid_for(form, work);
    let plan = plan(l, form, work);
    let (pixels, mut constants) = (plan.pixels(l), l.constants(false));
    let (kernel, each, trips) = match form {
        Form::Row3 => (&CONV2D_BWD_W_ROW3, 8, plan.rows_per_split * (l.q + 1) + 160),
        Form::Reg => (&CONV2D_BWD_W_REG, 8, pixels + 160),
        Form::Tiled => (&CONV2D_BWD_W_TILED, 1, pixels.div_ceil(16) * 36 + 96),
        Form::Tiled4 => (&CONV2D_BWD_W_TILED4, 1, pixels.div_ceil(16) * 36 + 96),
    };
    if each == 1 {
        constants.extend([("WG_X", 8), ("WG_Y", 8), ("BK", 16)]);
    }
    Cut { kernel, constants, plan, each, trips }.launch(l, x, dy, dw);
}

/// Adds the rows of `partial` (splits, len) into `dw`, in order.
#[track_caller]
pub(super) fn sum_splits(constants: &[(&'static str, u32)], partial: &Tensor, dw: &Tensor) {
    let splits = partial.shape().dim(0);
    let params = Params { splits: splits as u32, len: dw.len() as u32, ..Params::default() };
    let dw = dw.reshape(Shape::from([dw.len()]));
    SUM_SPLITS.with(constants).launch(params, &[partial], &[&dw], Grid::linear(dw.len(), 64).trips(splits));
}
