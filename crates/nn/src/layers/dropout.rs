//! Dropout and noise layers: active in training mode only.

use crate::module::{Module, Parameters, ShapeError};
use crate::var::Var;
use gpu_core::Shape;

/// Zeroes elements with probability `p` in training. Equivalent of `torch.nn.Dropout`.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    p: f32,
}

/// Zeroes whole channels of (N, C, L) with probability `p` in training. Equivalent of `torch.nn.Dropout1d`.
#[derive(Debug, Clone, Copy)]
pub struct Dropout1d {
    p: f32,
}

/// Zeroes whole channels of (N, C, H, W) with probability `p` in training. Equivalent of `torch.nn.Dropout2d`.
#[derive(Debug, Clone, Copy)]
pub struct Dropout2d {
    p: f32,
}

/// Sets elements to SELU's lower limit with probability `p` in training, and keeps mean and variance. Equivalent of
/// `torch.nn.AlphaDropout`.
#[derive(Debug, Clone, Copy)]
pub struct AlphaDropout {
    p: f32,
}

/// [`AlphaDropout`] of whole channels of (N, C, ...). Equivalent of `torch.nn.FeatureAlphaDropout`.
#[derive(Debug, Clone, Copy)]
pub struct FeatureAlphaDropout {
    p: f32,
}

/// Multiplies elements by normal numbers in training, and by their mean in evaluation. Equivalent of
/// `x * torch.normal(mean, sigma, x.shape)`.
#[derive(Debug, Clone, Copy)]
pub struct GaussianNoise {
    mean: f32,
    sigma: f32,
}

/// Keeps elements with probability `keep` in training and zeroes the others, without scaling. Equivalent of
/// `x * torch.bernoulli(torch.full_like(x, keep))`.
#[derive(Debug, Clone, Copy)]
pub struct BernoulliKeep {
    keep: f32,
}

#[track_caller]
fn probability(op: &str, p: f32) -> f32 {
    assert!((0.0..=1.0).contains(&p), "{op}: the probability {p} is not in 0..=1");
    p
}

impl GaussianNoise {
    /// Factors of this mean and deviation: a mean of 1 leaves activations as large as they are.
    ///
    /// # Panics
    /// If `sigma` is negative.
    #[track_caller]
    pub fn new(mean: f32, sigma: f32) -> Self {
        assert!(sigma >= 0.0, "gaussian_noise: sigma {sigma} is negative");
        Self { mean, sigma }
    }
}

impl BernoulliKeep {
    /// Keeps with probability `keep`.
    ///
    /// # Panics
    /// If `keep` is not in [0, 1].
    #[track_caller]
    pub fn new(keep: f32) -> Self {
        Self { keep: probability("bernoulli_keep", keep) }
    }
}

/// The ranks that a layer takes, and the axes that it wants.
type Ranks = (std::ops::RangeInclusive<usize>, &'static str);
const ANY: Ranks = (0..=gpu_core::MAX_RANK, "any shape");

fn of_rank(layer: &str, (ranks, axes): Ranks, input: Shape) -> Result<Shape, ShapeError> {
    match ranks.contains(&input.rank()) {
        true => Ok(input),
        false => Err(ShapeError::new(format!("{layer}: {input} is not {axes}"))),
    }
}

/// What such a layer does to a variable, the ranks that it takes, and what it says of itself.
macro_rules! random {
    ($layer:ident, $method:ident, $ranks:expr, [$($field:ident),*]) => {
        impl Parameters for $layer {}

        impl Module for $layer {
            #[track_caller]
            fn forward(&self, x: &Var) -> Var {
                x.$method($(self.$field),*)
            }
            fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
                of_rank(stringify!($method), $ranks, input)
            }
            fn describe(&self) -> String {
                let numbers = [$(self.$field.to_string()),*];
                format!("{} {}", stringify!($layer), numbers.join(", "))
            }
        }
    };
}

/// The same, with `new(p)`.
macro_rules! dropout {
    ($layer:ident, $method:ident, $ranks:expr) => {
        impl $layer {
            /// Drops with probability `p`.
            ///
            /// # Panics
            /// If `p` is not in [0, 1].
            #[track_caller]
            pub fn new(p: f32) -> Self {
                Self { p: probability(stringify!($method), p) }
            }
        }
        random!($layer, $method, $ranks, [p]);
    };
}
dropout!(Dropout, dropout, ANY);
dropout!(Dropout1d, dropout1d, (3..=3, "(N, C, L)"));
dropout!(Dropout2d, dropout2d, (4..=4, "(N, C, H, W)"));
dropout!(AlphaDropout, alpha_dropout, ANY);
dropout!(FeatureAlphaDropout, feature_alpha_dropout, (2..=gpu_core::MAX_RANK, "(N, C, ...)"));
random!(GaussianNoise, gaussian_noise, ANY, [mean, sigma]);
random!(BernoulliKeep, bernoulli_keep, ANY, [keep]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Tape;
    use gpu_core::{Device, check};

    #[test]
    fn a_layer_is_its_function_in_training() {
        let x = check::tensor(&Device::Cpu, [2, 3, 5, 2], 1);
        // Each on a tape of its own: the same stream and step.
        let on_tape = || Tape::pass(&Device::Cpu).step(0).tape().input(&x);
        let rows: Vec<(Box<dyn Module>, Var, &str)> = vec![
            (Box::new(Dropout::new(0.5)), on_tape().dropout(0.5), "Dropout 0.5"),
            (Box::new(Dropout2d::new(0.5)), on_tape().dropout2d(0.5), "Dropout2d 0.5"),
            (Box::new(AlphaDropout::new(0.5)), on_tape().alpha_dropout(0.5), "AlphaDropout 0.5"),
            (Box::new(FeatureAlphaDropout::new(0.5)), on_tape().feature_alpha_dropout(0.5), "FeatureAlphaDropout 0.5"),
            (Box::new(GaussianNoise::new(1.0, 0.25)), on_tape().gaussian_noise(1.0, 0.25), "GaussianNoise 1, 0.25"),
            (Box::new(BernoulliKeep::new(0.75)), on_tape().bernoulli_keep(0.75), "BernoulliKeep 0.75"),
        ];
        for (layer, want, name) in rows {
            assert_eq!((layer.describe().as_str(), layer.out_shape(x.shape()).unwrap()), (name, x.shape()));
            assert_eq!(layer.forward(&on_tape()).value().to_vec().unwrap(), want.value().to_vec().unwrap(), "{name}");
        }
        assert_eq!(Dropout1d::new(0.5).out_shape(x.shape()).unwrap_err().message, "dropout1d: [2, 3, 5, 2] is not (N, C, L)");
    }

    #[test]
    #[should_panic(expected = "dropout2d: the probability 1.5 is not in 0..=1")]
    fn a_probability_out_of_range_is_refused() {
        Dropout2d::new(1.5);
    }
}
