//! Functions of one element.

use crate::autograd::var::Var;
use gpu_core::ops;

impl Var {
    /// `-x`. Equivalent of `torch.neg`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn neg(&self) -> Self {
        let y = ops::neg(self.value());
        Self::derived("neg", y, [self], move |dy, _| [Some(ops::neg(dy))])
    }

    /// `|x|`; no gradient at 0. Equivalent of `torch.abs`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn abs(&self) -> Self {
        let y = ops::abs(self.value());
        let kept = self.value().clone();
        Self::derived("abs", y, [self], move |dy, _| [Some(ops::abs_bwd_x(&kept, dy))])
    }

    /// `x * x`. Equivalent of `torch.square`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn square(&self) -> Self {
        let y = ops::square(self.value());
        let kept = self.value().clone();
        Self::derived("square", y, [self], move |dy, _| [Some(ops::square_bwd_x(&kept, dy))])
    }

    /// The square root. Equivalent of `torch.sqrt`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn sqrt(&self) -> Self {
        let y = ops::sqrt(self.value());
        // y, not x: x may be freed.
        let kept = y.clone();
        Self::derived("sqrt", y, [self], move |dy, _| [Some(ops::sqrt_bwd_x(&kept, dy))])
    }

    /// One over the square root. Equivalent of `torch.rsqrt`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn rsqrt(&self) -> Self {
        let y = ops::rsqrt(self.value());
        // y, not x: x may be freed.
        let kept = y.clone();
        Self::derived("rsqrt", y, [self], move |dy, _| [Some(ops::rsqrt_bwd_x(&kept, dy))])
    }

    /// `1 / x`. Equivalent of `torch.reciprocal`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn reciprocal(&self) -> Self {
        let y = ops::reciprocal(self.value());
        // y, not x: x may be freed.
        let kept = y.clone();
        Self::derived("reciprocal", y, [self], move |dy, _| [Some(ops::reciprocal_bwd_x(&kept, dy))])
    }

    /// `e^x`. Equivalent of `torch.exp`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn exp(&self) -> Self {
        let y = ops::exp(self.value());
        // y, not x: x may be freed.
        let kept = y.clone();
        Self::derived("exp", y, [self], move |dy, _| [Some(ops::mul(dy, &kept))])
    }

    /// `e^x - 1`, right for small `x` too. Equivalent of `torch.expm1`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn expm1(&self) -> Self {
        let y = ops::expm1(self.value());
        // y, not x: x may be freed.
        let kept = y.clone();
        Self::derived("expm1", y, [self], move |dy, _| [Some(ops::expm1_bwd_x(&kept, dy))])
    }

    /// The natural logarithm. Equivalent of `torch.log`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn log(&self) -> Self {
        let y = ops::log(self.value());
        let kept = self.value().clone();
        Self::derived("log", y, [self], move |dy, _| [Some(ops::div(dy, &kept))])
    }

    /// `ln(1 + x)`, right for small `x` too. Equivalent of `torch.log1p`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn log1p(&self) -> Self {
        let y = ops::log1p(self.value());
        let kept = self.value().clone();
        Self::derived("log1p", y, [self], move |dy, _| [Some(ops::log1p_bwd_x(&kept, dy))])
    }

    /// The sine. Equivalent of `torch.sin`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn sin(&self) -> Self {
        let y = ops::sin(self.value());
        let kept = self.value().clone();
        Self::derived("sin", y, [self], move |dy, _| [Some(ops::sin_bwd_x(&kept, dy))])
    }

    /// The cosine. Equivalent of `torch.cos`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn cos(&self) -> Self {
        let y = ops::cos(self.value());
        let kept = self.value().clone();
        Self::derived("cos", y, [self], move |dy, _| [Some(ops::cos_bwd_x(&kept, dy))])
    }

    /// The tangent. Equivalent of `torch.tan`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn tan(&self) -> Self {
        let y = ops::tan(self.value());
        // y, not x: x may be freed.
        let kept = y.clone();
        Self::derived("tan", y, [self], move |dy, _| [Some(ops::tan_bwd_x(&kept, dy))])
    }

    /// The error function. Equivalent of `torch.erf`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn erf(&self) -> Self {
        let y = ops::erf(self.value());
        let kept = self.value().clone();
        Self::derived("erf", y, [self], move |dy, _| [Some(ops::erf_bwd_x(&kept, dy))])
    }

    /// `x + number`. Equivalent of `torch.add(x, number)`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn add_scalar(&self, number: f32) -> Self {
        let y = ops::add_scalar(self.value(), number);
        Self::derived("add_scalar", y, [self], move |dy, _| [Some(dy.clone())])
    }

    /// `x` to the power of `exponent`. Equivalent of `torch.pow(x, exponent)`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn pow_scalar(&self, exponent: f32) -> Self {
        let y = ops::pow_scalar(self.value(), exponent);
        let kept = self.value().clone();
        Self::derived("pow_scalar", y, [self], move |dy, _| [Some(ops::pow_scalar_bwd_x(&kept, dy, exponent))])
    }

    /// `base` to the power of `x`, which is `self`. Equivalent of `torch.pow(base, x)`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn scalar_pow(&self, base: f32) -> Self {
        let y = ops::scalar_pow(base, self.value());
        let kept = self.value().clone();
        Self::derived("scalar_pow", y, [self], move |dy, _| [Some(ops::scalar_pow_bwd_x(base, &kept, dy))])
    }

    /// `x` within `min ..= max`; the gradient passes within the bounds and at them. Equivalent of `torch.clamp`.
    ///
    /// # Panics
    /// If `min` is over `max`.
    #[track_caller]
    pub fn clamp(&self, min: f32, max: f32) -> Self {
        let y = ops::clamp(self.value(), min, max);
        let kept = self.value().clone();
        Self::derived("clamp", y, [self], move |dy, _| [Some(ops::clamp_bwd_x(&kept, dy, min, max))])
    }
}
