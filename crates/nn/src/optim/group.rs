//! Parameters that are treated differently: a rate and a weight decay of their own.

use crate::decimal::decimal;
use gpu_core::Shape;
use std::sync::Arc;

/// What is different for some parameters; see [`RuleOptimizer::group`](super::RuleOptimizer::group). Equivalent of a dictionary in
/// the list of `param_groups` of PyTorch's optimisers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ParamGroup {
    rate: Option<Rate>,
    weight_decay: Option<f32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rate {
    Factor(f32),
    Fixed(f32),
}

impl ParamGroup {
    /// The optimiser's learning rate times `factor`, whatever the schedule makes of it.
    pub fn lr_factor(self, factor: f32) -> Self {
        Self { rate: Some(Rate::Factor(factor)), ..self }
    }

    /// A learning rate that no schedule changes.
    ///
    /// At 0 the weights stay as they are, but as in PyTorch the running statistics of norms move on. To leave all of a part of the network
    /// as it is, [`freeze`](crate::freeze) it: that saves the gradient too.
    pub fn lr(self, lr: f32) -> Self {
        Self { rate: Some(Rate::Fixed(lr)), ..self }
    }

    /// Another weight decay than the optimiser's.
    pub fn weight_decay(self, weight_decay: f32) -> Self {
        Self { weight_decay: Some(weight_decay), ..self }
    }

    /// These settings, and those of `earlier` where these say nothing.
    fn over(self, earlier: Self) -> Self {
        Self { rate: self.rate.or(earlier.rate), weight_decay: self.weight_decay.or(earlier.weight_decay) }
    }

    /// The rate where the optimiser's is `lr`.
    pub(super) fn rate(self, lr: f32) -> f64 {
        match self.rate {
            None => decimal(lr),
            Some(Rate::Factor(factor)) => decimal(lr) * decimal(factor),
            Some(Rate::Fixed(lr)) => decimal(lr),
        }
    }

    /// The decay where the optimiser's is `weight_decay`.
    pub(super) fn decay(self, weight_decay: f32) -> f64 {
        decimal(self.weight_decay.unwrap_or(weight_decay))
    }
}

/// Which parameters, by key and shape.
pub(super) type Which = Arc<dyn Fn(&str, Shape) -> bool + Send + Sync>;

/// The settings of a parameter: those of all groups that it is in, the later over the earlier.
pub(super) fn settings(groups: &[(Which, ParamGroup)], key: &str, shape: Shape) -> ParamGroup {
    let mine = groups.iter().filter(|(which, _)| which(key, shape));
    mine.fold(ParamGroup::default(), |all, (_, group)| group.over(all))
}
