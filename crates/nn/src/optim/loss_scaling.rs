//! What a loss is multiplied by, so that its gradients do not become zero in f16.

use gpu_core::{Device, Shape, Tensor, ops};

/// A scale that follows what the gradients bear; see [`ops::unscale`].
pub(super) struct LossScaling {
    /// The scale, the steps since it changed, the steps that were taken back.
    state: Tensor,
    growth_interval: u32,
}

/// Steps that can be taken back.
pub(super) struct Before {
    verdict: Tensor,
    tensors: Vec<(Tensor, Tensor)>,
}

impl LossScaling {
    pub fn new(device: &Device, initial: f32, growth_interval: u32) -> Self {
        Self { state: Tensor::from_slice(device, [3], &[initial, 0.0, 0.0]), growth_interval }
    }

    pub fn state(&self) -> &Tensor {
        &self.state
    }

    /// The scale, in this shape of one element.
    pub fn scale(&self, shape: Shape) -> Tensor {
        self.state.view(0, shape)
    }

    /// Divides the gradients by the scale and judges them; keeps what the `tensors` of a step are before it.
    pub fn begin<'a>(&self, gradients: &Tensor, tensors: impl Iterator<Item = &'a Tensor>) -> Before {
        let verdict = ops::unscale(gradients, &self.state, self.growth_interval);
        let kept = |now: &Tensor| {
            let before = Tensor::empty(now.device(), now.shape());
            ops::copy_into(now, &before);
            (before, now.clone())
        };
        Before { verdict, tensors: tensors.map(kept).collect() }
    }
}

impl Before {
    /// Takes the step back if its gradients were not finite.
    pub fn end(self) {
        self.tensors.iter().for_each(|(before, now)| ops::take_back(&self.verdict, before, now));
    }
}
