//! The kernels of pooling, and which serves what: one element a thread, the common windows by fours, large windows by workgroups.

use super::geometry::{Divisor, Pool2dGeometry, SCALE};
use super::mirrors::{avg_pool2d_bwd_x_cpu, avg_pool2d_cpu, max_pool2d_bwd_x_cpu, max_pool2d_cpu};
use super::params::Params;
use crate::base::{DType, Shape};
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use crate::work::{self, Work};

const WGSL: &str = wgsl!("pool2d.wgsl");
const WIDE: &str = concat!(wgsl!("pool2d.wgsl"), wgsl!("pool2d_wide.wgsl"));
static MAX_POOL2D: Kernel = kernel!(WGSL, "max_pool2d", max_pool2d_cpu);
static MAX_POOL2D_BWD_X: Kernel = kernel!(WGSL, "max_pool2d_bwd_x", max_pool2d_bwd_x_cpu);
static AVG_POOL2D: Kernel = kernel!(WGSL, "avg_pool2d", avg_pool2d_cpu);
static AVG_POOL2D_BWD_X: Kernel = kernel!(WGSL, "avg_pool2d_bwd_x", avg_pool2d_bwd_x_cpu);
static MAX_POOL2D_BY4: Kernel = kernel!(WGSL, "max_pool2d_by4", max_pool2d_cpu);
static MAX_POOL2D_BWD_X_BY4: Kernel = kernel!(WGSL, "max_pool2d_bwd_x_by4", max_pool2d_bwd_x_cpu);
static AVG_POOL2D_BY4: Kernel = kernel!(WGSL, "avg_pool2d_by4", avg_pool2d_cpu);
static AVG_POOL2D_BWD_X_BY4: Kernel = kernel!(WGSL, "avg_pool2d_bwd_x_by4", avg_pool2d_bwd_x_cpu);
static MAX_POOL2D_WIDE: Kernel = kernel!(WIDE, "max_pool2d_wide", max_pool2d_cpu);
static MAX_POOL2D_BWD_X_WIDE: Kernel = kernel!(WIDE, "max_pool2d_bwd_x_wide", max_pool2d_bwd_x_cpu);
static AVG_POOL2D_WIDE: Kernel = kernel!(WIDE, "avg_pool2d_wide", avg_pool2d_cpu);
static AVG_POOL2D_BWD_X_WIDE: Kernel = kernel!(WIDE, "avg_pool2d_bwd_x_wide", avg_pool2d_bwd_x_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[
    &MAX_POOL2D,
    &MAX_POOL2D_BWD_X,
    &AVG_POOL2D,
    &AVG_POOL2D_BWD_X,
    &MAX_POOL2D_BY4,
    &MAX_POOL2D_BWD_X_BY4,
    &AVG_POOL2D_BY4,
    &AVG_POOL2D_BWD_X_BY4,
    &MAX_POOL2D_WIDE,
    &MAX_POOL2D_BWD_X_WIDE,
    &AVG_POOL2D_WIDE,
    &AVG_POOL2D_BWD_X_WIDE,
];

/// Which kernels; all give the same, up to the order of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A thread one element of y, or four neighbours of dx.
    Single,
    /// A thread four windows, or two rows of eight: for the common windows alone.
    ByFour,
    /// A workgroup each element.
    Wide,
}

impl Form {
    /// The form of a forward pass.
    pub(super) fn forward(g: Pool2dGeometry, x: Shape, y: Shape, work: Work) -> Self {
        match g.goes_by_four(x, y) {
            true => Self::ByFour,
            false if work.can_loop(forward_trips(g)) => Self::Single,
            false => Self::Wide,
        }
    }

    /// The form of a gradient.
    pub(super) fn backward(g: Pool2dGeometry, x: Shape, y: Shape, work: Work) -> Self {
        match g.goes_by_four(x, y) {
            true => Self::ByFour,
            false if work.can_loop(backward_trips(g, y)) => Self::Single,
            false => Self::Wide,
        }
    }

    /// The kernel of a forward pass, one for each form, and what it has to do.
    fn of_forward(self, g: Pool2dGeometry, y: Shape, kernels: [&'static Kernel; 3]) -> (&'static Kernel, Job) {
        let taps = work::flops(&[y.len(), g.taps()]);
        match self {
            Self::Single => (kernels[0], Job { groups: y.len().div_ceil(256), trips: forward_trips(g), taps }),
            Self::ByFour => (kernels[1], Job { groups: y.len().div_ceil(4 * 256), trips: g.kernel[0], taps }),
            Self::Wide => (kernels[2], Job { groups: y.len(), trips: g.taps().div_ceil(256) + 8, taps }),
        }
    }

    /// The kernel of a gradient, one for each form, and what it has to do.
    fn of_backward(self, g: Pool2dGeometry, x: Shape, y: Shape, kernels: [&'static Kernel; 3]) -> (&'static Kernel, Job) {
        let covering = g.covering(y).into_iter().product::<usize>();
        let taps = work::flops(&[x.len(), covering]);
        match self {
            Self::Single => (kernels[0], Job { groups: x.len().div_ceil(4 * 256), trips: backward_trips(g, y), taps }),
            Self::ByFour => {
                let groups = (x.n() * x.c() * x.h().div_ceil(2) * (x.w() / 8)).div_ceil(256);
                (kernels[1], Job { groups, trips: 1, taps })
            }
            Self::Wide => (kernels[2], Job { groups: x.len(), trips: covering.div_ceil(256) + 8, taps }),
        }
    }
}

/// What a kernel has to do.
struct Job {
    groups: usize,
    /// Loop iterations of one of its threads.
    trips: usize,
    /// Twice the elements of all windows.
    taps: u64,
}

impl Job {
    /// One launch for each of the dispatches that it is cut into. A tap is counted as four of a product's terms: it is loaded for itself
    /// alone, from a place that is computed.
    #[track_caller]
    fn launch(&self, kernel: &'static Kernel, constants: &[(&'static str, u32)], params: Params, tensors: [&[&Tensor]; 2]) {
        let [inputs, outputs] = tensors;
        for range in outputs[0].device().work().dispatches(self.groups, self.taps.saturating_mul(4)) {
            let params = Params { first: range.start as u32, ..params };
            kernel.with(constants).launch(params, inputs, outputs, Grid::folded(range.len()).trips(self.trips));
        }
    }
}

/// Loop iterations of a thread that walks one window.
fn forward_trips(g: Pool2dGeometry) -> usize {
    g.taps() + g.kernel[0]
}

/// Loop iterations of a thread that walks the windows over four elements.
fn backward_trips(g: Pool2dGeometry, y: Shape) -> usize {
    let [rows, columns] = g.covering(y);
    4 * rows * (columns + 1)
}

/// [`max_pool2d`](super::max_pool2d) by one form, to `shape`.
#[track_caller]
pub fn max_pool2d(form: Form, x: &Tensor, g: Pool2dGeometry, shape: Shape) -> (Tensor, Tensor) {
    let (y, indices) = (Tensor::empty(x.device(), shape), Tensor::empty_of(x.device(), shape, DType::U32));
    let (kernel, job) = form.of_forward(g, shape, [&MAX_POOL2D, &MAX_POOL2D_BY4, &MAX_POOL2D_WIDE]);
    job.launch(kernel, &g.constants(SCALE), g.params(x.shape(), shape, 1.0), [&[x], &[&y, &indices]]);
    (y, indices)
}

/// [`max_pool2d_bwd_x`](super::max_pool2d_bwd_x) by one form.
#[track_caller]
pub fn max_pool2d_bwd_x(form: Form, dy: &Tensor, indices: &Tensor, x: Shape, g: Pool2dGeometry) -> Tensor {
    let dx = Tensor::empty(dy.device(), x);
    let kernels = [&MAX_POOL2D_BWD_X, &MAX_POOL2D_BWD_X_BY4, &MAX_POOL2D_BWD_X_WIDE];
    let (kernel, job) = form.of_backward(g, x, dy.shape(), kernels);
    job.launch(kernel, &g.constants(SCALE), g.params(x, dy.shape(), 1.0), [&[dy, indices], &[&dx]]);
    dx
}

/// [`avg_pool2d`](super::avg_pool2d) by one form, to `shape`.
#[track_caller]
pub fn avg_pool2d(form: Form, x: &Tensor, g: Pool2dGeometry, divisor: Divisor, shape: Shape) -> Tensor {
    let y = Tensor::empty(x.device(), shape);
    let (count, scale) = g.divide(divisor, x.shape(), shape);
    let (kernel, job) = form.of_forward(g, shape, [&AVG_POOL2D, &AVG_POOL2D_BY4, &AVG_POOL2D_WIDE]);
    job.launch(kernel, &g.constants(count), g.params(x.shape(), shape, scale), [&[x], &[&y]]);
    y
}

/// [`avg_pool2d_bwd_x`](super::avg_pool2d_bwd_x) by one form.
#[track_caller]
pub fn avg_pool2d_bwd_x(form: Form, dy: &Tensor, x: Shape, g: Pool2dGeometry, divisor: Divisor) -> Tensor {
    let dx = Tensor::empty(dy.device(), x);
    let (count, scale) = g.divide(divisor, x, dy.shape());
    let kernels = [&AVG_POOL2D_BWD_X, &AVG_POOL2D_BWD_X_BY4, &AVG_POOL2D_BWD_X_WIDE];
    let (kernel, job) = form.of_backward(g, x, dy.shape(), kernels);
    job.launch(kernel, &g.constants(count), g.params(x, dy.shape(), scale), [&[dy], &[&dx]]);
    dx
}
