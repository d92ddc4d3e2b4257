//! What operators expect of their tensors. Every message begins with the operator's name and ends with the shapes.

use crate::base::{DType, MAX_ELEMENTS, Shape};
use crate::tensor::Tensor;
use std::ops::RangeInclusive;

/// Tensors with the names that messages call them.
pub(crate) type Named<'a> = [(&'a str, &'a Tensor)];

/// `x [2, 3], w [4, 5]`.
pub(crate) fn shapes(tensors: &Named<'_>) -> String {
    let each: Vec<String> = tensors.iter().map(|(name, t)| format!("{name} {}", t.shape())).collect();
    each.join(", ")
}

/// All on the device of the first.
#[track_caller]
pub(crate) fn one_device(op: &str, tensors: &Named<'_>) {
    let Some((first, rest)) = tensors.split_first() else { return };
    for (name, t) in rest {
        let (here, there) = (t.device(), first.1.device());
        assert!(here == there, "{op}: {} lies on {}, {name} on {} ({})", first.0, there.name(), here.name(), shapes(tensors));
    }
}

/// All on one device, and all f32 (on `Device::cpu_f64`, f64).
#[track_caller]
pub(crate) fn f32s(op: &str, tensors: &Named<'_>) {
    for (name, t) in tensors {
        assert!(t.dtype() == t.device().float_dtype(), "{op}: {name} holds {}, not f32 ({})", t.dtype(), shapes(tensors));
    }
    one_device(op, tensors);
}

/// All as [`f32s`], or all f16: which of the two.
#[track_caller]
pub(crate) fn f32s_or_halves(op: &str, tensors: &Named<'_>) -> DType {
    if tensors.iter().all(|(_, t)| t.dtype() == DType::F16) {
        one_device(op, tensors);
        return DType::F16;
    }
    f32s(op, tensors);
    DType::F32
}

/// All on one device, and each as [`f32s`], or f16.
#[track_caller]
pub(crate) fn floats(op: &str, tensors: &Named<'_>) {
    let names: Vec<&str> = tensors.iter().map(|(name, _)| *name).collect();
    f32s_and_halves(op, tensors, &names);
}

/// All as [`f32s`], but that those called `halves` may be f16.
#[track_caller]
pub(crate) fn f32s_and_halves(op: &str, tensors: &Named<'_>, halves: &[&str]) {
    for (name, t) in tensors {
        let (may_be, dtype) = (halves.contains(name), t.dtype());
        let wanted = if may_be { "f32 or f16" } else { "f32" };
        let fits = dtype == t.device().float_dtype() || (may_be && dtype == DType::F16);
        assert!(fits, "{op}: {name} holds {dtype}, not {wanted} ({})", shapes(tensors));
    }
    one_device(op, tensors);
}

/// A tensor of this type.
#[track_caller]
pub(crate) fn dtype(op: &str, (name, t): (&str, &Tensor), wanted: DType) {
    assert!(t.dtype() == wanted, "{op}: {name} holds {}, not {wanted} ({name} {})", t.dtype(), t.shape());
}

/// A tensor of such a rank.
#[track_caller]
pub(crate) fn rank(op: &str, (name, t): (&str, &Tensor), wanted: RangeInclusive<usize>) {
    let (least, most) = (*wanted.start(), *wanted.end());
    let range = if least == most { least.to_string() } else { format!("{least} to {most}") };
    assert!(wanted.contains(&t.shape().rank()), "{op}: {name} has rank {}, not {range} ({name} {})", t.shape().rank(), t.shape());
}

/// All of one shape.
#[track_caller]
pub(crate) fn one_shape(op: &str, tensors: &Named<'_>) {
    let differ = tensors.windows(2).any(|pair| pair[0].1.shape() != pair[1].1.shape());
    assert!(!differ, "{op}: the shapes differ ({})", shapes(tensors));
}

/// The largest number of a geometry (a stride, an amount of padding): kernels take them in 31 bits, and the product of two with the
/// extents of a tensor stays in 64.
pub(crate) const MAX_NUMBER: usize = i32::MAX as usize;

/// That the numbers of a geometry, and the extents of `x` that it is for, are ones that kernels can take; or a sentence.
pub(crate) fn sizes(x: Shape, numbers: &[usize]) -> Result<(), String> {
    match numbers.iter().max() {
        Some(largest) if *largest > MAX_NUMBER => Err(format!("{largest} is over {MAX_NUMBER} (x {x})")),
        _ => countable(x).map(drop),
    }
}

/// A shape whose elements kernels can number; or a sentence.
pub(crate) fn countable(shape: Shape) -> Result<Shape, String> {
    match shape.checked_len().is_some_and(|len| len <= MAX_ELEMENTS) {
        true => Ok(shape),
        false => Err(format!("{shape} has more elements than the {MAX_ELEMENTS} that kernels can number")),
    }
}

/// What a geometry gives; a panic that says why where it gives nothing.
#[track_caller]
pub(crate) fn fits<T>(op: &str, result: Result<T, String>) -> T {
    // Not by a closure: it would be the caller.
    match result {
        Ok(value) => value,
        Err(why) => panic!("{op}: {why}"),
    }
}
