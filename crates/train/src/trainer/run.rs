//! A run between two steps: all that it is, and what it writes to its folder.

use super::learner::Learner;
use super::progress::{Progress, Tally};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::evaluate::Score;
use crate::model::{self, DESCRIPTION, Description};
use crate::run_folder::RunFolder;
use crate::settings::Config;
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

    /// Brings what the device has counted to the host.
    ///
    /// # Errors
    /// If the loss is no longer finite, or a fault of the device.
    pub fn count(&mut self) -> Result<()> {
        let metrics = self.learner.step.metrics()?;
        self.learner.step.reset_metrics();
        if metrics.images > 0 && !metrics.loss.is_finite() {
            let last = self.folder.last();
            let checkpoint = match last.is_file() {
                true => format!(" (the last checkpoint from before is {})", last.display()),
                false => String::new(),
            };
            return Err(Error::Diverged { step: self.progress.step, loss: metrics.loss as f32, checkpoint });
        }
        self.progress.add(&metrics);
        Ok(())
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
        let about = |e| model::about(path, e);
        let Learner { net, optimizer, .. } = &self.learner;
        let checkpoint = Checkpoint::new().net(net).and_then(|c| c.optimizer(&**optimizer)).map_err(about)?;
        let description = serde_json::to_string(&self.description).expect("a description is JSON");
        self.progress.noted(checkpoint.note(DESCRIPTION, description)).write(path).map_err(about)
    }
}
