//! Steps at rates that are given, and the loss of each: what [`lr_find`](crate::lr_find) looks at.

use super::clock::Clock;
use super::setup::{Order, Ready, opened, ready, stem};
use crate::console::Console;
use crate::error::Result;
use crate::peers::Peers;
use crate::settings::{ScheduleKind, Settings, Warmup};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

/// What such steps were of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subject {
    /// The model's name.
    pub model: String,
    /// The data set.
    pub data: String,
    /// The device's name.
    pub device: String,
    /// The update rule.
    pub optimizer: String,
    /// Images of a step.
    pub batch_size: usize,
    /// The seed.
    pub seed: u64,
    /// Whether they were ended from outside.
    pub interrupted: bool,
    /// Of the steps after the first. It is not written: everything else is the same each time.
    #[serde(skip)]
    pub images_per_s: Option<f64>,
    /// The folder of the runs, and what one of these settings is called there before its number.
    #[serde(skip)]
    pub(crate) out: PathBuf,
    #[serde(skip)]
    pub(crate) stem: String,
}

/// Trains the network that a run of these settings begins with, a step at each of `rates` over the images that the run would see. `look`
/// is told the loss of each, before the update, and ends it all by `false`. Nothing is written, and no weights are kept.
///
/// # Errors
/// As [`train`](super::train), before its first step; a fault of the device.
pub(crate) fn range_test(
    order: Order<'_>,
    rates: &[f32],
    console: &mut Console,
    look: &mut dyn FnMut(f64) -> bool,
) -> Result<Subject> {
    let Order { settings, data, device, stop, began, .. } = order;
    // No run is made: a name is that of a page, and none of a run that there may be.
    let (mut config, data) = opened(&Settings { name: None, ..settings }, data, console)?;
    // The rates are given, and nothing is measured but the loss of the training.
    (config.schedule, config.warmup, config.test_images) = (ScheduleKind::Constant, Warmup::Steps(0), Some(0));
    let Ready { config, data, description, mut learner, .. } = ready(config, data, device, &Peers::alone(), console)?;
    let device = learner.optimizer.device().name();
    console.say(&format!("{} on {} ({device})", description.model, data.name));
    console.begin("learning rates".to_owned(), 0, rates.len() as u64);
    let part = config.batch_size / config.accumulate as usize;
    let mut clock = Clock::new(began);
    let sampler = config.sampler.unwrap_or_default();
    let in_batches = |epoch| {
        let order = sampler.order(data.train.labels(), config.seed, epoch);
        order.chunks_exact(config.batch_size).map(<[u32]>::to_vec).collect::<Vec<_>>()
    };
    let mut images = (0..).flat_map(in_batches).take(rates.len()).peekable();
    let mut interrupted = false;
    for (step, &rate) in rates.iter().enumerate() {
        learner.set_lr(rate, step as u64);
        let batch = images.next().expect("a batch for each rate");
        let mut parts = batch.chunks_exact(part).chain(images.peek().map(|next| &next[..part])).peekable();
        let mut loss = 0.0;
        for _ in 0..config.accumulate {
            learner.fill(&config, step as u64, parts.next().expect("a batch has as many parts"))?;
            clock.fed(learner.feed.waited());
            parts.peek().into_iter().for_each(|next| learner.feed.prepare(next));
            learner.step.run()?;
            loss += f64::from(learner.step.loss()?) / f64::from(config.accumulate);
        }
        clock.stepped(config.batch_size as u64);
        clock.waited();
        console.advance();
        console.status(format!("rate {rate:.1e} loss {loss:.3}"));
        interrupted = stop.load(Relaxed);
        if interrupted || !look(loss) {
            break;
        }
    }
    drop(images);
    console.end();
    Ok(Subject {
        model: description.model,
        stem: stem(&data, &config.model),
        data: data.name,
        device,
        optimizer: config.optimizer.to_string(),
        batch_size: config.batch_size,
        seed: config.seed,
        images_per_s: clock.images_per_s(),
        out: config.out,
        interrupted,
    })
}
