//! One layer at a time, from the activations and the gradients that the CPU device has there.

use super::rows::{BATCH, Named, largest, layer_of, layer_scales, row};
use crate::error::Result;
use gpu_core::ops::Reduction;
use gpu_core::{Device, Shape, Tensor, ops};
use nn::{Loss, Module, Net, Tape, Var, join, parameters, segmentation_loss};
use proof::Row;

/// One sum in another order moves a value by some 1e-6 of the largest; the layers of a block add up.
const OUTPUT: f32 = 5e-5;
/// Of the tensor's largest gradient. A few 1e-6 where nothing flips; within a block of several layers one ReLU may.
const GRADIENT: f32 = 2e-3;
/// Of the largest gradient of the layer, beneath which all is rounding.
const ROUNDING: f32 = 2e-5;

/// Where a layer begins: what comes in, and the gradient of what goes out.
struct Start {
    x: Tensor,
    dy: Tensor,
}

/// What a layer makes of it.
struct Made {
    y: Vec<f32>,
    gradients: Named,
}

/// The same network on two devices, and what it is asked.
pub(super) struct Question<'a> {
    pub here: &'a Net,
    pub there: &'a Net,
    /// `BATCH` images and their labels.
    pub x: &'a [f32],
    pub labels: &'a [u32],
    pub image: Shape,
    pub loss: Loss,
    pub seed: u64,
}

pub(super) fn compare(question: &Question<'_>, device: &Device) -> Result<Vec<Row>> {
    let Question { here, there, seed, .. } = *question;
    let mut rows = Vec::new();
    for (i, start) in starts(question).iter().enumerate() {
        let want = run(&here.children()[i], &i.to_string(), start, &Device::Cpu, seed)?;
        let got = run(&there.children()[i], &i.to_string(), start, device, seed)?;
        let name = format!("{i} {}", here.children()[i].describe());
        rows.push(row(&name, "what it gives", &got.y, &want.y, OUTPUT * largest(&want.y)));
        let scales = layer_scales(&want.gradients);
        for ((key, g), (_, w)) in got.gradients.iter().zip(&want.gradients) {
            let bound = (GRADIENT * largest(w)).max(ROUNDING * scales[layer_of(key)]);
            rows.push(row(key, "gradient", g, w, bound));
        }
    }
    Ok(rows)
}

/// One pass on the CPU device, forward and backward.
fn starts(question: &Question<'_>) -> Vec<Start> {
    let Question { here: net, x, labels, image, ref loss, seed, .. } = *question;
    let shape = [&[BATCH], image.dims()].concat();
    let tape = tape(&Device::Cpu, seed);
    let input = tape.variable(&Tensor::from_slice(&Device::Cpu, Shape::new(&shape), x));
    let mut ways = vec![input.clone()];
    for layer in net.children() {
        ways.push(layer.forward(ways.last().expect("it begins with the input")).retain_gradient());
    }
    let targets = Tensor::from_slice(&Device::Cpu, [BATCH], labels);
    let y = ways.last().expect("it begins with the input");
    let loss = match loss {
        Loss::CrossEntropy { smoothing } => y.cross_entropy(&targets, *smoothing),
        Loss::Segmentation { smoothing, dice } => {
            // A class for each pixel, of all in turn.
            let [h, w] = [2, 3].map(|axis| y.shape().dim(axis));
            let classes: Vec<u32> = (0..BATCH * h * w).map(|i| labels[(i + i / w) % BATCH]).collect();
            segmentation_loss(y, &Tensor::from_slice(&Device::Cpu, [BATCH, h, w], &classes), *smoothing, *dice)
        }
        Loss::BceWithLogits => {
            let targets = Var::constant(&ops::one_hot(&targets, y.shape().c()));
            y.bce_with_logits(&targets, None, None, Reduction::Mean)
        }
        _ => y.mse_loss(&input, Reduction::Mean),
    };
    let gradients = loss.backward();
    let start = |pair: &[Var]| {
        let dy = gradients.of(&pair[1]).expect("the loss depends on every layer").clone();
        Start { x: pair[0].value().clone(), dy }
    };
    ways.windows(2).map(start).collect()
}

/// The layer called `name`, forward and backward; its own input is the last of the gradients.
fn run(layer: &Net, name: &str, start: &Start, device: &Device, seed: u64) -> Result<Made> {
    let [x, dy] = [&start.x, &start.dy].map(|tensor| tensor.to_device(device));
    let x = tape(device, seed).variable(&x?);
    let y = layer.forward(&x);
    let gradients = y.mul(&y.tape().expect("its input is on one").input(&dy?)).sum().backward();
    let mut named = Vec::new();
    for (key, param) in parameters(layer) {
        if let Some(gradient) = gradients.of(&param) {
            named.push((join(name, &key), gradient.to_vec()?));
        }
    }
    if let Some(gradient) = gradients.of(&x) {
        named.push((join(name, "input"), gradient.to_vec()?));
    }
    Ok(Made { y: y.value().to_vec()?, gradients: named })
}

fn tape(device: &Device, seed: u64) -> Tape {
    Tape::seeded(device, seed, &Tensor::from_slice(device, [1], &[0u32]))
}
