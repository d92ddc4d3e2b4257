//! A whole training step, or evaluation step, recorded once and replayed.
//!
//! What changes from step to step lies in tensors: the inputs, the step number that the random layers read, and the optimiser's
//! hyper-parameters. Loss and accuracy add up on the device and are read when asked for: that is the only wait.
//!
//! [`Step`] records whatever a closure computes; [`TrainStep`] and [`EvalStep`] are such steps for a network and a [`Loss`].

mod builder;
mod captured;
mod error;
mod fit;
mod input;
mod layer_times;
mod loss;
mod memory;
mod options;
mod parts;
mod pass;
mod supervised;
#[cfg(test)]
mod tests;
mod train;
mod used;

pub use builder::StepBuilder;
pub use captured::Step;
pub use error::StepError;
pub use input::Values;
pub use layer_times::LayerTime;
pub use loss::{Loss, segmentation_loss};
pub use memory::MemoryPlan;
pub use options::{Metrics, Slots, StepOptions};
pub use parts::join_shares;
pub use pass::StepPass;
pub use train::{EvalStep, TrainStep};
