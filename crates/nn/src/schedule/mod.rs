//! Learning rates: pure functions of the step (or epoch) `t`, which counts from 0. The formulas are PyTorch's. Only [`Plateau`] has
//! a state: it looks at what comes out.

mod curve;
mod one_cycle;
mod plateau;
mod value;

pub use one_cycle::{Anneal, OneCycle};
pub use plateau::{Mode, Plateau, Threshold};
pub use value::Schedule;

use crate::decimal::decimal;
use curve::{anneal, fraction};

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

/// A linear rise from `start_factor * base` to `base` over `steps` steps.
pub fn warm_up(base: f32, t: usize, steps: usize, start_factor: f32) -> f32 {
    linear(base, t, steps, start_factor, 1.0)
}

/// Half cosines from `base` to `min` and back, `half_period` steps each. Equivalent of `CosineAnnealingLR`, past its `T_max` too.
///
/// ```
/// use nn::schedule::cosine_annealing;
/// assert_eq!([0, 10, 20].map(|t| cosine_annealing(0.1, t, 10, 0.0)), [0.1, 0.0, 0.1]);
/// ```
pub fn cosine_annealing(base: f32, t: usize, half_period: usize, min: f32) -> f32 {
    let t = if half_period == 0 { 1.0 } else { t as f64 / half_period as f64 };
    anneal(decimal(base), decimal(min), t) as f32
}

/// Half a cosine from `base` to `min` over `first` steps, then again over `mult` times as many, and so on (Loshchilov and Hutter,
/// "SGDR", 2016). Equivalent of `CosineAnnealingWarmRestarts`.
///
/// ```
/// use nn::schedule::cosine_restarts;
/// assert_eq!([0, 4, 12].map(|t| cosine_restarts(0.1, t, 4, 2, 0.0)), [0.1, 0.1, 0.1]);
/// ```
pub fn cosine_restarts(base: f32, t: usize, first: usize, mult: usize, min: f32) -> f32 {
    let (mut t, mut period) = (t, first.max(1));
    if mult <= 1 {
        t %= period;
    }
    while t >= period {
        t -= period;
        period = period.saturating_mul(mult);
    }
    anneal(decimal(base), decimal(min), t as f64 / period as f64) as f32
}

/// `base * (1 - t / total)^power`, down to zero at `total`. Equivalent of `PolynomialLR`.
///
/// ```
/// use nn::schedule::polynomial;
/// assert_eq!([0, 5, 10, 11].map(|t| polynomial(0.1, t, 10, 2.0)), [0.1, 0.025, 0.0, 0.0]);
/// ```
pub fn polynomial(base: f32, t: usize, total: usize, power: f32) -> f32 {
    scaled(base, (1.0 - fraction(t as f64, total as f64)).powf(decimal(power)))
}

/// In a straight line from `start * base` to `end * base` over `total` steps. Equivalent of `LinearLR`.
///
/// ```
/// use nn::schedule::linear;
/// assert_eq!([0, 5, 10, 11].map(|t| linear(0.1, t, 10, 0.5, 1.0)), [0.05, 0.075, 0.1, 0.1]);
/// ```
pub fn linear(base: f32, t: usize, total: usize, start: f32, end: f32) -> f32 {
    let (start, end) = (decimal(start), decimal(end));
    scaled(base, start + (end - start) * fraction(t as f64, total as f64))
}

fn power(gamma: f32, times: usize) -> f64 {
    decimal(gamma).powi(times.min(i32::MAX as usize) as i32)
}

fn scaled(base: f32, factor: f64) -> f32 {
    (decimal(base) * factor) as f32
}

#[cfg(test)]
mod tests;
