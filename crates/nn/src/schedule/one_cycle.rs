//! One cycle: up, down, and further down.

use super::curve::{anneal, fraction};
use crate::decimal::decimal;
use serde::{Deserialize, Serialize};

/// How a rate goes from one value to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Along half a cosine. PyTorch's `"cos"`.
    #[default]
    #[serde(alias = "cos")]
    Cosine,
    /// In a straight line.
    Linear,
}

impl Anneal {
    fn between(self, start: f64, end: f64, fraction: f64) -> f64 {
        match self {
            Self::Cosine => anneal(start, end, fraction),
            Self::Linear => start + (end - start) * fraction,
        }
    }
}

/// The options of [`one_cycle`](super::one_cycle). Equivalent of `OneCycleLR`, but for the momentum, which it leaves alone.
///
/// ```
/// use nn::schedule::{Anneal, OneCycle};
/// let cycle = OneCycle { anneal: Anneal::Linear, pct_start: 0.5, ..OneCycle::new(1.0, 12) };
/// assert_eq!((cycle.lr(0), cycle.lr(5)), (0.04, 1.0));
/// assert!(cycle.lr(11) < 1e-5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneCycle {
    /// The highest rate.
    pub max_lr: f32,
    /// Steps in all.
    pub total: usize,
    /// The part of them that rises.
    pub pct_start: f32,
    /// The first rate is `max_lr / div_factor`.
    pub div_factor: f32,
    /// The last rate is the first over this.
    pub final_div_factor: f32,
    /// The way up and down.
    pub anneal: Anneal,
    /// Whether it falls to the first rate in as many steps as it rose, and only then to the last one.
    pub three_phase: bool,
}

impl OneCycle {
    /// With PyTorch's defaults: 0.3, 25, 1e4, along cosines, in two phases.
    pub fn new(max_lr: f32, total: usize) -> Self {
        let (anneal, three_phase) = Default::default();
        Self { max_lr, total, pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4, anneal, three_phase }
    }

    /// The rate of step `t`; that of the last step from then on.
    pub fn lr(&self, t: usize) -> f32 {
        let max = decimal(self.max_lr);
        let first = max / decimal(self.div_factor);
        let last = first / decimal(self.final_div_factor);
        let (t, end) = (t as f64, self.total.saturating_sub(1) as f64);
        let rise = decimal(self.pct_start) * self.total as f64;
        let phases: &[(f64, f64)] = match self.three_phase {
            false => &[(rise - 1.0, max), (end, last)],
            true => &[(rise - 1.0, max), (2.0 * rise - 2.0, first), (end, last)],
        };
        let (mut since, mut low) = (0.0, first);
        for &(until, high) in phases {
            if t <= until {
                return self.anneal.between(low, high, fraction(t - since, until - since)) as f32;
            }
            (since, low) = (until, high);
        }
        last as f32
    }
}
