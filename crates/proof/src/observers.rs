//! Devices that spoil what they make, so that a proof can show that it notices.

use gpu_core::{Array, Device, Launched, Observer, Place, Tensor, ops};
use std::sync::Arc;

struct Poison;

impl Observer for Poison {
    fn made(&self, on: &Place, array: &Array) {
        ops::internals::fill_word(&Tensor::of_array(on, array), u32::MAX);
    }
}

/// The device, but every tensor is filled with NaN (integers: all ones) when it is made, so that an element that a kernel forgot
/// to write shows.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// let device = proof::poisoned(&Device::Cpu);
/// assert!(Tensor::empty(&device, [3]).to_vec()?.iter().all(|v| v.is_nan()));
/// # Ok::<(), gpu_core::Error>(())
/// ```
pub fn poisoned(device: &Device) -> Device {
    device.observed_by(Arc::new(Poison))
}

struct Fault {
    kernel: &'static str,
}

impl Observer for Fault {
    fn launched(&self, on: &Place, launch: &Launched<'_>) {
        if launch.kernel.name() == self.kernel {
            launch.outputs.iter().for_each(|array| ops::internals::spoil(&Tensor::of_array(on, array)));
        }
    }
}

/// The device with a fault planted: after each launch of the kernel of that name, one element of each of its outputs is changed.
///
/// ```
/// # use gpu_core::{Device, Tensor};
/// let device = proof::faulty(&Device::Cpu, "fill");
/// assert_eq!(Tensor::full(&device, [5], 2.0).to_vec()?, [2.0, 2.0, 5.0, 2.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
pub fn faulty(device: &Device, kernel: &'static str) -> Device {
    device.observed_by(Arc::new(Fault { kernel }))
}

struct Magnitudes;

impl Observer for Magnitudes {}

/// The device on which [`tensor`](super::tensor), [`input_values`](super::input_values) and
/// [`input_integers`](super::input_integers) give absolute values: what sums of products come to where nothing cancels.
///
/// ```
/// # use gpu_core::Device;
/// let device = proof::magnitudes(&Device::Cpu);
/// assert!(proof::tensor(&device, [100], 1).to_vec()?.iter().all(|&v| v >= 0.0));
/// # Ok::<(), gpu_core::Error>(())
/// ```
pub fn magnitudes(device: &Device) -> Device {
    device.observed_by(Arc::new(Magnitudes))
}

pub(super) fn has_magnitudes(device: &Device) -> bool {
    device.observer::<Magnitudes>().is_some()
}

struct Perturbed {
    round: u32,
}

impl Observer for Perturbed {}

/// The device on which inputs of cases are [`PERTURBATION`] of themselves larger or smaller, each by a coin of its own that `round`
/// tosses.
pub(super) fn perturbed(device: &Device, round: u32) -> Device {
    device.observed_by(Arc::new(Perturbed { round }))
}

pub(super) fn perturbation(device: &Device) -> Option<u32> {
    device.observer::<Perturbed>().map(|perturbed| perturbed.round)
}

/// Small enough that what comes of it is in proportion, large enough that it stands out from the roundings of f32.
pub(super) const PERTURBATION: f32 = 1.0 / 4096.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{counted, devices};

    #[test]
    fn a_planted_fault_is_seen_on_its_device_alone() {
        for device in devices() {
            let make = |device: &Device| Tensor::full(device, [5], 2.0).to_vec().unwrap();
            assert_eq!(make(&faulty(&device, "fill")), [2.0, 2.0, 5.0, 2.0, 2.0]);
            assert_eq!(make(&faulty(&device, "add")), [2.0; 5]);
            assert_eq!(make(&device), [2.0; 5]);
        }
    }

    #[test]
    fn a_poisoned_tensor_holds_nan() {
        for device in devices() {
            assert!(Tensor::empty(&poisoned(&device), [3]).to_vec().unwrap().iter().all(|v| v.is_nan()));
        }
    }

    #[test]
    fn poison_is_neither_counted_nor_spoiled() {
        for device in devices() {
            let (device, launches) = counted(&poisoned(&faulty(&device, "fill")));
            let x = Tensor::empty(&device, [5]);
            let values = x.to_vec().unwrap();
            assert!(values.iter().all(|v| v.to_bits() == u32::MAX), "{values:?} on {}", device.name());
            assert!(launches.names().is_empty());
            x.fill(2.0);
            assert_eq!(x.to_vec().unwrap(), [2.0, 2.0, 5.0, 2.0, 2.0]);
            assert_eq!(launches.take()[0].count, 1);
        }
    }

    #[test]
    fn a_capture_on_an_observed_device_records_its_work() {
        for device in devices() {
            let device = faulty(&poisoned(&device), "scale");
            let x = Tensor::from_slice(&device, [3], &[1.0f32, 2.0, 3.0]);
            let (y, capture) = device.capture(|| ops::scale(&x, 2.0)).unwrap();
            // The poison of `y`, the product and the fault.
            assert_eq!(capture.len(), 3);
            for first in [1.0f32, 10.0] {
                x.write(&[first, 2.0, 3.0]);
                capture.replay().unwrap();
                assert_eq!(y.to_vec().unwrap(), [2.0 * first, 9.0, 6.0], "on {}", device.name());
            }
        }
    }

    #[test]
    #[should_panic(expected = "add: a lies on CPU, b on CPU, observed (a [1], b [1])")]
    fn tensors_of_an_observed_device_and_of_another_do_not_mix() {
        let [a, b] = [Device::Cpu, poisoned(&Device::Cpu)].map(|device| Tensor::zeros(&device, [1]));
        ops::add(&a, &b);
    }
}
