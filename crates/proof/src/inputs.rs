//! What cases compute with, and the devices that they run on.

use super::observers::{PERTURBATION, has_magnitudes, perturbation};
use gpu_core::{
    Device, Shape, Tensor, f16,
    rng::{Stream, unit_f32},
};
use std::io::{self, Write};
use std::sync::OnceLock;

/// Values in [-1, 1) that are a pure function of the seed and the position.
pub fn values(len: usize, seed: u64) -> Vec<f32> {
    let stream = Stream::new(seed, 0, 0);
    (0..len.div_ceil(4)).flat_map(|block| stream.block(block as u32)).take(len).map(|word| 2.0 * unit_f32(word) - 1.0).collect()
}

/// Small integers in -4..=4: products and sums of them are exact in f32, whatever the order.
pub fn integers(len: usize, seed: u64) -> Vec<f32> {
    values(len, seed).into_iter().map(|v| (v * 4.5).round()).collect()
}

/// [`values`] for the inputs of a case on `device`; their absolute values on a device of [`magnitudes`](super::magnitudes).
pub fn input_values(device: &Device, len: usize, seed: u64) -> Vec<f32> {
    moved(device, signed(device, values(len, seed)), seed)
}

/// [`integers`] for the inputs of a case on `device`; their absolute values on a device of [`magnitudes`](super::magnitudes).
pub fn input_integers(device: &Device, len: usize, seed: u64) -> Vec<f32> {
    moved(device, signed(device, integers(len, seed)), seed)
}

fn signed(device: &Device, mut values: Vec<f32>) -> Vec<f32> {
    if has_magnitudes(device) {
        values.iter_mut().for_each(|v| *v = v.abs());
    }
    values
}

/// What an input is on a perturbed device.
fn moved(device: &Device, mut values: Vec<f32>, seed: u64) -> Vec<f32> {
    if let Some(round) = perturbation(device) {
        let coins = Stream::new(seed, round, 1);
        let toss = |(i, v): (usize, &mut f32)| *v *= 1.0 + if coins.word(i as u64) & 1 == 1 { PERTURBATION } else { -PERTURBATION };
        values.iter_mut().enumerate().for_each(toss);
    }
    values
}

/// A tensor of what `of` makes of [`input_values`]: those of other sizes, or around something else than zero.
#[track_caller]
pub(crate) fn tensor_of(device: &Device, shape: impl Into<Shape>, seed: u64, of: impl Fn(f32) -> f32) -> Tensor {
    let shape = shape.into();
    let values = signed(device, values(shape.len(), seed)).into_iter().map(of).collect();
    Tensor::from_slice(device, shape, &moved(device, values, seed))
}

/// A tensor of [`input_values`].
#[track_caller]
pub fn tensor(device: &Device, shape: impl Into<Shape>, seed: u64) -> Tensor {
    let shape = shape.into();
    Tensor::from_slice(device, shape, &input_values(device, shape.len(), seed))
}

/// The same, rounded to f16.
#[track_caller]
pub fn half_tensor(device: &Device, shape: impl Into<Shape>, seed: u64) -> Tensor {
    let shape = shape.into();
    let halves: Vec<f16> = input_values(device, shape.len(), seed).into_iter().map(f16::from_f32).collect();
    Tensor::from_slice(device, shape, &halves)
}

/// The GPU that tests use, opened once; `None` where there is none, with a line on stderr that the test harness does not capture: what
/// was skipped must not pass in silence.
///
/// # Panics
/// If there is none and `WGRAD_REQUIRE_GPU=1`.
pub fn gpu() -> Option<Device> {
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    GPU.get_or_init(|| match Device::gpu() {
        Ok(device) => Some(device),
        Err(e) => {
            assert!(std::env::var("WGRAD_REQUIRE_GPU").as_deref() != Ok("1"), "WGRAD_REQUIRE_GPU=1: {e}");
            let _ = writeln!(io::stderr(), "skipped: every test on a GPU ({e})");
            None
        }
    })
    .clone()
}

/// The CPU device, and the GPU where there is one: what a test that holds on every device runs on.
pub fn devices() -> Vec<Device> {
    [Some(Device::Cpu), gpu()].into_iter().flatten().collect()
}
