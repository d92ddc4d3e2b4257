//! A choice between two tensors, element by element. (`where` is a word of Rust and of WGSL.)

use super::operands::{self, Params, shape_of};
use crate::base::DType;
use crate::expect;
use crate::kernel::{Args, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;

const WGSL: &str = concat!(wgsl!("broadcast.wgsl"), wgsl!("where.wgsl"));
pub(super) static WHERE: Kernel = kernel!(WGSL, "where_", where_cpu);

// Integers pass as floats: they are moved, not computed with.
fn where_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let operands: (&[u8], &[T], &[T]) = (args.input(0), args.input(1), args.input(2));
    operands::zip3(&p, operands, args.output(0), |cond, a, b| if cond != 0 { a } else { b });
}

/// `a` where `cond` (bool) holds, `b` elsewhere; all three broadcast, `a` and `b` hold f32, i32 or u32. Equivalent of `torch.where`.
/// The gradients are `where_(cond, dy, 0)` and `where_(cond, 0, dy)`.
///
/// # Panics
/// If the shapes do not broadcast, `cond` does not hold bool, `a` and `b` do not both hold one of these types, or they lie on
/// several devices.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[-1.0f32, 0.5, 2.0]);
/// let zero = Tensor::scalar(&Device::Cpu, 0.0);
/// assert_eq!(ops::where_(&ops::gt(&x, &zero), &x, &zero).to_vec()?, [0.0, 0.5, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn where_(cond: &Tensor, a: &Tensor, b: &Tensor) -> Tensor {
    let named = [("cond", cond), ("a", a), ("b", b)];
    let shapes = || expect::shapes(&named);
    assert!(cond.dtype() == DType::Bool, "where_: cond holds {}, not bool ({})", cond.dtype(), shapes());
    assert!(a.dtype() == b.dtype(), "where_: a holds {}, b {} ({})", a.dtype(), b.dtype(), shapes());
    let known = matches!(a.dtype(), DType::I32 | DType::U32) || a.dtype() == a.device().float_dtype();
    assert!(known, "where_: a and b hold {}, not f32, i32 or u32 ({})", a.dtype(), shapes());
    expect::one_device("where_", &named);
    let y = Tensor::empty_of(a.device(), shape_of("where_", &named), a.dtype());
    operands::launch(&WHERE, &[], &[cond, a, b], &y, 1.0);
    y
}
