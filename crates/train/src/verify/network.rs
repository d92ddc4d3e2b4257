//! Training steps of a whole network on two devices from one seed, compared layer by layer.

use super::Row;
use crate::data::{Dataset, builtin};
use crate::error::Result;
use crate::model::{Description, image_shape};
use gpu_core::check::{Bound, difference};
use gpu_core::{Device, Tensor};
use nn::{Loss, Module, Sgd, StepOptions, Tape, TrainStep, parameters};
use std::collections::BTreeMap;

const BATCH: usize = 16;
/// One sum in another order moves a value by some 1e-6 of the largest; a few layers add up.
const ACTIVATION: f32 = 5e-5;
/// A value that is 1e-7 on one side of a ReLU's corner and -1e-7 on the other lets a gradient through or not.
const GRADIENT: f32 = 1e-3;
/// Differences grow from step to step.
const LOSS: f32 = 1e-3;
const PARAMETER: f32 = 1e-2;
/// Low enough for the loss to fall from the start: a run that diverges multiplies every rounding.
const LR: f32 = 0.01;

/// What a device computed, by layer or parameter.
struct Trace {
    activations: Vec<(String, Vec<f32>)>,
    gradients: Vec<(String, Vec<f32>)>,
    losses: Vec<f32>,
    parameters: Vec<(String, Vec<f32>)>,
}

/// Compares `steps` steps of `model` on `device` with the CPU device: activations and gradients of the first step, every loss, and
/// the parameters after the last.
///
/// # Errors
/// If there is no such model, or a fault of the device.
pub fn network(model: &str, device: &Device, steps: usize, seed: u64) -> Result<Vec<Row>> {
    let data = builtin::generate(BATCH * steps.max(1), 0);
    let description = Description::new(model, &data)?;
    let got = trace(&description, &data, device, steps, seed)?;
    let want = trace(&description, &data, &Device::Cpu, steps, seed)?;
    let mut rows = Vec::new();
    for ((name, g), (_, w)) in got.activations.iter().zip(&want.activations) {
        rows.push(compare(name, "activation, step 1", g, w, largest(w), ACTIVATION));
    }
    let scales = layer_scales(&want.gradients);
    for ((name, g), (_, w)) in got.gradients.iter().zip(&want.gradients) {
        rows.push(compare(name, "gradient, step 1", g, w, scales[layer_of(name)], GRADIENT));
    }
    for (i, (g, w)) in got.losses.iter().zip(&want.losses).enumerate() {
        rows.push(compare("loss", &format!("step {}", i + 1), &[*g], &[*w], w.abs(), LOSS));
    }
    let scales = layer_scales(&want.parameters);
    for ((name, g), (_, w)) in got.parameters.iter().zip(&want.parameters) {
        rows.push(compare(name, &format!("after {steps} steps"), g, w, scales[layer_of(name)], PARAMETER));
    }
    Ok(rows)
}

fn trace(description: &Description, data: &Dataset, device: &Device, steps: usize, seed: u64) -> Result<Trace> {
    let (x, labels) = normalised(data);
    let per_batch = x.len() / steps.max(1);
    let net = description.build(device, seed)?;
    let loss = description.loss(0.0)?;

    let image = image_shape(&data.train);
    let batch_shape = [BATCH, image.dim(0), image.dim(1), image.dim(2)];

    // Step 1, one operator at a time.
    let first = Tensor::from_slice(device, batch_shape, &x[..per_batch]);
    let step_number = Tensor::from_slice(device, [1], &[0u32]);
    let tape = Tape::seeded(device, seed, &step_number);
    let input = tape.input(&first);
    let mut activations = Vec::new();
    let mut y = input.clone();
    for (position, layer) in net.layers().iter().enumerate() {
        y = layer.forward(&y);
        activations.push((format!("{position} {}", layer.describe()), y.value().to_vec()?));
    }
    let targets = Tensor::from_slice(device, [BATCH], &labels[..BATCH]);
    let gradients = match loss {
        Loss::CrossEntropy { smoothing } => y.cross_entropy(&targets, smoothing),
        Loss::Reconstruction => y.mse(&input),
    }
    .backward();
    let mut by_name = Vec::new();
    for (name, param) in parameters(&net) {
        if let Some(gradient) = gradients.of(&param) {
            by_name.push((name, gradient.to_vec()?));
        }
    }

    // All steps as a training does them, on a fresh network: step 1 above has moved the running statistics.
    let net = description.build(device, seed)?;
    let sgd = Sgd::new(&net, LR).momentum(0.9).weight_decay(5e-4);
    let options = StepOptions::new(BATCH, image).loss(loss).seed(seed);
    let step = TrainStep::captured(&net, &sgd, &options)?;
    let mut losses = Vec::new();
    for (x, labels) in x.chunks_exact(per_batch).zip(labels.chunks_exact(BATCH)).take(steps) {
        step.run_on(x, labels)?;
        losses.push(step.loss()?);
    }
    let mut after = Vec::new();
    for (name, param) in parameters(&net) {
        after.push((name, param.value().to_vec()?));
    }
    Ok(Trace { activations, gradients: by_name, losses, parameters: after })
}

/// All images as a network sees them, and their labels.
fn normalised(data: &Dataset) -> (Vec<f32>, Vec<u32>) {
    let set = &data.train;
    let plane = set.height() * set.width();
    let value = |(i, &byte): (usize, &u8)| {
        let c = i / plane % set.channels();
        (f32::from(byte) / 255.0 - data.mean[c]) / data.std[c]
    };
    (set.images().iter().enumerate().map(value).collect(), set.labels().to_vec())
}

fn compare(name: &str, what: &str, got: &[f32], want: &[f32], scale: f32, share: f32) -> Row {
    let found = difference(got, want, Bound::Exact);
    Row::new(name, what, f64::from(found.error), f64::from(share * scale.max(f32::MIN_POSITIVE)))
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0f32, |m, v| m.max(v.abs()))
}

/// The layer of a key: `3.body.1` of `3.body.1.weight`.
fn layer_of(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(layer, _)| layer)
}

/// The largest value of each layer. A bias that a batch norm takes out again has a gradient of pure rounding: it is measured
/// against its layer's weights.
fn layer_scales(tensors: &[(String, Vec<f32>)]) -> BTreeMap<&str, f32> {
    let mut scales = BTreeMap::new();
    for (name, values) in tensors {
        let scale: &mut f32 = scales.entry(layer_of(name)).or_default();
        *scale = scale.max(largest(values));
    }
    scales
}
