//! How rows are shared among invocations.

use super::params::Params;
use crate::kernel::{Grid, Kernel};
use crate::tensor::Tensor;
use crate::work::Work;

pub(super) const WGSL: &str = concat!(wgsl!("rows.wgsl"), wgsl!("cross_entropy.wgsl"));

/// The constants of kernels that give an element to an invocation; the file does not parse without them.
pub(super) const HEADER: &[(&str, u32)] = &[("LANES", 1), ("GROUP", 64), ("COLUMNS", 0)];

/// How many invocations share a row of `c` elements, and how many a workgroup has. A software driver pays for every barrier: there
/// a row is one invocation's own unless its loops would grow too long. So it is on hardware where rows lie side by side in columns,
/// of which there are many, unless they are long.
pub(super) fn lanes(work: Work, c: usize, inner: usize) -> (usize, usize) {
    match c {
        0..=16 => (1, 64),
        17..=16_384 if work.is_by_registers() => (1, 64),
        17..=256 if inner > 1 => (1, 64),
        17..=256 => (16, 64),
        257..=4096 if inner > 1 => (16, 256),
        _ => (256, 256),
    }
}

/// Launches `kernel` over the rows of `p`, each walked `passes` times.
#[track_caller]
pub(super) fn launch_rows(kernel: &'static Kernel, p: Params, passes: usize, inputs: &[&Tensor], outputs: &[&Tensor]) {
    let shared = lanes(outputs[0].device().work(), p.c as usize, p.inner as usize);
    launch_rows_by(shared, kernel, p, passes, inputs, outputs);
}

/// The same, a row shared by `lanes` of the `group` invocations of a workgroup.
#[track_caller]
pub(super) fn launch_rows_by(
    (lanes, group): (usize, usize),
    kernel: &'static Kernel,
    p: Params,
    passes: usize,
    inputs: &[&Tensor],
    outputs: &[&Tensor],
) {
    let (rows, c) = (p.n as usize, p.c as usize);
    let grid = Grid::folded(rows.div_ceil(group / lanes)).trips(passes * (c.div_ceil(lanes) + 8));
    let constants = [("LANES", lanes as u32), ("GROUP", group as u32), ("COLUMNS", u32::from(p.inner > 1))];
    kernel.with(&constants).launch(p, inputs, outputs, grid);
}
