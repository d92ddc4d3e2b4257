//! Settings that are one of several names, or a number of images.

use crate::data::{Amount, Split};
use nn::Precision;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

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
    /// Divided by 10 when the validation loss has not improved for more than two epochs.
    Plateau,
}

/// How much the classes weigh in the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum ClassWeights {
    /// Each class as much as any other, however many images it has.
    Balanced,
}

/// What is minimised where each pixel has a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum LossKind {
    /// The cross-entropy of the pixels.
    CrossEntropy,
    /// That, and 1 minus the mean Dice of the classes: for classes of few pixels.
    Dice,
}

/// What the factors of products are rounded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum PrecisionKind {
    /// To nothing: all is f32.
    F32,
    /// To f16; what is added up, and everything else, is f32.
    Mixed,
}

impl From<PrecisionKind> for Precision {
    fn from(kind: PrecisionKind) -> Self {
        match kind {
            PrecisionKind::F32 => Self::F32,
            PrecisionKind::Mixed => Self::Mixed,
        }
    }
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

display_by_name!(OptimizerKind, ScheduleKind, ClassWeights, LossKind, PrecisionKind, DeviceKind);

/// What the best weights are chosen by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Validation {
    /// The validation images that the data set has.
    Own,
    /// So many of the training images, which are then not learned from.
    HeldOut(Amount),
    /// The test images, which are then no measure of what is new to the network.
    Test,
    /// Nothing: there are no best weights.
    None,
}

impl Validation {
    /// The images that it looks at.
    pub fn split(self) -> Option<Split> {
        match self {
            Self::Own | Self::HeldOut(_) => Some(Split::Val),
            Self::Test => Some(Split::Test),
            Self::None => None,
        }
    }
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::HeldOut(amount) => amount.fmt(f),
            Self::Test => f.write_str("test"),
            Self::None => f.write_str("none"),
        }
    }
}

impl FromStr for Validation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "own" => Ok(Self::Own),
            "test" => Ok(Self::Test),
            "none" => Ok(Self::None),
            amount => amount.parse().map(Self::HeldOut).map_err(|e: String| format!("{e}, nor one of own, test, none")),
        }
    }
}

impl Serialize for Validation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::HeldOut(amount) => write_amount(*amount, serializer),
            word => serializer.collect_str(word),
        }
    }
}

impl<'de> Deserialize<'de> for Validation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_amount(deserializer)
    }
}

/// What becomes the test images of pictures of which none are for that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TestImages {
    /// So many of the others.
    HeldOut(Amount),
    /// There are none.
    None,
}

impl fmt::Display for TestImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeldOut(amount) => amount.fmt(f),
            Self::None => f.write_str("none"),
        }
    }
}

impl FromStr for TestImages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self::None),
            amount => amount.parse().map(Self::HeldOut).map_err(|e: String| format!("{e}, nor none")),
        }
    }
}

impl Serialize for TestImages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::HeldOut(amount) => write_amount(*amount, serializer),
            Self::None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for TestImages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_amount(deserializer)
    }
}

/// How long the learning rate first rises.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warmup {
    /// So many steps.
    Steps(u64),
    /// So many percent of the run's steps.
    Share(f64),
    /// So many epochs, or parts of one.
    Epochs(f64),
}

impl Warmup {
    /// Whether it does not rise at all.
    pub fn is_none(self) -> bool {
        matches!(self, Self::Steps(0) | Self::Share(0.0) | Self::Epochs(0.0))
    }

    /// Its steps in a run of `total`, of which an epoch has `per_epoch`.
    pub fn steps(self, total: u64, per_epoch: u64) -> u64 {
        match self {
            Self::Steps(steps) => steps,
            Self::Share(percent) => (total as f64 * percent / 100.0).round() as u64,
            Self::Epochs(epochs) => (per_epoch as f64 * epochs).round() as u64,
        }
    }
}

impl fmt::Display for Warmup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Steps(steps) => steps.fmt(f),
            Self::Share(percent) => write!(f, "{percent}%"),
            Self::Epochs(1.0) => f.write_str("1 epoch"),
            Self::Epochs(epochs) => write!(f, "{epochs} epochs"),
        }
    }
}

impl FromStr for Warmup {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse().ok().filter(|number: &f64| number.is_finite());
        let epochs = text.strip_suffix("epochs").or_else(|| text.strip_suffix("epoch"));
        let found = match (text.strip_suffix('%'), epochs) {
            (Some(percent), _) => number(percent).map(Self::Share),
            (None, Some(epochs)) => number(epochs).map(Self::Epochs),
            (None, None) => text.parse().ok().map(Self::Steps),
        };
        found.ok_or_else(|| "a number of steps, a share as in 5%, or epochs as in \"2 epochs\" is wanted".to_owned())
    }
}

impl Serialize for Warmup {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Steps(steps) => serializer.serialize_u64(*steps),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Warmup {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_amount(deserializer)
    }
}

fn write_amount<S: Serializer>(amount: Amount, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        Amount::Images(count) => serializer.serialize_u64(count as u64),
        Amount::Share(share) => serializer.serialize_f64(share),
    }
}

/// A number, or what stands in quotes.
fn read_amount<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(deserializer: D) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Count(u64),
        Number(f64),
        Text(String),
    }
    let text = match Written::deserialize(deserializer) {
        Ok(Written::Count(count)) => count.to_string(),
        // With its point: 1.0 is no count.
        Ok(Written::Number(number)) => format!("{number:?}"),
        Ok(Written::Text(text)) => text,
        Err(_) => return Err(de::Error::custom("a number, or text in quotes, is wanted")),
    };
    text.parse().map_err(de::Error::custom)
}
