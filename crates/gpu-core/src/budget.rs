//! How much one dispatch may do, and how many workgroups keep a large GPU busy: pure figures, so that the cut of a kernel's work is
//! a function of shapes alone.
//!
//! A driver takes a dispatch of some seconds for a hang, and a desktop stands still until it ends; so none takes longer than 200 ms on
//! a GPU of the middle range. What only moves memory cannot: eight bindings of 2 GiB are 17 GB, 86 ms at 200 GB/s. Products are cut
//! into ranges of tiles, which changes no bit.

use std::ops::Range;

/// Floating-point operations of one dispatch: 200 ms at 2 TFLOP/s.
const DISPATCH_FLOPS: u64 = 400_000_000_000;
/// Multiprocessors of a large GPU.
pub(crate) const MULTIPROCESSORS: usize = 132;
/// The shortest part of a sum that pays for writing and adding its results.
const SHORTEST_PART: usize = 64;
/// The longest part that one invocation walks: its loops stay under `MAX_TRIPS`.
const LONGEST_PART: usize = 8192;

#[cfg(test)]
thread_local! {
    static LOWERED: std::cell::Cell<u64> = const { std::cell::Cell::new(DISPATCH_FLOPS) };
}

/// Runs `f` with another limit for dispatches of this thread.
#[cfg(test)]
pub(crate) fn with_dispatch_flops<R>(limit: u64, f: impl FnOnce() -> R) -> R {
    let before = LOWERED.replace(limit);
    let result = f();
    LOWERED.set(before);
    result
}

fn dispatch_flops() -> u64 {
    #[cfg(test)]
    return LOWERED.get();
    #[cfg(not(test))]
    DISPATCH_FLOPS
}

/// The ranges of `tiles` that make a dispatch each, of a product of `flops`. The CPU has no driver to fear.
pub(crate) fn dispatches(tiles: usize, flops: u64, is_gpu: bool) -> impl Iterator<Item = Range<usize>> {
    let count = if is_gpu { flops.div_ceil(dispatch_flops()).max(1) } else { 1 };
    let each = tiles.div_ceil(count as usize).max(1);
    (0..tiles.max(1)).step_by(each).map(move |first| first..(first + each).min(tiles.max(1)))
}

/// How long a part of a sum of `terms` is, a multiple of `step`: two workgroups for each multiprocessor where `tiles` alone are fewer
/// than one each.
pub(crate) fn part(tiles: usize, terms: usize, step: usize) -> usize {
    let wanted = if tiles < MULTIPROCESSORS { (2 * MULTIPROCESSORS / tiles.max(1)).min(terms / SHORTEST_PART) } else { 1 };
    terms.div_ceil(wanted.max(terms.div_ceil(LONGEST_PART)).max(1)).next_multiple_of(step).max(step)
}
