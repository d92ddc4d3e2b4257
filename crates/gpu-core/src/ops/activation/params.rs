//! What a launch of an activation is told.

use bytemuck::{Pod, Zeroable};

/// The functions, as the header's `KIND` numbers them.
pub(super) mod kind {
    pub const RELU: u32 = 0;
    pub const LEAKY_RELU: u32 = 1;
    pub const RELU6: u32 = 2;
    pub const ELU: u32 = 3;
    pub const HARDSIGMOID: u32 = 4;
    pub const HARDSWISH: u32 = 5;
    pub const SIGMOID: u32 = 6;
    pub const TANH: u32 = 7;
    pub const SOFTPLUS: u32 = 8;
    pub const SILU: u32 = 9;
    pub const GELU: u32 = 10;
    pub const GELU_TANH: u32 = 11;
    pub const MISH: u32 = 12;
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub len: u32,
    pub a: f32,
    pub b: f32,
}
