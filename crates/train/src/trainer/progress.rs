//! How far a run is: what a checkpoint holds beside the weights and the optimiser.

use crate::error::{Error, Result};
use crate::settings::{Config, ScheduleKind};
use gpu_core::ops::MetricSums;
use nn::checkpoint::Checkpoint;
use nn::schedule::Plateau;
use nn::{Metrics, Optimizer};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The note of a checkpoint under which its [`Progress`] lies.
const NOTE: &str = "wgrad.progress";

/// Sums over images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    images: u64,
    loss: f64,
    correct: f64,
}

impl Tally {
    /// Adds what a step has counted since it was reset.
    pub fn add(&mut self, metrics: &Metrics) {
        // Means over no images are not numbers.
        if metrics.images == 0 {
            return;
        }
        let n = metrics.images as f64;
        self.images = self.images.saturating_add(metrics.images);
        self.loss += metrics.loss * n;
        self.correct += metrics.accuracy * n;
    }

    /// Mean loss.
    pub fn loss(&self) -> f64 {
        self.loss / self.images.max(1) as f64
    }

    /// Share that was recognised.
    pub fn accuracy(&self) -> f64 {
        self.correct / self.images.max(1) as f64
    }
}

/// The most that a hand makes of the schedule's rate; the least is as many times smaller.
const MOST_BY_HAND: f32 = 1000.0;

/// From `step` on, a hand has multiplied the rate by `factor`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct ByHand {
    step: u64,
    factor: f32,
}

/// Where a run stands. With the seed, `step` is all that the order of the images, augmentation, dropout and the schedule depend
/// on, so a run that goes on from here gives the bits of one that never stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The seed of all random numbers.
    pub seed: u64,
    /// Steps done.
    pub step: u64,
    /// Epochs done.
    pub epoch: u64,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// The best score of an epoch so far, over the validation images: the accuracy, the mean IoU where pixels have classes, or the negative
    /// loss of a network that does not tell one class of an image.
    pub best: Option<f64>,
    /// The epoch that it is of, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<u64>,
    /// The schedule that looks at the validation loss, where that is the one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plateau: Option<Plateau>,
    /// What a hand did to the rate while the run went on, in the order of the steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    by_hand: Vec<ByHand>,
    /// Counted since the last line of the log.
    pub(super) window: Tally,
    /// Counted since the epoch began.
    pub(super) epoch_tally: Tally,
    /// What the device has counted since it was last asked. It is asked after the same steps wherever a run is stopped: a [`Tally`] is
    /// rounded, and one of other parts would have other bits.
    #[serde(default)]
    pub(super) pending: [u32; MetricSums::WORDS],
}

impl Progress {
    /// At the beginning.
    pub fn new(config: &Config, steps_per_epoch: u64) -> Self {
        let plateau = (config.schedule == ScheduleKind::Plateau).then(|| Plateau::new(config.lr as f32).patience(2));
        let (window, epoch_tally, pending) = Default::default();
        Self {
            seed: config.seed,
            step: 0,
            epoch: 0,
            steps_per_epoch,
            best: None,
            best_epoch: None,
            plateau,
            by_hand: Vec::new(),
            window,
            epoch_tally,
            pending,
        }
    }

    /// Steps at the end of the last epoch; see [`expect_countable`].
    pub fn end(&self, config: &Config) -> u64 {
        config.epochs.saturating_mul(self.steps_per_epoch)
    }

    /// Steps at the end of this command.
    pub fn until(&self, config: &Config) -> u64 {
        let end = self.end(config);
        config.max_steps.map_or(end, |most| most.min(end))
    }

    /// Whether so many epochs were no better than the best one that the run ends.
    pub fn lost_patience(&self, config: &Config) -> bool {
        let stale = self.best_epoch.map_or(0, |best| self.epoch.saturating_sub(best));
        config.patience.is_some_and(|patience| stale >= patience)
    }

    /// Whether this command has nothing left to do.
    pub fn is_over(&self, config: &Config) -> bool {
        self.step >= self.until(config) || self.lost_patience(config)
    }

    /// The learning rate that the schedule is a part of, for the next step.
    pub fn base_lr(&self, config: &Config) -> f32 {
        self.plateau.as_ref().map_or(config.lr as f32, |plateau| plateau.lr()) * self.factor_by_hand()
    }

    /// What hands have made of the schedule's rate for the next step.
    fn factor_by_hand(&self) -> f32 {
        self.by_hand.iter().filter(|change| change.step <= self.step).map(|change| change.factor).product()
    }

    /// Multiplies the rate of the next step and of all later ones; what that comes to in all, or none where it would go too far.
    pub fn change_rate(&mut self, factor: f32) -> Option<f32> {
        let in_all = self.factor_by_hand() * factor;
        if !(1.0 / MOST_BY_HAND..=MOST_BY_HAND).contains(&in_all) {
            return None;
        }
        self.by_hand.push(ByHand { step: self.step, factor });
        Some(in_all)
    }

    /// Each change of the rate by hand: the steps done before it, and what it came to in all.
    pub fn changes_by_hand(&self) -> Vec<(u64, f32)> {
        let in_all = self.by_hand.iter().scan(1.0, |in_all, change| {
            *in_all *= change.factor;
            Some((change.step, *in_all))
        });
        in_all.collect()
    }

    /// The same, with what hands did in a run that has come further.
    pub fn with_hands_of(self, later: Self) -> Self {
        Self { by_hand: later.by_hand, ..self }
    }

    /// What the device has counted; images have one label each.
    pub(super) fn pending(&self) -> Metrics {
        Metrics::of(self.pending, 1)
    }

    /// Adds what the device has counted, which begins anew.
    pub fn drain(&mut self) {
        let metrics = self.pending();
        self.pending = Default::default();
        self.window.add(&metrics);
        self.epoch_tally.add(&metrics);
    }

    /// The epoch as far as it went.
    pub fn epoch_so_far(&self) -> Tally {
        let mut tally = self.epoch_tally;
        tally.add(&self.pending());
        tally
    }

    /// Closes an epoch. Nothing that was counted is carried over: an epoch's checkpoint is the same wherever the run was stopped
    /// before.
    pub fn end_epoch(&mut self, val_loss: Option<f64>) {
        self.epoch = self.step / self.steps_per_epoch;
        if let Some(plateau) = &mut self.plateau {
            plateau.observe(val_loss.unwrap_or(self.epoch_tally.loss()));
        }
        (self.window, self.epoch_tally) = Default::default();
    }

    /// Whether the step that was just done ended an epoch.
    pub fn at_epoch_end(&self) -> bool {
        self.step > 0 && self.step.is_multiple_of(self.steps_per_epoch)
    }

    /// A checkpoint that says so.
    pub fn noted(&self, checkpoint: Checkpoint) -> Checkpoint {
        checkpoint.note(NOTE, serde_json::to_string(self).expect("numbers are JSON"))
    }

    /// What a checkpoint says.
    ///
    /// # Errors
    /// If it says nothing, or what no run says.
    pub fn of(checkpoint: &Checkpoint, path: &Path) -> Result<Self> {
        let note = checkpoint.note_of(NOTE).ok_or_else(|| Error::content(path, "this is not the checkpoint of a training run"))?;
        let damaged = |what: String| Error::content(path, format!("the state of the run is damaged: {what}"));
        let progress: Self = serde_json::from_str(note).map_err(|e| damaged(e.to_string()))?;
        let Self { step, epoch, steps_per_epoch, .. } = progress;
        if step.checked_div(steps_per_epoch) != Some(epoch) {
            return Err(damaged(format!("epoch {epoch} after {step} steps of {steps_per_epoch} an epoch")));
        }
        let factor = progress.factor_by_hand();
        if !(factor.is_finite() && factor > 0.0) {
            return Err(damaged(format!("a hand changed the rate by {factor}")));
        }
        Ok(progress)
    }

    /// Refuses an optimiser that has done other steps.
    ///
    /// # Errors
    /// If it has.
    pub fn expect_steps_of(&self, optimizer: &dyn Optimizer, path: &Path) -> Result<()> {
        match u64::from(optimizer.steps()) == self.step {
            true => Ok(()),
            false => Err(Error::content(
                path,
                format!(
                    "the run says {} steps and the optimizer {}: these are parts of two checkpoints",
                    self.step,
                    optimizer.steps()
                ),
            )),
        }
    }
}

/// Refuses more steps than can be counted.
///
/// # Errors
/// If there are.
pub(super) fn expect_countable(config: &Config, steps_per_epoch: u64) -> Result<()> {
    match config.epochs.checked_mul(steps_per_epoch).is_some_and(|steps| i64::try_from(steps).is_ok()) {
        true => Ok(()),
        false => {
            let most = i64::MAX as u64 / steps_per_epoch.max(1);
            Error::setting(format!("--epochs {} of {steps_per_epoch} steps cannot be counted; at most {most} can", config.epochs))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use gpu_core::rng::Stream;

    /// The last digit of a sum decides over the bytes of all later checkpoints. 0.9187501754079548 was read as ...547.
    #[test]
    fn what_a_checkpoint_says_is_read_back_to_the_last_bit() {
        let numbers = Stream::new(1, 0, 0);
        let drawn = (0..2000).map(|i| numbers.block(i)).map(|w| f64::from(w[0]) / f64::from(w[1]) + f64::from(w[2]) * 1e-19);
        for number in drawn.chain([0.9187501754079548]) {
            let mut progress = Progress::new(&Settings::default().resolve().unwrap(), 25);
            progress.best = Some(number);
            progress.epoch_tally = Tally { images: 8, loss: number * 3.0, correct: number };
            progress.pending = [number.to_bits() as u32, 3, u32::MAX, 0, 1, 0, 8, 0];
            progress.by_hand = vec![ByHand { step: 0, factor: number.abs().clamp(0.1, 9.0) as f32 }];
            let checkpoint = progress.noted(Checkpoint::new());
            let read = Progress::of(&Checkpoint::from_bytes(&checkpoint.to_bytes()).unwrap(), Path::new("a")).unwrap();
            assert_eq!(read, progress);
        }
    }

    #[test]
    fn a_rate_changed_by_hand_is_that_of_later_steps_alone() {
        let config = Settings { lr: Some(0.5), ..Settings::default() }.resolve().unwrap();
        let mut progress = Progress::new(&config, 25);
        let rate_at = |progress: &Progress, step| Progress { step, ..progress.clone() }.base_lr(&config);
        progress.step = 7;
        assert_eq!((progress.change_rate(2.0), progress.change_rate(0.25)), (Some(2.0), Some(0.5)));
        progress.step = 9;
        assert_eq!(progress.change_rate(4.0), Some(2.0));
        assert_eq!([6, 7, 8, 9, 30].map(|step| rate_at(&progress, step)), [0.5, 0.25, 0.25, 1.0, 1.0]);
        let earlier = Progress { step: 7, ..Progress::new(&config, 25) };
        assert_eq!(rate_at(&earlier.with_hands_of(progress.clone()), 7), 0.25);
        // Too far, either way, and what is no factor: nothing changes.
        for factor in [501.0, 0.0004, f32::NAN, f32::INFINITY, 0.0, -1.0] {
            assert_eq!(progress.change_rate(factor), None, "{factor}");
        }
        assert_eq!(rate_at(&progress, 9), 1.0);
        assert_eq!(progress.changes_by_hand(), [(7, 2.0), (7, 0.5), (9, 2.0)]);
        progress.by_hand[0].factor = 0.0;
        let error = Progress::of(&progress.noted(Checkpoint::new()), Path::new("a")).unwrap_err().to_string();
        assert!(error.contains("a hand changed the rate by 0"), "{error}");
    }
}
