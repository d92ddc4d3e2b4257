//! What a launch of an adaptive pooling is told.

use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub planes: u32,
    pub h: u32,
    pub w: u32,
    pub p: u32,
    pub q: u32,
}
