//! Whole training steps, each from the state of the CPU device: what they change.

use super::rows::{BATCH, Named, largest, layer_of, layer_scales, normalised, row};
use crate::data::Dataset;
use crate::error::{Error, Result, one_line};
use crate::model::{Description, image_shape};
use gpu_core::Device;
use nn::{Checkpoint, CheckpointError, Net, Sgd, StepOptions, TrainStep, parameters};
use proof::Row;

const LOSS: f32 = 1e-4;
/// Of the largest change of the tensor: one flip of a ReLU or a max pool moves a gradient by up to 2e-2 of the largest at this batch.
/// The layers by themselves are the fine sieve; this one is for how they are put together, and for what is not updated at all, which
/// differs by all of its change.
const CHANGE: f32 = 6e-2;
/// Of the largest change in the layer, beneath which all is rounding.
const ROUNDING: f32 = 2e-5;
/// Of the largest value: what adding a change to it rounds off.
const STORED: f32 = 2.4e-7;
const LR: f32 = 0.01;

/// A network with its optimiser and its captured step.
pub(super) struct Bench {
    net: Net,
    sgd: Sgd,
    step: TrainStep,
}

/// What one step does.
pub(super) struct Step {
    loss: f32,
    /// Before it and after it: every parameter and running statistic.
    before: Named,
    after: Named,
}

impl Bench {
    fn new(description: &Description, data: &Dataset, device: &Device, seed: u64) -> Result<Self> {
        Self::of(description.build(device, seed)?, description, data, seed)
    }

    fn of(net: Net, description: &Description, data: &Dataset, seed: u64) -> Result<Self> {
        let sgd = Sgd::new(&net, LR).momentum(0.9).weight_decay(5e-4);
        let options = StepOptions::new(BATCH, image_shape(&data.train)).loss(description.loss(0.0)?).seed(seed);
        let step = TrainStep::captured(&net, &sgd, &options)?;
        Ok(Self { net, sgd, step })
    }

    fn run(&self, x: &[f32], labels: &[u32]) -> Result<Step> {
        let before = self.state()?;
        self.step.run_on(x, labels)?;
        Ok(Step { loss: self.step.loss()?, before, after: self.state()? })
    }

    fn state(&self) -> Result<Named> {
        let read = |(name, param): (String, nn::Param)| Ok((name, param.value().to_vec()?));
        parameters(&self.net).into_iter().map(read).collect()
    }

    /// Takes over the weights and the optimiser's state.
    fn follow(&self, other: &Self) -> std::result::Result<(), CheckpointError> {
        let state = Checkpoint::new().net(&other.net)?.optimizer(&other.sgd)?;
        state.load_net(&self.net)?;
        state.load_optimizer(&self.sgd)
    }
}

pub(super) fn compare(description: &Description, data: &Dataset, device: &Device, steps: usize, seed: u64) -> Result<Vec<Row>> {
    let [got, want] = [device, &Device::Cpu].map(|device| Bench::new(description, data, device, seed));
    rows(&got?, &want?, data, steps)
}

/// Both begin with the same state. The losses of all steps; then a row for each parameter, that of the step that differs most.
pub(super) fn rows(got: &Bench, want: &Bench, data: &Dataset, steps: usize) -> Result<Vec<Row>> {
    let (x, labels) = normalised(data);
    let (mut losses, mut worst): (Vec<Row>, Vec<Row>) = Default::default();
    let batches = x.chunks_exact(BATCH * image_shape(&data.train).len()).zip(labels.chunks_exact(BATCH));
    for (i, (x, labels)) in batches.take(steps).enumerate() {
        if i > 0 {
            got.follow(want).map_err(|e| Error::Setting(one_line(&e)))?;
        }
        let (got_step, want_step) = (got.run(x, labels)?, want.run(x, labels)?);
        let what = format!("step {}", i + 1);
        losses.push(row("loss", &what, &[got_step.loss], &[want_step.loss], LOSS * want_step.loss.abs()));
        for (k, row) in changes(&got_step, &want_step, &format!("change, {what}")).into_iter().enumerate() {
            match worst.get_mut(k) {
                None => worst.push(row),
                Some(known) if row.error / row.bound > known.error / known.bound => *known = row,
                Some(_) => {}
            }
        }
    }
    losses.extend(worst);
    Ok(losses)
}

/// How far the changes of each parameter differ; both steps began with the same values.
fn changes(got: &Step, want: &Step, what: &str) -> Vec<Row> {
    let change = |step: &Step| -> Named {
        let minus = |((name, after), (_, before)): (&(String, Vec<f32>), &(String, Vec<f32>))| {
            (name.clone(), after.iter().zip(before).map(|(after, before)| after - before).collect())
        };
        step.after.iter().zip(&step.before).map(minus).collect()
    };
    let (got_changes, want_changes) = (change(got), change(want));
    let scales = layer_scales(&want_changes);
    let compare = |(i, (name, w)): (usize, &(String, Vec<f32>))| {
        let stored = STORED * largest(&want.after[i].1);
        let bound = (CHANGE * largest(w)).max(ROUNDING * scales[layer_of(name)]) + stored;
        row(name, what, &got_changes[i].1, w, bound)
    };
    want_changes.iter().enumerate().map(compare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::builtin;
    use nn::Param;

    const MODELS: [&str; 3] = ["small-cnn", "lenet", "three-layer-convnet"];

    fn failed(rows: Vec<Row>) -> Vec<String> {
        rows.into_iter().filter(|row| !row.ok).map(|row| row.name).collect()
    }

    /// The network is trained with one parameter frozen.
    #[test]
    fn a_parameter_that_is_not_trained_is_reported() {
        for model in MODELS {
            let data = builtin::generate(BATCH, 0);
            let description = Description::new(model, &data).unwrap();
            let without = |missing: &str| {
                let net = description.build(&Device::Cpu, 0).unwrap();
                parameters(&net).iter().filter(|(name, _)| name == missing).for_each(|(_, param)| param.set_frozen(true));
                let got = Bench::of(net, &description, &data, 0).unwrap();
                let want = Bench::new(&description, &data, &Device::Cpu, 0).unwrap();
                failed(rows(&got, &want, &data, 1).unwrap())
            };
            assert_eq!(without("none of them"), [""; 0], "{model}");
            let learned = |(_, param): &(String, Param)| param.is_trainable();
            for (name, _) in parameters(&description.build(&Device::Cpu, 0).unwrap()).into_iter().filter(learned) {
                assert_eq!(without(&name), [name.as_str()], "{model}");
            }
        }
    }

    /// Running statistics too, on every device, by the figures of a real step.
    #[test]
    fn a_missing_change_of_any_one_tensor_is_reported() {
        for device in proof::devices() {
            for model in MODELS {
                let data = builtin::generate(BATCH, 0);
                let description = Description::new(model, &data).unwrap();
                let (x, labels) = normalised(&data);
                let step = |device| Bench::new(&description, &data, device, 0).unwrap().run(&x, &labels).unwrap();
                let (mut got, want) = (step(&device), step(&Device::Cpu));
                assert_eq!(failed(changes(&got, &want, "")), [""; 0], "{model} on {}", device.name());
                for i in 0..got.after.len() {
                    let (name, before) = got.before[i].clone();
                    let after = std::mem::replace(&mut got.after[i].1, before);
                    assert_eq!(failed(changes(&got, &want, "")), [name], "{model} on {}", device.name());
                    got.after[i].1 = after;
                }
            }
        }
    }
}
