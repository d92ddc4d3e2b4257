//! What a launch of a resampling is told.

use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub outer: u32,
    pub h: u32,
    pub w: u32,
    pub p: u32,
    pub q: u32,
    pub step_h: f32,
    pub step_w: f32,
}
