//! What a loss is multiplied by, so that its gradients do not become zero in f16.

use gpu_core::{Device, Shape, Tensor, ops};

/// A scale that follows what the gradients bear; see [`ops::unscale`].
pub(super) struct LossScaling {
    /// The scale, the steps since it changed, the steps that were taken back.
    state: Tensor,
    growth_interval: u32,
}

/// What a loss is usually multiplied by at first, and after how many steps it is doubled: PyTorch's defaults.
pub const USUAL_LOSS_SCALE: (f32, u32) = (65_536.0, 2000);

/// The largest scale.
const MOST: f32 = 16_777_216.0;

/// Steps that can be taken back.
pub(super) struct Before {
    verdict: Tensor,
    tensors: Vec<(Tensor, Tensor)>,
}

impl LossScaling {
    pub fn new(device: &Device, initial: f32, growth_interval: u32) -> Self {
        Self { state: Tensor::from_slice(device, [3], &[initial, 0.0, 0.0]), growth_interval }
    }

    /// Whether a loss may be multiplied by it: the gradients are divided exactly by powers of two alone.
    pub fn may_be(scale: f32) -> bool {
        scale.to_bits() & 0x7f_ffff == 0 && (1.0..=MOST).contains(&scale)
    }

    /// Refuses three numbers that are no state.
    pub fn check(state: &[f32]) -> Result<(), String> {
        match *state {
            [scale, steps, taken_back]
                if Self::may_be(scale) && [steps, taken_back].iter().all(|n| *n >= 0.0 && n.fract() == 0.0) =>
            {
                Ok(())
            }
            _ => Err(format!("loss_scale ({state:?}, not 2^k and two counts)")),
        }
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
