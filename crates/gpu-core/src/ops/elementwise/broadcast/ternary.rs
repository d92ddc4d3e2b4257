//! Functions of three tensors: what the gradients of pairs and of reductions are made of. Each has the shape that all three broadcast
//! to; where an input was repeated, its gradient is the sum of that ([`sum_to`](crate::ops::sum_to)).

use super::operands::{self, Params, shape_of};
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;

const WGSL: &str = concat!(wgsl!("math.wgsl"), wgsl!("broadcast.wgsl"), wgsl!("ternary.wgsl"));
pub(super) static TERNARY: Kernel = kernel!(WGSL, "ternary", ternary_cpu);

const MAXIMUM: u32 = 0;
const MINIMUM: u32 = 1;
const DIV: u32 = 2;
const POW_A: u32 = 3;
const POW_B: u32 = 4;
const EQUAL: u32 = 5;
const DIFFERENCE: u32 = 6;
const EXPONENTIAL: u32 = 7;

fn ternary_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let operands: (&[T], &[T], &[T]) = (args.input(0), args.input(1), args.input(2));
    let y: &mut [T] = args.output(0);
    let (zero, one, half, factor) = (T::zero(), T::one(), T::of(0.5), T::of(p.factor));
    match args.constant("OP") {
        // A tie is split, and neither side of a NaN is cut off.
        MAXIMUM => operands::zip3(&p, operands, y, |a, b, c| pick(a < b, zero, pick(a == b, half * c, c))),
        MINIMUM => operands::zip3(&p, operands, y, |a, b, c| pick(a > b, zero, pick(a == b, half * c, c))),
        DIV => operands::zip3(&p, operands, y, |a, b, c| -c * ((a / b) / b)),
        POW_A => operands::zip3(&p, operands, y, |a: T, b, c| pick(b == zero, zero, c * (b * a.powf(b - one)))),
        POW_B => operands::zip3(&p, operands, y, |a: T, b, c| pick(a == zero && b >= zero, zero, c * (a.powf(b) * a.ln()))),
        EQUAL => operands::zip3(&p, operands, y, |a, b, c| pick(a == b, c, zero)),
        DIFFERENCE => operands::zip3(&p, operands, y, |a, b, c| factor * (a - b) * c),
        _ => operands::zip3(&p, operands, y, |a: T, b, c| c * (a - b).quick_exp()),
    }
}

fn pick<T>(condition: bool, yes: T, no: T) -> T {
    if condition { yes } else { no }
}

#[track_caller]
fn ternary(name: &str, op: u32, named: [(&str, &Tensor); 3], factor: f32) -> Tensor {
    expect::f32s(name, &named);
    let y = Tensor::empty(named[0].1.device(), shape_of(name, &named));
    operands::launch(&TERNARY, &[("OP", op)], &named.map(|(_, t)| t), &y, factor);
    y
}

/// dA of [`maximum`](super::maximum): `dy` where `a` is the larger, half of it where both are equal. By symmetry the gradient of `b`
/// is `maximum_bwd_a(b, a, dy)`. What PyTorch's autograd computes for `torch.maximum`.
///
/// # Panics
/// If the shapes do not broadcast, a tensor does not hold f32, or they lie on two devices; likewise for the others of this kind.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 2.0, 3.0]);
/// let (b, dy) = (Tensor::full(&Device::Cpu, [3], 2.0), Tensor::full(&Device::Cpu, [3], 1.0));
/// assert_eq!(ops::maximum_bwd_a(&a, &b, &dy).to_vec()?, [0.0, 0.5, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn maximum_bwd_a(a: &Tensor, b: &Tensor, dy: &Tensor) -> Tensor {
    ternary("maximum_bwd_a", MAXIMUM, [("a", a), ("b", b), ("dy", dy)], 1.0)
}

/// dA of [`minimum`](super::minimum); that of `b` is `minimum_bwd_a(b, a, dy)`. What PyTorch's autograd computes for `torch.minimum`.
///
/// # Panics
/// As [`maximum_bwd_a`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 2.0, 3.0]);
/// let (b, dy) = (Tensor::full(&Device::Cpu, [3], 2.0), Tensor::full(&Device::Cpu, [3], 1.0));
/// assert_eq!(ops::minimum_bwd_a(&a, &b, &dy).to_vec()?, [1.0, 0.5, 0.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn minimum_bwd_a(a: &Tensor, b: &Tensor, dy: &Tensor) -> Tensor {
    ternary("minimum_bwd_a", MINIMUM, [("a", a), ("b", b), ("dy", dy)], 1.0)
}

/// dB of [`div`](super::div): `-dy a / b^2`. That of `a` is `dy / b`.
///
/// # Panics
/// As [`maximum_bwd_a`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [a, b, dy] = [8.0, 2.0, 1.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::div_bwd_b(&a, &b, &dy).item()?, -2.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn div_bwd_b(a: &Tensor, b: &Tensor, dy: &Tensor) -> Tensor {
    ternary("div_bwd_b", DIV, [("a", a), ("b", b), ("dy", dy)], 1.0)
}

/// dA of [`pow`](super::pow): `dy b a^(b - 1)`, and 0 where `b` is 0. What PyTorch's autograd computes for `torch.pow`.
///
/// # Panics
/// As [`maximum_bwd_a`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [a, b, dy] = [5.0, 2.0, 1.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::pow_bwd_a(&a, &b, &dy).item()?, 10.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pow_bwd_a(a: &Tensor, b: &Tensor, dy: &Tensor) -> Tensor {
    ternary("pow_bwd_a", POW_A, [("a", a), ("b", b), ("dy", dy)], 1.0)
}

/// dB of [`pow`](super::pow): `dy a^b ln(a)`, and 0 where `a` is 0 and `b` is not negative. What PyTorch's autograd computes for
/// `torch.pow`.
///
/// # Panics
/// As [`maximum_bwd_a`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [a, b, dy] = [1.0, 2.0, 1.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::pow_bwd_b(&a, &b, &dy).item()?, 0.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pow_bwd_b(a: &Tensor, b: &Tensor, dy: &Tensor) -> Tensor {
    ternary("pow_bwd_b", POW_B, [("a", a), ("b", b), ("dy", dy)], 1.0)
}

/// dX of a largest or smallest element ([`amax`](crate::ops::amax)): `share` where `x` equals `y`, 0 elsewhere. `y` and `share` have the
/// reduced shape with its axes kept; `share` is `dy` over the number of ties ([`amax_ties`](crate::ops::amax_ties)). What PyTorch's
/// autograd computes for `torch.amax`.
///
/// # Panics
/// As [`maximum_bwd_a`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[7.0f32, 2.0, 7.0]);
/// let [y, share] = [7.0, 0.5].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::amax_bwd_x(&x, &y, &share).to_vec()?, [0.5, 0.0, 0.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn amax_bwd_x(x: &Tensor, y: &Tensor, share: &Tensor) -> Tensor {
    ternary("amax_bwd_x", EQUAL, [("x", x), ("y", y), ("share", share)], 1.0)
}

/// dX of a variance ([`var`](crate::ops::var)): `factor (x - mean) dy`, where `factor` is 2 over the degrees of freedom; `mean` and `dy`
/// have the reduced shape with its axes kept. What PyTorch's autograd computes for `torch.var`.
///
/// # Panics
/// As [`maximum_bwd_a`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 3.0]);
/// let [mean, dy] = [2.0, 1.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::var_bwd_x(&x, &mean, &dy, 1.0).to_vec()?, [-1.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn var_bwd_x(x: &Tensor, mean: &Tensor, dy: &Tensor, factor: f32) -> Tensor {
    ternary("var_bwd_x", DIFFERENCE, [("x", x), ("mean", mean), ("dy", dy)], factor)
}

/// dX of [`logsumexp`](crate::ops::logsumexp): `dy exp(x - y)`; `y` and `dy` have the reduced shape with its axes kept. What PyTorch's
/// autograd computes for `torch.logsumexp`.
///
/// # Panics
/// As [`maximum_bwd_a`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let [x, y, dy] = [3.0, 3.0, 2.0].map(|v| Tensor::scalar(&Device::Cpu, v));
/// assert_eq!(ops::logsumexp_bwd_x(&x, &y, &dy).item()?, 2.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn logsumexp_bwd_x(x: &Tensor, y: &Tensor, dy: &Tensor) -> Tensor {
    ternary("logsumexp_bwd_x", EXPONENTIAL, [("x", x), ("y", y), ("dy", dy)], 1.0)
}
