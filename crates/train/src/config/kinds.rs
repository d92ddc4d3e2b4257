//! What a setting chooses from.

use serde::{Deserialize, Serialize};

/// The update rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// Adam, with the weight decay in the gradient.
    Adam,
    /// Adam with decoupled weight decay.
    Adamw,
    /// RMSprop.
    Rmsprop,
    /// Adagrad.
    Adagrad,
    /// Lion: the sign of the mean gradient.
    Lion,
    /// Muon for matrices and filters, AdamW at a tenth of the rate for the rest.
    Muon,
}

impl OptimizerKind {
    /// Learning rate and weight decay where none are given.
    pub(super) fn defaults(self) -> (f64, f64) {
        match self {
            Self::Sgd => (0.05, 5e-4),
            Self::Adam => (0.002, 0.0),
            Self::Adamw => (0.002, 0.01),
            Self::Rmsprop => (0.001, 0.0),
            Self::Adagrad => (0.01, 0.0),
            Self::Lion => (0.0003, 0.1),
            Self::Muon => (0.02, 0.01),
        }
    }

    /// Momentum where none is given.
    pub(super) fn momentum(self) -> f64 {
        match self {
            Self::Muon => 0.95,
            Self::Rmsprop => 0.0,
            _ => 0.9,
        }
    }
}

/// The learning rate over the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// The same rate throughout.
    Constant,
    /// A tenth of it after each third of the run.
    Step,
    /// A tenth of it after a half and after three quarters of the run.
    MultiStep,
    /// Evenly down to a hundredth.
    Exponential,
    /// In a straight line down to zero.
    Linear,
    /// Down to zero as the square of what is left.
    Polynomial,
    /// Half a cosine down to zero.
    Cosine,
    /// Three half cosines, each twice as long as the last.
    CosineRestarts,
    /// Up to --lr over the first 30 %, then down to almost zero.
    OneCycle,
    /// A tenth of it where the test loss was no better for more than two epochs.
    Plateau,
}

/// Where the run happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceKind {
    /// A hardware GPU, or the CPU device where there is none.
    Auto,
    /// Any GPU adapter, a software driver too.
    Gpu,
    /// The CPU device.
    Cpu,
}

impl DeviceKind {
    /// The name that [`gpu_core::Device::named`] knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
        }
    }
}
