//! What the kernels are told.

use super::plan::Batches;
use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Params {
    pub m: u32,
    pub n: u32,
    pub k: u32,
    pub part: u32,
    pub parts: u32,
    pub batch: u32,
    pub a_row: u32,
    pub a_col: u32,
    pub b_row: u32,
    pub b_col: u32,
    pub tiles_m: u32,
    pub tiles_n: u32,
    pub first: u32,
    pub batches: Batches,
}
