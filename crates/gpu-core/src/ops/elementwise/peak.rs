//! The most multiply-adds that a device does in a second, as a yardstick for all others: `wgrad bench` states shares of it.
//!
//! Each of `len` threads follows sixteen chains `v = v / 2 + 1` for `rounds` rounds and writes their sum.

use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{self, Real};
use crate::run::Device;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use pulp::{Arch, Simd, WithSimd};

const WGSL: &str = wgsl!("peak.wgsl");
static PEAK_MULTIPLY_ADD: Kernel = kernel!(WGSL, "peak_multiply_add", peak_multiply_add_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&PEAK_MULTIPLY_ADD];

/// Chains of one thread.
const CHAINS: usize = 16;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    rounds: u32,
}

/// Outputs that one task of the mirror works on.
const OUTPUTS: usize = 256;

fn peak_multiply_add_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    mirror::for_each_chunk(args.output::<T>(0), OUTPUTS, &|task, y| {
        Arch::new().dispatch(Chains { first: task * OUTPUTS, rounds: p.rounds, y });
    });
}

/// The outputs from `first` on, one in each lane of a vector.
struct Chains<'a, T> {
    first: usize,
    rounds: u32,
    y: &'a mut [T],
}

impl<T: Real> WithSimd for Chains<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let starts: Vec<T> = (self.first..self.first + OUTPUTS).map(|i| T::of((i % 61) as f64 * 0.015_625)).collect();
        let starts: &[T::Vector<S>] = bytemuck::cast_slice(&starts);
        let (half, one) = (T::splat(simd, T::of(0.5)), T::splat(simd, T::one()));
        for (&start, y) in starts.iter().zip(self.y.chunks_mut(OUTPUTS / starts.len())) {
            let mut chains: [T::Vector<S>; CHAINS] =
                std::array::from_fn(|j| T::madd(simd, start, one, T::splat(simd, T::of(j as f64))));
            for _ in 0..self.rounds {
                chains.iter_mut().for_each(|v| *v = T::madd(simd, *v, half, one));
            }
            let sum = chains[1..].iter().fold(chains[0], |sum, &v| T::madd(simd, v, one, sum));
            y.copy_from_slice(&bytemuck::cast_slice::<T::Vector<S>, T>(&[sum])[..y.len()]);
        }
    }
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
