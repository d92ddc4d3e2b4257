//! The layers of a network in a step of its training: what they hold, how long they take, and how their weights and gradients are
//! spread.

use super::histogram::Histogram;
use crate::data::ImageSet;
use crate::error::{Error, Result};
use crate::model::Trained;
use crate::settings::{Config, LossKind};
use gpu_core::ops::Reduction;
use gpu_core::{Device, Shape, Tensor};
use nn::{LayerReport, LayerTime, Loss, Module, Net, Param, Step, parameters, segmentation_loss};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often a step is timed; the fastest counts. Each takes as long as a step of the training.
const TIMED: usize = 2;

/// A step of the training without its update, layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layers {
    /// Images of the step: the first of the training, unchanged but for their normalisation.
    pub batch: usize,
    /// A row for each layer, in the order in which an image passes them.
    pub rows: Vec<LayerRow>,
    /// Milliseconds of what is no layer's, such as the loss, forward and backward; none where the device has no clock.
    pub other_ms: Option<[f64; 2]>,
}

/// A layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerRow {
    /// Its path, as in the state dict.
    pub path: String,
    /// Its kind and options.
    pub kind: String,
    /// The shape of what it gives.
    pub output: Vec<usize>,
    /// Elements of what it learns.
    pub parameters: usize,
    /// Bytes of what it gives.
    pub output_bytes: u64,
    /// Milliseconds forward and backward; none where the device has no clock. A layer that another does has 0.
    pub ms: Option<[f64; 2]>,
    /// The largest tensor that it learns.
    pub weights: Option<Histogram>,
    /// The gradient of that one; none where it is frozen.
    pub gradients: Option<Histogram>,
}

pub(super) fn of(trained: &Trained, config: &Config, set: &ImageSet, device: &Device) -> Result<Layers> {
    let batch = (config.batch_size / config.accumulate as usize).min(set.len());
    let input = Shape::new(&[&[batch], trained.net.input().dims()].concat());
    let mut reports = Vec::new();
    let traced = trained.net.trace("", input, &mut |layer| reports.push(layer));
    traced.map_err(|e| Error::Setting(format!("the model \"{}\": {e}", trained.description.model)))?;
    let shown = largest_of_each(&trained.net);
    let weights = histograms(shown.iter().map(|(path, param)| (path.clone(), param.value())))?;

    let order = config.sampler.unwrap_or_default().order(set.labels(), config.seed, 0);
    let images = &order[..batch];
    let labels: Vec<u32> = images.iter().map(|&image| set.labels()[image as usize]).collect();
    let (step, gradients) = recorded(trained, config, input, device, &shown)?;
    let x = set.normalised(images, &trained.description.mean, &trained.description.std)?;
    let labels = match trained.description.tells_pixels() {
        true => {
            let mut masks = Vec::new();
            set.read_pairs(images, &mut Vec::new(), &mut masks)?;
            masks.into_iter().map(u32::from).collect()
        }
        false => labels,
    };
    match set.label_sets().filter(|_| trained.description.tells_labels()) {
        None => step.run(&[("x", &x), ("labels", &labels)])?,
        Some(sets) => {
            let rows = sets.targets();
            let targets = labels.iter().flat_map(|&label| &rows[label as usize * sets.classes()..][..sets.classes()]);
            step.run(&[("x", &x), ("targets", &targets.copied().collect::<Vec<f32>>())])?;
        }
    }
    let gradients = histograms(gradients.into_iter())?;
    let times = fastest(&step, &trained.net)?;

    let ms = |path: &str| times.as_ref().map(|times| times.get(path).copied().unwrap_or_default());
    let row = |layer: LayerReport| LayerRow {
        ms: ms(&layer.path),
        weights: weights.get(&layer.path).cloned(),
        gradients: gradients.get(&layer.path).cloned(),
        path: layer.path,
        kind: layer.layer,
        output_bytes: 4 * layer.output.len() as u64,
        output: layer.output.dims().to_vec(),
        parameters: layer.parameters,
    };
    Ok(Layers { batch, rows: reports.into_iter().map(row).collect(), other_ms: ms("") })
}

/// Of each layer that learns, by its path, the largest tensor that it learns.
fn largest_of_each(net: &Net) -> BTreeMap<String, Param> {
    let mut found = BTreeMap::<String, Param>::new();
    for (key, param) in parameters(net).into_iter().filter(|(_, param)| param.is_trainable()) {
        let path = key.rsplit_once('.').map_or("", |(path, _)| path).to_owned();
        let larger = found.get(&path).is_none_or(|known| known.shape().len() < param.shape().len());
        if larger {
            found.insert(path, param);
        }
    }
    found
}

fn histograms(tensors: impl Iterator<Item = (String, Tensor)>) -> Result<BTreeMap<String, Histogram>> {
    tensors.map(|(path, tensor)| Ok((path, Histogram::of(&tensor.to_vec()?)))).collect()
}

/// Tensors by the paths of their layers.
type ByPath = Vec<(String, Tensor)>;

/// A step of the training without augmentation and update, and where it leaves the gradients of what is shown.
fn recorded(
    trained: &Trained,
    config: &Config,
    input: Shape,
    device: &Device,
    shown: &BTreeMap<String, Param>,
) -> Result<(Step, ByPath)> {
    let Trained { net, description } = trained;
    let net = config.with_segments(net.clone());
    let loss = description.loss(config.label_smoothing as f32)?;
    let mut kept = Vec::new();
    let step = Step::on(device).seed(config.seed).input("x", input);
    let step = match loss {
        Loss::BceWithLogits => step.input("targets", [input.dim(0), description.classes.len()]),
        Loss::Segmentation { .. } => step.labels("labels", [input.dim(0), input.dim(2), input.dim(3)]),
        _ => step.labels("labels", [input.dim(0)]),
    };
    let step = step.capture(|pass| {
        let x = pass.input("x");
        let y = net.forward(&x);
        let loss = match loss {
            Loss::CrossEntropy { smoothing } => y.cross_entropy(pass.labels("labels"), smoothing),
            Loss::Segmentation { smoothing, .. } => {
                segmentation_loss(&y, pass.labels("labels"), smoothing, config.loss == Some(LossKind::Dice))
            }
            Loss::BceWithLogits => y.bce_with_logits(&pass.input("targets"), None, None, Reduction::Mean),
            _ => y.mse_loss(&x, Reduction::Mean),
        };
        let gradients = loss.backward_to(&net);
        kept = shown.iter().filter_map(|(path, param)| Some((path.clone(), gradients.of(param)?.clone()))).collect();
    })?;
    Ok((step, kept))
}

/// Milliseconds forward and backward by path, of the fastest run; none where the device has no clock.
fn fastest(step: &Step, net: &Net) -> Result<Option<BTreeMap<String, [f64; 2]>>> {
    let mut fastest: Option<Vec<LayerTime>> = None;
    let total = |times: &[LayerTime]| times.iter().map(|time| time.forward_s + time.backward_s).sum::<f64>();
    for _ in 0..TIMED {
        let Some(times) = step.layer_times(net)? else { return Ok(None) };
        if fastest.as_deref().is_none_or(|known| total(&times) < total(known)) {
            fastest = Some(times);
        }
    }
    let ms = |time: LayerTime| (time.path, [1e3 * time.forward_s, 1e3 * time.backward_s]);
    Ok(fastest.map(|times| times.into_iter().map(ms).collect()))
}
