//! Dropout: in training mode only. The mask is never kept: the counter-based generator gives it again.

use crate::tape::Tape;
use crate::var::Var;
use gpu_core::Tensor;
use gpu_core::ops::{self, DropoutKey};

fn key(tape: &Tape) -> (DropoutKey, Tensor) {
    let random = tape.randomness();
    (DropoutKey { seed: random.seed, stream: random.stream }, random.step)
}

impl Var {
    /// Zeroes elements with probability `p` and scales the others by `1 / (1 - p)`; the same values in evaluation mode.
    /// Equivalent of `torch.nn.functional.dropout`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1].
    #[track_caller]
    pub fn dropout(&self, p: f32) -> Self {
        let Some(tape) = self.tape() else { return self.clone() };
        let (key, step) = key(tape);
        let y = ops::dropout(self.value(), p, key, &step);
        Self::derived(y, [self], move |dy, _| [Some(ops::dropout_bwd_x(dy, p, key, &step))])
    }

    /// [`dropout`](Self::dropout) of whole channels. Equivalent of `torch.nn.functional.dropout2d`.
    ///
    /// # Panics
    /// If `p` is not in [0, 1], or the rank is not 4.
    #[track_caller]
    pub fn dropout2d(&self, p: f32) -> Self {
        let Some(tape) = self.tape() else { return self.clone() };
        let (key, step) = key(tape);
        let y = ops::dropout2d(self.value(), p, key, &step);
        Self::derived(y, [self], move |dy, _| [Some(ops::dropout2d_bwd_x(dy, p, key, &step))])
    }
}
