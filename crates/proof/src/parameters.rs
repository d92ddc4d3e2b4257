//! What optimisers are timed on.

use gpu_core::{Device, Tensor};

/// Flat parameters, gradients and moments: values that are positive, so that they may be mean squares.
pub(crate) fn flat_parameters<const N: usize>(device: &Device, len: usize) -> [Tensor; N] {
    std::array::from_fn(|_| Tensor::full(device, [len], 0.5))
}
