//! What can be wrong with a step.

use crate::module::ShapeError;
use thiserror::Error;

/// A step that cannot be recorded or run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StepError {
    /// The network does not fit the input.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The step would need more memory than the device has left.
    #[error(
        "a step of batch {batch} needs {needed_bytes} bytes, {available_bytes} are free; {}",
        if *fits == 0 { "not even a batch of 1 fits: take a smaller model or a larger device".to_owned() } else { format!("a batch of {fits} fits") }
    )]
    TooLarge {
        /// The batch asked for.
        batch: usize,
        /// What it needs.
        needed_bytes: u64,
        /// What the device's budget leaves.
        available_bytes: u64,
        /// The largest batch that fits.
        fits: usize,
    },
    /// One tensor would be larger than the device can bind.
    #[error(
        "{layer} gives a tensor of {bytes} bytes at batch {batch}, over the {limit_bytes} that this device can bind; a batch of {fits} fits"
    )]
    TensorTooLarge {
        /// The layer's path and kind.
        layer: String,
        /// The batch asked for.
        batch: usize,
        /// Of the layer's output.
        bytes: u64,
        /// What one tensor may have.
        limit_bytes: u64,
        /// The largest batch that fits.
        fits: usize,
    },
    /// The device failed.
    #[error(transparent)]
    Device(#[from] gpu_core::Error),
}
