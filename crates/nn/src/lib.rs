//! CNN models, automatic differentiation and optimisers on `gpu-core`.
//!
//! ```
//! use gpu_core::{Device, Tensor};
//! use nn::{Conv2d, Flatten, Init, Layer, Linear, MaxPool2d, Module, Optimizer, Relu, Sgd, Tape, Var, seq};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = Device::Cpu; // or Device::auto()?
//! let cx = Init::seeded(&device, 0);
//! let net = seq![Conv2d::new(4, 3).padding(1), Relu, MaxPool2d::new(2), Flatten, Linear::new(2)].build(&cx, [1, 4, 4])?;
//! let sgd = Sgd::new(&net, 0.1).momentum(0.9);
//!
//! let x = Tensor::from_slice(&device, [2, 1, 4, 4], &(0..32).map(|i| (i % 7) as f32 / 7.0).collect::<Vec<_>>());
//! let labels = Tensor::from_slice(&device, [2], &[0u32, 1]);
//! let mut losses = Vec::new();
//! for _ in 0..20 {
//!     let loss = net.forward(&Tape::new(&device).input(&x)).cross_entropy(&labels, 0.0);
//!     sgd.step(&loss.backward());
//!     losses.push(loss.item()?);
//! }
//! assert!(losses[19] < 0.2 * losses[0], "{losses:?}");
//!
//! let logits = net.forward(&Var::constant(&x)); // no tape: evaluation mode
//! assert_eq!(logits.shape(), [2, 2].into());
//! # Ok(())
//! # }
//! ```
//!
//! Each [`Tape::new`] draws other random numbers, so that dropout drops other elements in every step. [`TrainStep`] records such a step
//! once and replays it, and [`Step`] does so for any networks and losses: that is how to train.

mod autograd;
pub mod checkpoint;
mod decimal;
mod grad_cam;
mod init;
pub mod layers;
mod module;
mod net;
pub mod optim;
pub mod schedule;
pub mod spec;
mod state_dict;
mod step;
mod summary;
pub mod zoo;

pub use autograd::{
    Gradients, Graph, GraphNode, Leaf, Param, Parameters, Pass, Precision, Tape, UnknownKey, Var, fits, freeze, join,
    parameter_count, parameters, unfreeze,
};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use init::{Fill, Init, Scheme};
pub use layers::*;
pub use module::{BuildError, LayerReport, Module, ShapeError};
pub use net::{AnyLayer, Layer, Net, Params, Plan};
pub use optim::{Adadelta, Adagrad, Adam, AdamW, Lion, Muon, Optimizer, RmsProp, Sgd};
pub use schedule::Schedule;
pub use spec::{Spec, SpecError};
pub use step::{
    EvalStep, LayerTime, Loss, MemoryPlan, Metrics, Slots, Step, StepBuilder, StepError, StepOptions, StepPass, TrainStep, Values,
    join_shares, segmentation_loss,
};
pub use summary::Summary;

#[cfg(test)]
mod tests {
    /// Fails to compile if any of these cannot be shared between threads.
    #[test]
    fn everything_is_send_and_sync() {
        fn shared<T: Send + Sync>() {}
        shared::<(crate::Tape, crate::Graph, crate::Var, crate::Gradients, crate::Param, crate::Init)>();
        shared::<(crate::Sequential, crate::Residual, crate::Conv2d, crate::AnyLayer, crate::Net, Box<dyn crate::Module>)>();
        shared::<(crate::Sgd, crate::AdamW, crate::Muon, Box<dyn crate::Optimizer>, crate::TrainStep, crate::EvalStep)>();
        shared::<(crate::Checkpoint, crate::CheckpointError, crate::Spec, crate::SpecError, crate::StepError, crate::Summary)>();
    }
}
