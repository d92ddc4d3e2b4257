//! Learning rates: pure functions of the step (or epoch) `t`, which counts from 0. The formulas are PyTorch's.

use crate::decimal::decimal;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// `base`, always.
pub fn constant(base: f32, _t: usize) -> f32 {
    base
}

/// Times `gamma` every `size` steps. Equivalent of `StepLR`.
pub fn step(base: f32, t: usize, size: usize, gamma: f32) -> f32 {
    scaled(base, power(gamma, t / size.max(1)))
}

/// Times `gamma` at each milestone. Equivalent of `MultiStepLR`.
pub fn multi_step(base: f32, t: usize, milestones: &[usize], gamma: f32) -> f32 {
    scaled(base, power(gamma, milestones.iter().filter(|&&m| t >= m).count()))
}

/// Times `gamma` every step. Equivalent of `ExponentialLR`.
pub fn exponential(base: f32, t: usize, gamma: f32) -> f32 {
    scaled(base, power(gamma, t))
}

/// Half a cosine from `base` to zero at `total`; zero from then on.
///
/// ```
/// use nn::schedule::cosine;
/// assert_eq!((cosine(0.1, 0, 10), cosine(0.1, 10, 10)), (0.1, 0.0));
/// ```
pub fn cosine(base: f32, t: usize, total: usize) -> f32 {
    cosine_to(base, t, total, 0.0)
}

/// Half a cosine from `base` to `min` at `total`; `min` from then on. Equivalent of `CosineAnnealingLR` up to there.
pub fn cosine_to(base: f32, t: usize, total: usize, min: f32) -> f32 {
    anneal(decimal(base), decimal(min), fraction(t as f64, total as f64)) as f32
}

/// A rise to `max_lr` over the first 0.3 of `total` steps, then a fall to nearly nothing. Equivalent of `OneCycleLR`.
pub fn one_cycle(max_lr: f32, t: usize, total: usize) -> f32 {
    OneCycle::new(max_lr, total).lr(t)
}

/// A linear rise from `start_factor * base` to `base` over `steps` steps. Equivalent of `LinearLR`.
pub fn warm_up(base: f32, t: usize, steps: usize, start_factor: f32) -> f32 {
    let start = decimal(start_factor);
    scaled(base, start + (1.0 - start) * fraction(t as f64, steps as f64))
}

/// The options of [`one_cycle`].
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
}

impl OneCycle {
    /// With PyTorch's defaults: 0.3, 25, 1e4.
    pub fn new(max_lr: f32, total: usize) -> Self {
        Self { max_lr, total, pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 }
    }

    /// The rate of step `t`; that of the last step from then on.
    pub fn lr(&self, t: usize) -> f32 {
        let max = decimal(self.max_lr);
        let first = max / decimal(self.div_factor);
        let last = first / decimal(self.final_div_factor);
        let (t, end) = (t as f64, self.total.saturating_sub(1) as f64);
        let top = decimal(self.pct_start) * self.total as f64 - 1.0;
        let rate = match t <= top {
            true => anneal(first, max, fraction(t, top)),
            false => anneal(max, last, fraction(t - top, end - top)),
        };
        rate as f32
    }
}

fn power(gamma: f32, times: usize) -> f64 {
    decimal(gamma).powi(times.min(i32::MAX as usize) as i32)
}

fn scaled(base: f32, factor: f64) -> f32 {
    (decimal(base) * factor) as f32
}

/// `t / total`, at most 1.
fn fraction(t: f64, total: f64) -> f64 {
    if t >= total { 1.0 } else { t / total }
}

/// From `start` to `end` along half a cosine.
fn anneal(start: f64, end: f64, fraction: f64) -> f64 {
    end + (start - end) * (1.0 + (PI * fraction).cos()) / 2.0
}

/// A schedule as a value: what a configuration names.
///
/// ```
/// use nn::Schedule;
/// let schedule = Schedule::Warmup { steps: 5, start_factor: 0.2, then: Box::new(Schedule::Cosine { total: 95, min: 0.0 }) };
/// assert_eq!((schedule.lr(0.1, 0), schedule.lr(0.1, 5)), (0.02, 0.1));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// See [`constant`].
    #[default]
    Constant,
    /// See [`step`].
    Step {
        /// Steps between two changes.
        size: usize,
        /// The factor of a change.
        gamma: f32,
    },
    /// See [`multi_step`].
    MultiStep {
        /// The steps that change.
        milestones: Vec<usize>,
        /// The factor of a change.
        gamma: f32,
    },
    /// See [`exponential`].
    Exponential {
        /// The factor of a step.
        gamma: f32,
    },
    /// See [`cosine_to`].
    Cosine {
        /// Steps in all.
        total: usize,
        /// The rate at the end.
        #[serde(default)]
        min: f32,
    },
    /// See [`OneCycle`]; the base rate is the highest.
    OneCycle {
        /// Steps in all.
        total: usize,
        /// The part of them that rises.
        #[serde(default = "pct_start")]
        pct_start: f32,
        /// The first rate is the highest over this.
        #[serde(default = "div_factor")]
        div_factor: f32,
        /// The last rate is the first over this.
        #[serde(default = "final_div_factor")]
        final_div_factor: f32,
    },
    /// A linear rise, then another schedule, which counts from there. See [`warm_up`].
    Warmup {
        /// Steps of the rise.
        steps: usize,
        /// The first rate, as a part of the base rate.
        start_factor: f32,
        /// What follows.
        then: Box<Schedule>,
    },
}

fn pct_start() -> f32 {
    0.3
}
fn div_factor() -> f32 {
    25.0
}
fn final_div_factor() -> f32 {
    1e4
}

impl Schedule {
    /// The rate of step `t`.
    pub fn lr(&self, base: f32, t: usize) -> f32 {
        match *self {
            Self::Constant => constant(base, t),
            Self::Step { size, gamma } => step(base, t, size, gamma),
            Self::MultiStep { ref milestones, gamma } => multi_step(base, t, milestones, gamma),
            Self::Exponential { gamma } => exponential(base, t, gamma),
            Self::Cosine { total, min } => cosine_to(base, t, total, min),
            Self::OneCycle { total, pct_start, div_factor, final_div_factor } => {
                OneCycle { max_lr: base, total, pct_start, div_factor, final_div_factor }.lr(t)
            }
            Self::Warmup { steps, start_factor, ref then } => match t.checked_sub(steps) {
                Some(after) => then.lr(base, after),
                None => warm_up(base, t, steps, start_factor),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_past_its_end_stays_there() {
        assert_eq!(cosine_to(0.1, 99, 10, 0.01), 0.01);
        assert_eq!(one_cycle(1.0, 99, 10), one_cycle(1.0, 9, 10));
    }

    #[test]
    fn a_schedule_of_no_steps_is_a_number() {
        for t in [0, 1] {
            let rates =
                [cosine(0.1, t, 0), one_cycle(0.1, t, 0), one_cycle(0.1, t, 1), step(0.1, t, 0, 0.5), warm_up(0.1, t, 0, 0.3)];
            assert!(rates.iter().all(|r| r.is_finite()), "{rates:?}");
        }
    }

    #[test]
    fn a_warm_up_rises_to_the_schedule_that_follows() {
        let schedule = Schedule::Warmup { steps: 4, start_factor: 0.0, then: Box::new(Schedule::Step { size: 2, gamma: 0.5 }) };
        let rates: Vec<f32> = (0..9).map(|t| schedule.lr(1.0, t)).collect();
        assert_eq!(rates, [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.5, 0.25]);
    }
}
