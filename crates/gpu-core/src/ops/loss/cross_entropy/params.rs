//! What a launch over rows is told.

use crate::base::Shape;
use bytemuck::{Pod, Zeroable};

/// The flags of [`Params`]: classes have weights; the losses are divided by the first total; each row has a loss and a `dloss`.
pub(super) const WEIGHTED: u32 = 1;
pub(super) const DIVIDED: u32 = 2;
pub(super) const EACH: u32 = 4;

/// Where the sum of the classes' weights lies among the totals: the next place that a view may begin at.
pub(super) const SECOND_TOTAL: usize = 64;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub n: u32,
    pub c: u32,
    pub inner: u32,
    pub flags: u32,
    pub ignored: u32,
    pub smoothing: f32,
    pub scale: f32,
}

impl Params {
    /// The rows along `axis` of a tensor of shape `x`.
    pub fn along(x: Shape, axis: usize) -> Self {
        let (outer, inner) = (x.outer(axis), x.inner(axis + 1));
        let (n, c, inner) = ((outer * inner) as u32, x.dim(axis) as u32, inner as u32);
        Self { n, c, inner, flags: 0, ignored: u32::MAX, smoothing: 0.0, scale: 1.0 }
    }

    /// The shape of one number for each row of `x` (N, C, ...).
    pub fn rows_shape(&self, x: Shape) -> Shape {
        let mut dims = x.dims().to_vec();
        dims.remove(1);
        Shape::new(&dims)
    }
}
