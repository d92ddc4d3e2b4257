//! The implicit matrix product over x (or dy) and weights in f16, with sums in f32: by matrix units where there are any, else by the
//! tiles of f32.

use super::gather::{ByTiles, Direction, Params, Plan, laid, tiled};
use super::layout::{self, Layout, bias_of};
use super::mirrors;
use super::weight::{self, Cut};
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::run::Device;
use crate::tensor::Tensor;
use crate::work::{self, Work};

const TILED: &str = concat!(
    wgsl!("product_tiles.wgsl"),
    wgsl!("conv_taps.wgsl"),
    wgsl!("conv2d.wgsl"),
    wgsl!("conv2d_tiled.wgsl"),
    wgsl!("halves.wgsl"),
    wgsl!("conv2d_half.wgsl")
);
const MATRIX: &str = concat!(
    wgsl!("product_tiles.wgsl"),
    wgsl!("conv_taps.wgsl"),
    wgsl!("conv2d.wgsl"),
    wgsl!("conv2d_tiled.wgsl"),
    wgsl!("conv2d_matrix.wgsl")
);
const WEIGHT_TILED: &str = concat!(
    wgsl!("product_tiles.wgsl"),
    wgsl!("conv_taps.wgsl"),
    wgsl!("conv2d_bwd_w.wgsl"),
    wgsl!("conv2d_bwd_w_tiled.wgsl"),
    wgsl!("halves.wgsl"),
    wgsl!("conv2d_bwd_w_half.wgsl")
);
const WEIGHT_MATRIX: &str = concat!(
    wgsl!("product_tiles.wgsl"),
    wgsl!("conv_taps.wgsl"),
    wgsl!("conv2d_bwd_w.wgsl"),
    wgsl!("conv2d_bwd_w_tiled.wgsl"),
    wgsl!("conv2d_bwd_w_matrix.wgsl")
);
static CONV2D_HALF: Kernel = kernel!(TILED, "conv2d_half", conv2d_half_cpu);
static CONV2D_BWD_X_HALF: Kernel = kernel!(TILED, "conv2d_bwd_x_half", conv2d_bwd_x_half_cpu);
static CONV2D_MATRIX: Kernel = kernel!(MATRIX, "conv2d_matrix", conv2d_half_cpu).with_matrix_units();
static CONV2D_BWD_X_MATRIX: Kernel = kernel!(MATRIX, "conv2d_bwd_x_matrix", conv2d_bwd_x_half_cpu).with_matrix_units();
static CONV2D_BWD_W_HALF: Kernel = kernel!(WEIGHT_TILED, "conv2d_bwd_w_half", conv2d_bwd_w_half_cpu);
static CONV2D_BWD_W_MATRIX: Kernel = kernel!(WEIGHT_MATRIX, "conv2d_bwd_w_matrix", conv2d_bwd_w_half_cpu).with_matrix_units();
pub(in crate::ops) const KERNELS: &[&Kernel] =
    &[&CONV2D_HALF, &CONV2D_BWD_X_HALF, &CONV2D_BWD_W_HALF, &CONV2D_MATRIX, &CONV2D_BWD_X_MATRIX, &CONV2D_BWD_W_MATRIX];

/// The forms of the product of f16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Workgroup tiles.
    Tiled,
    /// Matrix units.
    Matrix,
}

impl Form {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Tiled, Self::Matrix];

    fn kernel(self, direction: Direction) -> &'static Kernel {
        match (self, direction) {
            (Self::Tiled, Direction::Forward) => &CONV2D_HALF,
            (Self::Tiled, Direction::Backward) => &CONV2D_BWD_X_HALF,
            (Self::Matrix, Direction::Forward) => &CONV2D_MATRIX,
            (Self::Matrix, Direction::Backward) => &CONV2D_BWD_X_MATRIX,
        }
    }

    /// What runs where nobody says otherwise.
    pub(super) fn choose(device: &Device) -> Self {
        if device.has_fast_units() { Self::Matrix } else { Self::Tiled }
    }

    /// It, or tiles where the device cannot run it.
    pub(super) fn or_usual(self, device: &Device) -> Self {
        if self.kernel(Direction::Forward).info().runs_on(device) { self } else { Self::Tiled }
    }
}

fn conv2d_half_cpu<T: Real>(args: &mut Args<'_>) {
    let [x, w] = [0, 1].map(|factor| mirror::widened(args.input(factor)));
    mirrors::forward::<T>(&laid(args, Direction::Forward), &x, &w, bias_of(args), args.output(0));
}

fn conv2d_bwd_x_half_cpu<T: Real>(args: &mut Args<'_>) {
    let [dy, w] = [0, 1].map(|factor| mirror::widened(args.input(factor)));
    mirrors::backward_x::<T>(&laid(args, Direction::Backward), &dy, &w, bias_of(args), args.output(0));
}

fn conv2d_bwd_w_half_cpu<T: Real>(args: &mut Args<'_>) {
    let [x, dy] = [0, 1].map(|factor| mirror::widened(args.input(factor)));
    mirrors::backward_w::<T>(&weight::laid(args), &x, &dy, args.output(0));
}

/// How the work is cut for matrix units: pure in the shapes.
pub(super) fn by_units(l: &Layout, [out_c, out_h, out_w]: [usize; 3], terms: usize, work: Work, unit: usize) -> Plan {
    let (block, bk) = (4 * unit, 2 * unit);
    let (tiles_c, tiles_p) = (out_c.div_ceil(block), (l.n * out_h * out_w).div_ceil(block));
    let tiles = l.groups * tiles_c * tiles_p;
    let part = work.part_of(terms, work::part(tiles, terms, bk));
    let parts = terms.div_ceil(part).max(1);
    // An invocation of tiles has 8 x 8 sums: so many make a block of as many.
    Plan { wg: [unit / 2; 2], bk, tiles_c, tiles_p, part, parts, tiles: tiles * parts }
}

/// Gathers `to`, which is f32, from `from`.
#[track_caller]
pub(super) fn launch(l: &Layout, direction: Direction, form: Form, from: &Tensor, w: &Tensor, bias: Option<&Tensor>, to: &Tensor) {
    let (work, units) = (to.device().work(), to.device().units());
    let (in_c, out) = direction.of(l);
    let terms = in_c * l.taps();
    let mut constants = direction.constants(l, bias);
    let (plan, trips) = match form {
        Form::Tiled => {
            let plan = tiled(layout::Form::Tiled, l, out[0], l.n * out[1] * out[2], terms, work);
            (plan, plan.trips())
        }
        Form::Matrix => {
            constants.extend(units.header());
            let plan = by_units(l, out, terms, work, units.tile as usize);
            (plan, units.trips(plan.part))
        }
    };
    let (kernel, params) = (form.kernel(direction), Params::new(l, direction, plan.cut()));
    ByTiles { kernel, constants, params, plan, trips }.launch(l, &[from, w, bias.unwrap_or(w)], to);
}

/// dw, which is f32, of the convolution `l`.
#[track_caller]
pub(super) fn launch_weight(l: &Layout, form: Form, x: &Tensor, dy: &Tensor, dw: &Tensor) {
    let (work, units) = (dw.device().work(), dw.device().units());
    let mut constants = l.constants(false);
    let cut = match form {
        Form::Tiled => {
            constants.extend([("WG_X", 8), ("WG_Y", 8), ("BK", 16)]);
            let plan = weight::plan(l, layout::Form::Tiled, work);
            Cut { kernel: &CONV2D_BWD_W_HALF, constants, plan, each: 1, trips: plan.pixels(l).div_ceil(16) * 36 + 96 }
        }
        Form::Matrix => {
            let (block, side, bk) = (4 * units.tile, units.tile / 2, 2 * units.tile);
            constants.extend(units.header());
            constants.extend([("WG_X", side), ("WG_Y", side), ("BK", bk)]);
            let plan = weight::cut(l, block as usize, l.terms().div_ceil(block as usize), units.trips(l.q), work);
            Cut { kernel: &CONV2D_BWD_W_MATRIX, constants, plan, each: 1, trips: units.trips(plan.pixels(l)) }
        }
    };
    cut.launch(l, x, dy, dw);
}
