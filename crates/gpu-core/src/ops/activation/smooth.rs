//! Functions with a derivative everywhere.

use super::{backward, forward, kind};
use crate::tensor::Tensor;

/// `1 / (1 + exp(-x))`. Equivalent of `torch.sigmoid`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-200.0f32, 0.0, 200.0]);
/// assert_eq!(ops::sigmoid(&x).to_vec()?, [0.0, 0.5, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sigmoid(x: &Tensor) -> Tensor {
    forward("sigmoid", kind::SIGMOID, [0.0; 2], x)
}

/// dX of [`sigmoid`] from its output `y`: `dy * y * (1 - y)`. What PyTorch's autograd computes for `torch.sigmoid`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [2], &[0.5f32, 1.0]);
/// assert_eq!(ops::sigmoid_bwd_x(&y, &Tensor::full(&Device::Cpu, [2], 8.0)).to_vec()?, [2.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sigmoid_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("sigmoid_bwd_x", kind::SIGMOID, [0.0; 2], ("y", y), dy)
}

/// The hyperbolic tangent. Equivalent of `torch.tanh`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-200.0f32, 0.0, 200.0]);
/// assert_eq!(ops::tanh(&x).to_vec()?, [-1.0, 0.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn tanh(x: &Tensor) -> Tensor {
    forward("tanh", kind::TANH, [0.0; 2], x)
}

/// dX of [`tanh`] from its output `y`: `dy * (1 - y^2)`. What PyTorch's autograd computes for `torch.tanh`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = Tensor::from_slice(&Device::Cpu, [2], &[0.5f32, 1.0]);
/// assert_eq!(ops::tanh_bwd_x(&y, &Tensor::full(&Device::Cpu, [2], 8.0)).to_vec()?, [6.0, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn tanh_bwd_x(y: &Tensor, dy: &Tensor) -> Tensor {
    backward("tanh_bwd_x", kind::TANH, [0.0; 2], ("y", y), dy)
}

#[track_caller]
fn expect_beta(op: &str, beta: f32, x: &Tensor) {
    assert!(beta > 0.0, "{op}: beta {beta} is not positive (x {})", x.shape());
}

/// `ln(1 + exp(beta * x)) / beta`, and `x` itself where `beta * x > threshold`. Equivalent of
/// `torch.nn.functional.softplus(x, beta, threshold)`,
/// whose defaults are 1 and 20.
///
/// # Panics
/// If `beta` is not positive, or `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-200.0f32, 0.0, 200.0]);
/// assert_eq!(ops::softplus(&x, 1.0, 20.0).to_vec()?, [0.0, 2f32.ln(), 200.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn softplus(x: &Tensor, beta: f32, threshold: f32) -> Tensor {
    expect_beta("softplus", beta, x);
    forward("softplus", kind::SOFTPLUS, [beta, threshold], x)
}

/// dX of [`softplus`] from its input `x`: `dy * sigmoid(beta * x)`, and `dy` beyond the threshold. What PyTorch's autograd computes
/// for `torch.nn.functional.softplus`.
///
/// # Panics
/// If `beta` is not positive, the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 200.0]);
/// assert_eq!(ops::softplus_bwd_x(&x, &Tensor::full(&Device::Cpu, [2], 8.0), 1.0, 20.0).to_vec()?, [4.0, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn softplus_bwd_x(x: &Tensor, dy: &Tensor, beta: f32, threshold: f32) -> Tensor {
    expect_beta("softplus_bwd_x", beta, x);
    backward("softplus_bwd_x", kind::SOFTPLUS, [beta, threshold], ("x", x), dy)
}

/// `x * sigmoid(x)`, also called swish. Equivalent of `torch.nn.functional.silu`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 200.0]);
/// assert_eq!(ops::silu(&x).to_vec()?, [0.0, 200.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn silu(x: &Tensor) -> Tensor {
    forward("silu", kind::SILU, [0.0; 2], x)
}

/// dX of [`silu`] from its input `x`. What PyTorch's autograd computes for `torch.nn.functional.silu`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 200.0]);
/// assert_eq!(ops::silu_bwd_x(&x, &Tensor::full(&Device::Cpu, [2], 8.0)).to_vec()?, [4.0, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn silu_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("silu_bwd_x", kind::SILU, [0.0; 2], ("x", x), dy)
}

/// `x` times the part of a normal distribution below it: `x * (1 + erf(x / sqrt 2)) / 2`. Equivalent of `torch.nn.functional.gelu`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = ops::gelu(&Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 200.0])).to_vec()?;
/// assert!((y[0] - 0.8413447).abs() < 1e-6 && y[1] == 200.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gelu(x: &Tensor) -> Tensor {
    forward("gelu", kind::GELU, [0.0; 2], x)
}

/// dX of [`gelu`] from its input `x`. What PyTorch's autograd computes for `torch.nn.functional.gelu`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 200.0]);
/// assert_eq!(ops::gelu_bwd_x(&x, &Tensor::full(&Device::Cpu, [2], 8.0)).to_vec()?, [4.0, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gelu_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("gelu_bwd_x", kind::GELU, [0.0; 2], ("x", x), dy)
}

/// The approximation of [`gelu`] by a tangent: `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2`. Equivalent of
/// `torch.nn.functional.gelu(x, approximate="tanh")`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = ops::gelu_tanh(&Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 200.0])).to_vec()?;
/// assert!((y[0] - 0.841192).abs() < 1e-6 && y[1] == 200.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gelu_tanh(x: &Tensor) -> Tensor {
    forward("gelu_tanh", kind::GELU_TANH, [0.0; 2], x)
}

/// dX of [`gelu_tanh`] from its input `x`. What PyTorch's autograd computes for `torch.nn.functional.gelu(x, approximate="tanh")`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[0.0f32, 200.0]);
/// assert_eq!(ops::gelu_tanh_bwd_x(&x, &Tensor::full(&Device::Cpu, [2], 8.0)).to_vec()?, [4.0, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gelu_tanh_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("gelu_tanh_bwd_x", kind::GELU_TANH, [0.0; 2], ("x", x), dy)
}

/// `x * tanh(softplus(x))`. Equivalent of `torch.nn.functional.mish`.
///
/// # Panics
/// If `x` does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let y = ops::mish(&Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 200.0])).to_vec()?;
/// assert!((y[0] - 0.8650984).abs() < 1e-6 && y[1] == 200.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn mish(x: &Tensor) -> Tensor {
    forward("mish", kind::MISH, [0.0; 2], x)
}

/// dX of [`mish`] from its input `x`. What PyTorch's autograd computes for `torch.nn.functional.mish`.
///
/// # Panics
/// If the shapes differ, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let dx = ops::mish_bwd_x(&Tensor::zeros(&Device::Cpu, [1]), &Tensor::full(&Device::Cpu, [1], 5.0)).to_vec()?;
/// assert!((dx[0] - 3.0).abs() < 1e-6);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn mish_bwd_x(x: &Tensor, dy: &Tensor) -> Tensor {
    backward("mish_bwd_x", kind::MISH, [0.0; 2], ("x", x), dy)
}
