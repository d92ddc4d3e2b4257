//! Functions made of straight pieces, and the exponential units.

use super::{backward, forward, kind};
use crate::tensor::Tensor;

/// SELU's two numbers: with them, activations keep mean 0 and variance 1 from layer to layer (Klambauer et al., 2017).
pub(super) const SELU: [f32; 2] = [1.673_263_2, 1.050_701];

/// `max(x, 0)`. Equivalent of `torch.relu`; a NaN stays one.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-1.0f32, 0.0, 2.0]);
/// assert_eq!(ops::relu(&x).to_vec()?, [0.0, 0.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn relu(x: &Tensor) -> Tensor {
    forward("relu", kind::RELU, [0.0; 2], x)
}

/// dX of [`relu`] from its output `y`: `dy` where `y > 0`. What PyTorch's autograd computes for `torch.relu`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [3], &[0.0f32, 0.0, 2.0]);
/// let dy = Tensor::from_slice(&Device::Cpu, [3], &[5.0f32, 6.0, 7.0]);
/// assert_eq!(ops::relu_bwd_x(&y, &dy).to_vec()?, [0.0, 0.0, 7.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn relu_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("relu_bwd_x", kind::RELU, [0.0; 2], ("y", y), dy)
}

/// `x` where it is positive, else `slope * x`. Equivalent of `torch.nn.functional.leaky_relu(x, slope)`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[-4.0f32, 2.0]);
/// assert_eq!(ops::leaky_relu(&x, 0.25).to_vec()?, [-1.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn leaky_relu(x: &Tensor, slope: f32) -> Tensor {
    forward("leaky_relu", kind::LEAKY_RELU, [slope, 0.0], x)
}

/// dX of [`leaky_relu`] from its output `y`, or from its input, which it must be where the slope is negative: `dy` where `y > 0`,
/// else `slope * dy`. What PyTorch's autograd computes for `torch.nn.functional.leaky_relu`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [2], &[-1.0f32, 2.0]);
/// assert_eq!(ops::leaky_relu_bwd_x(&y, &Tensor::full(&Device::Cpu, [2], 8.0), 0.25).to_vec()?, [2.0, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn leaky_relu_bwd_x(y: &Tensor, dy: &Tensor, slope: f32) -> Tensor {
    backward("leaky_relu_bwd_x", kind::LEAKY_RELU, [slope, 0.0], ("y", y), dy)
}

/// `min(max(x, 0), 6)`. Equivalent of `torch.nn.functional.relu6`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-4.0f32, 2.0, 9.0]);
/// assert_eq!(ops::relu6(&x).to_vec()?, [0.0, 2.0, 6.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn relu6(x: &Tensor) -> Tensor {
    forward("relu6", kind::RELU6, [0.0; 2], x)
}

/// dX of [`relu6`] from its output `y`: `dy` where `0 < y < 6`. What PyTorch's autograd computes for `torch.nn.functional.relu6`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [3], &[0.0f32, 2.0, 6.0]);
/// assert_eq!(ops::relu6_bwd_x(&y, &y).to_vec()?, [0.0, 2.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn relu6_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("relu6_bwd_x", kind::RELU6, [0.0; 2], ("y", y), dy)
}

/// A negative `alpha` would make the sign of the output that of the input no longer.
#[track_caller]
fn expect_alpha(op: &str, alpha: f32, x: &Tensor) {
    assert!(alpha >= 0.0, "{op}: alpha {alpha} is negative (x {})", x.shape());
}

/// `x` where it is positive, else `alpha * (exp(x) - 1)`. Equivalent of `torch.nn.functional.elu(x, alpha)`.
///
/// # Panics
/// If `alpha` is negative, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[-200.0f32, 2.0]);
/// assert_eq!(ops::elu(&x, 1.5).to_vec()?, [-1.5, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn elu(x: &Tensor, alpha: f32) -> Tensor {
    expect_alpha("elu", alpha, x);
    forward("elu", kind::ELU, [alpha, 1.0], x)
}

/// dX of [`elu`] from its output `y`: `dy` where `y > 0`, else `dy * (y + alpha)`. What PyTorch's autograd computes for
/// `torch.nn.functional.elu`.
///
/// # Panics
/// If `alpha` is negative, the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [2], &[-0.75f32, 2.0]);
/// assert_eq!(ops::elu_bwd_x(&y, &Tensor::full(&Device::Cpu, [2], 4.0), 1.0).to_vec()?, [1.0, 4.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn elu_bwd_x(y: &Tensor, dy: &Tensor, alpha: f32) -> Tensor {
    expect_alpha("elu_bwd_x", alpha, y);
    backward("elu_bwd_x", kind::ELU, [alpha, 1.0], ("y", y), dy)
}

/// [`elu`] with the alpha and the scale that keep mean 0 and variance 1 from layer to layer. Equivalent of
/// `torch.nn.functional.selu`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[-200.0f32, 1.0]);
/// let y = ops::selu(&x).to_vec()?;
/// assert!((y[0] + 1.7580993).abs() < 1e-6 && (y[1] - 1.050701).abs() < 1e-6);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn selu(x: &Tensor) -> Tensor {
    forward("selu", kind::ELU, SELU, x)
}

/// dX of [`selu`] from its output `y`. What PyTorch's autograd computes for `torch.nn.functional.selu`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [1], &[2.0f32]);
/// assert_eq!(ops::selu_bwd_x(&y, &Tensor::full(&Device::Cpu, [1], 1.0)).to_vec()?, [1.050701]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn selu_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("selu_bwd_x", kind::ELU, SELU, ("y", y), dy)
}

/// `min(max(x + 3, 0), 6) / 6`. Equivalent of `torch.nn.functional.hardsigmoid`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-4.0f32, 0.0, 9.0]);
/// assert_eq!(ops::hardsigmoid(&x).to_vec()?, [0.0, 0.5, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn hardsigmoid(x: &Tensor) -> Tensor {
    forward("hardsigmoid", kind::HARDSIGMOID, [0.0; 2], x)
}

/// dX of [`hardsigmoid`] from its output `y`: `dy / 6` where `0 < y < 1`. What PyTorch's autograd computes for
/// `torch.nn.functional.hardsigmoid`,
/// except for the one `x` below 3 whose output rounds to 1.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [3], &[0.0f32, 0.5, 1.0]);
/// assert_eq!(ops::hardsigmoid_bwd_x(&y, &Tensor::full(&Device::Cpu, [3], 12.0)).to_vec()?, [0.0, 2.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn hardsigmoid_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("hardsigmoid_bwd_x", kind::HARDSIGMOID, [0.0; 2], ("y", y), dy)
}

/// `x * hardsigmoid(x)`. Equivalent of `torch.nn.functional.hardswish`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-4.0f32, 0.0, 9.0]);
/// assert_eq!(ops::hardswish(&x).to_vec()?, [0.0, 0.0, 9.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn hardswish(x: &Tensor) -> Tensor {
    forward("hardswish", kind::HARDSWISH, [0.0; 2], x)
}

/// dX of [`hardswish`] from its input `x`. What PyTorch's autograd computes for `torch.nn.functional.hardswish`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-4.0f32, 0.0, 9.0]);
/// assert_eq!(ops::hardswish_bwd_x(&x, &Tensor::full(&Device::Cpu, [3], 1.0)).to_vec()?, [0.0, 0.5, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn hardswish_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("hardswish_bwd_x", kind::HARDSWISH, [0.0; 2], ("x", x), dy)
}
