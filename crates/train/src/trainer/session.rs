//! The loop over steps and epochs.

use super::{Clock, Outcome, Progress, Tally, schedule};
use crate::config::{Config, ScheduleKind};
use crate::console::{Console, clock_time};
use crate::data::{Dataset, shuffled};
use crate::error::{Error, Result};
use crate::evaluate::{Evaluator, Score};
use crate::loader::{self, Feed, Source};
use crate::model::{self, DESCRIPTION, Description};
use crate::run_folder::{Metrics, RunFolder};
use gpu_core::Device;
use nn::checkpoint::Checkpoint;
use nn::optim::with_average;
use nn::schedule::{Plateau, Schedule};
use nn::{Net, Optimizer, StepOptions, TrainStep};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

/// A run with its steps captured.
pub(super) struct Session<'a> {
    config: &'a Config,
    data: &'a Dataset,
    description: &'a Description,
    device: Device,
    net: Net,
    optimizer: Box<dyn Optimizer>,
    schedule: Schedule,
    step: TrainStep,
    feed: Feed,
    evaluator: Evaluator,
    progress: Progress,
    /// What the last epoch came to, as far as it went.
    tally: Tally,
    clock: Clock,
    began: Instant,
    /// Steps at the end of the last epoch, and at the end of this command.
    end: u64,
    until: u64,
}

impl<'a> Session<'a> {
    pub fn new(
        config: &'a Config,
        data: &'a Dataset,
        description: &'a Description,
        net: Net,
        optimizer: Box<dyn Optimizer>,
        mut progress: Progress,
        began: Instant,
    ) -> Result<Self> {
        if config.schedule == ScheduleKind::Plateau && progress.plateau.is_none() {
            progress.plateau = Some(Plateau::new(config.lr as f32).patience(2));
        }
        let segments = match config.checkpoint_activations {
            0 => (net.children().len() as f64).sqrt().round().max(1.0) as usize,
            segments => segments,
        };
        let net = net.checkpoint_activations(segments);
        let (batch, images) = (config.batch_size, data.train.len());
        if batch > images {
            return Error::setting(format!("--batch-size {batch} is more than the {images} training images"));
        }
        let device = optimizer.device().clone();
        let how = config.augmentation()?;
        let augment = loader::augment(how, &data.mean, &data.std, data.train.height());
        let loss = description.loss(config.label_smoothing as f32)?;
        let part = batch / config.accumulate as usize;
        let options = StepOptions::new(part, model::image_shape(&data.train)).loss(loss).seed(config.seed);
        let options = options.accumulate(config.accumulate);
        super::memory::refuse_too_large(&net, &*optimizer, &options, part, &device)?;
        let feed = Source::new(&device, &data.train).feed(part);
        let step = TrainStep::captured_with(&net, &*optimizer, &options, |slots| feed.launch(slots, &augment, config.seed))?;
        let test = Source::new(&device, &data.test);
        let measured = config.test_images.unwrap_or(data.test.len());
        let plain = description.loss(0.0)?;
        let evaluator = Evaluator::new(&net, &device, &test, measured, plain, &loader::normalise(data))?;
        let end = config.epochs * progress.steps_per_epoch;
        Ok(Self {
            config,
            data,
            description,
            device,
            net,
            optimizer,
            schedule: schedule(config, end),
            step,
            feed,
            evaluator,
            progress,
            tally: Tally::default(),
            clock: Clock::new(began),
            began,
            end,
            until: config.max_steps.map_or(end, |m| m.min(end)),
        })
    }

    /// Every step that is left, with a checkpoint at the end of each epoch and every so often in between.
    pub fn run(mut self, folder: RunFolder, mut log: Metrics, stop: &AtomicBool, console: &mut Console) -> Result<Outcome> {
        self.announce(&folder, console);
        let mut score = None;
        let mut interrupted = false;
        while self.progress.step < self.until && !interrupted {
            let epoch = self.progress.step / self.progress.steps_per_epoch;
            interrupted = self.epoch(epoch, &folder, &mut log, stop, console)?;
            self.drain(&folder)?;
            self.clock.pause();
            console.end();
            if !interrupted {
                score = with_average(&*self.optimizer, || self.evaluator.score())?;
                self.log_epoch(epoch, score, &mut log, console)?;
            }
            self.tally = self.progress.epoch_tally;
            if self.progress.at_epoch_end() {
                self.end_epoch(epoch, score, &folder)?;
            }
            self.save(&folder.last())?;
            self.clock.go_on();
        }
        let outcome = self.outcome(&folder, score, interrupted);
        self.conclude(&outcome, console);
        Ok(outcome)
    }

    /// The steps of an epoch that are left; true if it was cut short from outside.
    fn epoch(
        &mut self,
        epoch: u64,
        folder: &RunFolder,
        log: &mut Metrics,
        stop: &AtomicBool,
        console: &mut Console,
    ) -> Result<bool> {
        let (batch, per_epoch) = (self.config.batch_size, self.progress.steps_per_epoch);
        let order = shuffled(self.data.train.len(), self.config.seed, epoch);
        let first = self.progress.step % per_epoch;
        let last = per_epoch.min(self.until - epoch * per_epoch);
        console.begin(format!("epoch {}/{}", epoch + 1, self.config.epochs), first, per_epoch);
        // A rest that does not fill a batch is left out; another order next time leaves out others.
        let images = &order[first as usize * batch..last as usize * batch];
        let mut parts = images.chunks_exact(batch / self.config.accumulate as usize).peekable();
        for _ in first..last {
            let base = self.progress.plateau.as_ref().map_or(self.config.lr as f32, |p| p.lr());
            self.optimizer.set_lr(self.schedule.lr(base, self.progress.step as usize));
            for _ in 0..self.config.accumulate {
                let asked = Instant::now();
                self.feed.fill(parts.next().expect("a batch has as many parts"));
                self.clock.fed(asked.elapsed());
                parts.peek().into_iter().for_each(|next| self.feed.prepare(next));
                self.step.run()?;
            }
            self.progress.step += 1;
            if self.clock.stepped(batch as u64) {
                self.device.synchronize()?;
                self.clock.waited();
                self.peek(console)?;
            }
            console.advance();
            self.after_step(folder, log, console)?;
            if stop.load(Relaxed) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The log line and the checkpoint that fall on this step.
    fn after_step(&mut self, folder: &RunFolder, log: &mut Metrics, console: &Console) -> Result<()> {
        let step = self.progress.step;
        if step.is_multiple_of(self.config.log_every) {
            self.drain(folder)?;
            self.clock.waited();
            log.add(&json!({
                "step": step,
                "epoch": (step - 1) / self.progress.steps_per_epoch + 1,
                "loss": self.progress.window.loss(),
                "accuracy": self.description.is_classifier().then(|| self.progress.window.accuracy()),
                "lr": self.optimizer.lr(),
                "images_per_s": self.clock.images_per_s(),
            }))?;
            self.show(console, &self.progress.window);
            self.progress.window = Default::default();
        }
        // The end of an epoch saves after its evaluation.
        if step.is_multiple_of(self.config.save_every) && !self.progress.at_epoch_end() {
            self.drain(folder)?;
            self.clock.pause();
            self.save(&folder.last())?;
            self.clock.go_on();
        }
        Ok(())
    }

    /// Brings what the device has counted to the host, and looks whether the run still makes sense.
    fn drain(&mut self, folder: &RunFolder) -> Result<()> {
        let metrics = self.step.metrics()?;
        self.step.reset_metrics();
        if metrics.images > 0 && !metrics.loss.is_finite() {
            let last = folder.last();
            let checkpoint = match last.is_file() {
                true => format!(" (the last checkpoint from before is {})", last.display()),
                false => String::new(),
            };
            return Err(Error::Diverged { step: self.progress.step, loss: metrics.loss as f32, checkpoint });
        }
        self.progress.window.add(&metrics);
        self.progress.epoch_tally.add(&metrics);
        Ok(())
    }

    /// What an epoch came to, or the part of it that was done, in the log and for a person.
    fn log_epoch(&self, epoch: u64, score: Option<Score>, log: &mut Metrics, console: &Console) -> Result<()> {
        let classifier = self.description.is_classifier();
        let tally = self.progress.epoch_tally;
        log.add(&json!({
            "step": self.progress.step,
            "epoch": epoch + 1,
            "epoch_done": self.progress.at_epoch_end(),
            "train_loss": tally.loss(),
            "train_accuracy": classifier.then(|| tally.accuracy()),
            "test_loss": score.map(|s| s.loss),
            "test_accuracy": score.filter(|_| classifier).map(|s| s.accuracy),
            "images_per_s": self.clock.images_per_s(),
            "stall_s": self.clock.stall_s(),
        }))?;
        let mut line = format!("epoch {}/{}: loss {:.4}", epoch + 1, self.config.epochs, tally.loss());
        if classifier {
            line += &format!(", {:.2} %", 100.0 * tally.accuracy());
        }
        if let Some(score) = score {
            line += &format!("; test {:.4}", score.loss);
            if classifier {
                line += &format!(", {:.2} %", 100.0 * score.accuracy);
            }
        }
        if let Some(rate) = self.clock.images_per_s() {
            line += &format!("; {rate:.0} images/s");
        }
        console.say(&line);
        Ok(())
    }

    /// Only whole epochs compete for the best, and nothing that was counted is carried over: an epoch's checkpoint is the same
    /// wherever the run was stopped before.
    fn end_epoch(&mut self, epoch: u64, score: Option<Score>, folder: &RunFolder) -> Result<()> {
        self.progress.epoch = epoch + 1;
        if let Some(plateau) = &mut self.progress.plateau {
            plateau.observe(score.map_or(self.tally.loss(), |s| s.loss));
        }
        self.progress.window = Default::default();
        self.progress.epoch_tally = Default::default();
        let classifier = self.description.is_classifier();
        let value = score.map(|s| if classifier { s.accuracy } else { -s.loss });
        if value.is_some_and(|v| self.progress.best.is_none_or(|best| v > best)) {
            self.progress.best = value;
            // What was measured is what is saved.
            with_average(&*self.optimizer, || self.save(&folder.best()))?;
        }
        Ok(())
    }

    fn save(&self, path: &Path) -> Result<()> {
        let about = |e| model::about(path, e);
        let checkpoint = Checkpoint::new().net(&self.net).and_then(|c| c.optimizer(&*self.optimizer)).map_err(about)?;
        let description = serde_json::to_string(self.description).expect("a description is JSON");
        self.progress.noted(checkpoint.note(DESCRIPTION, description)).write(path).map_err(about)
    }

    /// What the bar says between log lines: read, not drained, so that looking changes no bit.
    fn peek(&self, console: &Console) -> Result<()> {
        if console.is_live() {
            let mut window = self.progress.window;
            window.add(&self.step.metrics()?);
            self.show(console, &window);
        }
        Ok(())
    }

    fn show(&self, console: &Console, window: &Tally) {
        if console.is_live() {
            let mut text = format!("loss {:.3}", window.loss());
            if self.description.is_classifier() {
                text += &format!(" {:.1} %", 100.0 * window.accuracy());
            }
            if let Some(rate) = self.clock.images_per_s() {
                text += &format!(" {rate:.0} img/s");
            }
            if let Some(left) = self.clock.left(self.until - self.progress.step) {
                text += &format!(" {} left", clock_time(left));
            }
            console.status(text);
        }
    }

    fn announce(&self, folder: &RunFolder, console: &Console) {
        let Config { epochs, batch_size, .. } = self.config;
        let images = self.data.train.len();
        console.say(&format!("{} on {} ({})", self.config.model, self.data.name, self.device.name()));
        console.say(&format!("{images} images, {epochs} epochs of {} steps of {batch_size}", self.progress.steps_per_epoch));
        console.say(&format!("run: {}", folder.path().display()));
    }

    fn outcome(&self, folder: &RunFolder, score: Option<Score>, interrupted: bool) -> Outcome {
        let classifier = self.description.is_classifier();
        let tally = self.tally;
        Outcome {
            test_accuracy: score.filter(|_| classifier).map(|s| s.accuracy),
            test_loss: score.map(|s| s.loss),
            train_loss: tally.loss(),
            train_accuracy: classifier.then(|| tally.accuracy()),
            images_per_s: self.clock.images_per_s(),
            first_step_s: self.clock.first_step_s(),
            stall_s: self.clock.stall_s(),
            elapsed_s: self.began.elapsed().as_secs_f64(),
            steps: self.progress.step,
            epochs: self.progress.epoch,
            device: self.device.name(),
            model: self.config.model.clone(),
            data: self.data.name.clone(),
            seed: self.config.seed,
            run: folder.path().to_path_buf(),
            peak_bytes: self.device.memory().peak,
            interrupted,
        }
    }

    fn conclude(&self, outcome: &Outcome, console: &Console) {
        if let Some(accuracy) = outcome.test_accuracy {
            console.say(&format!("test accuracy {:.2} % after {} steps", 100.0 * accuracy, outcome.steps));
        }
        let first = outcome.first_step_s.map(|s| format!("first step after {s:.2} s"));
        if let Some(rate) = outcome.images_per_s {
            console.say(&format!("{rate:.0} images/s in training, {:.2} s of it waiting for images", outcome.stall_s));
        }
        let took = format!("{:.1} s in all", outcome.elapsed_s);
        console.say(&[first, Some(took)].into_iter().flatten().collect::<Vec<_>>().join(", "));
        if outcome.steps < self.end {
            console.say(&format!("stopped after step {} of {}; to go on:", outcome.steps, self.end));
            console.say(&format!("  wgrad train --resume {}", outcome.run.display()));
        }
    }
}
