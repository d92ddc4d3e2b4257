//! Dropout and noise: in training mode only. Nothing is kept: the counter-based generator gives the same numbers again.

use crate::autograd::tape::Tape;
use crate::autograd::var::Var;
use gpu_core::Tensor;
use gpu_core::ops::{self, DropoutKey};

/// A random operator, or its gradient, with its options bound: a function of a tensor, a key and a step.
type Random = fn(&Tensor, f32, DropoutKey, &Tensor) -> Tensor;

/// The tape of a variable in training mode.
fn training(x: &Var) -> Option<&Tape> {
    x.tape().filter(|tape| tape.is_training())
}

#[track_caller]
fn key(tape: &Tape) -> (DropoutKey, Tensor) {
    let random = tape.randomness();
    (DropoutKey { seed: random.seed, stream: random.stream }, random.step)
}

/// `f` in training mode, with `bwd` as its gradient; the identity in evaluation mode.
#[track_caller]
fn random(op: &'static str, x: &Var, p: f32, f: Random, bwd: Random) -> Var {
    let Some(tape) = training(x) else { return x.clone() };
    let (key, step) = key(tape);
    let y = f(x.value(), p, key, &step);
    Var::derived(op, y, [x], move |dy, _| [Some(bwd(dy, p, key, &step))])
}

#[track_caller]
fn expect_rank(op: &str, x: &Var, rank: usize, axes: &str) {
    assert!(x.shape().rank() == rank, "{op}: x must be {axes} (x {})", x.shape());
}

impl Var {
    /// Zeroes elements with probability `p` and scales the others by `1 / (1 - p)`; the same values in evaluation mode.
    /// Equivalent of `torch.nn.functional.dropout`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn dropout(&self, p: f32) -> Self {
        random("dropout", self, p, ops::dropout, ops::dropout_bwd_x)
    }

    /// [`dropout`](Self::dropout) of whole channels of (N, C, L). Equivalent of `torch.nn.functional.dropout1d`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1], or the rank is not 3.
    #[track_caller]
    pub fn dropout1d(&self, p: f32) -> Self {
        expect_rank("dropout1d", self, 3, "(N, C, L)");
        random("dropout1d", self, p, ops::dropout2d, ops::dropout2d_bwd_x)
    }

    /// [`dropout`](Self::dropout) of whole channels of (N, C, H, W). Equivalent of `torch.nn.functional.dropout2d`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1], or the rank is not 4.
    #[track_caller]
    pub fn dropout2d(&self, p: f32) -> Self {
        expect_rank("dropout2d", self, 4, "(N, C, H, W)");
        random("dropout2d", self, p, ops::dropout2d, ops::dropout2d_bwd_x)
    }

    /// Sets elements to SELU's lower limit with probability `p`, and maps all so that mean 0 and variance 1 stay; the same values
    /// in evaluation mode. Equivalent of `torch.nn.functional.alpha_dropout`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn alpha_dropout(&self, p: f32) -> Self {
        random("alpha_dropout", self, p, ops::alpha_dropout, ops::alpha_dropout_bwd_x)
    }

    /// [`alpha_dropout`](Self::alpha_dropout) of whole channels of (N, C, ...). Equivalent of
    /// `torch.nn.functional.feature_alpha_dropout`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1], or there are no channels.
    #[track_caller]
    pub fn feature_alpha_dropout(&self, p: f32) -> Self {
        random("feature_alpha_dropout", self, p, ops::feature_alpha_dropout, ops::feature_alpha_dropout_bwd_x)
    }

    /// Keeps elements as they are with probability `keep`, and zeroes the others; nothing is scaled. The same values in evaluation
    /// mode. Equivalent of `x * torch.bernoulli(torch.full_like(x, keep))`.
    ///
    /// # Panics
    /// If `keep` is not in [0, 1].
    #[track_caller]
    pub fn bernoulli_keep(&self, keep: f32) -> Self {
        random("bernoulli_keep", self, keep, ops::bernoulli_keep, ops::bernoulli_keep_bwd_x)
    }

    /// Multiplies each element by a number of its own from the normal distribution of `mean` and deviation `sigma`; in evaluation
    /// mode, all by `mean`, which is what the factor is on average. Equivalent of `x * torch.normal(mean, sigma, x.shape)`.
    ///
    /// # Panics
    /// If `sigma` is negative.
    #[track_caller]
    pub fn gaussian_noise(&self, mean: f32, sigma: f32) -> Self {
        let Some(tape) = training(self) else {
            return if mean == 1.0 { self.clone() } else { self.scale(mean) };
        };
        let (key, step) = key(tape);
        let y = ops::gaussian_noise(self.value(), mean, sigma, key, &step);
        Self::derived("gaussian_noise", y, [self], move |dy, _| [Some(ops::gaussian_noise_bwd_x(dy, mean, sigma, key, &step))])
    }
}
