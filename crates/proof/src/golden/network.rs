//! Ten training steps of a whole network from stored weights.

use super::file::GoldenFile;
use super::optimizers;
use super::tolerance::{Computed, Tolerance};
use crate::Row;
use crate::error::Result;
use gpu_core::{Device, Shape, Tensor};
use nn::spec::Spec;
use nn::{Init, StepOptions, TrainStep, Var, parameters};
use serde_json::Value;

/// A row for each of the losses, the parameters and the evaluation; none if a layer, the loss or the optimiser is not known.
pub(super) fn run(file: &GoldenFile, name: &str, device: &Device) -> Result<Option<Vec<Row>>> {
    let Ok(spec) = Spec::from_json(file.note("model")?) else { return Ok(None) };
    if file.note("loss")? != "cross_entropy" {
        return Ok(None);
    }
    let Ok(net) = spec.build(&Init::seeded(device, 0)) else { return Ok(None) };
    let settings: Value = file.parsed("optimizer")?;
    let kind = settings["type"].as_str().unwrap_or_default();
    let Some(optimizer) = optimizers::build(kind, &settings, &net) else { return Ok(None) };
    for (key, param) in parameters(&net) {
        let (shape, values) = file.array(&format!("init/{key}"))?;
        if Shape::new(shape) != param.shape() {
            return Ok(Some(vec![Row::failed(name, format!("{key}: shape {} here, {shape:?} in the file", param.shape()))]));
        }
        param.set(values);
    }
    let (shape, x) = file.array("x")?;
    let labels = file.labels("target")?;
    let [steps, batch, ref input @ ..] = *shape else {
        return Ok(Some(vec![Row::failed(name, format!("x: shape {shape:?} where (steps, N, C, H, W) is wanted"))]));
    };
    let input = Shape::new(input);
    let step = TrainStep::captured(&net, &*optimizer, &StepOptions::new(batch, input))?;
    let mut losses = Vec::new();
    for (x, labels) in x.chunks_exact(batch * input.len()).zip(labels.chunks_exact(batch)).take(steps) {
        step.run_on(x, labels)?;
        losses.push(step.loss()?);
    }
    let first = Tensor::from_slice(device, Shape::new(&shape[1..]), &x[..batch * input.len()]);
    let logits = net.forward(&Var::constant(&first)).value().to_vec()?;
    let tolerance = Tolerance { rtol: file.parsed("rtol")?, atol: file.parsed("atol")? };
    let mut results = vec![("losses".to_owned(), losses), ("eval_logits".to_owned(), logits)];
    for (key, param) in parameters(&net) {
        results.push((format!("final/{key}"), param.value().to_vec()?));
    }
    let mut rows = Vec::new();
    for (what, values) in results {
        let computed = [Computed { name: what, values }];
        rows.push(tolerance.worst(name, &computed, |key| Ok(file.array(key)?.1.to_vec()))?);
    }
    Ok(Some(rows))
}
