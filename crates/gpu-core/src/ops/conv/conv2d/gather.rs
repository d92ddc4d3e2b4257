//! The implicit matrix product that gathers: forward pass, input gradient and transposed convolution are one kernel.

use super::layout::{Form, Layout, bias_of};
use super::mirrors;
use super::weight::sum_splits;
use crate::kernel::{Args, Constants, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;
use crate::work::{self, Work};
use bytemuck::{Pod, Zeroable};

const TILED: &str = concat!(
    wgsl!("product_tiles.wgsl"),
    wgsl!("conv_taps.wgsl"),
    wgsl!("conv2d.wgsl"),
    wgsl!("conv2d_tiled.wgsl"),
    wgsl!("conv2d_tiled4.wgsl")
);
const REG: &str = concat!(wgsl!("conv_taps.wgsl"), wgsl!("conv2d.wgsl"), wgsl!("conv2d_reg.wgsl"));
static CONV2D_TILED: Kernel = kernel!(TILED, "conv2d_tiled", conv2d_cpu);
static CONV2D_TILED4: Kernel = kernel!(TILED, "conv2d_tiled4", conv2d_cpu);
static CONV2D_REG: Kernel = kernel!(REG, "conv2d_reg", conv2d_cpu);
static CONV2D_ROW3: Kernel = kernel!(REG, "conv2d_row3", conv2d_cpu);
static CONV2D_BWD_X_TILED: Kernel = kernel!(TILED, "conv2d_bwd_x_tiled", conv2d_bwd_x_cpu);
static CONV2D_BWD_X_TILED4: Kernel = kernel!(TILED, "conv2d_bwd_x_tiled4", conv2d_bwd_x_cpu);
static CONV2D_BWD_X_REG: Kernel = kernel!(REG, "conv2d_bwd_x_reg", conv2d_bwd_x_cpu);
static CONV2D_BWD_X_ROW3: Kernel = kernel!(REG, "conv2d_bwd_x_row3", conv2d_bwd_x_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[
    &CONV2D_TILED,
    &CONV2D_TILED4,
    &CONV2D_REG,
    &CONV2D_ROW3,
    &CONV2D_BWD_X_TILED,
    &CONV2D_BWD_X_TILED4,
    &CONV2D_BWD_X_REG,
    &CONV2D_BWD_X_ROW3,
];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    batch: u32,
    groups: u32,
    in_c: u32,
    out_c: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    w_group: u32,
    w_out: u32,
    w_in: u32,
    tiles_c: u32,
    tiles_p: u32,
    part: u32,
    parts: u32,
    first: u32,
}

/// Which way the taps run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// x to y.
    Forward,
    /// dy to dx, and the forward pass of a transposed convolution.
    Backward,
}

impl Direction {
    /// Channels of a group that are summed over, and the channels, rows and columns of a group that come of it.
    pub fn of(self, l: &Layout) -> (usize, [usize; 3]) {
        match self {
            Self::Forward => (l.group_c(), [l.group_k(), l.p, l.q]),
            Self::Backward => (l.group_k(), [l.group_c(), l.h, l.w]),
        }
    }

    /// The header of its kernels, but for what their form adds.
    pub fn constants(self, l: &Layout, bias: Option<&Tensor>) -> Constants {
        let mut constants = l.constants(self == Self::Backward);
        constants.push(("HAS_BIAS", u32::from(bias.is_some())));
        constants
    }
}

impl Params {
    /// For a direction; `cut` is what a form asks of its tiles.
    pub fn new(l: &Layout, direction: Direction, [tiles_c, tiles_p, part, parts]: [u32; 4]) -> Self {
        let (x_side, y_side) = ([l.h, l.w], [l.p, l.q]);
        let (along_k, along_c) = (l.terms(), l.taps());
        let ([in_h, in_w], [w_out, w_in]) = match direction {
            Direction::Forward => (x_side, [along_k, along_c]),
            Direction::Backward => (y_side, [along_c, along_k]),
        };
        let (in_c, [out_c, out_h, out_w]) = direction.of(l);
        let numbers = [l.n, l.groups, in_c, out_c, in_h, in_w, out_h, out_w, l.group_k() * l.terms(), w_out, w_in];
        let [batch, groups, in_c, out_c, in_h, in_w, out_h, out_w, w_group, w_out, w_in] = numbers.map(|v| v as u32);
        Self { batch, groups, in_c, out_c, in_h, in_w, out_h, out_w, w_group, w_out, w_in, tiles_c, tiles_p, part, parts, first: 0 }
    }

    /// For a dispatch that begins there.
    pub fn from(self, first: usize) -> Self {
        Self { first: first as u32, ..self }
    }
}

pub(super) fn conv2d_cpu<T: Real>(args: &mut Args<'_>) {
    mirrors::forward::<T>(&laid(args, Direction::Forward), args.input(0), args.input(1), bias_of(args), args.output(0));
}

pub(super) fn conv2d_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    mirrors::backward_x::<T>(&laid(args, Direction::Backward), args.input(0), args.input(1), bias_of(args), args.output(0));
}

/// The convolution of a launch.
pub(super) fn laid(args: &Args<'_>, direction: Direction) -> Layout {
    let p: Params = args.params();
    let from = [p.groups * p.in_c, p.in_h, p.in_w];
    let to = [p.groups * p.out_c, p.out_h, p.out_w];
    let ([c, h, w], y) = if direction == Direction::Forward { (from, to) } else { (to, from) };
    Layout::of(args, [p.batch, c, h, w], y, p.groups)
}

/// How the work is cut: pure in the shapes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Invocations of a workgroup, and steps of the sum in a tile.
    pub wg: [usize; 2],
    pub bk: usize,
    pub tiles_c: usize,
    pub tiles_p: usize,
    pub part: usize,
    pub parts: usize,
    /// Workgroups of tiles, or invocations of registers.
    pub tiles: usize,
}

impl Plan {
    /// What parameters say of it.
    pub fn cut(&self) -> [u32; 4] {
        [self.tiles_c, self.tiles_p, self.part, self.parts].map(|v| v as u32)
    }

    /// Loop iterations of an invocation of tiles.
    pub fn trips(&self) -> usize {
        self.part.div_ceil(self.bk) * 36 + 64
    }
}

/// Loop iterations of an invocation that sums all terms itself, over `in_c` channels.
fn register_trips(l: &Layout, form: Form, in_c: usize) -> usize {
    160 + match form {
        Form::Row3 => in_c * (l.r + 1),
        _ => in_c * l.taps() + in_c,
    }
}

/// Whether the kernels for common sums would loop too often in one invocation: in registers, or (what comes here then) depthwise.
pub(super) fn is_long(l: &Layout, direction: Direction, work: Work) -> bool {
    match Form::choose(l, work) {
        form @ (Form::Reg | Form::Row3) => !work.can_loop(register_trips(l, form, direction.of(l).0)),
        Form::Tiled | Form::Tiled4 => l.is_depthwise() && work != Work::Mirrors,
    }
}

/// The form that serves a direction: tiles cut their sums into parts, registers alone do not.
pub(super) fn form(l: &Layout, direction: Direction, work: Work) -> Form {
    if is_long(l, direction, work) { Form::Tiled } else { Form::choose(l, work) }
}

/// `terms` of a sum for each of `out_c` channels in `groups` and `pixels`.
pub(super) fn plan(l: &Layout, form: Form, [out_c, out_h, out_w]: [usize; 3], terms: usize, work: Work) -> Plan {
    let pixels = l.n * out_h * out_w;
    let (tile_c, tiles_p) = match form {
        Form::Reg => (8, pixels.div_ceil(16)),
        Form::Row3 => (8, (l.n * out_h * out_w.div_ceil(8)).div_ceil(2)),
        Form::Tiled | Form::Tiled4 => return tiled(form, l, out_c, pixels, terms, work),
    };
    let tiles_c = out_c.div_ceil(tile_c);
    Plan { wg: [8, 1], bk: 1, tiles_c, tiles_p, part: terms, parts: 1, tiles: l.groups * tiles_c * tiles_p }
}

pub(super) fn tiled(form: Form, l: &Layout, out_c: usize, pixels: usize, terms: usize, work: Work) -> Plan {
    // As few rows of invocations as the channels fill, and half as many pixels where whole tiles would leave a large GPU idle; 64
    // invocations at the least, which is a wave of every vendor's.
    let wg_y = if out_c <= 32 { 4 } else { 8 };
    let tiles_c = out_c.div_ceil(8 * wg_y);
    let tiles = |wg_x: usize| l.groups * tiles_c * pixels.div_ceil(8 * wg_x);
    let wg_x = if wg_y == 4 || work::fills(tiles(16)) { 16 } else { 8 };
    let bk = if form == Form::Tiled4 && l.s == 3 { 12 } else { 8 };
    let part = work.part_of(terms, work::part(tiles(wg_x), terms, bk));
    let parts = terms.div_ceil(part).max(1);
    Plan { wg: [wg_x, wg_y], bk, tiles_c, tiles_p: pixels.div_ceil(8 * wg_x), part, parts, tiles: tiles(wg_x) * parts }
}

/// Gathers `to` from `from`.
#[track_caller]
pub(super) fn launch(l: &Layout, direction: Direction, form: Form, from: &Tensor, w: &Tensor, bias: Option<&Tensor>, to: &Tensor) {
    let work = to.device().work();
    let l = &l.laid_for(form, work);
    let (in_c, out) = direction.of(l);
    let plan = plan(l, form, out, in_c * l.taps(), work);
    let params = Params::new(l, direction, plan.cut());
    let kernel = match (form, direction) {
        (Form::Tiled, Direction::Forward) => &CONV2D_TILED,
        (Form::Tiled4, Direction::Forward) => &CONV2D_TILED4,
        (Form::Reg, Direction::Forward) => &CONV2D_REG,
        (Form::Row3, Direction::Forward) => &CONV2D_ROW3,
        (Form::Tiled, Direction::Backward) => &CONV2D_BWD_X_TILED,
        (Form::Tiled4, Direction::Backward) => &CONV2D_BWD_X_TILED4,
        (Form::Reg, Direction::Backward) => &CONV2D_BWD_X_REG,
        (Form::Row3, Direction::Backward) => &CONV2D_BWD_X_ROW3,
    };
    let inputs = [from, w, bias.unwrap_or(w)];
    let constants = direction.constants(l, bias);
    match form {
        Form::Reg | Form::Row3 => {
            for part in work.dispatches(plan.tiles.div_ceil(8), l.flops()) {
                let grid = Grid::folded(part.len()).trips(register_trips(l, form, in_c));
                kernel.with(&constants).launch(params.from(part.start), &inputs, &[to], grid);
            }
        }
        Form::Tiled | Form::Tiled4 => {
            let by_tiles = ByTiles { kernel, constants, params, plan, trips: plan.trips() };
            by_tiles.launch(l, &inputs, to);
        }
    }
}

/// A product by workgroup tiles, ready to launch.
pub(super) struct ByTiles {
    pub kernel: &'static Kernel,
    pub constants: Constants,
    pub params: Params,
    pub plan: Plan,
    pub trips: usize,
}

impl ByTiles {
    /// In dispatches, and in parts of the sum that are added in order.
    #[track_caller]
    pub fn launch(self, l: &Layout, inputs: &[&Tensor], to: &Tensor) {
        let Self { kernel, mut constants, params, plan, trips } = self;
        constants.extend([("WG_X", plan.wg[0] as u32), ("WG_Y", plan.wg[1] as u32), ("BK", plan.bk as u32)]);
        let partial = (plan.parts > 1).then(|| Tensor::empty(to.device(), [plan.parts, to.len()]));
        for part in to.device().work().dispatches(plan.tiles, l.flops()) {
            let grid = Grid::folded(part.len()).trips(trips);
            kernel.with(&constants).launch(params.from(part.start), inputs, &[partial.as_ref().unwrap_or(to)], grid);
        }
        if let Some(partial) = &partial {
            sum_splits(&l.constants(false), partial, to);
        }
    }
}
