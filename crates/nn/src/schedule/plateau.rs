//! The schedule that looks at what comes out.

use crate::decimal::decimal;
use serde::{Deserialize, Serialize};

/// Which way a metric improves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Downwards: a loss.
    #[default]
    Min,
    /// Upwards: an accuracy.
    Max,
}

/// How much better is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// By this part of the best.
    Rel(f64),
    /// By this much.
    Abs(f64),
}

/// Lowers the rate where a metric no longer improves. Equivalent of `ReduceLROnPlateau`, with its defaults. It has a state, which
/// a checkpoint may hold as text.
///
/// ```
/// use nn::schedule::Plateau;
/// let mut plateau = Plateau::new(0.1).patience(1);
/// assert_eq!([0.9, 0.5, 0.6, 0.7].map(|loss| plateau.observe(loss)), [0.1, 0.1, 0.1, 0.01]);
/// let text = serde_json::to_string(&plateau)?;
/// assert_eq!(serde_json::from_str::<Plateau>(&text)?, plateau);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plateau {
    lr: f64,
    mode: Mode,
    factor: f64,
    patience: u64,
    threshold: Threshold,
    cooldown: u64,
    min_lr: f64,
    /// The best so far, and the observations since; none yet, or all of them were not better than nothing (NaN).
    best: Option<f64>,
    bad: u64,
    resting: u64,
}

/// PyTorch's `eps`: a smaller change is not made.
const LEAST_CHANGE: f64 = 1e-8;

impl Plateau {
    /// From `lr`: a tenth of it after more than 10 observations that were not better, by a 1e-4th, than the lowest.
    pub fn new(lr: f32) -> Self {
        let (mode, threshold) = (Mode::Min, Threshold::Rel(1e-4));
        let (best, bad, resting) = Default::default();
        Self { lr: decimal(lr), mode, factor: 0.1, patience: 10, threshold, cooldown: 0, min_lr: 0.0, best, bad, resting }
    }

    /// Which way is better.
    pub fn mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }
    /// What the rate is multiplied by.
    ///
    /// # Panics
    /// If it is not below 1.
    #[track_caller]
    pub fn factor(self, factor: f32) -> Self {
        assert!(factor < 1.0, "Plateau: a factor of {factor} lowers nothing");
        Self { factor: decimal(factor), ..self }
    }
    /// How many observations may be no better.
    pub fn patience(self, patience: u64) -> Self {
        Self { patience, ..self }
    }
    /// How much better is better.
    pub fn threshold(self, threshold: Threshold) -> Self {
        Self { threshold, ..self }
    }
    /// For how many observations after a change none counts as bad.
    pub fn cooldown(self, cooldown: u64) -> Self {
        Self { cooldown, ..self }
    }
    /// The lowest rate.
    pub fn min_lr(self, min_lr: f32) -> Self {
        Self { min_lr: decimal(min_lr), ..self }
    }

    /// The rate now.
    pub fn lr(&self) -> f32 {
        self.lr as f32
    }

    /// Looks at a metric, once an epoch perhaps, and gives the rate from now on.
    pub fn observe(&mut self, metric: f64) -> f32 {
        if self.is_better(metric) {
            (self.best, self.bad) = (Some(metric), 0);
        } else {
            self.bad = self.bad.saturating_add(1);
        }
        if self.resting > 0 {
            (self.resting, self.bad) = (self.resting - 1, 0);
        }
        if self.bad > self.patience {
            let lower = (self.lr * self.factor).max(self.min_lr);
            if self.lr - lower > LEAST_CHANGE {
                self.lr = lower;
            }
            (self.resting, self.bad) = (self.cooldown, 0);
        }
        self.lr()
    }

    fn is_better(&self, metric: f64) -> bool {
        let Some(best) = self.best else { return !metric.is_nan() };
        match (self.mode, self.threshold) {
            (Mode::Min, Threshold::Rel(part)) => metric < best * (1.0 - part),
            (Mode::Min, Threshold::Abs(much)) => metric < best - much,
            (Mode::Max, Threshold::Rel(part)) => metric > best * (1.0 + part),
            (Mode::Max, Threshold::Abs(much)) => metric > best + much,
        }
    }
}
