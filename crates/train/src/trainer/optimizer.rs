//! The update rule and the schedule that the settings name.

use crate::settings::{Config, OptimizerKind, ScheduleKind};
use nn::optim::{Rule, RuleOptimizer};
use nn::schedule::{Anneal, Schedule};
use nn::{Adadelta, Adagrad, Adam, AdamW, Lion, Muon, Optimizer, Parameters, RmsProp, Sgd};

/// The update rule for the parameters of `net`.
pub(super) fn optimizer(config: &Config, net: &dyn Parameters) -> Box<dyn Optimizer> {
    let (lr, momentum) = (config.lr as f32, config.momentum as f32);
    match config.optimizer {
        OptimizerKind::Sgd => finished(Sgd::new(net, lr).momentum(momentum), config),
        OptimizerKind::Adam => finished(Adam::new(net, lr), config),
        OptimizerKind::Adamw => finished(AdamW::new(net, lr), config),
        OptimizerKind::Rmsprop => finished(RmsProp::new(net, lr).momentum(momentum), config),
        OptimizerKind::Adagrad => finished(Adagrad::new(net, lr), config),
        OptimizerKind::Adadelta => finished(Adadelta::new(net, lr), config),
        OptimizerKind::Lion => finished(Lion::new(net, lr), config),
        OptimizerKind::Muon => finished(Muon::new(net, lr).momentum(momentum), config),
    }
}

/// With what is set in the same way for every rule.
fn finished<R: Rule>(mut optimizer: RuleOptimizer<R>, config: &Config) -> Box<dyn Optimizer> {
    optimizer = optimizer.weight_decay(config.weight_decay as f32);
    if let Some(norm) = config.clip_norm {
        optimizer = optimizer.clip_norm(norm as f32);
    }
    if let Some(limit) = config.clip_value {
        optimizer = optimizer.clip_value(limit as f32);
    }
    if let Some(decay) = config.ema {
        optimizer = optimizer.ema(decay as f32);
    }
    Box::new(optimizer)
}

/// The schedule over `total` steps.
pub(super) fn schedule(config: &Config, total: u64) -> Schedule {
    let total = total as usize;
    let main = match config.schedule {
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
    };
    match config.warmup as usize {
        0 => main,
        steps => Schedule::Warmup { steps, start_factor: 0.0, then: Box::new(main) },
    }
}
