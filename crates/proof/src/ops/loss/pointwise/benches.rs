//! What is timed.

use super::cases::{Sample, inputs, samples};
use crate::Bench;
use gpu_core::Tensor;
use gpu_core::ops::{PointwiseLoss, Reduction, pointwise_loss, pointwise_loss_bwd_target, pointwise_loss_bwd_x};

pub fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 2] = [4096, 1024];
    type Run = fn(&PointwiseLoss, &Tensor, &Tensor, &Tensor) -> Tensor;
    let functions: [(&str, Run); 4] = [
        ("pointwise_loss, mean", |loss, x, t, _| pointwise_loss(loss, x, t, Reduction::Mean)),
        ("pointwise_loss", |loss, x, t, _| pointwise_loss(loss, x, t, Reduction::None)),
        ("pointwise_loss_bwd_x", |loss, x, t, dloss| pointwise_loss_bwd_x(loss, x, t, Reduction::Mean, dloss)),
        ("pointwise_loss_bwd_target", |loss, x, t, dloss| pointwise_loss_bwd_target(loss, x, t, Reduction::Mean, dloss)),
    ];
    let mut benches = Vec::new();
    for (name, f) in functions {
        for (what, which) in [("mse, 4096x1024", 0), ("bce_with_logits, 4096x1024", 5)] {
            benches.push(Bench::new(name, what, 0, move |device| {
                let Sample { loss, of_probabilities, .. } = samples(device, SHAPE.into()).remove(which);
                let ([x, target], dloss) = (inputs(device, SHAPE.into(), of_probabilities), Tensor::scalar(device, 1.0));
                move || vec![f(&loss, &x, &target, &dloss)]
            }));
        }
    }
    benches
}
