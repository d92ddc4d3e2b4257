//! What a launch of a batch normalisation is told.

use crate::base::Shape;
use crate::kernel::Grid;
use crate::work::splits;
use bytemuck::{Pod, Zeroable};

/// What lies in the slot `spread`, and so what a deviation from the mean is multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    /// `1 / sqrt(var + eps)` of the batch: a function of `x`, through which a gradient flows.
    Rstd = 0,
    /// A running variance.
    Variance = 1,
    /// Nothing: deviations stay as they are.
    One = 2,
}

/// What follows the normalisation in the same kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    Relu,
    /// A sum with another tensor, and a ReLU.
    AddRelu,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    pub len: u32,
    pub n: u32,
    pub c: u32,
    pub inner: u32,
    pub splits: u32,
    pub part: u32,
    pub spread_kind: u32,
    pub eps: f32,
    pub momentum: f32,
    pub inverse_count: f32,
}

impl Params {
    pub fn of(x: Shape, spread: Spread) -> Self {
        let (n, c, inner) = (x.n(), x.c(), x.inner(2));
        let splits = splits(c, n * inner);
        Self {
            len: x.len() as u32,
            n: n as u32,
            c: c as u32,
            inner: inner as u32,
            splits: splits as u32,
            part: (n * inner).div_ceil(splits).next_multiple_of(4) as u32,
            spread_kind: spread as u32,
            eps: 0.0,
            momentum: 0.0,
            inverse_count: 1.0 / (n * inner) as f32,
        }
    }

    /// The statistics are constants: nothing of `x` is in them.
    pub fn of_constants(self) -> Self {
        Self { inverse_count: 0.0, ..self }
    }

    pub fn spread(&self) -> Spread {
        match self.spread_kind {
            0 => Spread::Rstd,
            1 => Spread::Variance,
            _ => Spread::One,
        }
    }

    /// Whether four elements in a row share a channel.
    pub fn goes_by_four(&self) -> bool {
        self.inner.is_multiple_of(4)
    }

    /// What a kernel's header gets.
    pub fn header(&self, then: Then) -> [(&'static str, u32); 3] {
        [("VEC", self.goes_by_four().into()), ("RELU", (then != Then::Nothing).into()), ("ADD", (then == Then::AddRelu).into())]
    }

    /// One workgroup for each part of each channel.
    pub fn grid_of_parts(&self) -> Grid {
        Grid::folded((self.c * self.splits) as usize).trips(self.part.div_ceil(256) as usize + 8)
    }

    /// One thread for each vector of four.
    pub fn grid_of_vectors(&self) -> Grid {
        Grid::linear((self.len as usize).div_ceil(4), 256)
    }
}
