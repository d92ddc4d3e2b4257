//! What a launch of a reduction is told.

use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub outer: u32,
    pub len: u32,
    pub inner: u32,
    pub splits: u32,
    pub part: u32,
    pub factor: f32,
}
