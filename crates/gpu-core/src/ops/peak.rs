//! The most multiply-adds that a device does in a second, as a yardstick for all others: `wgrad bench` states shares of it.
//!
//! Each of `len` threads follows sixteen chains `v = v / 2 + 1` for `rounds` rounds and writes their sum.

use crate::check::{Bench, Bound, Case};
use crate::device::Device;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

const WGSL: &str = include_str!("../../../../shaders/peak.wgsl");
static PEAK_MULTIPLY_ADD: Kernel = kernel!(WGSL, "peak_multiply_add", peak_multiply_add_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&PEAK_MULTIPLY_ADD];

/// Chains of one thread.
const CHAINS: usize = 16;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    rounds: u32,
}

fn peak_multiply_add_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (half, one) = (T::of(0.5), T::one());
    args.output::<T>(0).par_iter_mut().enumerate().for_each(|(i, y)| {
        let mut chains: [T; CHAINS] = std::array::from_fn(|j| T::of((i % 61) as f64 * 0.015_625 + j as f64));
        for _ in 0..p.rounds {
            chains.iter_mut().for_each(|v| *v = *v * half + one);
        }
        *y = chains.into_iter().sum();
    });
}

/// Floating-point operations of [`peak_multiply_add`].
fn peak_flops(len: usize, rounds: usize) -> u64 {
    (2 * CHAINS * len * rounds) as u64
}

/// `len` sums of sixteen chains `v = v / 2 + 1` of `rounds` steps, whose limit is 32: work without memory. No equivalent in PyTorch.
///
/// # Panics
/// If there are more than 65,000 rounds.
///
/// ```
/// # use gpu_core::{Device, ops};
/// let y = ops::peak_multiply_add(&Device::Cpu, 3, 100);
/// assert_eq!(y.to_vec()?, [32.0; 3]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn peak_multiply_add(device: &Device, len: usize, rounds: usize) -> Tensor {
    assert!(rounds <= 65_000, "peak_multiply_add: {rounds} rounds are over 65,000 (y [{len}])");
    let y = Tensor::empty(device, [len]);
    PEAK_MULTIPLY_ADD.launch(Params { len: len as u32, rounds: rounds as u32 }, &[], &[&y], Grid::linear(len, 256).trips(rounds));
    y
}

pub(super) fn cases() -> Vec<Case> {
    // Halves and ones are exact for so few rounds.
    let sizes = [(1, 1), (257, 5), (16_777_217, 1)];
    let of = |(len, rounds)| {
        Case::new("peak_multiply_add", format!("{len} x {rounds}"), Bound::Relative(1e-6), move |device| {
            vec![peak_multiply_add(device, len, rounds)]
        })
    };
    sizes.into_iter().map(of).collect()
}

pub(super) fn benches() -> Vec<Bench> {
    let (len, rounds) = (1 << 16, 1024);
    vec![Bench::new("peak_multiply_add", "65536 x 1024", peak_flops(len, rounds), move |device| {
        let device = device.clone();
        move || vec![peak_multiply_add(&device, len, rounds)]
    })]
}

#[cfg(test)]
pub(super) fn misuses() -> Vec<crate::check::Misuse> {
    use crate::check::misuse;
    vec![misuse!("peak_multiply_add", ["70000 rounds", "y [3]"], |device| peak_multiply_add(device, 3, 70_000))]
}
