//! What a launch of a loss is told.

use bytemuck::{Pod, Zeroable};

/// The losses, as the header's `KIND` numbers them.
pub(super) mod kind {
    pub const MSE: u32 = 0;
    pub const L1: u32 = 1;
    pub const SMOOTH_L1: u32 = 2;
    pub const HUBER: u32 = 3;
    pub const BCE_WITH_LOGITS: u32 = 4;
    pub const BCE: u32 = 5;
    pub const KL_DIV: u32 = 6;
    pub const KL_DIV_LOG: u32 = 7;
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub len: u32,
    pub part: u32,
    pub each: u32,
    pub weight_c: u32,
    pub weight_inner: u32,
    pub positive_c: u32,
    pub positive_inner: u32,
    pub width: f32,
    pub scale: f32,
}
