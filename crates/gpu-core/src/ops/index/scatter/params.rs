//! What a launch of a scattered sum is told.

use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub outer: u32,
    pub size: u32,
    pub len: u32,
    pub inner: u32,
    pub lines: u32,
    pub block: u32,
    pub blocks: u32,
    pub add: u32,
}
