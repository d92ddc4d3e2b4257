//! A network on two devices: each layer from the same inputs, and whole training steps from the same state.
//!
//! A value that is 1e-7 on one device and -1e-7 on the other passes a ReLU here and not there, and its gradient with it; in a free
//! run such flips grow without bound. So every layer begins with the activations and the gradients of the CPU device, and every step
//! with its state: what is compared is what one layer, or one step, does.

mod layers;
mod rows;
mod steps;

use crate::data::{Dataset, builtin};
use crate::error::Result;
use crate::model::{Description, Trained, image_shape};
use gpu_core::Device;
use layers::Question;
use proof::Row;
use rows::{BATCH, normalised};
use std::path::Path;

/// Compares `model` on `device` with the CPU device: what each layer gives, and its gradients; and of each of `steps` training steps
/// the loss and the change of every parameter and running statistic.
///
/// # Errors
/// If there is no such model, or a fault of the device.
pub fn network(model: &str, device: &Device, steps: usize, seed: u64) -> Result<Vec<Row>> {
    let data = builtin::generate(BATCH * steps.max(1), 0);
    let description = Description::new(model, &data)?;
    let mut rows = untrained(&description, &data, device, seed)?;
    rows.extend(steps::compare(&description, &data, device, steps, seed)?);
    Ok(rows)
}

/// The layers of a network before its first step.
fn untrained(description: &Description, data: &Dataset, device: &Device, seed: u64) -> Result<Vec<Row>> {
    let (x, labels) = normalised(data);
    let image = image_shape(&data.train);
    let question = Question {
        here: &description.build(&Device::Cpu, seed)?,
        there: &description.build(device, seed)?,
        x: &x[..BATCH * image.len()],
        labels: &labels[..BATCH],
        image,
        loss: description.loss(0.0)?,
        seed,
    };
    layers::compare(&question, device)
}

/// Compares the network of a checkpoint on `device` with the CPU device, layer by layer: the first row that is not ok names the first
/// layer that is out of its bound. The images are noise.
///
/// # Errors
/// As [`Trained::read`], or a fault of the device.
pub fn bisect(checkpoint: &Path, device: &Device, seed: u64) -> Result<Vec<Row>> {
    let here = Trained::read(checkpoint, &Device::Cpu)?;
    let there = Trained::read(checkpoint, device)?;
    let image = here.description.input()?;
    // Of deviation 1, as normalised images have it.
    let x: Vec<f32> = proof::values(BATCH * image.len(), seed).iter().map(|v| 3f32.sqrt() * v).collect();
    let classes = here.description.classes.len().max(1) as u32;
    let labels: Vec<u32> = (0..BATCH as u32).map(|i| i % classes).collect();
    let loss = here.description.loss(0.0)?;
    layers::compare(&Question { here: &here.net, there: &there.net, x: &x, labels: &labels, image, loss, seed }, device)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a network on a device whose max pooling is wrong, each layer but that one is right: they begin with right activations.
    #[test]
    fn a_wrong_layer_is_named_and_no_other() {
        let data = builtin::generate(BATCH, 0);
        let description = Description::new("small-cnn", &data).unwrap();
        let failed = |device: &Device| -> Vec<String> {
            let rows = untrained(&description, &data, device, 0).unwrap();
            rows.into_iter().filter(|row| !row.ok).map(|row| row.name).collect()
        };
        for device in proof::devices() {
            assert_eq!(failed(&device), [""; 0], "on {}", device.name());
            // In either form of the kernel.
            let wrong = ["max_pool2d", "max_pool2d_by4"].iter().fold(device.clone(), |device, form| proof::faulty(&device, form));
            let names = failed(&wrong);
            assert!(
                !names.is_empty() && names.iter().all(|name| name.contains("MaxPool2d") || name.ends_with("input")),
                "{names:?}"
            );
        }
    }
}
