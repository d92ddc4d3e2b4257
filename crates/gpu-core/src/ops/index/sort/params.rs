//! What a launch of a sort is told.

use bytemuck::{Pod, Zeroable};

/// Elements that a workgroup sorts: the shader's constant.
pub(super) const TILE: usize = 1024;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub rows: u32,
    pub len: u32,
    pub inner: u32,
    pub keep: u32,
    pub width: u32,
    pub kind: u32,
    pub flip: u32,
}

pub(super) const F32: u32 = 0;
pub(super) const U32: u32 = 1;
pub(super) const I32: u32 = 2;
