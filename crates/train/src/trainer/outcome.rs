//! What a run came to, as whoever trains is given it and as the command's JSON object.

use super::optimizer::LossScale;
use super::run::Tested;
use crate::file;
use serde::Serialize;
use std::path::PathBuf;

/// What a run came to.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Share of the validation images that were recognised after the last step; none if there was no evaluation, the best weights are
    /// chosen by the test images, or the network tells no classes.
    pub val_accuracy: Option<f64>,
    /// Mean loss over the validation images after the last step.
    pub val_loss: Option<f64>,
    /// Where pixels have classes, the mean of their intersection over union, of the validation images after the last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_mean_iou: Option<f64>,
    /// The test images, measured at the end; none if the run was cut short from outside or there are none.
    pub test: Option<Tested>,
    /// Share of the test images that were recognised by the best weights, or by the last where there are no best.
    pub test_accuracy: Option<f64>,
    /// Mean loss over the test images, of the same weights.
    pub test_loss: Option<f64>,
    /// The mean of the classes' intersection over union, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_mean_iou: Option<f64>,
    /// Mean loss over the last epoch, as far as it went.
    pub train_loss: f64,
    /// Share of the training images recognised over the last epoch, with augmentation and dropout in force.
    pub train_accuracy: Option<f64>,
    /// Training alone, after the first step.
    pub images_per_s: Option<f64>,
    /// From the start of the command to the end of the first step.
    pub first_step_s: Option<f64>,
    /// Of training alone, after the first step: the time spent waiting for images that were not there when their step wanted them.
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
    #[serde(serialize_with = "file::as_text")]
    pub run: PathBuf,
    /// The most bytes that the device held at a time.
    pub peak_bytes: u64,
    /// How the loss was scaled, where products are of f16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loss_scale: Option<LossScale>,
    /// Whether it was ended from outside, by Ctrl-C, SIGTERM or SIGHUP.
    pub interrupted: bool,
}
