//! Elements of one type as another.
//!
//! - float to integer: without the fraction; what is out of range becomes the nearest that there is, NaN becomes 0
//! - integer to integer: the low bits, so that -1 as u8 is 255
//! - anything to a float: the nearest, the even one of two; f16 beyond 65504 is infinite from 65520 on
//! - anything to bool: whether it is not zero; NaN is true
//!
//! This is what Rust's `as` does, and PyTorch's `x.to(dtype)`, which leaves floats out of an integer's range undefined. The kernel works on
//! bits with integers alone, since WGSL lets devices round as they like: the result is the same bits everywhere.

use crate::base::DType;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror::{self, CHUNK};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use half::f16;
use half::slice::HalfFloatSliceExt;

const WGSL: &str = concat!(wgsl!("halves.wgsl"), wgsl!("cast.wgsl"));
static CAST_WORDS: Kernel = Kernel::new_trusted(WGSL, "cast_words", cast_cpu).with_f64(cast_cpu);
static CAST_NARROWING: Kernel = Kernel::new_trusted(WGSL, "cast_narrowing", cast_cpu).with_f64(cast_cpu);
static CAST_WIDENING: Kernel = Kernel::new_trusted(WGSL, "cast_widening", cast_cpu).with_f64(cast_cpu);
static CAST_NARROW: Kernel = Kernel::new_trusted(WGSL, "cast_narrow", cast_cpu).with_f64(cast_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&CAST_WORDS, &CAST_NARROWING, &CAST_WIDENING, &CAST_NARROW];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
}

/// The types by the kernel's numbers; the last is the CPU device's alone.
const TYPES: [DType; 7] = [DType::F32, DType::F16, DType::I32, DType::U32, DType::U8, DType::Bool, DType::F64];

fn code(dtype: DType) -> u32 {
    TYPES.iter().zip(0..).find(|(t, _)| **t == dtype).map_or(0, |(_, code)| code)
}

fn cast_cpu(args: &mut Args<'_>) {
    let [source, to] = ["FROM", "TO"].map(|name| TYPES[args.constant(name) as usize]);
    match (source, to) {
        // The processor has instructions for these two, which the crate calls for whole slices.
        (DType::F32, DType::F16) => {
            let (x, y): (&[f32], &mut [f16]) = (args.input(0), args.output(0));
            return mirror::for_each_chunk(y, CHUNK, &|chunk, y| y.convert_from_f32_slice(&x[chunk * CHUNK..][..y.len()]));
        }
        (DType::F16, DType::F32) => {
            let (x, y): (&[f16], &mut [f32]) = (args.input(0), args.output(0));
            return mirror::for_each_chunk(y, CHUNK, &|chunk, y| x[chunk * CHUNK..][..y.len()].convert_to_f32_slice(y));
        }
        _ => {}
    }
    // An f64 holds every element of every type.
    match source {
        DType::F32 => cast_to(args, to, |v: f32| f64::from(v), false),
        DType::F64 => cast_to(args, to, |v: f64| v, false),
        DType::F16 => cast_to(args, to, |v: f16| f64::from(v), false),
        DType::I32 => cast_to(args, to, |v: i32| f64::from(v), true),
        DType::U32 => cast_to(args, to, |v: u32| f64::from(v), true),
        DType::U8 => cast_to(args, to, |v: u8| f64::from(v), true),
        DType::Bool => cast_to(args, to, |v: u8| f64::from(u8::from(v != 0)), true),
    }
}

/// `wraps`: integers keep their low bits, floats stop at the ends.
fn cast_to<T: Pod + Send + Sync>(args: &mut Args<'_>, to: DType, value: impl Fn(T) -> f64 + Sync, wraps: bool) {
    let x = args.input(0);
    match (to, wraps) {
        (DType::F32, _) => mirror::map(x, args.output(0), |v| value(v) as f32),
        (DType::F64, _) => mirror::map(x, args.output(0), &value),
        (DType::F16, _) => mirror::map(x, args.output(0), |v| f16::from_f64(value(v))),
        (DType::Bool, _) => mirror::map(x, args.output(0), |v| u8::from(value(v) != 0.0)),
        (DType::I32, false) => mirror::map(x, args.output(0), |v| value(v) as i32),
        (DType::U32, false) => mirror::map(x, args.output(0), |v| value(v) as u32),
        (DType::U8, false) => mirror::map(x, args.output(0), |v| value(v) as u8),
        (DType::I32, true) => mirror::map(x, args.output(0), |v| value(v) as i64 as i32),
        (DType::U32, true) => mirror::map(x, args.output(0), |v| value(v) as i64 as u32),
        (DType::U8, true) => mirror::map(x, args.output(0), |v| value(v) as i64 as u8),
    }
}

/// `x` with elements of another type; the module's page says what becomes of values that do not fit. `x` itself where it has that
/// type. Equivalent of PyTorch's `x.to(dtype)`.
///
/// # Panics
/// If f64 is asked of a GPU.
///
/// ```
/// # use gpu_core::{DType, Device, Tensor, ops};
/// let x = Tensor::from_slice(&Device::Cpu, [4], &[-1.5f32, 0.0, 2.9, 300.0]);
/// assert_eq!(ops::cast(&x, DType::I32).read::<i32>()?, [-1, 0, 2, 300]);
/// assert_eq!(ops::cast(&x, DType::U8).read::<u8>()?, [0, 0, 2, 255]);
/// assert_eq!(ops::cast(&x, DType::Bool).read::<bool>()?, [true, false, true, true]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn cast(x: &Tensor, dtype: DType) -> Tensor {
    let dtype = if dtype == DType::F32 { x.device().float_dtype() } else { dtype };
    if x.dtype() == dtype {
        return x.clone();
    }
    assert!(x.device().holds(dtype), "cast: f64 is for the CPU device only (x {} on {})", x.shape(), x.device().name());
    let y = Tensor::empty_of(x.device(), x.shape(), dtype);
    let kernel = match (x.dtype().bytes() < 4, dtype.bytes() < 4) {
        (false, false) => &CAST_WORDS,
        (false, true) => &CAST_NARROWING,
        (true, false) => &CAST_WIDENING,
        (true, true) => &CAST_NARROW,
    };
    let constants = [("FROM", code(x.dtype())), ("TO", code(dtype))];
    let grid = Grid::linear(x.len().div_ceil(4), 256);
    kernel.with(&constants).launch(Params { len: x.len() as u32 }, &[x], &[&y], grid);
    y
}
