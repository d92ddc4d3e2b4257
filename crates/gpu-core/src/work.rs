//! How work is cut, and who does it: all that operators ask of a device before they choose a form and a grid.
//!
//! How much one dispatch may do, and how many workgroups keep a large GPU busy, are pure figures, so that the cut of a kernel's work
//! is a function of its shapes and of [`Work`] alone.
//!
//! A driver takes a dispatch of some seconds for a hang, and a desktop stands still until it ends; so none takes longer than 200 ms
//! on a GPU of the middle range. Products (by tiles, in registers, depthwise) and poolings are cut into ranges of workgroups, which
//! changes no bit. What only moves memory is short by itself.

use crate::gpu::MatrixUnits;
use crate::kernel::MAX_TRIPS;
use crate::run::{Device, Place};
use std::ops::Range;

/// Who does a device's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// The CPU's threads, by mirrors: one form for every shape.
    Mirrors,
    /// A software driver, where every barrier is dear: forms without workgroup memory.
    Registers,
    /// Hardware: workgroup tiles.
    Tiles,
}

impl Device {
    /// Who does its work: what the choice of forms and cuts depends on, beside shapes.
    pub(crate) fn work(&self) -> Work {
        match self.place() {
            Place::Cpu => Work::Mirrors,
            Place::Gpu(_) if self.prefers_registers() => Work::Registers,
            Place::Gpu(_) => Work::Tiles,
        }
    }

    /// Whether products of f16 go by matrix units. Software drivers have them to be tried, not to be fast.
    pub(crate) fn has_fast_units(&self) -> bool {
        self.work() == Work::Tiles && self.matrix_units().is_some()
    }

    /// What the form for matrix units counts by: the device's own, or those of a large GPU where there are none and mirrors stand in.
    pub(crate) fn units(&self) -> MatrixUnits {
        self.matrix_units().unwrap_or(MatrixUnits { tile: 16, lanes: 32 })
    }
}

impl MatrixUnits {
    /// What the header of a kernel for them says.
    pub(crate) fn header(self) -> [(&'static str, u32); 2] {
        [("UNIT", self.tile), ("LANES", self.lanes)]
    }

    /// Loop iterations of an invocation over so many terms of a sum: in each step of two tiles what it loads of either factor and two
    /// products, and then its part of four edges.
    pub(crate) fn trips(self, terms: usize) -> usize {
        let [tile, lanes] = [self.tile, self.lanes].map(|v| v as usize);
        terms.div_ceil(2 * tile) * (4 * tile * tile / lanes + 3) + 4 * tile * tile / lanes
    }
}

impl Work {
    /// Whether kernels take their form without workgroup memory.
    pub fn is_by_registers(self) -> bool {
        self == Self::Registers
    }

    /// Whether kernels read four elements at once, which fits rows of whole words only; a mirror has one form for all.
    pub fn is_by_words(self) -> bool {
        self != Self::Mirrors
    }

    /// How long the parts of a sum of `whole` terms are: `part`, but all of it for a mirror, whose threads share results instead.
    pub fn part_of(self, whole: usize, part: usize) -> usize {
        if self == Self::Mirrors { whole } else { part }
    }

    /// Whether an invocation may make so many loop iterations; a mirror may make any number.
    pub fn can_loop(self, trips: usize) -> bool {
        self == Self::Mirrors || trips as u64 <= MAX_TRIPS
    }

    /// The ranges of `tiles` that make a dispatch each, of a product of `flops`. The CPU has no driver to fear.
    pub fn dispatches(self, tiles: usize, flops: u64) -> impl Iterator<Item = Range<usize>> {
        let tiles = tiles.max(1);
        let each = match self {
            Self::Mirrors => tiles,
            Self::Registers | Self::Tiles => (tiles as u128 * u128::from(dispatch_flops()) / u128::from(flops.max(1))) as usize,
        };
        (0..tiles).step_by(each.max(1)).map(move |first| first..first.saturating_add(each.max(1)).min(tiles))
    }
}

/// The longest dispatch, on a GPU of the middle range.
const DISPATCH_MS: u64 = 200;
/// What that GPU makes of a product.
const FLOPS_PER_S: u64 = 2_000_000_000_000;
/// What it moves.
const BYTES_PER_S: u64 = 200_000_000_000;
/// Floating-point operations of one dispatch.
const DISPATCH_FLOPS: u64 = FLOPS_PER_S / 1000 * DISPATCH_MS;
// A kernel binds eight buffers of 2 GiB at most.
const _: () = assert!(8 * (2 << 30) < BYTES_PER_S / 1000 * DISPATCH_MS);

/// Multiprocessors of a large GPU.
const MULTIPROCESSORS: usize = 132;
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

/// Floating-point operations of a product: a multiplication and an addition for each of so many terms.
pub(crate) fn flops(extents: &[usize]) -> u64 {
    extents.iter().fold(2, |product: u64, &extent| product.saturating_mul(extent as u64))
}

/// Whether so many workgroups keep a large GPU busy.
pub(crate) fn fills(groups: usize) -> bool {
    groups >= MULTIPROCESSORS
}

/// In how many parts to sum each of `rows` rows of `len` elements, a workgroup a part: enough groups to fill a large GPU, enough
/// elements a group to pay for its tree, few enough parts that one thread adds them up.
pub(crate) fn splits(rows: usize, len: usize) -> usize {
    (1024 / rows.max(1)).clamp(1, 64).min(len.div_ceil(4096)).max(1)
}

/// How long a part of a sum of `terms` is, a multiple of `step`: two workgroups for each multiprocessor where `tiles` alone are
/// fewer than one each.
pub(crate) fn part(tiles: usize, terms: usize, step: usize) -> usize {
    let wanted = if fills(tiles) { 1 } else { (2 * MULTIPROCESSORS / tiles.max(1)).min(terms / SHORTEST_PART) };
    terms.div_ceil(wanted.max(terms.div_ceil(LONGEST_PART)).max(1)).next_multiple_of(step).max(step)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What a workgroup may do at most where a grid leaves multiprocessors idle: some microseconds of one of them, no more than a
    /// dispatch costs.
    const IDLE_FLOPS: u64 = 1 << 20;

    /// Whether a grid fills a large GPU, or is over before that matters.
    #[track_caller]
    pub(crate) fn assert_fills(what: &str, groups: usize, flops: u64) {
        let each = flops / groups as u64;
        assert!(fills(groups) || each <= IDLE_FLOPS, "{what}: {groups} workgroups of {each} operations");
    }

    /// Whether the dispatches cover all tiles once, each within 200 ms.
    #[track_caller]
    pub(crate) fn assert_short(what: &str, tiles: usize, flops: u64) {
        let ranges: Vec<_> = Work::Tiles.dispatches(tiles, flops).collect();
        assert!(ranges.iter().flat_map(Clone::clone).eq(0..tiles.max(1)), "{what}: {ranges:?} are not 0..{tiles}");
        for range in &ranges {
            let each = u128::from(flops) * range.len() as u128 / tiles.max(1) as u128;
            assert!(each <= u128::from(DISPATCH_FLOPS), "{what}: {each} operations in one dispatch");
        }
    }

    #[test]
    fn dispatches_cover_the_work_and_are_as_few_as_may_be() {
        let of = |tiles, flops, work: Work| work.dispatches(tiles, flops).map(|r| [r.start, r.end]).collect::<Vec<_>>();
        assert_eq!(of(10, 3 * DISPATCH_FLOPS, Work::Tiles), [[0, 3], [3, 6], [6, 9], [9, 10]]);
        assert_eq!(of(10, DISPATCH_FLOPS, Work::Tiles), [[0, 10]]);
        assert_eq!(of(2, 9 * DISPATCH_FLOPS, Work::Tiles), [[0, 1], [1, 2]]);
        assert_eq!(of(10, u64::MAX, Work::Mirrors), [[0, 10]]);
        assert_eq!(of(0, 0, Work::Tiles), [[0, 1]]);
    }

    #[test]
    #[should_panic(expected = "131 workgroups of")]
    fn a_grid_that_does_not_fill_is_noticed() {
        assert_fills("idle", MULTIPROCESSORS - 1, 1 << 30);
    }

    #[test]
    fn a_part_pays_and_ends_in_time() {
        for (tiles, terms, step) in
            [(1, 576, 12), (4, 4608, 12), (131, 64, 8), (1, 1 << 24, 8), (500, 70_000, 8), (7, 0, 8), (0, 9, 8)]
        {
            let part = part(tiles, terms, step);
            assert!(part.is_multiple_of(step) && part < LONGEST_PART + step, "{tiles} {terms}: {part}");
            assert!(part >= SHORTEST_PART.min(terms), "{tiles} {terms}: {part}");
        }
        assert_eq!(part(132, 576, 12), 576);
    }
}
