//! Training steps of a whole network on two devices from one seed, compared layer by layer.
//!
//! A value that is 1e-7 on one device and -1e-7 on the other passes a ReLU here and not there, and its gradient with it; in a free
//! run such flips grow without bound. So every step begins from the state of the CPU device: what is compared is what one step does.

use crate::data::{Dataset, builtin};
use crate::error::{Error, Result, one_line};
use crate::model::{Description, image_shape};
use gpu_core::ops::Reduction;
use gpu_core::{Device, Tensor};
use nn::{Checkpoint, CheckpointError, Loss, Module, Net, Sgd, StepOptions, Tape, TrainStep, parameters};
use proof::{Bound, Row, difference};
use std::collections::BTreeMap;

const BATCH: usize = 16;
/// One sum in another order moves a value by some 1e-6 of the largest; a few dozen layers add up.
const ACTIVATION: f32 = 5e-5;
/// Without a flip some 1e-6; one flip of a ReLU or a max pool moves a gradient by up to 2e-2 of the largest at this batch. The table
/// of kernels is the fine sieve, this is the one for how they are put together.
const GRADIENT: f32 = 6e-2;
const LOSS: f32 = 1e-4;
/// Of the largest value of the layer, by one step, flips included.
const PARAMETER: f32 = 5e-3;
const LR: f32 = 0.01;

type Named = Vec<(String, Vec<f32>)>;

/// Compares `steps` steps of `model` on `device` with the CPU device: activations and gradients of the first step, and the loss and
/// the parameters of every one.
///
/// # Errors
/// If there is no such model, or a fault of the device.
pub fn network(model: &str, device: &Device, steps: usize, seed: u64) -> Result<Vec<Row>> {
    let data = builtin::generate(BATCH * steps.max(1), 0);
    let description = Description::new(model, &data)?;
    let mut rows = first_step(&description, &data, device, seed)?;
    rows.extend(training_steps(&description, &data, device, steps, seed)?);
    Ok(rows)
}

/// Forward and backward, one operator at a time.
fn first_step(description: &Description, data: &Dataset, device: &Device, seed: u64) -> Result<Vec<Row>> {
    let (got, got_gradients) = passes(description, data, device, seed)?;
    let (want, want_gradients) = passes(description, data, &Device::Cpu, seed)?;
    let mut rows = Vec::new();
    for ((name, g), (_, w)) in got.iter().zip(&want) {
        rows.push(compare(name, "activation, step 1", g, w, largest(w), ACTIVATION));
    }
    let scales = layer_scales(&want_gradients);
    for ((name, g), (_, w)) in got_gradients.iter().zip(&want_gradients) {
        rows.push(compare(name, "gradient, step 1", g, w, scales[layer_of(name)], GRADIENT));
    }
    Ok(rows)
}

/// The activation of every layer and the gradient of every parameter.
fn passes(description: &Description, data: &Dataset, device: &Device, seed: u64) -> Result<(Named, Named)> {
    let (x, labels) = normalised(data);
    let net = description.build(device, seed)?;
    let image = image_shape(&data.train);
    let shape = [BATCH, image.dim(0), image.dim(1), image.dim(2)];
    let tape = Tape::seeded(device, seed, &Tensor::from_slice(device, [1], &[0u32]));
    let input = tape.input(&Tensor::from_slice(device, shape, &x[..BATCH * image.len()]));
    let mut activations = Vec::new();
    let mut y = input.clone();
    for (position, layer) in net.children().iter().enumerate() {
        y = layer.forward(&y);
        activations.push((format!("{position} {}", layer.describe()), y.value().to_vec()?));
    }
    let targets = Tensor::from_slice(device, [BATCH], &labels[..BATCH]);
    let loss = match description.loss(0.0)? {
        Loss::CrossEntropy { smoothing } => y.cross_entropy(&targets, smoothing),
        _ => y.mse_loss(&input, Reduction::Mean),
    };
    let gradients = loss.backward();
    let mut named = Vec::new();
    for (name, param) in parameters(&net) {
        if let Some(gradient) = gradients.of(&param) {
            named.push((name, gradient.to_vec()?));
        }
    }
    Ok((activations, named))
}

/// A network with its optimiser and its captured step.
struct Bench {
    net: Net,
    sgd: Sgd,
    step: TrainStep,
}

impl Bench {
    fn new(description: &Description, data: &Dataset, device: &Device, seed: u64) -> Result<Self> {
        let net = description.build(device, seed)?;
        let sgd = Sgd::new(&net, LR).momentum(0.9).weight_decay(5e-4);
        let options = StepOptions::new(BATCH, image_shape(&data.train)).loss(description.loss(0.0)?).seed(seed);
        let step = TrainStep::captured(&net, &sgd, &options)?;
        Ok(Self { net, sgd, step })
    }

    /// The loss of a step, and every parameter after it.
    fn run(&self, x: &[f32], labels: &[u32]) -> Result<(f32, Named)> {
        self.step.run_on(x, labels)?;
        let loss = self.step.loss()?;
        let mut after = Vec::new();
        for (name, param) in parameters(&self.net) {
            after.push((name, param.value().to_vec()?));
        }
        Ok((loss, after))
    }

    /// Takes over the weights and the optimiser's state.
    fn follow(&self, other: &Self) -> std::result::Result<(), CheckpointError> {
        let state = Checkpoint::new().net(&other.net)?.optimizer(&other.sgd)?;
        state.load_net(&self.net)?;
        state.load_optimizer(&self.sgd)
    }
}

/// Whole steps as a training does them; a parameter's row is that of the step that differs most.
fn training_steps(description: &Description, data: &Dataset, device: &Device, steps: usize, seed: u64) -> Result<Vec<Row>> {
    let (x, labels) = normalised(data);
    let image = image_shape(&data.train);
    let (got, want) = (Bench::new(description, data, device, seed)?, Bench::new(description, data, &Device::Cpu, seed)?);
    let (mut rows, mut worst): (Vec<Row>, Vec<Row>) = Default::default();
    for (i, (x, labels)) in x.chunks_exact(BATCH * image.len()).zip(labels.chunks_exact(BATCH)).take(steps).enumerate() {
        let ((loss, after), (want_loss, want_after)) = (got.run(x, labels)?, want.run(x, labels)?);
        let what = format!("step {}", i + 1);
        rows.push(compare("loss", &what, &[loss], &[want_loss], want_loss.abs(), LOSS));
        let scales = layer_scales(&want_after);
        for (k, ((name, g), (_, w))) in after.iter().zip(&want_after).enumerate() {
            let row = compare(name, &format!("parameter, {what}"), g, w, scales[layer_of(name)], PARAMETER);
            match worst.get_mut(k) {
                None => worst.push(row),
                Some(known) if row.error / row.bound > known.error / known.bound => *known = row,
                Some(_) => {}
            }
        }
        got.follow(&want).map_err(|e| Error::Setting(one_line(&e)))?;
    }
    rows.extend(worst);
    Ok(rows)
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
