//! What a run says of itself: to a person, and in `metrics.jsonl`.

use super::clock::Clock;
use super::optimizer::LossScale;
use super::outcome::Outcome;
use super::progress::Tally;
use super::run::{Done, Ending, Measured, Run, Tested};
use super::trace::Trace;
use crate::console::{Console, clock_time, counted, sparkline};
use crate::data::{Split, unkept};
use crate::error::Result;
use crate::evaluate::Score;
use crate::inspect::Inspection;
use crate::onlooker::{Course, Epoch, Event, Figures, Wish};
use crate::page;
use crate::run_folder::{LR_BY_HAND, MetricsLog, RunFolder};
use crate::settings::Config;
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// Lines of the log whose losses stand behind the bar, as a curve: with the rest it has eighty columns.
const CURVE: usize = 5;

/// Where a run says how it goes.
pub(super) struct Report<'a> {
    console: &'a mut Console,
    log: MetricsLog,
    pub clock: Clock,
    /// None where nobody asked for one.
    trace: Option<Trace>,
    /// Of the last lines of the log.
    losses: Vec<f64>,
    told_unkept: bool,
}

impl<'a> Report<'a> {
    /// `began`: when the command was started.
    pub fn new(console: &'a mut Console, log: MetricsLog, began: Instant, traced: bool) -> Self {
        Self {
            console,
            log,
            clock: Clock::new(began),
            trace: traced.then(|| Trace::new(began)),
            losses: Vec::new(),
            told_unkept: false,
        }
    }

    /// Something that began at `since`, after so many steps, is over.
    pub fn span(&mut self, name: &'static str, step: u64, since: Instant) {
        if let Some(trace) = &mut self.trace {
            trace.span(name, step, since);
        }
    }

    /// Writes what the time was spent on. The run is saved: a fault of this is told, and is none of the run's.
    pub fn write_trace(&self, path: &Path) {
        let Some(trace) = &self.trace else { return };
        match trace.write(path) {
            Ok(0) => {}
            Ok(left_out) => self.console.note(&format!("The trace is full: the last {} are not in it.", counted(left_out, "span"))),
            Err(error) => self.console.note(&format!("The trace was not written: {error}")),
        }
    }

    pub fn announce(&self, run: &Run) {
        let (Config { epochs, batch_size, .. }, model) = (&run.config, &run.description.model);
        let (data, device) = (&run.data, run.learner.optimizer.device());
        self.console.say(&format!("{model} on {} ({})", data.name, device.name()));
        let judges = match run.config.judged_by() {
            Some(Split::Val) => format!("{} to choose the best by, ", data.val.len()),
            _ => String::new(),
        };
        self.console.say(&format!("{} images to learn from, {judges}{} to test on", data.train.len(), data.test.len()));
        self.console.say(&format!(
            "{} of {} of {}",
            counted(*epochs, "epoch"),
            counted(run.progress.steps_per_epoch, "step"),
            counted(*batch_size as u64, "image")
        ));
        if !run.peers.is_alone() {
            let parts = u64::from(run.config.accumulate) / run.peers.size() as u64;
            self.console.say(&format!("{} processes, each with {} of a batch", run.peers.size(), counted(parts, "part")));
        }
        self.console.say(&format!("run: {}", run.folder.path().display()));
        let course = Course {
            model,
            data: &data.name,
            device: &device.name(),
            folder: run.folder.path(),
            epochs: *epochs,
            steps: run.progress.end(&run.config),
        };
        self.tell(Event::Ready(course));
    }

    /// For an onlooker.
    pub fn tell(&self, event: Event<'_>) {
        self.console.tell(event);
    }

    /// What an onlooker wishes next.
    pub fn wish(&self, step: u64) -> Option<Wish> {
        self.console.wish(step)
    }

    /// A line of the log for a rate that a hand changed, and a remark.
    pub fn rate_changed(&mut self, run: &Run, in_all: f32) -> Result<()> {
        let step = run.progress.step;
        self.log.add(&json!({ "step": step, "epoch": (step - 1) / run.progress.steps_per_epoch + 1, (LR_BY_HAND): in_all }))?;
        self.note(&format!("By hand: after step {step} the rate is {in_all:.3} times the schedule's."));
        Ok(())
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
            self.show(run, &window, false);
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
            "accuracy": run.counts_right.then(|| window.accuracy()),
            "lr": run.learner.optimizer.lr(),
            "images_per_s": self.clock.images_per_s(),
        }))?;
        self.show(run, window, true);
        self.losses.push(window.loss());
        self.losses.drain(..self.losses.len().saturating_sub(CURVE));
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
        // Under the name of what it was measured on.
        let split = run.config.judged_by().unwrap_or(Split::Val).key();
        let stall_s = self.clock.stall_of_epoch_s();
        let mut line = json!({
            "step": run.progress.step,
            "epoch": epoch,
            "epoch_done": run.progress.at_epoch_end(),
            "train_loss": tally.loss(),
            "train_accuracy": run.counts_right.then(|| tally.accuracy()),
            (format!("{split}_loss")): score.map(|s| s.loss),
            (format!("{split}_accuracy")): score.filter(|_| run.has_accuracy).map(|s| s.accuracy),
            "images_per_s": self.clock.images_per_s(),
            "stall_s": stall_s,
        });
        if let Some(scale) = run.learner.loss_scale()? {
            line["loss_scale"] = json!(scale);
        }
        let mean_iou = score.and_then(|s| s.mean_iou);
        if let Some(mean_iou) = mean_iou {
            line[format!("{split}_mean_iou")] = mean_iou.into();
        }
        self.log.add(&line)?;
        let accuracy = score.filter(|_| run.has_accuracy).map(|score| score.accuracy);
        self.tell(Event::Epoch(Epoch { step: run.progress.step, loss: score.map(|score| score.loss), accuracy }));
        let share = |told: bool, accuracy: f64| if told { format!(", {:.2} %", 100.0 * accuracy) } else { String::new() };
        let learned = share(run.counts_right, tally.accuracy());
        let mut line = format!("epoch {epoch}/{}: loss {:.4}{learned}", run.config.epochs, tally.loss());
        if let Some(score) = score {
            let good = || share(run.has_accuracy, score.accuracy);
            line +=
                &format!("; {split} {:.4}{}", score.loss, mean_iou.map_or_else(good, |iou| format!(", IoU {:.2} %", 100.0 * iou)));
        }
        if let Some(rate) = self.clock.images_per_s() {
            line += &format!("; {rate:.0} images/s");
        }
        // Always where it says whether the disk and the cores keep up.
        if stall_s >= 0.05 || !run.data.train.is_in_memory() {
            line += &format!(", stall {stall_s:.1} s");
        }
        self.console.say(&line);
        self.tell_unkept(run);
        Ok(())
    }

    /// Says once why pictures that were decoded are not kept.
    fn tell_unkept(&mut self, run: &Run) {
        if let Some(fault) = run.data.train.unkept().filter(|_| !self.told_unkept) {
            self.console.note(&unkept(fault));
            self.told_unkept = true;
        }
    }

    /// A line of the log for the test at the end.
    pub fn tested(&mut self, run: &Run, tested: Option<Tested>) -> Result<Option<Tested>> {
        if let Some(tested) = &tested {
            self.log.add(&json!({ "step": run.progress.step, "epoch": tested.last.epoch, "test": tested }))?;
        }
        Ok(tested)
    }

    /// What is found in the network. The run is saved: a fault of this is told, and is none of the run's.
    pub fn inspect(&mut self, run: &Done) {
        if !run.folder.is_ours() {
            return;
        }
        let since = Instant::now();
        let found = Inspection::of(&run.folder, &run.config, &run.data, &run.device);
        if let (Ok(found), Some(trace)) = (&found, &mut self.trace) {
            trace.layers(&found.layers);
        }
        if let Err(error) = found.and_then(|found| found.write(&run.folder.inspection())) {
            self.console.note(&format!("The report goes without pictures and layers: {error}"));
        }
        self.span("inspection", run.progress.step, since);
    }

    /// The run's page, rewritten. Training goes on without it.
    pub fn page(&self, folder: &RunFolder) {
        if !folder.is_ours() {
            return;
        }
        if let Err(error) = page::write(&[folder.path().into()], &folder.report()) {
            self.console.note(&format!("The report was not written: {error}"));
        }
    }

    /// How the steps go, for whoever looks on, and behind the bar.
    fn show(&self, run: &Run, window: &Tally, is_line: bool) {
        if !self.console.is_live() {
            return;
        }
        let figures = Figures {
            step: run.progress.step,
            loss: window.loss(),
            accuracy: run.counts_right.then(|| window.accuracy()),
            lr: f64::from(run.learner.optimizer.lr()),
            images_per_s: self.clock.images_per_s(),
            left: self.clock.left(run.progress.until(&run.config) - run.progress.step),
            peak_bytes: run.learner.optimizer.device().memory().peak,
            is_line,
        };
        self.tell(Event::Figures(figures));
        let curve = sparkline(&[&self.losses[..], &[figures.loss]].concat());
        let mut text = format!("loss {:.3} {curve}", figures.loss);
        if let Some(accuracy) = figures.accuracy {
            text += &format!(" {:.1} %", 100.0 * accuracy);
        }
        if let Some(rate) = figures.images_per_s {
            text += &format!(" {rate:.0} img/s");
        }
        if let Some(left) = figures.left {
            text += &format!(" {} left", clock_time(left));
        }
        self.console.status(text);
    }

    /// The last words, and the same as an object.
    pub fn conclude(&self, run: &Done, ending: Ending) -> Outcome {
        let Ending { tally, score, tested, interrupted, loss_scale, peak_bytes } = ending;
        let score = score.filter(|_| run.config.judged_by() == Some(Split::Val));
        let chosen = tested.map(|tested| tested.best.unwrap_or(tested.last));
        let outcome = Outcome {
            val_accuracy: score.filter(|_| run.has_accuracy).map(|s| s.accuracy),
            val_loss: score.map(|s| s.loss),
            val_mean_iou: score.and_then(|s| s.mean_iou),
            test: tested,
            test_accuracy: chosen.and_then(|chosen| chosen.accuracy),
            test_loss: chosen.map(|chosen| chosen.loss),
            test_mean_iou: chosen.and_then(|chosen| chosen.mean_iou),
            train_loss: tally.loss(),
            train_accuracy: run.counts_right.then(|| tally.accuracy()),
            images_per_s: self.clock.images_per_s(),
            first_step_s: self.clock.first_step_s(),
            stall_s: self.clock.stall_s(),
            elapsed_s: self.clock.elapsed_s(),
            steps: run.progress.step,
            epochs: run.progress.epoch,
            device: run.device.name(),
            model: run.description.model.clone(),
            data: run.data.name.clone(),
            seed: run.config.seed,
            run: run.folder.path().to_path_buf(),
            peak_bytes,
            loss_scale,
            interrupted,
        };
        self.say_outcome(&outcome, run);
        outcome
    }

    fn say_outcome(&self, outcome: &Outcome, run: &Done) {
        let say = |line: String| self.console.say(&line);
        let end = run.progress.end(&run.config);
        if let Some(tested) = &outcome.test {
            let what = match tested.last.mean_iou {
                Some(_) => "mean IoU",
                None if run.description.tells_labels() => "labels right",
                None => "accuracy",
            };
            say(test_line(tested, what, outcome.steps));
        }
        if let Some(rate) = outcome.images_per_s {
            say(format!("{rate:.0} images/s in training, {:.2} s of it waiting for images", outcome.stall_s));
        }
        if let Some(LossScale { scale, taken_back }) = outcome.loss_scale {
            say(format!("products in f16, the loss times {scale} at last; {} taken back", counted(taken_back, "step")));
        }
        let first = outcome.first_step_s.map(|s| format!("first step after {s:.2} s, "));
        say(format!("{}{:.1} s in all", first.unwrap_or_default(), outcome.elapsed_s));
        if run.progress.lost_patience(&run.config) {
            let best = run.progress.best_epoch.unwrap_or(0);
            say(format!("ended early: no epoch after epoch {best} was better (--patience)"));
        } else if outcome.steps < end {
            say(format!("stopped after step {} of {end}; to continue:", outcome.steps));
            say(format!("  wgrad train --resume {}", outcome.run.display()));
        }
    }
}

/// What the test images say, and of which weights; `accuracy` is what it is called, where there is one.
fn test_line(tested: &Tested, accuracy: &str, steps: u64) -> String {
    let figure = |measured: &Measured| match measured.mean_iou.or(measured.accuracy) {
        Some(accuracy) => format!("{:.2} %", 100.0 * accuracy),
        None => format!("{:.4}", measured.loss),
    };
    let what = if tested.last.accuracy.is_some() { accuracy } else { "loss" };
    match &tested.best {
        Some(best) if *best == tested.last => format!("test {what} {} after {steps} steps, the best weights", figure(best)),
        Some(best) => {
            let last = figure(&tested.last);
            format!("test {what} {} with the best weights (epoch {}), {last} with the last", figure(best), best.epoch)
        }
        None => format!("test {what} {} after {steps} steps", figure(&tested.last)),
    }
}
