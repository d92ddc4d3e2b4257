//! How far two results may be apart.

use gpu_core::{DType, Result, Tensor, f16};

/// How far a kernel may be from its mirror.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// The same bits.
    Exact,
    /// A sum of K = `terms` products `a b` in any order: `2 K 2^-24 sum|a b|`, with the sum taken for each element.
    Sum {
        /// How many products are summed.
        terms: usize,
    },
    /// A fraction of the element's own magnitude, for what WGSL does not round exactly: of what it is, of how far it moves where each
    /// input moves by its own size, and of what its formula adds up on the way ([`Case::adding`](super::Case::adding)). Never more
    /// than the same fraction of the largest element.
    Own {
        /// Of the magnitude.
        fraction: f32,
        /// How many elements are summed: so many times as long is the sum of their sizes, at most, as the root of that of their
        /// squares, squared, which is what is measured.
        terms: usize,
    },
    /// A fraction of the largest element of the wanted tensor: where an error has nothing to do with the size of its element.
    Relative(f32),
}

impl Bound {
    /// A fraction of each element's own magnitude, of few terms.
    pub const fn own(fraction: f32) -> Self {
        Self::Own { fraction, terms: 1 }
    }

    /// The largest difference allowed in an element of a tensor whose largest element is `largest`, where `magnitude` is what the
    /// element would be if nothing cancelled: of a sum the same over the inputs' absolute values.
    pub(super) fn allowed(self, largest: f32, magnitude: f32) -> f32 {
        match self {
            Self::Exact => 0.0,
            // Each device may be off by K roundings of at most 2^-24 of the sum of magnitudes.
            Self::Sum { terms } => 2.0 * terms as f32 * 2f32.powi(-24) * magnitude,
            // A magnitude that is no number says nothing.
            Self::Own { fraction, .. } => fraction * magnitude.min(largest).max(SUBNORMAL.min(largest)).max(f32::MIN_POSITIVE),
            Self::Relative(fraction) => fraction * largest.max(f32::MIN_POSITIVE),
        }
    }
}

/// A device may take any number under 2^-126 for zero, also in the middle of a formula: no bound is a fraction of less than this.
const SUBNORMAL: f32 = f32::MIN_POSITIVE * 16_777_216.0;

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
///
/// # Panics
/// For [`Bound::Sum`] and [`Bound::Own`], which need the magnitudes of elements; [`Case::compare`](super::Case::compare) knows them.
pub fn difference(got: &[f32], want: &[f32], bound: Bound) -> Difference {
    let is_by_element = matches!(bound, Bound::Sum { .. } | Bound::Own { .. });
    assert!(!is_by_element, "difference: the bound of an element needs its magnitude");
    let allowed = bound.allowed(largest(want), 0.0);
    difference_by(got, want, |_| allowed)
}

pub(super) fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0f32, |m, v| m.max(v.abs()))
}

/// The difference that goes furthest towards or over what is allowed for its element. A NaN on one side alone is an infinite
/// difference, and so is poison that a mirror left where it was.
pub(super) fn difference_by(got: &[f32], want: &[f32], allowed: impl Fn(usize) -> f32) -> Difference {
    let of = |(i, (g, w)): (usize, (&f32, &f32))| {
        let error = match (g - w).abs() {
            _ if w.to_bits() == u32::MAX => f32::INFINITY,
            _ if g == w || (g.is_nan() && w.is_nan()) => 0.0,
            d if d.is_nan() => f32::INFINITY,
            d => d,
        };
        Difference { error, bound: allowed(i) }
    };
    let none = Difference { error: 0.0, bound: if got.is_empty() { 0.0 } else { allowed(0) } };
    got.iter().zip(want).enumerate().map(of).fold(none, |worst, d| if d.excess() > worst.excess() { d } else { worst })
}

/// A tensor's elements as f32, whatever it holds. Integers above 2^24 are compared by halves.
pub fn floats(tensor: &Tensor) -> Result<Vec<f32>> {
    let halves = |v: u32| [(v >> 16) as f32, (v & 0xffff) as f32];
    Ok(match tensor.dtype() {
        DType::F32 => tensor.read::<f32>()?,
        DType::F16 => tensor.read::<f16>()?.into_iter().map(f32::from).collect(),
        DType::F64 => tensor.read::<f64>()?.into_iter().map(|v| v as f32).collect(),
        DType::I32 => tensor.read::<i32>()?.into_iter().flat_map(|v| halves(v as u32)).collect(),
        DType::U32 => tensor.read::<u32>()?.into_iter().flat_map(halves).collect(),
        DType::U8 => tensor.read::<u8>()?.into_iter().map(f32::from).collect(),
        DType::Bool => tensor.read::<bool>()?.into_iter().map(|v| f32::from(u8::from(v))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_notices_a_difference_and_a_nan() {
        let want = [1.0, -2.0, 3.0];
        assert!(difference(&want, &want, Bound::Exact).ok());
        assert!(!difference(&[1.0, -2.0, 3.000001], &want, Bound::Exact).ok());
        assert!(!difference(&[1.0, f32::NAN, 3.0], &want, Bound::Relative(1.0)).ok());
        assert!(difference(&[1.0, -2.0, 3.02], &want, Bound::Relative(0.01)).ok());
        assert!(!difference(&[1.0, -2.0, 3.04], &want, Bound::Relative(0.01)).ok());
    }
}
