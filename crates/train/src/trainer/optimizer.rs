//! The update rule and the schedule that the settings name.

use crate::error::{Error, Result};
use crate::settings::{Config, OptimizerKind, PrecisionKind, ScheduleKind};
use nn::optim::{Rule, RuleOptimizer, USUAL_LOSS_SCALE};
use nn::schedule::{Anneal, Schedule};
use nn::{Adadelta, Adagrad, Adam, AdamW, Lion, Muon, Optimizer, Parameters, RmsProp, Sgd, fits};
use serde::Serialize;

/// How the loss was scaled where products are of f16.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LossScale {
    /// What it is multiplied by.
    pub scale: f32,
    /// Steps of the run that were taken back, because a gradient was not finite.
    pub taken_back: u64,
}

/// The update rule for the parameters of `net`.
pub(super) fn optimizer(config: &Config, net: &dyn Parameters) -> Box<dyn Optimizer> {
    let (lr, momentum) = (config.lr as f32, config.momentum as f32);
    match config.optimizer {
        OptimizerKind::Sgd => finished(Sgd::new(net, lr).momentum(momentum).nesterov(config.nesterov.unwrap_or(false)), config),
        OptimizerKind::Adam => finished(Adam::new(net, lr), config),
        OptimizerKind::Adamw => finished(AdamW::new(net, lr), config),
        OptimizerKind::Rmsprop => finished(RmsProp::new(net, lr).momentum(momentum), config),
        OptimizerKind::Adagrad => finished(Adagrad::new(net, lr), config),
        OptimizerKind::Adadelta => finished(Adadelta::new(net, lr), config),
        OptimizerKind::Lion => finished(Lion::new(net, lr), config),
        OptimizerKind::Muon => finished(Muon::new(net, lr).momentum(momentum).nesterov(config.nesterov.unwrap_or(true)), config),
    }
}

/// With what is set in the same way for every rule.
fn finished<R: Rule>(mut optimizer: RuleOptimizer<R>, config: &Config) -> Box<dyn Optimizer> {
    optimizer = optimizer.weight_decay(config.weight_decay as f32);
    if config.decay_weights_only == Some(true) {
        optimizer = optimizer.decay_weights_only();
    }
    // Read once already, when the settings were checked.
    for (keys, factor) in config.rate_factors().unwrap_or_default() {
        let keys = keys.to_owned();
        optimizer = optimizer.group(move |key, _| fits(&keys, key), |group| group.lr_factor(factor));
    }
    if let Some(norm) = config.clip_norm {
        optimizer = optimizer.clip_norm(norm as f32);
    }
    if let Some(limit) = config.clip_value {
        optimizer = optimizer.clip_value(limit as f32);
    }
    if let Some(decay) = config.ema {
        optimizer = optimizer.ema(decay as f32);
    }
    if config.precision == Some(PrecisionKind::Mixed) {
        let (initial, growth_interval) = USUAL_LOSS_SCALE;
        optimizer = optimizer.loss_scaling(initial, growth_interval);
    }
    Box::new(optimizer)
}

/// The schedule over `total` steps, of which an epoch has `per_epoch`: after a warm-up the named one takes those that are left, and ends where it would without.
///
/// # Errors
/// If the warm-up leaves it none.
pub(super) fn schedule(config: &Config, total: u64, per_epoch: u64) -> Result<Schedule> {
    let warmup = config.warmup.steps(total, per_epoch);
    if warmup == 0 {
        return Ok(named(config.schedule, total as usize));
    }
    if warmup >= total {
        return Error::setting(format!("--warmup {warmup} leaves nothing of a run of {total} steps; give fewer, or more --epochs"));
    }
    // The rise is a straight line from nothing before the first step to the full rate after the last of them.
    let start_factor = 1.0 / (warmup as f32 + 1.0);
    let then = Box::new(named(config.schedule, (total - warmup) as usize));
    Ok(Schedule::Warmup { steps: warmup as usize, start_factor, then })
}

/// The schedule of a kind over `total` steps.
fn named(kind: ScheduleKind, total: usize) -> Schedule {
    match kind {
        // Where a plateau was seen, the base rate itself is lowered: see `Progress::base_lr`.
        ScheduleKind::Constant | ScheduleKind::Plateau => Schedule::Constant,
        ScheduleKind::Step => Schedule::Step { size: total.div_ceil(3), gamma: 0.1 },
        ScheduleKind::MultiStep => Schedule::MultiStep { milestones: vec![total / 2, total * 3 / 4], gamma: 0.1 },
        ScheduleKind::Exponential => Schedule::Exponential { gamma: 0.01f32.powf(1.0 / total.max(1) as f32) },
        ScheduleKind::Linear => Schedule::Polynomial { total, power: 1.0 },
        ScheduleKind::Polynomial => Schedule::Polynomial { total, power: 2.0 },
        ScheduleKind::Cosine => Schedule::Cosine { total, min: 0.0 },
        ScheduleKind::CosineRestarts => Schedule::CosineRestarts { first: total.div_ceil(7), mult: 2, min: 0.0 },
        // A gentle start, so that devices can be compared: on an untrained network a difference in one last bit grows to 5e-3 of the
        // loss within 30 steps where the rate begins at a 25th of its peak (PyTorch's default), to 5e-5 where at a thousandth.
        ScheduleKind::OneCycle => Schedule::OneCycle {
            total,
            pct_start: 0.3,
            div_factor: 1000.0,
            final_div_factor: 1e4,
            anneal: Anneal::Cosine,
            three_phase: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, Warmup};

    fn rates(kind: ScheduleKind, warmup: u64, total: u64) -> Result<Vec<f32>> {
        rates_after(kind, Warmup::Steps(warmup), total)
    }

    /// Of epochs of ten steps.
    fn rates_after(kind: ScheduleKind, warmup: Warmup, total: u64) -> Result<Vec<f32>> {
        let settings = Settings { lr: Some(1.0), warmup: Some(warmup), schedule: Some(kind), ..Settings::default() };
        let schedule = schedule(&settings.resolve()?, total, 10)?;
        Ok((0..=total).map(|t| schedule.lr(1.0, t as usize)).collect())
    }

    /// The rates of step 49 of 50, by the formulas: `(1 + cos(pi 49/50)) / 2` over all steps, `(1 + cos(pi 39/40)) / 2` over those left.
    #[test]
    fn a_schedule_ends_after_a_warm_up_where_it_ends_without() {
        let cases = [
            (ScheduleKind::Cosine, 0.000_986_6, 0.001_541_3),
            (ScheduleKind::Linear, 0.02, 0.025),
            (ScheduleKind::Polynomial, 0.000_4, 0.000_625),
            (ScheduleKind::Exponential, 0.010_964_8, 0.011_220_2),
            (ScheduleKind::Step, 0.01, 0.01),
            (ScheduleKind::MultiStep, 0.01, 0.01),
            (ScheduleKind::Constant, 1.0, 1.0),
        ];
        for (kind, without, with) in cases {
            let (plain, warm) = (rates(kind, 0, 50).unwrap(), rates(kind, 10, 50).unwrap());
            for (rate, wanted) in [(plain[49], without), (warm[49], with)] {
                assert!((rate - wanted).abs() <= 1e-4 * wanted, "{kind}: {rate}, {wanted} is wanted");
            }
            assert!((warm[50] - plain[50]).abs() <= 1e-6, "{kind} ends at {} and at {}", warm[50], plain[50]);
            assert!(warm[0] > 0.0 && warm[..=10].is_sorted() && warm[10] == 1.0, "{kind}: {warm:?}");
        }
    }

    #[test]
    fn a_warm_up_that_leaves_no_step_is_refused() {
        for (warmup, total) in [(50, 50), (51, 50), (u64::MAX >> 1, 50), (1, 1)] {
            let error = rates(ScheduleKind::Cosine, warmup, total).unwrap_err().to_string();
            assert!(error.contains(&format!("--warmup {warmup} leaves nothing of a run of {total} steps")), "{error}");
        }
        assert_eq!(rates(ScheduleKind::Linear, 49, 50).unwrap()[49], 1.0);
    }

    #[test]
    fn a_warm_up_is_a_share_of_the_run_or_epochs_too() {
        let kind = ScheduleKind::Cosine;
        let wanted = rates(kind, 10, 50).unwrap();
        for (text, same) in
            [("20%", true), ("1 epoch", true), ("1.0epochs", true), ("10", true), ("18%", false), ("2 epochs", false)]
        {
            assert_eq!(rates_after(kind, text.parse().unwrap(), 50).unwrap() == wanted, same, "{text}");
        }
        let none = rates(kind, 0, 50).unwrap();
        assert!(["0%", "0 epochs", "0"].iter().all(|text| rates_after(kind, text.parse().unwrap(), 50).unwrap() == none));
    }
}
