//! Settings that are one of several names.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The update rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum OptimizerKind {
    /// Stochastic gradient descent with momentum.
    #[default]
    Sgd,
    /// Adam, with the weight decay in the gradient.
    Adam,
    /// Adam with decoupled weight decay.
    Adamw,
    /// RMSprop.
    Rmsprop,
    /// Adagrad.
    Adagrad,
    /// Adadelta.
    Adadelta,
    /// Lion: the sign of the mean gradient.
    Lion,
    /// Muon for matrices and filters, AdamW at a tenth of the rate for the rest.
    Muon,
}

/// The learning rate over the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum ScheduleKind {
    /// The same rate throughout.
    Constant,
    /// Divided by 10 after each third of the run.
    Step,
    /// Divided by 10 after one half and after three quarters of the run.
    MultiStep,
    /// Exponential decay to a hundredth.
    Exponential,
    /// Linear decay to zero.
    Linear,
    /// Quadratic decay to zero.
    Polynomial,
    /// Cosine decay to zero.
    Cosine,
    /// Three cosine decays to zero, each twice as long as the one before.
    CosineRestarts,
    /// Up to --lr over the first 30 %, then down to almost zero.
    OneCycle,
    /// Divided by 10 when the test loss has not improved for more than two epochs.
    Plateau,
}

/// Where the run happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum DeviceKind {
    /// A hardware GPU, or the CPU device where there is none.
    Auto,
    /// Any GPU adapter, a software driver too.
    Gpu,
    /// The CPU device.
    Cpu,
}

/// The names that flags and files have for them.
macro_rules! display_by_name {
    ($($kind:ty),+) => {$(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.serialize(f)
            }
        }
    )+};
}

display_by_name!(OptimizerKind, ScheduleKind, DeviceKind);
