//! Gradients clipped in place, by the norm of all together or one by one, without a look from the host.
//!
//! `norm = sqrt(sum over all tensors of g^2)`, then `g *= min(1, max_norm / (norm + 1e-6))`; or `g = clamp(g, -limit, limit)`. The sum
//! is made in two stages of fixed order.

use super::parameters::{GROUP, parts};
use crate::base::Shape;
use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::mirror::{self, CHUNK};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("clip.wgsl");
static SQUARE_SUMS: Kernel = Kernel::new_trusted(WGSL, "square_sums", square_sums_cpu);
static NORM_OF_SUMS: Kernel = Kernel::new_trusted(WGSL, "norm_of_sums", norm_of_sums_cpu);
static CLIP_NORM: Kernel = Kernel::new_trusted(WGSL, "clip_norm", clip_norm_cpu);
static CLIP_VALUE: Kernel = Kernel::new_trusted(WGSL, "clip_value", clip_value_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&SQUARE_SUMS, &NORM_OF_SUMS, &CLIP_NORM, &CLIP_VALUE];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    at: u32,
    limit: f32,
}

fn square_sums_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, sums) = (args.input::<f32>(0), args.output::<f32>(0));
    let parts = parts(x.len());
    let part = x.len().div_ceil(parts).max(1);
    let sums = &mut sums[p.at as usize..][..parts];
    sums.fill(0.0);
    sums.par_iter_mut().zip(x.par_chunks(part)).run(|(sum, x)| *sum = mirror::sum_by(x, |v| v * v) as f32);
}

fn norm_of_sums_cpu(args: &mut Args<'_>) {
    let (sums, norm) = (args.input::<f32>(0), args.output::<f32>(0));
    norm[0] = mirror::sum_by(sums, |v| v).sqrt() as f32;
}

fn clip_norm_cpu(args: &mut Args<'_>) {
    let limit = args.params::<Params>().limit;
    let (norm, y) = (args.input::<f32>(0), args.output::<f32>(0));
    let divisor = norm[0] + 1e-6;
    // Not `divisor > limit`: a norm that is not a number must spoil the gradients, not pass.
    if divisor <= limit {
        return;
    }
    y.par_chunks_mut(CHUNK).run(|y| y.iter_mut().for_each(|y| *y *= limit / divisor));
}

fn clip_value_cpu(args: &mut Args<'_>) {
    let limit = args.params::<Params>().limit;
    args.output::<f32>(0).par_chunks_mut(CHUNK).run(|y| y.iter_mut().for_each(|y| *y = y.clamp(-limit, limit)));
}

#[track_caller]
fn expect_limit(op: &str, name: &str, limit: f32) {
    assert!(limit.is_finite() && limit >= 0.0, "{op}: {name} {limit} is not a number of 0 or more");
}

/// The Euclidean norm of all elements of all `tensors` together, as a scalar. Equivalent of `torch.nn.utils.get_total_norm`.
///
/// # Panics
/// If there is no tensor, or one does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (a, b) = (Tensor::full(&Device::Cpu, [2, 2], 3.0), Tensor::full(&Device::Cpu, [1], 8.0));
/// assert_eq!(ops::total_norm(&[&a, &b]).item()?, 10.0);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn total_norm(tensors: &[&Tensor]) -> Tensor {
    let Some(first) = tensors.first() else { panic!("total_norm: of no tensor at all") };
    for t in tensors {
        expect::f32s("total_norm", &[("tensor", t)]);
    }
    let tensors: Vec<&Tensor> = tensors.iter().copied().filter(|t| !t.is_empty()).collect();
    let count: usize = tensors.iter().map(|t| parts(t.len())).sum();
    if count == 0 {
        return Tensor::zeros(first.device(), Shape::SCALAR);
    }
    let (sums, norm) = (Tensor::empty(first.device(), [count]), Tensor::empty(first.device(), Shape::SCALAR));
    let mut at = 0;
    for t in tensors {
        let parts = parts(t.len());
        let params = Params { len: t.len() as u32, at: at as u32, limit: 0.0 };
        let trips = t.len().div_ceil(GROUP * parts) + 8;
        SQUARE_SUMS.launch(params, &[t], &[&sums], Grid::folded(parts).trips(trips));
        at += parts;
    }
    let params = Params { len: count as u32, at: 0, limit: 0.0 };
    NORM_OF_SUMS.launch(params, &[&sums], &[&norm], Grid::folded(1).trips(count.div_ceil(256) + 8));
    norm
}

/// Scales `tensors` in place by `min(1, max_norm / (norm + 1e-6))`, where `norm` is their [`total_norm`]. Equivalent of
/// `torch.nn.utils.clip_grads_with_norm_`.
///
/// # Panics
/// If a tensor does not hold f32, `norm` is not one element, or `max_norm` is negative or not finite.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let g = Tensor::full(&Device::Cpu, [4], 3.0);
/// ops::clip_with_norm(&[&g], &ops::total_norm(&[&g]), 2.0);
/// assert!(g.to_vec()?.iter().all(|v| (v - 1.0).abs() < 1e-6));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn clip_with_norm(tensors: &[&Tensor], norm: &Tensor, max_norm: f32) {
    expect_limit("clip_with_norm", "max_norm", max_norm);
    expect::f32s("clip_with_norm", &[("norm", norm)]);
    assert!(norm.len() == 1, "clip_with_norm: the norm is one element (norm {})", norm.shape());
    for t in tensors {
        expect::f32s("clip_with_norm", &[("tensor", t), ("norm", norm)]);
        let params = Params { len: t.len() as u32, at: 0, limit: max_norm };
        CLIP_NORM.launch(params, &[norm], &[t], Grid::linear(t.len().div_ceil(4), 256));
    }
}

/// [`total_norm`] and [`clip_with_norm`]: scales gradients in place so that the norm of all together is at most `max_norm`, and
/// gives the norm that it was. Equivalent of `torch.nn.utils.clip_grad_norm_`.
///
/// # Panics
/// As both.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (a, b) = (Tensor::full(&Device::Cpu, [2, 2], 3.0), Tensor::full(&Device::Cpu, [1], 8.0));
/// assert_eq!(ops::clip_grad_norm(&[&a, &b], 5.0).item()?, 10.0);
/// assert!((b.item()? - 4.0).abs() < 1e-5);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn clip_grad_norm(tensors: &[&Tensor], max_norm: f32) -> Tensor {
    expect_limit("clip_grad_norm", "max_norm", max_norm);
    let norm = total_norm(tensors);
    clip_with_norm(tensors, &norm, max_norm);
    norm
}

/// `g = clamp(g, -limit, limit)`, in place. Equivalent of `torch.nn.utils.clip_grad_value_`.
///
/// # Panics
/// If a tensor does not hold f32, or `limit` is negative or not finite.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let g = Tensor::from_slice(&Device::Cpu, [3], &[-3.0f32, 0.2, 0.7]);
/// ops::clip_grad_value(&[&g], 0.5);
/// assert_eq!(g.to_vec()?, [-0.5, 0.2, 0.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn clip_grad_value(tensors: &[&Tensor], limit: f32) {
    expect_limit("clip_grad_value", "limit", limit);
    for t in tensors {
        expect::f32s("clip_grad_value", &[("tensor", t)]);
        let params = Params { len: t.len() as u32, at: 0, limit };
        CLIP_VALUE.launch(params, &[], &[t], Grid::linear(t.len().div_ceil(4), 256));
    }
}
