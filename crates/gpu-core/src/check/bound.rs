//! How far two results may be apart.

use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;

/// How far a kernel may be from its mirror.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// The same bits.
    Exact,
    /// A sum of `terms` products of at most `magnitude` each, in any order: `2 K 2^-24 K magnitude`.
    Sum {
        /// How many products are summed.
        terms: usize,
        /// The largest product.
        magnitude: f32,
    },
    /// A fraction of the largest element of the wanted tensor: for functions that WGSL does not round exactly.
    Relative(f32),
}

impl Bound {
    /// The largest difference allowed from a tensor whose largest element is `largest`.
    pub fn absolute(self, largest: f32) -> f32 {
        match self {
            Self::Exact => 0.0,
            Self::Sum { terms, magnitude } => 2.0 * (terms as f32).powi(2) * magnitude * 2f32.powi(-24),
            Self::Relative(fraction) => fraction * largest.max(f32::MIN_POSITIVE),
        }
    }
}

/// A difference found and the one allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The largest absolute difference of an element.
    pub error: f32,
    /// The largest allowed.
    pub bound: f32,
}

impl Difference {
    /// Whether the difference is allowed.
    pub fn ok(&self) -> bool {
        self.error <= self.bound
    }

    pub(super) fn excess(&self) -> f32 {
        if self.error == 0.0 { 0.0 } else { self.error / self.bound.max(f32::MIN_POSITIVE) }
    }
}

/// The largest difference of two lists and what `bound` allows for them.
pub fn difference(got: &[f32], want: &[f32], bound: Bound) -> Difference {
    let largest = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    let error = got.iter().zip(want).fold(0f32, |m, (g, w)| {
        // Comparisons with NaN are false: it must not slip through `max`.
        let d = (g - w).abs();
        if g.to_bits() == w.to_bits() {
            m
        } else if d.is_nan() {
            f32::INFINITY
        } else {
            m.max(d)
        }
    });
    Difference { error, bound: bound.absolute(largest) }
}

/// A tensor's elements as f32, whatever it holds. Integers above 2^24 are compared by halves.
pub(crate) fn floats(tensor: &Tensor) -> Result<Vec<f32>> {
    let halves = |v: u32| [(v >> 16) as f32, (v & 0xffff) as f32];
    Ok(match tensor.dtype() {
        DType::F32 => tensor.read::<f32>()?,
        DType::F16 => tensor.read::<half::f16>()?.into_iter().map(f32::from).collect(),
        DType::F64 => tensor.read::<f64>()?.into_iter().map(|v| v as f32).collect(),
        DType::I32 => tensor.read::<i32>()?.into_iter().flat_map(|v| halves(v as u32)).collect(),
        DType::U32 => tensor.read::<u32>()?.into_iter().flat_map(halves).collect(),
        DType::U8 => tensor.read::<u8>()?.into_iter().map(f32::from).collect(),
        DType::Bool => tensor.read::<bool>()?.into_iter().map(|v| f32::from(u8::from(v))).collect(),
    })
}
