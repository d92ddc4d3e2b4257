//! Functions of one element, and softmax: what is kept is the output where the derivative can be had from it.

use crate::autograd::var::Var;
use gpu_core::{Tensor, ops};

/// `y`, whose derivative is `bwd(y, dy)`: the input may be freed.
#[track_caller]
fn from_output(op: &'static str, x: &Var, y: Tensor, bwd: impl FnOnce(&Tensor, &Tensor) -> Tensor + Send + 'static) -> Var {
    let kept = y.clone();
    Var::derived(op, y, [x], move |dy, _| [Some(bwd(&kept, dy))])
}

/// `y`, whose derivative is `bwd(x, dy)`.
#[track_caller]
fn from_input(op: &'static str, x: &Var, y: Tensor, bwd: impl FnOnce(&Tensor, &Tensor) -> Tensor + Send + 'static) -> Var {
    let kept = x.value().clone();
    Var::derived(op, y, [x], move |dy, _| [Some(bwd(&kept, dy))])
}

impl Var {
    /// `max(x, 0)`. Equivalent of `torch.relu`.
    ///
    /// # Panics
    /// If it does not hold f32; likewise for the other functions of one element.
    #[track_caller]
    pub fn relu(&self) -> Self {
        from_output("relu", self, ops::relu(self.value()), ops::relu_bwd_x)
    }

    /// `x` where it is positive, else `slope * x`. Equivalent of `torch.nn.functional.leaky_relu`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn leaky_relu(&self, slope: f32) -> Self {
        let y = ops::leaky_relu(self.value(), slope);
        let bwd = move |kept: &Tensor, dy: &Tensor| ops::leaky_relu_bwd_x(kept, dy, slope);
        // A negative slope turns the sign, and the output no longer tells that of the input.
        if slope >= 0.0 { from_output("leaky_relu", self, y, bwd) } else { from_input("leaky_relu", self, y, bwd) }
    }

    /// `min(max(x, 0), 6)`. Equivalent of `torch.nn.functional.relu6`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn relu6(&self) -> Self {
        from_output("relu6", self, ops::relu6(self.value()), ops::relu6_bwd_x)
    }

    /// `x` where it is positive, else `alpha * (exp(x) - 1)`. Equivalent of `torch.nn.functional.elu`.
    ///
    /// # Panics
    /// If `alpha` is negative, and as [`relu`](Self::relu).
    #[track_caller]
    pub fn elu(&self, alpha: f32) -> Self {
        from_output("elu", self, ops::elu(self.value(), alpha), move |y, dy| ops::elu_bwd_x(y, dy, alpha))
    }

    /// [`elu`](Self::elu) with the alpha and the scale that keep mean 0 and variance 1. Equivalent of `torch.nn.functional.selu`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn selu(&self) -> Self {
        from_output("selu", self, ops::selu(self.value()), ops::selu_bwd_x)
    }

    /// `min(max(x + 3, 0), 6) / 6`. Equivalent of `torch.nn.functional.hardsigmoid`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn hardsigmoid(&self) -> Self {
        from_output("hardsigmoid", self, ops::hardsigmoid(self.value()), ops::hardsigmoid_bwd_x)
    }

    /// `x * hardsigmoid(x)`. Equivalent of `torch.nn.functional.hardswish`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn hardswish(&self) -> Self {
        from_input("hardswish", self, ops::hardswish(self.value()), ops::hardswish_bwd_x)
    }

    /// `1 / (1 + exp(-x))`. Equivalent of `torch.sigmoid`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn sigmoid(&self) -> Self {
        from_output("sigmoid", self, ops::sigmoid(self.value()), ops::sigmoid_bwd_x)
    }

    /// The hyperbolic tangent. Equivalent of `torch.tanh`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn tanh(&self) -> Self {
        from_output("tanh", self, ops::tanh(self.value()), ops::tanh_bwd_x)
    }

    /// `ln(1 + exp(beta * x)) / beta`, and `x` where `beta * x > threshold`. Equivalent of `torch.nn.functional.softplus`.
    ///
    /// # Panics
    /// If `beta` is not positive, and as [`relu`](Self::relu).
    #[track_caller]
    pub fn softplus(&self, beta: f32, threshold: f32) -> Self {
        let y = ops::softplus(self.value(), beta, threshold);
        from_input("softplus", self, y, move |x, dy| ops::softplus_bwd_x(x, dy, beta, threshold))
    }

    /// `x * sigmoid(x)`. Equivalent of `torch.nn.functional.silu`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn silu(&self) -> Self {
        from_input("silu", self, ops::silu(self.value()), ops::silu_bwd_x)
    }

    /// `x` times the part of a normal distribution below it. Equivalent of `torch.nn.functional.gelu`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn gelu(&self) -> Self {
        from_input("gelu", self, ops::gelu(self.value()), ops::gelu_bwd_x)
    }

    /// [`gelu`](Self::gelu) approximated by a tangent. Equivalent of `torch.nn.functional.gelu(approximate="tanh")`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn gelu_tanh(&self) -> Self {
        from_input("gelu_tanh", self, ops::gelu_tanh(self.value()), ops::gelu_tanh_bwd_x)
    }

    /// `x * tanh(softplus(x))`. Equivalent of `torch.nn.functional.mish`.
    ///
    /// # Panics
    /// As [`relu`](Self::relu).
    #[track_caller]
    pub fn mish(&self) -> Self {
        from_input("mish", self, ops::mish(self.value()), ops::mish_bwd_x)
    }

    /// `exp(x) / sum exp(x)` along `axis`. Equivalent of `torch.softmax`.
    ///
    /// # Panics
    /// If there is no such axis, and as [`relu`](Self::relu).
    #[track_caller]
    pub fn softmax(&self, axis: usize) -> Self {
        from_output("softmax", self, ops::softmax(self.value(), axis), move |y, dy| ops::softmax_bwd_x(y, dy, axis))
    }

    /// The logarithm of [`softmax`](Self::softmax). Equivalent of `torch.log_softmax`.
    ///
    /// # Panics
    /// If there is no such axis, and as [`relu`](Self::relu).
    #[track_caller]
    pub fn log_softmax(&self, axis: usize) -> Self {
        from_output("log_softmax", self, ops::log_softmax(self.value(), axis), move |y, dy| ops::log_softmax_bwd_x(y, dy, axis))
    }
}
