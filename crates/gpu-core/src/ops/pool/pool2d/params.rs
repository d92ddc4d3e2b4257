//! What a launch of a pooling is told.

use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub planes: u32,
    pub h: u32,
    pub w: u32,
    pub p: u32,
    pub q: u32,
    pub scale: f32,
    /// The first of this dispatch's workgroups.
    pub first: u32,
}
