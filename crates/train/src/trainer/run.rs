//! A run between two steps: all that it is, and what it writes to its folder.

use super::learner::Learner;
use super::progress::{Progress, Tally};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::evaluate::Score;
use crate::model::{self, DESCRIPTION, Description};
use crate::run_folder::RunFolder;
use crate::settings::Config;
use nn::Metrics;
use nn::checkpoint::Checkpoint;
use nn::optim::with_average;
use std::path::Path;

/// A run that is ready for its next step.
pub(super) struct Run {
    pub config: Config,
    pub data: Dataset,
    pub description: Description,
    pub is_classifier: bool,
    pub learner: Learner,
    pub progress: Progress,
    pub folder: RunFolder,
}

/// How the steps of one command ended.
#[derive(Default)]
pub(super) struct Ending {
    /// The last epoch, as far as it went.
    pub tally: Tally,
    pub score: Option<Score>,
    pub interrupted: bool,
}

impl Run {
    pub fn new(
        config: Config,
        data: Dataset,
        description: Description,
        learner: Learner,
        progress: Progress,
        folder: RunFolder,
    ) -> Self {
        let is_classifier = description.is_classifier();
        Self { config, data, description, is_classifier, learner, progress, folder }
    }

    /// Looks at what the device has counted.
    ///
    /// # Errors
    /// If the loss is no longer finite, or a fault of the device.
    pub fn observe(&mut self) -> Result<()> {
        self.progress.pending = self.learner.step.sums()?;
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

    /// Measures on the test images.
    ///
    /// # Errors
    /// If the loss is not finite, or a fault of the device.
    pub fn score(&mut self) -> Result<Option<Score>> {
        self.learner.score().map_err(|error| match error {
            Error::LossNotFinite(loss) => self.diverged(format!("the loss over the test images is {loss}")),
            other => other,
        })
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
        let value = score.map(|s| if self.is_classifier { s.accuracy } else { -s.loss });
        if value.is_some_and(|v| self.progress.best.is_none_or(|best| v > best)) {
            self.progress.best = value;
            // What was measured is what is saved.
            with_average(&*self.learner.optimizer, || self.save_to(&self.folder.best()))?;
        }
        Ok(())
    }

    fn save_to(&self, path: &Path) -> Result<()> {
        described(self.state()?, &self.description, &self.progress).write(path).map_err(|e| model::about(path, e))
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

/// A checkpoint that says of which network and how far in its run it is.
pub(super) fn described(state: Checkpoint, description: &Description, progress: &Progress) -> Checkpoint {
    progress.noted(state.note(DESCRIPTION, serde_json::to_string(description).expect("a description is JSON")))
}
