//! Dropout and noise layers: active in training mode only.

use super::check::{expect, finite, not_negative, probability};
use crate::autograd::Var;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan};
use gpu_core::{MAX_RANK, Shape};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// The ranks that a layer takes, and what such inputs are called.
type Ranks = (RangeInclusive<usize>, &'static str);
const ANY: Ranks = (0..=MAX_RANK, "any shape");

/// A layer that gives the shape that comes in.
fn plan(description: String, input: Shape, (ranks, axes): Ranks) -> Result<Plan, ShapeError> {
    expect(ranks.contains(&input.rank()), || format!("{input} is not {axes}"))?;
    Ok(Plan::new(description, input))
}

/// Layers whose only field is a probability, each by a method of [`Var`].
macro_rules! of_probability {
    ($($(#[$doc:meta])* $layer:ident { $p:ident } => $method:ident, $ranks:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            $p: f32,
        }

        impl $layer {
            #[doc = concat!("With probability `", stringify!($p), "`, which is 0 to 1.")]
            pub fn new($p: f32) -> Self {
                Self { $p }
            }
        }

        impl Layer for $layer {
            fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
                probability(stringify!($p), self.$p)?;
                plan(format!("{} {}", stringify!($layer), self.$p), input, $ranks)
            }
            #[track_caller]
            fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
                x.$method(self.$p)
            }
        }
    )*};
}

of_probability! {
    /// Zeroes elements with probability `p` in training. Equivalent of `torch.nn.Dropout`.
    Dropout { p } => dropout, ANY;
    /// Zeroes whole channels of (N, C, L) with probability `p` in training. Equivalent of `torch.nn.Dropout1d`.
    Dropout1d { p } => dropout1d, (3..=3, "(N, C, L)");
    /// Zeroes whole channels of (N, C, H, W) with probability `p` in training. Equivalent of `torch.nn.Dropout2d`.
    Dropout2d { p } => dropout2d, (4..=4, "(N, C, H, W)");
    /// Sets elements to SELU's lower limit with probability `p` in training, and keeps mean and variance. Equivalent of
    /// `torch.nn.AlphaDropout`.
    AlphaDropout { p } => alpha_dropout, ANY;
    /// [`AlphaDropout`] of whole channels of (N, C, ...). Equivalent of `torch.nn.FeatureAlphaDropout`.
    FeatureAlphaDropout { p } => feature_alpha_dropout, (2..=MAX_RANK, "(N, C, ...)");
    /// Keeps elements with probability `keep` in training and zeroes the others, without scaling. Equivalent of
    /// `x * torch.bernoulli(torch.full_like(x, keep))`.
    BernoulliKeep { keep } => bernoulli_keep, ANY;
}

/// Multiplies elements by normal numbers in training, and by their mean in evaluation. Equivalent of
/// `x * torch.normal(mean, sigma, x.shape)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNoise {
    #[serde(default = "one")]
    mean: f32,
    sigma: f32,
}

/// Activations stay as large as they are.
fn one() -> f32 {
    1.0
}

impl GaussianNoise {
    /// Factors of this deviation around 1.
    pub fn new(sigma: f32) -> Self {
        Self { mean: one(), sigma }
    }

    /// Around another mean.
    pub fn mean(self, mean: f32) -> Self {
        Self { mean, ..self }
    }
}

impl Layer for GaussianNoise {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        finite("mean", self.mean)?;
        not_negative("sigma", self.sigma)?;
        plan(format!("GaussianNoise {}, {}", self.mean, self.sigma), input, ANY)
    }
    #[track_caller]
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        x.gaussian_noise(self.mean, self.sigma)
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::Tape;
    use crate::init::Init;
    use crate::module::Module;
    use crate::net::AnyLayer;
    use gpu_core::Device;

    #[test]
    fn a_layer_is_its_function_in_training() {
        let (cx, x) = (Init::seeded(&Device::Cpu, 0), proof::tensor(&Device::Cpu, [2, 3, 5, 2], 1));
        // Each on a tape of its own: the same stream and step.
        let on_tape = || Tape::pass(&Device::Cpu).step(0).tape().input(&x);
        let rows: Vec<(AnyLayer, Var, &str)> = vec![
            (AnyLayer::new(Dropout::new(0.5)), on_tape().dropout(0.5), "Dropout 0.5"),
            (AnyLayer::new(Dropout2d::new(0.5)), on_tape().dropout2d(0.5), "Dropout2d 0.5"),
            (AnyLayer::new(AlphaDropout::new(0.5)), on_tape().alpha_dropout(0.5), "AlphaDropout 0.5"),
            (AnyLayer::new(FeatureAlphaDropout::new(0.5)), on_tape().feature_alpha_dropout(0.5), "FeatureAlphaDropout 0.5"),
            (AnyLayer::new(GaussianNoise::new(0.25)), on_tape().gaussian_noise(1.0, 0.25), "GaussianNoise 1, 0.25"),
            (AnyLayer::new(BernoulliKeep::new(0.75)), on_tape().bernoulli_keep(0.75), "BernoulliKeep 0.75"),
        ];
        for (layer, want, name) in rows {
            let net = layer.build(&cx, [3, 5, 2]).unwrap();
            assert_eq!((net.describe().as_str(), net.out_shape(x.shape()).unwrap()), (name, x.shape()));
            assert_eq!(net.forward(&on_tape()).value().to_vec().unwrap(), want.value().to_vec().unwrap(), "{name}");
        }
        assert_eq!(Dropout1d::new(0.5).plan(x.shape()).unwrap_err().message, "[2, 3, 5, 2] is not (N, C, L)");
    }

    #[test]
    fn a_probability_out_of_range_is_refused() {
        let error = Dropout2d::new(1.5).plan([1, 2, 3, 3].into()).unwrap_err();
        assert_eq!(error.message, "`p` is 1.5, not in 0 to 1");
    }
}
