//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::ops::{pixel_shuffle, pixel_unshuffle};

/// Shapes of the small planes, and factors.
pub(super) const ROWS: &[([usize; 4], usize)] =
    &[([2, 8, 3, 5], 2), ([1, 1, 1, 1], 1), ([1, 9, 4, 7], 3), ([2, 3, 5, 4], 1), ([0, 4, 2, 2], 2)];

pub fn cases() -> Vec<Case> {
    let of = |&(x, r): &([usize; 4], usize)| {
        Case::new("pixel_shuffle", format!("{x:?} by {r}"), Bound::Exact, move |device| {
            let y = pixel_shuffle(&tensor(device, x, 1), r);
            vec![pixel_unshuffle(&tensor(device, y.shape(), 2), r), y]
        })
    };
    // The last: more workgroups than fit into a row of the grid.
    ROWS.iter().chain(&[([1, 4 * 65_537, 8, 8], 2)]).map(of).collect()
}
