//! Wrong calls, and what their panics say.

use super::cases::{KEY, step_at};
use crate::{Misuse, misuse};
use gpu_core::ops::{
    alpha_dropout, alpha_dropout_bwd_x, bernoulli_keep, bernoulli_keep_bwd_x, dropout, dropout_bwd_x, dropout_mask, dropout2d,
    dropout2d_bwd_x, feature_alpha_dropout, feature_alpha_dropout_bwd_x, gaussian_noise, gaussian_noise_bwd_x,
};
use gpu_core::{Device, Shape, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn x(device: &Device, shape: &[usize]) -> Tensor {
        Tensor::zeros(device, shape)
    }
    fn integers(device: &Device) -> Tensor {
        Tensor::from_slice(device, [2], &[1u32, 2])
    }
    fn zero(device: &Device) -> Tensor {
        step_at(device, 0)
    }
    vec![
        misuse!("dropout", ["p 1.01 is not in [0, 1]", "x [3]"], |d| dropout(&x(d, &[3]), 1.01, KEY, &zero(d))),
        misuse!("dropout", ["x holds u32, not f32", "x [2]"], |d| dropout(&integers(d), 0.5, KEY, &zero(d))),
        misuse!("dropout", ["step on CPU", "x [3]"], |d| dropout(&x(d, &[3]), 0.5, KEY, &zero(&Device::Cpu))),
        misuse!("dropout_bwd_x", ["p 1.01 is not in [0, 1]", "x [3]"], |d| dropout_bwd_x(&x(d, &[3]), 1.01, KEY, &zero(d))),
        misuse!("dropout_mask", ["p 1.01 is not in [0, 1]", "x [3]"], |d| dropout_mask(Shape::from([3]), 1.01, KEY, &zero(d))),
        misuse!("dropout2d", ["x must be (N, C, ...)", "x [3]"], |d| dropout2d(&x(d, &[3]), 0.5, KEY, &zero(d))),
        misuse!("dropout2d", ["step must be one u32 (step f32 [2], x [3, 4])"], |d| {
            dropout2d(&x(d, &[3, 4]), 0.5, KEY, &x(d, &[2]))
        }),
        misuse!("dropout2d_bwd_x", ["x must be (N, C, ...)", "x [3]"], |d| dropout2d_bwd_x(&x(d, &[3]), 0.5, KEY, &zero(d))),
        misuse!("alpha_dropout", ["p 1.01 is not in [0, 1]", "x [3]"], |d| alpha_dropout(&x(d, &[3]), 1.01, KEY, &zero(d))),
        misuse!("alpha_dropout_bwd_x", ["x holds u32"], |d| alpha_dropout_bwd_x(&integers(d), 0.5, KEY, &zero(d))),
        misuse!("feature_alpha_dropout", ["x must be (N, C, ...)", "x [3]"], |d| {
            feature_alpha_dropout(&x(d, &[3]), 0.5, KEY, &zero(d))
        }),
        misuse!("feature_alpha_dropout_bwd_x", ["x must be (N, C, ...)", "x [3]"], |d| {
            feature_alpha_dropout_bwd_x(&x(d, &[3]), 0.5, KEY, &zero(d))
        }),
        misuse!("gaussian_noise", ["sigma -1 is negative", "x [3]"], |d| gaussian_noise(&x(d, &[3]), 1.0, -1.0, KEY, &zero(d))),
        misuse!("gaussian_noise_bwd_x", ["sigma -1 is negative"], |d| gaussian_noise_bwd_x(&x(d, &[3]), 1.0, -1.0, KEY, &zero(d))),
        misuse!("bernoulli_keep", ["keep -0.5 is not in [0, 1]", "x [3]"], |d| bernoulli_keep(&x(d, &[3]), -0.5, KEY, &zero(d))),
        misuse!("bernoulli_keep_bwd_x", ["keep 2 is not in [0, 1]"], |d| bernoulli_keep_bwd_x(&x(d, &[3]), 2.0, KEY, &zero(d))),
    ]
}
