//! What a launch of a move is told.

use crate::base::MAX_RANK;
use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub len: u32,
    pub rank: u32,
    pub bytes: u32,
    pub x_first: u32,
    pub y_first: u32,
    // The innermost axis first; steps below zero wrap.
    pub dims: [u32; MAX_RANK],
    pub x_steps: [u32; MAX_RANK],
    pub y_steps: [u32; MAX_RANK],
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub extent: usize,
    pub x_step: isize,
    pub y_step: usize,
}
