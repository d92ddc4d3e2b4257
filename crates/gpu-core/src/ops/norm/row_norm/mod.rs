//! Normalisation of rows, each by its own mean and variance: the layer's norm, the group's, the instance's, and the root mean square.
//!
//! `y = (x - mean) * rstd * gamma + beta`, with `rstd = 1 / sqrt(var + eps)` and the biased variance of the row; [`rms_norm`] takes no
//! mean away and has the mean of squares for a variance. With `g = dy * gamma` and `xhat = (x - mean) * rstd`,
//! `dx = rstd * (g - mean of g - xhat * mean of g * xhat)`, where the means are over the row; `dgamma` is the sum of `dy * xhat`, `dbeta`
//! that of `dy`, over all that the channel scales.
//!
//! A row is read for its statistics and read again, from the cache, for the result. Long rows of which there are few are split: the
//! moments of parts, then of rows, then the result, as batch normalisation does it, in a fixed order.

pub mod forms;
mod group;
mod layer;
mod mirrors;
mod params;
mod rms;

pub use group::{group_norm, group_norm_bwd_w, group_norm_bwd_x, instance_norm_running};
pub use layer::{layer_norm, layer_norm_bwd_w, layer_norm_bwd_x};
pub use rms::{rms_norm, rms_norm_bwd_w, rms_norm_bwd_x};

use crate::base::Shape;
use crate::kernel::{Grid, Kernel, Specialised, kernel};
use crate::tensor::Tensor;
use crate::work::{Work, splits};
use mirrors::*;
use params::Params;

const WGSL: &str = wgsl!("row_norm.wgsl");
const WGSL_BWD: &str = concat!(wgsl!("row_norm.wgsl"), wgsl!("row_norm_bwd.wgsl"));
static ROW_NORM: Kernel = kernel!(WGSL, "row_norm", row_norm_cpu);
static PARTIAL: Kernel = kernel!(WGSL, "row_norm_partial", partial_cpu);
static STATS: Kernel = kernel!(WGSL, "row_norm_stats", stats_cpu);
static APPLY: Kernel = kernel!(WGSL, "row_norm_apply", apply_cpu);
static RUNNING: Kernel = kernel!(WGSL, "row_norm_running", running_cpu);
static BWD_X: Kernel = kernel!(WGSL_BWD, "row_norm_bwd_x", bwd_x_cpu);
static BWD_PARTIAL: Kernel = kernel!(WGSL_BWD, "row_norm_bwd_partial", bwd_partial_cpu);
static BWD_MEANS: Kernel = kernel!(WGSL_BWD, "row_norm_bwd_means", bwd_means_cpu);
static BWD_APPLY: Kernel = kernel!(WGSL_BWD, "row_norm_bwd_apply", bwd_apply_cpu);
static BWD_W_COLUMNS: Kernel = kernel!(WGSL_BWD, "row_norm_bwd_w_columns", bwd_w_columns_cpu);
static BWD_W_PLANES: Kernel = kernel!(WGSL_BWD, "row_norm_bwd_w_planes", bwd_w_planes_cpu);
static BWD_W: Kernel = kernel!(WGSL_BWD, "row_norm_bwd_w", bwd_w_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[
    &ROW_NORM,
    &PARTIAL,
    &STATS,
    &APPLY,
    &RUNNING,
    &BWD_X,
    &BWD_PARTIAL,
    &BWD_MEANS,
    &BWD_APPLY,
    &BWD_W_COLUMNS,
    &BWD_W_PLANES,
    &BWD_W,
];

/// What [`layer_norm`] and [`group_norm`] compute: the normalised tensor, and the statistics that its gradients need.
#[derive(Debug, Clone)]
pub struct RowNorm {
    /// The normalised tensor, of the shape of `x`.
    pub y: Tensor,
    /// One mean and one deviation a row.
    pub stats: RowStats,
}

/// Means and deviations of rows: of the shape of what was not normalised over, or (N, groups).
#[derive(Debug, Clone)]
pub struct RowStats {
    /// Each row's mean less the row's first element: a large mean then rounds only once.
    pub offset: Tensor,
    /// `1 / sqrt(var + eps)` of each row's biased variance.
    pub rstd: Tensor,
}

impl RowStats {
    fn new(x: &Tensor, shape: Shape) -> Self {
        let fresh = || if x.is_empty() { Tensor::zeros(x.device(), shape) } else { Tensor::empty(x.device(), shape) };
        Self { offset: fresh(), rstd: fresh() }
    }
}

/// How rows are laid on invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Invocations of a row, or of a part of one.
    pub lanes: usize,
    /// Parts of a row.
    pub splits: usize,
    /// One kernel does it all.
    pub whole: bool,
}

impl Form {
    /// Hardware gives a row to as many lanes as have four vectors to read each. A software driver pays for every barrier: there a row,
    /// or a part of a longer one, is one invocation's own.
    fn choose(work: Work, p: Params) -> Self {
        let (rows, len) = (p.rows as usize, p.len as usize);
        let (lanes, splits) = match len {
            0..=16_384 if work.is_by_registers() => (1, 1),
            16_385..=65_536 if work.is_by_registers() && rows >= 256 => (1, 1),
            _ if work.is_by_registers() => (1, len.div_ceil(8192).min(4096)),
            0..=256 => (16, 1),
            257..=1024 => (64, 1),
            1025..=16_384 => (256, 1),
            _ if rows >= 256 => (256, 1),
            // No part so long that a lane's loop would be.
            _ => (256, splits(rows, len).max(len >> 22)),
        };
        Self { lanes, splits, whole: splits == 1 && (len.is_multiple_of(4) || !work.is_by_words()) }
    }

    fn group(&self) -> usize {
        if self.lanes == 1 { 64 } else { 256 }
    }

    fn specialise(&self, kernel: &'static Kernel, vec: bool) -> Specialised {
        kernel.with(&[("LANES", self.lanes as u32), ("GROUP", self.group() as u32), ("VEC", u32::from(vec))])
    }

    /// Whole rows are walked over twice.
    fn grid(&self, p: Params) -> Grid {
        let (walks, units) = (1 + usize::from(self.whole), if p.len.is_multiple_of(4) { p.part / 4 } else { p.part } as usize);
        let parts = p.rows as usize * p.splits as usize;
        Grid::folded(parts.div_ceil(self.group() / self.lanes)).trips(walks * units.div_ceil(self.lanes) + 8)
    }
}

/// A kernel that has no lanes to share a row.
fn alone(kernel: &'static Kernel, vec: bool) -> Specialised {
    kernel.with(&[("LANES", 1), ("GROUP", 64), ("VEC", u32::from(vec))])
}

/// gamma and beta where they are; `x` stands in slots that are not read.
fn affine<'a>(p: Params, x: &'a Tensor, gamma: Option<&'a Tensor>, beta: Option<&'a Tensor>) -> (Params, [&'a Tensor; 2]) {
    let p = Params { has_gamma: u32::from(gamma.is_some()), has_beta: u32::from(beta.is_some()), ..p };
    (p, [gamma.unwrap_or(x), beta.unwrap_or(x)])
}

/// y, with the statistics of rows in `stats`.
#[track_caller]
fn forward(form: Form, p: Params, x: &Tensor, gamma: Option<&Tensor>, beta: Option<&Tensor>, stats: &RowStats) -> Tensor {
    let y = Tensor::empty(x.device(), x.shape());
    if x.is_empty() {
        return y;
    }
    let (p, [gamma, beta]) = affine(p.split_by(form.splits), x, gamma, beta);
    let (vec, RowStats { offset, rstd }) = (p.len.is_multiple_of(4), stats);
    if form.whole {
        form.specialise(&ROW_NORM, vec).launch(p, &[x, gamma, beta], &[&y, offset, rstd], form.grid(p));
        return y;
    }
    let partial = Tensor::empty(x.device(), [p.rows as usize, form.splits, 3]);
    form.specialise(&PARTIAL, vec).launch(p, &[x], &[&partial], form.grid(p));
    alone(&STATS, false).launch(p, &[&partial], &[offset, rstd], Grid::linear(p.rows as usize, 64).trips(form.splits));
    let grid = Grid::linear(p.elements().div_ceil(4), 256);
    alone(&APPLY, vec).launch(p, &[x, gamma, beta, offset, rstd], &[&y], grid);
    y
}

/// dX.
#[track_caller]
fn bwd_x(form: Form, p: Params, x: &Tensor, dy: &Tensor, gamma: Option<&Tensor>, stats: &RowStats) -> Tensor {
    let dx = Tensor::empty(x.device(), x.shape());
    if x.is_empty() {
        return dx;
    }
    let (p, [gamma, _]) = affine(p.split_by(form.splits), x, gamma, None);
    let (vec, RowStats { offset, rstd }) = (p.len.is_multiple_of(4), stats);
    let inputs = [x, dy, gamma, offset, rstd];
    if form.whole {
        form.specialise(&BWD_X, vec).launch(p, &inputs, &[&dx], form.grid(p));
        return dx;
    }
    let rows = p.rows as usize;
    let (partial, means) = (Tensor::empty(x.device(), [rows, form.splits, 2]), Tensor::empty(x.device(), [rows, 2]));
    form.specialise(&BWD_PARTIAL, vec).launch(p, &inputs, &[&partial], form.grid(p));
    alone(&BWD_MEANS, false).launch(p, &[&partial], &[&means], Grid::linear(rows, 64).trips(form.splits));
    let grid = Grid::linear(p.elements().div_ceil(4), 256);
    alone(&BWD_APPLY, vec).launch(p, &[&inputs[..], &[&means]].concat(), &[&dx], grid);
    dx
}

/// (dgamma, dbeta), of shape `shape`: one element a channel.
#[track_caller]
fn bwd_w(p: Params, x: &Tensor, dy: &Tensor, stats: &RowStats, shape: Shape) -> (Tensor, Tensor) {
    let device = x.device();
    if x.is_empty() {
        return (Tensor::zeros(device, shape), Tensor::zeros(device, shape));
    }
    let (n, c, inner) = (p.n as usize, p.c as usize, p.inner as usize);
    let (kernel, vec, parts, part, grid) = if inner == 1 {
        let vec = p.len.is_multiple_of(4);
        let columns = if vec { c / 4 } else { c };
        let parts = (8192 / columns).clamp(1, 64).min(n.div_ceil(16)).max(n.div_ceil(16_384));
        let part = n.div_ceil(parts);
        (&BWD_W_COLUMNS, vec, parts, part, Grid::linear(columns * parts, 256).trips(part))
    } else {
        let parts = splits(c, n * inner);
        let part = (n * inner).div_ceil(parts).next_multiple_of(4);
        (&BWD_W_PLANES, inner.is_multiple_of(4), parts, part, Grid::folded(c * parts).trips(part.div_ceil(256) + 16))
    };
    let p = Params { splits: parts as u32, part: part as u32, ..p };
    let partial = Tensor::empty(device, [c, parts, 2]);
    alone(kernel, vec).launch(p, &[x, dy, &stats.offset, &stats.rstd], &[&partial], grid);
    let (dgamma, dbeta) = (Tensor::empty(device, shape), Tensor::empty(device, shape));
    alone(&BWD_W, false).launch(p, &[&partial], &[&dgamma, &dbeta], Grid::folded(c).trips(parts.div_ceil(64) + 12));
    (dgamma, dbeta)
}
