//! Averages of the weights over the steps: an exponential one beside the training, and Lookahead's, which takes part in it.

use crate::decimal::decimal;
use gpu_core::{Tensor, ops};

#[derive(Default)]
pub(super) struct Averages {
    ema: Option<Ema>,
    lookahead: Option<Lookahead>,
}

struct Ema {
    decay: f32,
    average: Tensor,
    /// Whether the network has the average and `average` the weights.
    swapped: bool,
}

struct Lookahead {
    every: u32,
    alpha: f32,
    slow: Tensor,
}

impl Averages {
    pub fn set_ema(&mut self, decay: f32, values: &Tensor) {
        self.ema = Some(Ema { decay, average: Tensor::zeros(values.device(), values.shape()), swapped: false });
    }

    pub fn set_lookahead(&mut self, every: u32, alpha: f32, values: &Tensor) {
        self.lookahead = Some(Lookahead { every, alpha, slow: Tensor::zeros(values.device(), values.shape()) });
    }

    /// Makes room anew for an arena that was laid out anew.
    pub fn make(&mut self, values: &Tensor) {
        let ema = self.ema.take().map(|e| e.decay);
        let lookahead = self.lookahead.take().map(|l| (l.every, l.alpha));
        ema.into_iter().for_each(|decay| self.set_ema(decay, values));
        lookahead.into_iter().for_each(|(every, alpha)| self.set_lookahead(every, alpha, values));
    }

    /// With their names in the state.
    pub fn tensors(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        let ema = self.ema.iter().map(|e| ("ema", &e.average));
        ema.chain(self.lookahead.iter().map(|l| ("lookahead", &l.slow)))
    }

    /// Before the step that follows `steps` others.
    #[track_caller]
    pub fn begin_step(&self, steps: u32, values: &Tensor) {
        let swapped = self.ema.as_ref().is_some_and(|e| e.swapped);
        assert!(!swapped, "optimizer: the network has its averaged weights; swap them back before the next step");
        if let (Some(lookahead), 0) = (&self.lookahead, steps) {
            // Not when the optimiser is made: weights may be loaded after that.
            ops::copy_into(values, &lookahead.slow);
        }
    }

    /// How far both go in step `step`, which counts from 1. The first moving average is a copy, as in PyTorch.
    pub fn figures(&self, step: u32) -> (f32, f32) {
        let ema = self.ema.as_ref().map_or(0.0, |e| if step == 1 { 1.0 } else { (1.0 - decimal(e.decay)) as f32 });
        let due = self.lookahead.as_ref().filter(|l| step.is_multiple_of(l.every));
        (ema, due.map_or(0.0, |l| l.alpha))
    }

    /// The kernels at the end of a step.
    pub fn update(&self, values: &Tensor, ema_far: &Tensor, lookahead_far: &Tensor) {
        if let Some(lookahead) = &self.lookahead {
            ops::lookahead_step(values, &lookahead.slow, lookahead_far);
        }
        if let Some(ema) = &self.ema {
            ops::ema_step(values, &ema.average, ema_far);
        }
    }

    /// Exchanges the weights with their moving average, once there is one.
    pub fn swap(&mut self, steps: u32, values: &Tensor) -> bool {
        let Some(ema) = self.ema.as_mut().filter(|_| steps > 0) else { return false };
        ops::exchange(values, &ema.average);
        ema.swapped = !ema.swapped;
        true
    }
}
