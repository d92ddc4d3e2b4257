//! Reductions over axes: sums, means, variances, extrema, their places, logarithms of sums, and whether any or all hold.
//!
//! Neighbouring axes that are reduced are one axis, so each step is `y[o,i] = reduction over j of x[o,j,i]`; several groups of axes are
//! several steps, the innermost first. A long axis is split into parts, whose states are reduced again: a fixed order on every device.

mod elements;
mod extrema;
mod logical;
mod mirrors;
mod moments;
mod params;
mod plan;
mod state;
mod sums;

pub use extrema::{amax, amax_ties, amin, amin_ties, argmax_all, argmax_axis, argmin_all, argmin_axis};
pub use logical::{all, all_axes, any, any_axes};
pub use moments::{logsumexp, std, var};
pub use sums::{mean, mean_axes, sum, sum_axes, sum_to};

use crate::kernel::Kernel;

const WGSL: &str = wgsl!("reduce.wgsl");
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&plan::REDUCE_ROWS, &plan::REDUCE_COLUMNS, &logical::REDUCE_PACK];
