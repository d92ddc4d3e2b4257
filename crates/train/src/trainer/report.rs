//! What a run says of itself: to a person, in `metrics.jsonl`, and as the command's JSON object.

use super::clock::Clock;
use super::progress::Tally;
use super::run::{Ending, Run};
use crate::console::{Console, clock_time};
use crate::error::Result;
use crate::evaluate::Score;
use crate::run_folder::MetricsLog;
use crate::settings::Config;
use serde::{Serialize, Serializer};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What a run came to.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Share of the test images that were recognised; none if there was no evaluation, or the network tells no classes.
    pub test_accuracy: Option<f64>,
    /// Mean loss over the test images.
    pub test_loss: Option<f64>,
    /// Mean loss over the last epoch, as far as it went.
    pub train_loss: f64,
    /// Share of the training images recognised over the last epoch, with augmentation and dropout in force.
    pub train_accuracy: Option<f64>,
    /// Training alone, after the first step.
    pub images_per_s: Option<f64>,
    /// From the start of the command to the end of the first step.
    pub first_step_s: Option<f64>,
    /// Of training alone, after the first step: the time spent waiting for the images of the batches, their upload included.
    pub stall_s: f64,
    /// From the start of the command to its end.
    pub elapsed_s: f64,
    /// Steps done in all.
    pub steps: u64,
    /// Epochs done in all.
    pub epochs: u64,
    /// The device's name.
    pub device: String,
    /// The model's name.
    pub model: String,
    /// The data set.
    pub data: String,
    /// The seed.
    pub seed: u64,
    /// The folder of the run.
    #[serde(serialize_with = "as_text")]
    pub run: PathBuf,
    /// The most bytes that the device held at a time.
    pub peak_bytes: u64,
    /// Whether Ctrl-C, SIGTERM or SIGHUP ended it.
    pub interrupted: bool,
}

/// What is no UTF-8 in a path is replaced: JSON has no other text.
fn as_text<S: Serializer>(path: &Path, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// Where a run says how it goes.
pub(super) struct Report<'a> {
    console: &'a mut Console,
    log: MetricsLog,
    pub clock: Clock,
}

impl<'a> Report<'a> {
    /// `began`: when the command was started.
    pub fn new(console: &'a mut Console, log: MetricsLog, began: Instant) -> Self {
        Self { console, log, clock: Clock::new(began) }
    }

    pub fn announce(&self, run: &Run) {
        let (Config { epochs, batch_size, .. }, model) = (&run.config, &run.description.model);
        let (data, device) = (&run.data, run.learner.optimizer.device());
        self.console.say(&format!("{model} on {} ({})", data.name, device.name()));
        let (images, steps) = (data.train.len(), run.progress.steps_per_epoch);
        self.console.say(&format!("{images} images, {epochs} epochs of {steps} steps of {batch_size}"));
        self.console.say(&format!("run: {}", run.folder.path().display()));
    }

    /// A remark of a person's.
    pub fn note(&self, line: &str) {
        self.console.note(line);
    }

    /// Shows a bar for an epoch of which `done` steps are done.
    pub fn begin_epoch(&mut self, run: &Run, done: u64) {
        let steps = run.progress.steps_per_epoch;
        self.console.begin(format!("epoch {}/{}", run.progress.step / steps + 1, run.config.epochs), done, steps);
    }

    /// One step was sent.
    pub fn advance(&self) {
        self.console.advance();
    }

    /// The device has done all that was sent.
    pub fn waited(&mut self, run: &Run) -> Result<()> {
        self.clock.waited();
        if self.console.is_live() {
            // Read, and not reset: looking changes no bit.
            let mut window = run.progress.window;
            window.add(&run.learner.step.metrics()?);
            self.show(run, &window);
        }
        Ok(())
    }

    /// A line of the log: the steps since the last one.
    pub fn step(&mut self, run: &Run) -> Result<()> {
        self.clock.waited();
        let (step, window) = (run.progress.step, &run.progress.window);
        self.log.add(&json!({
            "step": step,
            "epoch": (step - 1) / run.progress.steps_per_epoch + 1,
            "loss": window.loss(),
            "accuracy": run.is_classifier.then(|| window.accuracy()),
            "lr": run.learner.optimizer.lr(),
            "images_per_s": self.clock.images_per_s(),
        }))?;
        self.show(run, window);
        Ok(())
    }

    /// Training stops for an evaluation or for good: the clock stands, and there is no bar.
    pub fn pause(&mut self) {
        self.clock.pause();
        self.console.end();
    }

    /// What an epoch came to, or the part of it that was done, in the log and for a person.
    pub fn epoch(&mut self, run: &Run, score: Option<Score>) -> Result<()> {
        let tally = run.progress.epoch_so_far();
        let epoch = (run.progress.step - 1) / run.progress.steps_per_epoch + 1;
        self.log.add(&json!({
            "step": run.progress.step,
            "epoch": epoch,
            "epoch_done": run.progress.at_epoch_end(),
            "train_loss": tally.loss(),
            "train_accuracy": run.is_classifier.then(|| tally.accuracy()),
            "test_loss": score.map(|s| s.loss),
            "test_accuracy": score.filter(|_| run.is_classifier).map(|s| s.accuracy),
            "images_per_s": self.clock.images_per_s(),
            "stall_s": self.clock.stall_s(),
        }))?;
        let share = |accuracy: f64| if run.is_classifier { format!(", {:.2} %", 100.0 * accuracy) } else { String::new() };
        let mut line = format!("epoch {epoch}/{}: loss {:.4}{}", run.config.epochs, tally.loss(), share(tally.accuracy()));
        if let Some(score) = score {
            line += &format!("; test {:.4}{}", score.loss, share(score.accuracy));
        }
        if let Some(rate) = self.clock.images_per_s() {
            line += &format!("; {rate:.0} images/s");
        }
        self.console.say(&line);
        Ok(())
    }

    /// What stands behind the bar.
    fn show(&self, run: &Run, window: &Tally) {
        if !self.console.is_live() {
            return;
        }
        let mut text = format!("loss {:.3}", window.loss());
        if run.is_classifier {
            text += &format!(" {:.1} %", 100.0 * window.accuracy());
        }
        if let Some(rate) = self.clock.images_per_s() {
            text += &format!(" {rate:.0} img/s");
        }
        if let Some(left) = self.clock.left(run.progress.until(&run.config) - run.progress.step) {
            text += &format!(" {} left", clock_time(left));
        }
        self.console.status(text);
    }

    /// The last words, and the same as an object.
    pub fn conclude(&self, run: &Run, ending: Ending) -> Outcome {
        let Ending { tally, score, interrupted } = ending;
        let device = run.learner.optimizer.device();
        let outcome = Outcome {
            test_accuracy: score.filter(|_| run.is_classifier).map(|s| s.accuracy),
            test_loss: score.map(|s| s.loss),
            train_loss: tally.loss(),
            train_accuracy: run.is_classifier.then(|| tally.accuracy()),
            images_per_s: self.clock.images_per_s(),
            first_step_s: self.clock.first_step_s(),
            stall_s: self.clock.stall_s(),
            elapsed_s: self.clock.elapsed_s(),
            steps: run.progress.step,
            epochs: run.progress.epoch,
            device: device.name(),
            model: run.description.model.clone(),
            data: run.data.name.clone(),
            seed: run.config.seed,
            run: run.folder.path().to_path_buf(),
            peak_bytes: device.memory().peak,
            interrupted,
        };
        self.say_outcome(&outcome, run.progress.end(&run.config));
        outcome
    }

    fn say_outcome(&self, outcome: &Outcome, end: u64) {
        let say = |line: String| self.console.say(&line);
        if let Some(accuracy) = outcome.test_accuracy {
            say(format!("test accuracy {:.2} % after {} steps", 100.0 * accuracy, outcome.steps));
        }
        if let Some(rate) = outcome.images_per_s {
            say(format!("{rate:.0} images/s in training, {:.2} s of it waiting for images", outcome.stall_s));
        }
        let first = outcome.first_step_s.map(|s| format!("first step after {s:.2} s, "));
        say(format!("{}{:.1} s in all", first.unwrap_or_default(), outcome.elapsed_s));
        if outcome.steps < end {
            say(format!("stopped after step {} of {end}; to continue:", outcome.steps));
            say(format!("  wgrad train --resume {}", outcome.run.display()));
        }
    }
}
