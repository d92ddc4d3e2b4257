//! Elements moved, nothing computed: permutations, repeats, slices, mirror images, joins.
//!
//! A move is a walk over at most six axes, with a step through x (of either sign, or 0 where it repeats) and one through y:
//! `y[y_first + sum over k of i[k] y_step[k]] = x[x_first + sum over k of i[k] x_step[k]]`. Axes along which both go on evenly are
//! one axis. Elements of a word are words whatever they mean; narrower ones are moved four or two at a time, as words, where they
//! stay together, and are put together into words where they do not.

pub(in crate::ops) mod axes;
mod join;
mod mirrors;
mod pad;
mod params;
mod slice;
mod walk;

pub use axes::{expand, flip, permute, repeat, transpose};
pub use join::{concat, stack};
pub use pad::{PadMode, pad, pad_bwd_x, roll};
pub use slice::{Slice, narrow, select, slice, slice_bwd_x};

use crate::kernel::Kernel;

pub(in crate::ops) fn kernels() -> Vec<&'static Kernel> {
    [walk::KERNELS, pad::KERNELS].concat()
}
