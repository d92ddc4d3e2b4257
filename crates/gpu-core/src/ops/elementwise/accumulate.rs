//! Gradients on their way into an arena, and batches' statistics into the running ones: `y = keep * y + scale * x`.

use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror::CHUNK;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("accumulate.wgsl");
static ACCUMULATE: Kernel = Kernel::new_trusted(WGSL, "accumulate", accumulate_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&ACCUMULATE];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    keep: f32,
    scale: f32,
}

fn accumulate_cpu(args: &mut Args<'_>) {
    let Params { keep, scale, .. } = args.params();
    let (x, y) = (args.input::<f32>(0), args.output::<f32>(0));
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).run(|(y, x)| match keep == 0.0 {
        true => y.iter_mut().zip(x).for_each(|(y, x)| *y = scale * x),
        false => y.iter_mut().zip(x).for_each(|(y, x)| *y = keep * *y + scale * x),
    });
}

/// `y = keep * y + scale * x` in place; with a `keep` of 0 nobody looks at what `y` was. The shapes may differ, the lengths not. What lies
/// behind `y` in its buffer stays as it is. Equivalent of `torch.Tensor.mul_(keep)` and `add_(x, alpha=scale)`.
///
/// # Panics
/// If the lengths differ, a tensor does not hold f32, or both lie in one buffer.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (x, y) = (Tensor::full(&Device::Cpu, [2], 3.0), Tensor::full(&Device::Cpu, [2], 1.0));
/// ops::accumulate(&x, &y, 0.5, 1.0);
/// assert_eq!(y.to_vec()?, [2.5, 2.5]);
/// ops::accumulate(&x, &y, 0.5, 0.0);
/// assert_eq!(y.to_vec()?, [1.5, 1.5]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn accumulate(x: &Tensor, y: &Tensor, scale: f32, keep: f32) {
    expect::f32s("accumulate", &[("x", x), ("y", y)]);
    assert!(x.len() == y.len(), "accumulate: lengths differ (x {}, y {})", x.shape(), y.shape());
    let params = Params { len: x.len() as u32, keep, scale };
    ACCUMULATE.launch(params, &[x], &[y], Grid::linear(x.len().div_ceil(4), 256));
}
