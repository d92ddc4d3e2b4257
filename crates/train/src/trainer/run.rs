//! A run between two steps: all that it is, and what it writes to its folder.

use super::learner::Learner;
use super::optimizer::LossScale;
use super::progress::{Progress, Tally};
use crate::data::{Dataset, Split};
use crate::error::{Error, Result};
use crate::evaluate::Score;
use crate::model::{self, DESCRIPTION, Description};
use crate::peers::Peers;
use crate::run_folder::RunFolder;
use crate::settings::Config;
use gpu_core::Device;
use nn::Metrics;
use nn::checkpoint::Checkpoint;
use nn::optim::with_average;
use serde::Serialize;
use std::path::Path;

/// A run that is ready for its next step.
pub(super) struct Run {
    pub config: Config,
    pub data: Dataset,
    pub description: Description,
    pub is_classifier: bool,
    /// Whether what it says of validation and test images is right or wrong.
    pub has_accuracy: bool,
    /// Whether an image of the training has one label, which may be told right.
    pub counts_right: bool,
    pub learner: Learner,
    pub progress: Progress,
    pub folder: RunFolder,
    /// Those that compute it together.
    pub peers: Peers,
}

/// A run whose steps are done, without the memory that they took.
pub(super) struct Done {
    pub config: Config,
    pub data: Dataset,
    pub description: Description,
    pub has_accuracy: bool,
    pub counts_right: bool,
    pub device: Device,
    pub progress: Progress,
    pub folder: RunFolder,
}

/// How the steps of one command ended.
#[derive(Default)]
pub(super) struct Ending {
    /// The last epoch, as far as it went.
    pub tally: Tally,
    pub score: Option<Score>,
    pub tested: Option<Tested>,
    pub interrupted: bool,
    pub loss_scale: Option<LossScale>,
    /// The most bytes that the device held at a time while it trained.
    pub peak_bytes: u64,
}

/// What the test images say at the end.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tested {
    /// Test images that were measured on.
    pub images: u64,
    /// Of the weights that were chosen as the best; none where there are none.
    pub best: Option<Measured>,
    /// Of the weights after the last step.
    pub last: Measured,
}

/// How good weights are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    /// The epoch that they are of, counted from 1.
    pub epoch: u64,
    /// Mean loss.
    pub loss: f64,
    /// Share of the images that were recognised, or of their labels or pixels that were told rightly; none for a network
    /// that tells no classes.
    pub accuracy: Option<f64>,
    /// Where pixels have classes, the mean over the classes of intersection over union, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_iou: Option<f64>,
}

impl Run {
    pub fn new(
        config: Config,
        data: Dataset,
        description: Description,
        learner: Learner,
        progress: Progress,
        folder: RunFolder,
        peers: Peers,
    ) -> Self {
        let is_classifier = description.is_classifier();
        let has_accuracy = description.has_accuracy() || description.tells_pixels();
        let counts_right = is_classifier && !config.augmentation().is_ok_and(|how| how.mixes());
        Self { config, data, description, is_classifier, has_accuracy, counts_right, learner, progress, folder, peers }
    }

    /// The images of an epoch, in the order in which they are learned from.
    pub fn order(&self, epoch: u64) -> Vec<u32> {
        self.config.sampler.unwrap_or_default().order(self.data.train.labels(), self.config.seed, epoch)
    }

    /// Gives back what only steps need.
    pub fn done(self) -> Done {
        let Self { config, data, description, has_accuracy, counts_right, learner, progress, folder, .. } = self;
        let device = learner.optimizer.device().clone();
        drop(learner);
        device.trim();
        Done { config, data, description, has_accuracy, counts_right, device, progress, folder }
    }

    /// Looks at what the device has counted.
    ///
    /// # Errors
    /// If the loss is no longer finite, or a fault of the device.
    pub fn observe(&mut self) -> Result<()> {
        self.progress.pending = self.peers.metrics(self.learner.step.sums()?)?;
        let Metrics { images, loss, .. } = self.progress.pending();
        match images == 0 || loss.is_finite() {
            true => Ok(()),
            false => Err(self.diverged(format!("the loss is {loss}"))),
        }
    }

    /// Brings what the device has counted to the host, and has it begin anew.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    pub fn count(&mut self) -> Result<()> {
        self.observe()?;
        self.progress.drain();
        self.learner.step.reset_metrics();
        Ok(())
    }

    /// Measures on the images that the best weights are chosen by.
    ///
    /// # Errors
    /// If the loss is not finite, or a fault of the device.
    pub fn score(&mut self) -> Result<Option<Score>> {
        self.learner.score().map_err(|error| self.no_score(error, self.config.judged_by().unwrap_or(Split::Test)))
    }

    /// The same error; of a loss that is not finite, as that of a run which diverged.
    fn no_score(&self, error: Error, split: Split) -> Error {
        match error {
            Error::LossNotFinite(loss) => self.diverged(format!("the loss over the {split} images is {loss}")),
            other => other,
        }
    }

    /// Measures on the test images, once there is nothing left to decide: the weights after the last step, whose `score` is known where
    /// the test images were what it looked at, and the best ones. The network is then as it was.
    ///
    /// # Errors
    /// As [`score`](Self::score), or if the best checkpoint cannot be read.
    pub fn test(&mut self, score: Option<Score>) -> Result<Option<Tested>> {
        let known = score.filter(|_| self.config.judged_by() == Some(Split::Test) && self.config.tta.is_none());
        let last = match known {
            Some(score) => Some(score),
            None => {
                let looking = self.learner.look_at(&self.config, &self.data, &self.description, Split::Test, &self.peers);
                let score = looking.and_then(|()| self.learner.score());
                self.peers.agree(score.map_err(|error| self.no_score(error, Split::Test)))?
            }
        };
        let Some(last) = last else { return Ok(None) };
        let epoch = (self.progress.step - 1) / self.progress.steps_per_epoch + 1;
        let best = match self.progress.best_epoch {
            Some(best) if best == epoch && self.progress.at_epoch_end() => Some((best, last)),
            Some(best) => self.score_of_best()?.map(|score| (best, score)),
            None => None,
        };
        if best.is_none_or(|(best, _)| best == epoch) {
            self.table(true)?;
        }
        let measured = |(epoch, score): (u64, Score)| Measured {
            epoch,
            loss: score.loss,
            accuracy: self.has_accuracy.then_some(score.accuracy),
            mean_iou: score.mean_iou,
        };
        Ok(Some(Tested { images: last.images, best: best.map(measured), last: measured((epoch, last)) }))
    }

    /// Of what the evaluation looks at; none if somebody took the checkpoint away.
    fn score_of_best(&mut self) -> Result<Option<Score>> {
        let path = self.folder.best();
        let best = (self.peers.is_first() && path.is_file()).then(|| model::read_checkpoint(&path));
        let best = self.peers.agree(best.transpose())?;
        let Some(best) = self.peers.checkpoint(best)? else { return Ok(None) };
        let last = self.state()?;
        best.load_net(&self.learner.net).map_err(|e| model::about(&path, e))?;
        let score = self.learner.score_as_it_is().map_err(|error| self.no_score(error, Split::Test));
        let score = self.peers.agree(score).and_then(|score| self.table(false).map(|()| score));
        last.load_net(&self.learner.net).map_err(|e| model::about(&path, e))?;
        score
    }

    /// Writes what the weights say of each image that the evaluation looks at, where they say anything; their average, if that is asked
    /// for and kept.
    fn table(&mut self, averaged: bool) -> Result<()> {
        let written = match self.has_accuracy && self.folder.is_ours() {
            true => self.learner.table(&self.folder.test_table(), &self.description, &self.data.test, averaged),
            false => Ok(()),
        };
        self.peers.agree(written)
    }

    /// The error for what is not finite now; where it began is for [`diagnosis`](super::diagnosis).
    fn diverged(&self, what: String) -> Error {
        Error::Diverged { what, step: self.progress.step, place: String::new() }
    }

    /// Writes the checkpoint to continue from.
    pub fn save(&self) -> Result<()> {
        self.save_to(&self.folder.last())
    }

    /// Closes an epoch, and saves it if it is the best so far. Only whole epochs compete.
    pub fn end_epoch(&mut self, score: Option<Score>) -> Result<()> {
        self.progress.end_epoch(score.map(|s| s.loss));
        // Where an image may have several labels most of them are not there: to say so of all is right mostly, and teaches nothing.
        let value = score.map(|s| s.mean_iou.unwrap_or(if self.is_classifier { s.accuracy } else { -s.loss }));
        if value.is_some_and(|v| self.progress.best.is_none_or(|best| v > best)) {
            (self.progress.best, self.progress.best_epoch) = (value, Some(self.progress.epoch));
            // What was measured is what is saved.
            with_average(&*self.learner.optimizer, || self.save_to(&self.folder.best()))?;
        }
        Ok(())
    }

    fn save_to(&self, path: &Path) -> Result<()> {
        let state = described(self.state()?, &self.description, &self.progress);
        if !self.peers.is_alone() {
            self.peers.expect_same(&digest(&state), |rank, _, _| self.differing(rank))?;
        }
        let written = if self.folder.is_ours() { state.write(path).map_err(|e| model::about(path, e)) } else { Ok(()) };
        self.peers.agree(written)
    }

    /// The error for weights that are not those of the first process.
    fn differing(&self, rank: usize) -> Error {
        let last = self.folder.last();
        let saved =
            model::read_checkpoint(&last).and_then(|checkpoint| Progress::of(&checkpoint, &last)).map_or(0, |saved| saved.step);
        Error::Setting(format!(
            "the weights of process {rank} differ from process 0's at step {}: a device computes wrongly; {} is from step {saved}",
            self.progress.step,
            last.display()
        ))
    }

    /// The weights and the state of the optimiser.
    ///
    /// # Errors
    /// If one of them is not finite. It is the host that looks: all that a checkpoint holds comes here anyway, and a shader's compiler may
    /// take it for granted that there are no such numbers.
    fn state(&self) -> Result<Checkpoint> {
        let state = self.learner.state()?;
        match state.not_finite() {
            None => Ok(state),
            Some((key, value)) => Err(self.diverged(format!("{key} holds {value}"))),
        }
    }
}

/// What two checkpoints have in common only if all their bits are the same.
fn digest(state: &Checkpoint) -> String {
    let mut sum = crc32fast::Hasher::new();
    for (key, array) in state.arrays() {
        sum.update(key.as_bytes());
        sum.update(bytemuck::cast_slice(&array.values));
    }
    format!("{:08x}", sum.finalize())
}

/// A checkpoint that says of which network and how far in its run it is.
pub(super) fn described(state: Checkpoint, description: &Description, progress: &Progress) -> Checkpoint {
    progress.noted(state.note(DESCRIPTION, serde_json::to_string(description).expect("a description is JSON")))
}
