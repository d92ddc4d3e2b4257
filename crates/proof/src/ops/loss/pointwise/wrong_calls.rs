//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{PointwiseLoss, Reduction, pointwise_loss, pointwise_loss_bwd_target, pointwise_loss_bwd_x};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn x(d: &Device, shape: &[usize]) -> Tensor {
        Tensor::zeros(d, shape)
    }
    fn weighted(d: &Device, shape: &[usize]) -> PointwiseLoss {
        PointwiseLoss::Bce { weight: Some(Tensor::zeros(d, shape)) }
    }
    const MEAN: Reduction = Reduction::Mean;
    const MSE: PointwiseLoss = PointwiseLoss::Mse;
    vec![
        misuse!("pointwise_loss", ["the shapes differ", "x [2], target [3]"], |d| {
            pointwise_loss(&MSE, &x(d, &[2]), &x(d, &[3]), MEAN)
        }),
        misuse!("pointwise_loss", ["target holds u32, not f32", "target [2]"], |d| {
            pointwise_loss(&MSE, &x(d, &[2]), &Tensor::from_slice(d, [2], &[0u32; 2]), MEAN)
        }),
        misuse!("pointwise_loss", ["target on CPU"], |d| pointwise_loss(&MSE, &x(d, &[2]), &x(&Device::Cpu, &[2]), MEAN)),
        misuse!("pointwise_loss", ["the mean of no elements", "x [0]"], |d| pointwise_loss(&MSE, &x(d, &[0]), &x(d, &[0]), MEAN)),
        misuse!("pointwise_loss", ["beta -1 is negative", "x [2]"], |d| {
            pointwise_loss(&PointwiseLoss::SmoothL1 { beta: -1.0 }, &x(d, &[2]), &x(d, &[2]), MEAN)
        }),
        misuse!("pointwise_loss", ["delta 0 is not positive", "x [2]"], |d| {
            pointwise_loss(&PointwiseLoss::Huber { delta: 0.0 }, &x(d, &[2]), &x(d, &[2]), MEAN)
        }),
        misuse!("pointwise_loss", ["weight does not broadcast to x", "x [2, 3], weight [2]"], |d| {
            pointwise_loss(&weighted(d, &[2]), &x(d, &[2, 3]), &x(d, &[2, 3]), MEAN)
        }),
        misuse!("pointwise_loss", ["side by side", "x [2, 3, 4], weight [2, 1, 4]"], |d| {
            pointwise_loss(&weighted(d, &[2, 1, 4]), &x(d, &[2, 3, 4]), &x(d, &[2, 3, 4]), MEAN)
        }),
        misuse!("pointwise_loss_bwd_x", ["dloss must be a scalar", "x [2], dloss [2]"], |d| {
            pointwise_loss_bwd_x(&MSE, &x(d, &[2]), &x(d, &[2]), MEAN, &x(d, &[2]))
        }),
        misuse!("pointwise_loss_bwd_target", ["dloss must have the shape of x", "x [2], dloss [1]"], |d| {
            pointwise_loss_bwd_target(&MSE, &x(d, &[2]), &x(d, &[2]), Reduction::None, &x(d, &[1]))
        }),
    ]
}
