//! What a launch of a dropout is told.

use crate::base::DType;
use crate::base::Shape;
use crate::base::rng::Key;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub len: u32,
    pub inner: u32,
    pub stream: u32,
    pub seed_lo: u32,
    pub seed_hi: u32,
    pub threshold: u32,
    pub drop_all: u32,
    pub scale: f32,
    pub shift: f32,
    pub dropped: f32,
}

impl Params {
    /// Elements, or channels of `inner` elements, dropped with probability `p`, the others scaled by `1 / (1 - p)`.
    #[track_caller]
    pub fn new(op: &str, shape: Shape, inner: usize, p: f64, key: Key, step: &Tensor) -> Self {
        assert!((0.0..=1.0).contains(&p), "{op}: p {} is not in [0, 1] (x {shape})", p as f32);
        let fits = step.len() == 1 && step.dtype() == DType::U32;
        assert!(fits, "{op}: step must be one u32 (step {} {}, x {shape})", step.dtype(), step.shape());
        let threshold = (p * 2f64.powi(32)).round() as u64;
        let drop_all = threshold > u64::from(u32::MAX);
        Self {
            len: shape.len() as u32,
            inner: inner as u32,
            stream: key.stream,
            seed_lo: key.seed as u32,
            seed_hi: (key.seed >> 32) as u32,
            threshold: if drop_all { u32::MAX } else { threshold as u32 },
            drop_all: drop_all.into(),
            scale: if drop_all { 0.0 } else { (1.0 / (1.0 - p)) as f32 },
            shift: 0.0,
            dropped: 0.0,
        }
    }
}
