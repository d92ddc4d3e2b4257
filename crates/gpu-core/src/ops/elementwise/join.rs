//! The sum of two parts of a batch, to the same bits on a device and on a host.

use crate::base::joined;
use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror::CHUNK;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("join.wgsl");
static JOIN: Kernel = Kernel::new_trusted(WGSL, "join", join_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&JOIN];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
}

fn join_cpu(args: &mut Args<'_>) {
    let (x, y) = (args.input::<f32>(0), args.output::<f32>(0));
    y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).run(|(y, x)| y.iter_mut().zip(x).for_each(|(y, &x)| *y = joined(x, *y)));
}

/// `y = x + y` in place: the sums of two parts of a batch, to the bits of [`joined`] on every device. Subnormal numbers, which a GPU may
/// take for zero, count as +0. The shapes may differ, the lengths not; what lies behind `y` in its buffer stays as it is.
/// PyTorch's `y.add_(x)`, under `torch.set_flush_denormal(True)`.
///
/// # Panics
/// If the lengths differ, a tensor does not hold f32, or both lie in one buffer.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (x, y) = (Tensor::full(&Device::Cpu, [2], 3.0), Tensor::full(&Device::Cpu, [2], 1e-40));
/// ops::join(&x, &y);
/// assert_eq!(y.to_vec()?, [3.0, 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn join(x: &Tensor, y: &Tensor) {
    expect::f32s("join", &[("x", x), ("y", y)]);
    assert!(x.len() == y.len(), "join: lengths differ (x {}, y {})", x.shape(), y.shape());
    JOIN.launch(Params { len: x.len() as u32 }, &[x], &[y], Grid::linear(x.len().div_ceil(4), 256));
}
