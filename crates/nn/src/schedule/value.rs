//! A schedule as text: what a configuration holds.

use super::{
    Anneal, OneCycle, constant, cosine_annealing, cosine_restarts, cosine_to, exponential, linear, multi_step, polynomial, step,
    warm_up,
};
use serde::{Deserialize, Serialize};

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
        /// The way up and down.
        #[serde(default)]
        anneal: Anneal,
        /// Whether it falls to the first rate before it falls to the last.
        #[serde(default)]
        three_phase: bool,
    },
    /// See [`cosine_annealing`].
    CosineAnnealing {
        /// Steps from the highest rate to the lowest.
        half_period: usize,
        /// The lowest rate.
        #[serde(default)]
        min: f32,
    },
    /// See [`cosine_restarts`].
    CosineRestarts {
        /// Steps until the first restart.
        first: usize,
        /// How many times as many until the next.
        #[serde(default = "one")]
        mult: usize,
        /// The rate before a restart.
        #[serde(default)]
        min: f32,
    },
    /// See [`polynomial`].
    Polynomial {
        /// Steps in all.
        total: usize,
        /// 1 for a straight line.
        #[serde(default = "power")]
        power: f32,
    },
    /// See [`linear`].
    Linear {
        /// Steps in all.
        total: usize,
        /// The first rate, as a part of the base rate.
        start: f32,
        /// The last rate, as a part of the base rate.
        end: f32,
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

fn one() -> usize {
    1
}
fn power() -> f32 {
    1.0
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
            Self::OneCycle { total, pct_start, div_factor, final_div_factor, anneal, three_phase } => {
                OneCycle { max_lr: base, total, pct_start, div_factor, final_div_factor, anneal, three_phase }.lr(t)
            }
            Self::CosineAnnealing { half_period, min } => cosine_annealing(base, t, half_period, min),
            Self::CosineRestarts { first, mult, min } => cosine_restarts(base, t, first, mult, min),
            Self::Polynomial { total, power } => polynomial(base, t, total, power),
            Self::Linear { total, start, end } => linear(base, t, total, start, end),
            Self::Warmup { steps, start_factor, ref then } => match t.checked_sub(steps) {
                Some(after) => then.lr(base, after),
                None => warm_up(base, t, steps, start_factor),
            },
        }
    }
}
