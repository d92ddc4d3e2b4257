//! The parts of an optimiser's step, which must come in order: for [`Optimizer::step`](super::Optimizer::step) and for captured steps.

use crate::autograd::{Gradients, Param};
use gpu_core::Tensor;

/// The trait's name cannot be reached from outside: a step whose parts came in another order would be wrong without a sign.
pub trait Update: Send + Sync {
    /// Distinguishes it from other optimisers that there are.
    fn id(&self) -> usize;

    /// The parameters that it updates.
    fn params(&self) -> Vec<Param>;

    /// Counts a step and writes its figures to the device: before each replay of a captured [`update`](Self::update).
    #[track_caller]
    fn begin_step(&self);

    /// Takes gradients times `share`.
    #[track_caller]
    fn gather(&self, gradients: &Gradients, share: f32);

    /// What [`gather`](Self::gather) would take, in a tensor of its own: of a part of a batch.
    #[track_caller]
    fn gathered(&self, gradients: &Gradients, share: f32) -> Tensor;

    /// Takes such a tensor, or a sum of them.
    #[track_caller]
    fn take(&self, gathered: &Tensor);

    /// The kernels that change the parameters by the gradients that were taken.
    #[track_caller]
    fn update(&self);

    /// Takes the number of steps behind the float that a state has of it.
    fn count_exactly(&self, steps: u32);
}
