//! Train CNNs on any GPU: WGSL kernels on wgpu, each with a CPU mirror. No CUDA, no Python.
//!
//! Five crates, each usable alone, under one name:
//! [`gpu_core`] is a tensor library, [`nn`] puts a tape, layers and optimisers above it, [`train`] adds data sets and training runs,
//! [`export`] writes networks for other programs, and [`proof`] holds kernels against their mirrors and gradients against difference
//! quotients.
//!
//! Tensors and operators run on a GPU ([`Device::auto`](gpu_core::Device::auto)) or on the CPU, by the same calls:
//!
//! ```
//! use wgrad::prelude::*;
//! # fn main() -> anyhow::Result<()> {
//! let x = Tensor::from_slice(&Device::Cpu, [2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
//! let row = Tensor::from_slice(&Device::Cpu, [2], &[10.0f32, 20.0]);
//! assert_eq!((x.matmul(&x) + &row).to_vec()?, [17.0, 30.0, 25.0, 42.0]);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Var`](nn::Var) remembers where it came from, and a loss knows its gradients:
//!
//! ```
//! use wgrad::prelude::*;
//! # fn main() -> anyhow::Result<()> {
//! let tape = Tape::new(&Device::Cpu);
//! let w = tape.variable(&Tensor::from_slice(&Device::Cpu, [2], &[3.0f32, -1.0]));
//! let gradients = w.mul(&w).sum().backward(); // the sum of squares
//! assert_eq!(gradients.of(&w).unwrap().to_vec()?, [6.0, -2.0]);
//! # Ok(())
//! # }
//! ```
//!
//! A [`TrainStep`](nn::TrainStep) records forward, backward and optimiser once, and replays them for every batch:
//!
//! ```
//! use wgrad::prelude::*;
//! # fn main() -> anyhow::Result<()> {
//! let cx = Init::seeded(&Device::Cpu, 0);
//! let net = seq![Conv2d::new(4, 3).padding(1), Relu, Flatten, Linear::new(2)].build(&cx, [1, 4, 4])?;
//! let sgd = Sgd::new(&net, 0.1).momentum(0.9);
//! let step = TrainStep::captured(&net, &sgd, &StepOptions::new(2, [1, 4, 4]))?;
//! let (dark, light) = ([0.0; 16], [1.0; 16]);
//! for _ in 0..20 {
//!     step.run_on(&[dark, light].concat(), &[0, 1])?;
//! }
//! assert!(step.loss()? < 0.1);
//! # Ok(())
//! # }
//! ```
//!
//! `examples/` has whole programs: one trains a CNN and saves it, one uses the tensors alone, one brings a kernel of its own, one
//! shares its wgpu device ([`Device::from_wgpu`](gpu_core::Device::from_wgpu)), others train a GAN, a variational autoencoder, a siamese
//! network and a U-Net by steps of their own, and the studies of `docs/studies.md` are experiments of a course, with tables and pictures.

pub use export;
pub use gpu_core;
pub use nn;
pub use proof;
pub use train;

// The snippets of these pages, compiled and run as those above.
#[cfg(doctest)]
#[doc = include_str!("../docs/studies.md")]
struct Studies;
#[cfg(doctest)]
#[doc = include_str!("../docs/machines.md")]
struct Machines;
#[cfg(doctest)]
#[doc = include_str!("../docs/tensors.md")]
struct Tensors;

/// A [`nn::Sequential`] of layers.
pub use nn::seq;

/// What most programs use.
pub mod prelude {
    pub use gpu_core::{Args, Capture, DType, Device, Grid, Kernel, Shape, Tensor, ops};
    pub use nn::layers::*;
    pub use nn::optim;
    pub use nn::schedule::{self, Schedule};
    pub use nn::{
        Adadelta, Adagrad, Adam, AdamW, AnyLayer, EvalStep, Fill, Gradients, Init, Layer, Lion, Loss, Module, Muon, Net, Optimizer,
        Param, Parameters, Params, Pass, Plan, Precision, RmsProp, Scheme, Sgd, ShapeError, Step, StepOptions, StepPass, Summary,
        Tape, TrainStep, Var, checkpoint, freeze, parameters, seq, unfreeze, zoo,
    };
    pub use proof::gradcheck;
    pub use train::data::{self, Dataset, ImageSet, batches, shuffled};
    pub use train::evaluate::accuracy;
    pub use train::loader::{Source, Treatment};
    pub use train::picture::save_grid;
}
