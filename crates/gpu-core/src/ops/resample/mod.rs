//! Images of another size.

pub(super) mod pixel_shuffle;
pub(super) mod upsample2d;
pub(super) mod warp;
