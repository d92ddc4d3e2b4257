//! The two types that mirrors compute in, in vectors too.

use super::functions;
use crate::base::Element;
use bytemuck::Pod;
use num_traits::{Float, NumAssign};
use pulp::Simd;
use std::iter::Sum;

/// What a mirror computes in: f32 for work, f64 for [`crate::Device::cpu_f64`].
pub(crate) trait Real: Float + NumAssign + Sum + Pod + Element + Into<f64> {
    /// As many as the processor takes at once.
    type Vector<S: Simd>: Pod;

    /// The nearest value.
    fn of(v: impl Into<f64>) -> Self;
    /// As many of `x` as fit, and zeros beyond.
    fn load<S: Simd>(simd: S, x: &[Self]) -> Self::Vector<S>;
    /// A vector of one value.
    fn splat<S: Simd>(simd: S, v: Self) -> Self::Vector<S>;
    /// `a b + c`, rounded once where the processor can.
    fn madd<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;

    // The functions of `functions.rs`, which vectorise; f64 has those of the system.

    /// e to the power of `self`.
    fn quick_exp(self) -> Self;
    /// `e^self - 1`, right near 0 too.
    fn quick_exp_m1(self) -> Self;
    /// The natural logarithm.
    fn quick_ln(self) -> Self;
    /// `ln(1 + self)`, right near 0 too.
    fn quick_ln_1p(self) -> Self;
    /// `ln(1 + self)` of a number from 0 to 1.
    fn quick_ln_1p_to_one(self) -> Self;
    /// The hyperbolic tangent.
    fn quick_tanh(self) -> Self;
    /// The error function.
    fn quick_erf(self) -> Self;

    /// `1 / (1 + exp(-self))`.
    #[inline(always)]
    fn logistic(self) -> Self {
        (Self::one() + (-self).quick_exp()).recip()
    }
    /// `ln(1 + exp(self))`, without an exponential that overflows.
    #[inline(always)]
    fn softplus(self) -> Self {
        (if self < Self::zero() { Self::zero() } else { self }) + (-self.abs()).quick_exp().quick_ln_1p_to_one()
    }
}

impl Real for f32 {
    type Vector<S: Simd> = S::f32s;

    #[inline(always)]
    fn of(v: impl Into<f64>) -> Self {
        v.into() as Self
    }
    #[inline(always)]
    fn load<S: Simd>(simd: S, x: &[Self]) -> S::f32s {
        simd.partial_load_f32s(x)
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, v: Self) -> S::f32s {
        simd.splat_f32s(v)
    }
    #[inline(always)]
    fn madd<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(a, b, c)
    }
    #[inline(always)]
    fn quick_exp(self) -> Self {
        functions::exp(self)
    }
    #[inline(always)]
    fn quick_exp_m1(self) -> Self {
        functions::exp_m1(self)
    }
    #[inline(always)]
    fn quick_ln(self) -> Self {
        functions::ln(self)
    }
    #[inline(always)]
    fn quick_ln_1p(self) -> Self {
        functions::ln_1p(self)
    }
    #[inline(always)]
    fn quick_ln_1p_to_one(self) -> Self {
        functions::ln_1p_to_one(self)
    }
    #[inline(always)]
    fn quick_tanh(self) -> Self {
        functions::tanh(self)
    }
    #[inline(always)]
    fn quick_erf(self) -> Self {
        functions::erf(self)
    }
}

impl Real for f64 {
    type Vector<S: Simd> = S::f64s;

    #[inline(always)]
    fn of(v: impl Into<f64>) -> Self {
        v.into()
    }
    #[inline(always)]
    fn load<S: Simd>(simd: S, x: &[Self]) -> S::f64s {
        simd.partial_load_f64s(x)
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, v: Self) -> S::f64s {
        simd.splat_f64s(v)
    }
    #[inline(always)]
    fn madd<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_e_f64s(a, b, c)
    }
    fn quick_exp(self) -> Self {
        self.exp()
    }
    fn quick_exp_m1(self) -> Self {
        self.exp_m1()
    }
    fn quick_ln(self) -> Self {
        self.ln()
    }
    fn quick_ln_1p(self) -> Self {
        self.ln_1p()
    }
    fn quick_ln_1p_to_one(self) -> Self {
        self.ln_1p()
    }
    fn quick_tanh(self) -> Self {
        self.tanh()
    }
    fn quick_erf(self) -> Self {
        libm::erf(self)
    }
}
