//! Arithmetic on pairs of tensors, and one tensor spread over a larger shape.

use super::operands::{self, Params, shape_of};
use crate::base::{DType, Shape};
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;

const WGSL: &str = concat!(wgsl!("math.wgsl"), wgsl!("broadcast.wgsl"), wgsl!("binary.wgsl"));
pub(super) static BINARY: Kernel = kernel!(WGSL, "binary", binary_cpu);
pub(super) static SPREAD: Kernel = kernel!(WGSL, "spread", spread_cpu);

const ADD: u32 = 0;
const SUB: u32 = 1;
const MUL: u32 = 2;
const DIV: u32 = 3;
const MAXIMUM: u32 = 4;
const MINIMUM: u32 = 5;
const POW: u32 = 6;

// Each operation has loops of its own, which vectorise.
fn binary_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let op = args.constant("OP");
    if args.constant("INTEGERS") == 1 {
        let (a, b, y): (&[u32], &[u32], &mut [u32]) = (args.input(0), args.input(1), args.output(0));
        return match op {
            ADD => operands::zip(&p, a, b, y, u32::wrapping_add),
            SUB => operands::zip(&p, a, b, y, u32::wrapping_sub),
            _ => operands::zip(&p, a, b, y, u32::wrapping_mul),
        };
    }
    let (a, b, y): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    match op {
        ADD => operands::zip(&p, a, b, y, |a, b| a + b),
        SUB => operands::zip(&p, a, b, y, |a, b| a - b),
        MUL => operands::zip(&p, a, b, y, |a, b| a * b),
        DIV => operands::zip(&p, a, b, y, |a, b| a / b),
        // A NaN wins; of equal ones, the first.
        MAXIMUM => operands::zip(&p, a, b, y, |a: T, b| if a.is_nan() || a >= b { a } else { b }),
        MINIMUM => operands::zip(&p, a, b, y, |a: T, b| if a.is_nan() || a <= b { a } else { b }),
        _ => operands::zip(&p, a, b, y, T::powf),
    }
}

fn spread_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (factor, step) = (T::of(p.factor), p.inner()[0]);
    operands::for_each_row(&p, y, |y, [at, ..]| match step {
        0 => y.fill(factor * x[at]),
        _ => y.iter_mut().zip(&x[at..]).for_each(|(y, &x)| *y = factor * x),
    });
}

#[track_caller]
fn binary(name: &str, op: u32, a: &Tensor, b: &Tensor) -> Tensor {
    let named = [("a", a), ("b", b)];
    let integers = op <= MUL && matches!(a.dtype(), DType::I32 | DType::U32);
    if integers {
        assert!(a.dtype() == b.dtype(), "{name}: a holds {}, b {} ({})", a.dtype(), b.dtype(), expect::shapes(&named));
        expect::one_device(name, &named);
    } else {
        expect::f32s(name, &named);
    }
    let y = Tensor::empty_of(a.device(), shape_of(name, &named), if integers { a.dtype() } else { a.device().float_dtype() });
    operands::launch(&BINARY, &[("OP", op), ("INTEGERS", integers.into())], &[a, b], &y, 1.0);
    y
}

/// `a + b` with NumPy's broadcasting, of f32, or of i32 or u32 (which wrap around). Equivalent of `torch.add`.
///
/// # Panics
/// If the shapes do not broadcast, or the tensors do not both hold one of these types or lie on two devices; likewise for [`sub`] and
/// [`mul`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[10.0f32, 20.0]);
/// assert_eq!(ops::add(&a, &b).to_vec()?, [11.0, 22.0, 13.0, 24.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn add(a: &Tensor, b: &Tensor) -> Tensor {
    binary("add", ADD, a, b)
}

/// `a - b` with broadcasting, of f32, i32 or u32. Equivalent of `torch.sub`.
///
/// # Panics
/// As [`add`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 2.0, 3.0]);
/// assert_eq!(ops::sub(&a, &Tensor::scalar(&Device::Cpu, 1.0)).to_vec()?, [0.0, 1.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn sub(a: &Tensor, b: &Tensor) -> Tensor {
    binary("sub", SUB, a, b)
}

/// `a * b`, element by element, with broadcasting, of f32, i32 or u32. Equivalent of `torch.mul`.
///
/// # Panics
/// As [`add`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 1], &[2i32, 3]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[-5i32, 7]);
/// assert_eq!(ops::mul(&a, &b).read::<i32>()?, [-10, 14, -15, 21]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn mul(a: &Tensor, b: &Tensor) -> Tensor {
    binary("mul", MUL, a, b)
}

/// `a / b`, element by element, with broadcasting. Equivalent of `torch.div`.
///
/// # Panics
/// If the shapes do not broadcast, a tensor does not hold f32, or they lie on two devices; likewise for [`maximum`], [`minimum`] and
/// [`pow`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2], &[2.0f32, 3.0]);
/// assert_eq!(ops::div(&a, &Tensor::scalar(&Device::Cpu, 4.0)).to_vec()?, [0.5, 0.75]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn div(a: &Tensor, b: &Tensor) -> Tensor {
    binary("div", DIV, a, b)
}

/// The larger of `a` and `b`, element by element, with broadcasting; a NaN if one is. Equivalent of `torch.maximum`.
///
/// # Panics
/// As [`div`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[-1.0f32, 2.0, 3.0]);
/// assert_eq!(ops::maximum(&a, &Tensor::scalar(&Device::Cpu, 2.5)).to_vec()?, [2.5, 2.5, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn maximum(a: &Tensor, b: &Tensor) -> Tensor {
    binary("maximum", MAXIMUM, a, b)
}

/// The smaller of `a` and `b`, element by element, with broadcasting; a NaN if one is. Equivalent of `torch.minimum`.
///
/// # Panics
/// As [`div`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[-1.0f32, 2.0, 3.0]);
/// assert_eq!(ops::minimum(&a, &Tensor::scalar(&Device::Cpu, 2.5)).to_vec()?, [-1.0, 2.0, 2.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn minimum(a: &Tensor, b: &Tensor) -> Tensor {
    binary("minimum", MINIMUM, a, b)
}

/// `a` to the power of `b`, element by element, with broadcasting; the edge cases are C's. Equivalent of `torch.pow`. On a GPU it is an
/// exponential of a product with a logarithm: a large `b` magnifies the logarithm's error.
///
/// # Panics
/// As [`div`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[4.0f32, -2.0, 0.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [3], &[0.5f32, 3.0, 0.0]);
/// assert_eq!(ops::pow(&a, &b).to_vec()?, [2.0, -8.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pow(a: &Tensor, b: &Tensor) -> Tensor {
    binary("pow", POW, a, b)
}

/// `factor * x` at every place of a larger `shape`: the gradient of a sum, and with 1 the equivalent of
/// `x.expand(shape).contiguous()`.
/// Equivalent of `torch.broadcast_to(x, shape) * factor`.
///
/// # Panics
/// If `x` does not broadcast to `shape`, or does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 2.0]);
/// assert_eq!(ops::spread(&x, [2, 2], 0.5).to_vec()?, [0.5, 0.5, 1.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn spread(x: &Tensor, shape: impl Into<Shape>, factor: f32) -> Tensor {
    expect::f32s("spread", &[("x", x)]);
    let shape = shape.into();
    assert!(x.shape().broadcast(shape) == Some(shape), "spread: x {} does not broadcast to {shape}", x.shape());
    let y = Tensor::empty(x.device(), shape);
    // OP and INTEGERS are for its neighbour in the file.
    operands::launch(&SPREAD, &[("OP", MUL), ("INTEGERS", 0)], &[x], &y, factor);
    y
}
