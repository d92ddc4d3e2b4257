//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::ops::{Interpolation, Resize, Upsample2dGeometry, upsample2d, upsample2d_bwd_x};

pub(super) const BILINEAR: Interpolation = Interpolation::Bilinear { align_corners: false };
pub(super) const ALIGNED: Interpolation = Interpolation::Bilinear { align_corners: true };
pub(super) const MODES: [Interpolation; 3] = [Interpolation::Nearest, BILINEAR, ALIGNED];

/// Doubling, other whole factors, from and to one pixel, odd sizes, factors that are not whole, smaller sizes, no change along one
/// axis, and no images at all.
pub(super) const ROWS: &[([usize; 4], Resize)] = &[
    ([2, 3, 4, 5], Resize::By([2.0, 2.0])),
    ([1, 2, 3, 7], Resize::By([4.0, 3.0])),
    ([2, 2, 1, 1], Resize::To([5, 9])),
    ([2, 2, 5, 9], Resize::To([1, 1])),
    ([1, 3, 7, 11], Resize::To([13, 17])),
    ([1, 2, 5, 6], Resize::By([2.3, 1.7])),
    ([2, 3, 9, 13], Resize::To([4, 5])),
    ([1, 2, 6, 10], Resize::By([0.6, 0.35])),
    ([1, 2, 4, 3], Resize::To([4, 8])),
    ([0, 2, 4, 3], Resize::By([2.0, 2.0])),
];

pub fn cases() -> Vec<Case> {
    // The last: more workgroups than fit into a row of the grid.
    let wide = ([3, 257, 73, 75], Resize::By([2.0, 2.0]));
    let mut cases = Vec::new();
    for &(x, size) in ROWS.iter().chain(&[wide]) {
        for mode in MODES.into_iter().take(if x == wide.0 { 1 } else { 3 }) {
            let g = Upsample2dGeometry { size, mode };
            // Bilinear places are off by a unit of their extents: an eighth of a millionth each of twenty pixels, whatever lies there.
            let bound = if mode == Interpolation::Nearest { Bound::Sum { terms: 64 } } else { Bound::Relative(1e-5) };
            cases.push(Case::new("upsample2d", format!("{x:?} {g:?}"), bound, move |device| {
                let y = upsample2d(&tensor(device, x, 1), g);
                let dx = upsample2d_bwd_x(&tensor(device, y.shape(), 2), x.into(), g);
                vec![y, dx]
            }));
        }
    }
    cases
}
