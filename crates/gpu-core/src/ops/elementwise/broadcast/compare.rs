//! Comparisons and logic: truths, a byte each.

use super::operands::{self, Params, shape_of};
use crate::base::DType;
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;

const WGSL: &str = concat!(wgsl!("math.wgsl"), wgsl!("broadcast.wgsl"), wgsl!("compare.wgsl"));
pub(super) static COMPARE: Kernel = kernel!(WGSL, "compare", compare_cpu);
pub(super) static LOGICAL_NOT: Kernel = Kernel::new_trusted(WGSL, "logical_not", logical_not_cpu);

const EQ: u32 = 0;
const NE: u32 = 1;
const LT: u32 = 2;
const LE: u32 = 3;
const GT: u32 = 4;
const GE: u32 = 5;
const AND: u32 = 6;
const OR: u32 = 7;

const FLOAT: u32 = 0;
const SIGNED: u32 = 1;
const UNSIGNED: u32 = 2;
const TRUTH: u32 = 3;

fn compare_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (op, kind, y) = (args.constant("OP"), args.constant("TYPE"), args.output::<u8>(0));
    match kind {
        FLOAT => compared::<T>(&p, op, args.input(0), args.input(1), y),
        SIGNED => compared::<i32>(&p, op, args.input(0), args.input(1), y),
        UNSIGNED => compared::<u32>(&p, op, args.input(0), args.input(1), y),
        _ => match op {
            AND => operands::zip(&p, args.input::<u8>(0), args.input::<u8>(1), y, |a, b| a & b),
            OR => operands::zip(&p, args.input::<u8>(0), args.input::<u8>(1), y, |a, b| a | b),
            _ => compared::<u8>(&p, op, args.input(0), args.input(1), y),
        },
    }
}

fn compared<T: Copy + PartialOrd + Sync>(p: &Params, op: u32, a: &[T], b: &[T], y: &mut [u8]) {
    match op {
        EQ => operands::zip(p, a, b, y, |a, b| (a == b).into()),
        NE => operands::zip(p, a, b, y, |a, b| (a != b).into()),
        LT => operands::zip(p, a, b, y, |a, b| (a < b).into()),
        LE => operands::zip(p, a, b, y, |a, b| (a <= b).into()),
        GT => operands::zip(p, a, b, y, |a, b| (a > b).into()),
        _ => operands::zip(p, a, b, y, |a, b| (a >= b).into()),
    }
}

fn logical_not_cpu(args: &mut Args<'_>) {
    mirror::map(args.input(0), args.output(0), |x: u8| x ^ 1);
}

/// The constant TYPE of what `a` and `b` hold.
#[track_caller]
fn kind(op: &str, named: &expect::Named<'_>, logic: bool) -> u32 {
    let [a, b] = [named[0].1.dtype(), named[1].1.dtype()];
    assert!(a == b, "{op}: a holds {a}, b {b} ({})", expect::shapes(named));
    expect::one_device(op, named);
    match a {
        DType::Bool => TRUTH,
        DType::I32 if !logic => SIGNED,
        DType::U32 if !logic => UNSIGNED,
        _ if a == named[0].1.device().float_dtype() && !logic => FLOAT,
        _ if logic => panic!("{op}: a and b hold {a}, not bool ({})", expect::shapes(named)),
        _ => panic!("{op}: a and b hold {a}, not f32, i32, u32 or bool ({})", expect::shapes(named)),
    }
}

#[track_caller]
fn compare(name: &str, op: u32, logic: bool, a: &Tensor, b: &Tensor) -> Tensor {
    let named = [("a", a), ("b", b)];
    let kind = kind(name, &named, logic);
    let y = Tensor::empty_of(a.device(), shape_of(name, &named), DType::Bool);
    operands::launch(&COMPARE, &[("OP", op), ("TYPE", kind)], &[a, b], &y, 1.0);
    y
}

/// Whether `a` equals `b`, element by element, with broadcasting, of f32, i32, u32 or bool. Equivalent of `torch.eq`.
///
/// # Panics
/// If the shapes do not broadcast, or the tensors do not both hold one of these types or lie on two devices; likewise for the other
/// comparisons.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, f32::NAN, 3.0]);
/// assert_eq!(ops::eq(&a, &a).read::<bool>()?, [true, false, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn eq(a: &Tensor, b: &Tensor) -> Tensor {
    compare("eq", EQ, false, a, b)
}

/// Whether `a` differs from `b`; of a NaN it does. Equivalent of `torch.ne`.
///
/// # Panics
/// As [`eq`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[1i32, 2, 3]);
/// let b = Tensor::from_slice(&Device::Cpu, [1], &[2i32]);
/// assert_eq!(ops::ne(&a, &b).read::<bool>()?, [true, false, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn ne(a: &Tensor, b: &Tensor) -> Tensor {
    compare("ne", NE, false, a, b)
}

/// Whether `a < b`. Equivalent of `torch.lt`.
///
/// # Panics
/// As [`eq`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[-1i32, 2, 3]);
/// let b = Tensor::from_slice(&Device::Cpu, [1], &[2i32]);
/// assert_eq!(ops::lt(&a, &b).read::<bool>()?, [true, false, false]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn lt(a: &Tensor, b: &Tensor) -> Tensor {
    compare("lt", LT, false, a, b)
}

/// Whether `a <= b`. Equivalent of `torch.le`.
///
/// # Panics
/// As [`eq`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3], &[1u32, 2, 3]);
/// let b = Tensor::from_slice(&Device::Cpu, [1], &[2u32]);
/// assert_eq!(ops::le(&a, &b).read::<bool>()?, [true, true, false]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn le(a: &Tensor, b: &Tensor) -> Tensor {
    compare("le", LE, false, a, b)
}

/// Whether `a > b`. Equivalent of `torch.gt`.
///
/// # Panics
/// As [`eq`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-1.0f32, 0.0, 2.0]);
/// assert_eq!(ops::gt(&x, &Tensor::scalar(&Device::Cpu, 0.0)).read::<bool>()?, [false, false, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn gt(a: &Tensor, b: &Tensor) -> Tensor {
    compare("gt", GT, false, a, b)
}

/// Whether `a >= b`. Equivalent of `torch.ge`.
///
/// # Panics
/// As [`eq`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-1.0f32, 0.0, 2.0]);
/// assert_eq!(ops::ge(&x, &Tensor::scalar(&Device::Cpu, 0.0)).read::<bool>()?, [false, true, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn ge(a: &Tensor, b: &Tensor) -> Tensor {
    compare("ge", GE, false, a, b)
}

/// Whether both `a` and `b` hold, with broadcasting, of bool. Equivalent of `torch.logical_and`.
///
/// # Panics
/// If the shapes do not broadcast, a tensor does not hold bool, or they lie on two devices; likewise for [`logical_or`] and
/// [`logical_xor`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 1], &[false, true]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[false, true]);
/// assert_eq!(ops::logical_and(&a, &b).read::<bool>()?, [false, false, false, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn logical_and(a: &Tensor, b: &Tensor) -> Tensor {
    compare("logical_and", AND, true, a, b)
}

/// Whether `a` or `b` holds. Equivalent of `torch.logical_or`.
///
/// # Panics
/// As [`logical_and`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 1], &[false, true]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[false, true]);
/// assert_eq!(ops::logical_or(&a, &b).read::<bool>()?, [false, true, true, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn logical_or(a: &Tensor, b: &Tensor) -> Tensor {
    compare("logical_or", OR, true, a, b)
}

/// Whether one of `a` and `b` holds and the other does not. Equivalent of `torch.logical_xor`.
///
/// # Panics
/// As [`logical_and`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 1], &[false, true]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[false, true]);
/// assert_eq!(ops::logical_xor(&a, &b).read::<bool>()?, [false, true, true, false]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn logical_xor(a: &Tensor, b: &Tensor) -> Tensor {
    compare("logical_xor", NE, true, a, b)
}

/// Whether `x` does not hold, of bool. Equivalent of `torch.logical_not`.
///
/// # Panics
/// If `x` does not hold bool.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[false, true]);
/// assert_eq!(ops::logical_not(&x).read::<bool>()?, [true, false]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn logical_not(x: &Tensor) -> Tensor {
    expect::dtype("logical_not", ("x", x), DType::Bool);
    let y = Tensor::empty_of(x.device(), x.shape(), DType::Bool);
    let words = x.len().div_ceil(4);
    let grid = crate::kernel::Grid::linear(words.div_ceil(4), 256);
    LOGICAL_NOT.with(&[("OP", 0), ("TYPE", TRUTH), ("FORM", 0)]).launch(Params::flat(words), &[x], &[&y], grid);
    y
}
