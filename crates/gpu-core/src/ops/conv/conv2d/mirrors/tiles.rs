//! Tiles of sums that stay in registers.

use crate::mirror::Width;
use pulp::{Arch, Simd, WithSimd};

/// What is summed in tiles of `N` pixels or input channels by `NV` vectors of output channels.
pub(super) trait Tiled: Sized {
    fn run<S: Simd, const N: usize, const NV: usize>(self, simd: S);
}

/// Runs it with as many sums as there are registers for, with room for the vectors of a row and what they are multiplied with.
pub(super) fn in_tiles(width: &Width, work: impl Tiled) {
    Arch::new().dispatch(InTiles { width, work });
}

struct InTiles<'a, W> {
    width: &'a Width,
    work: W,
}

impl<W: Tiled> WithSimd for InTiles<'_, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.width.vectors, self.width.is_wide) {
            (1, true) => self.work.run::<S, 8, 1>(simd),
            (1, false) => self.work.run::<S, 4, 1>(simd),
            (_, true) => self.work.run::<S, 8, 2>(simd),
            (_, false) => self.work.run::<S, 4, 2>(simd),
        }
    }
}
