//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{
    batch_norm, batch_norm_add_relu_bwd, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd, batch_norm_eval_relu,
    batch_norm_relu, batch_norm_relu_bwd, demean_norm, demean_norm_bwd, demean_norm_eval, demean_norm_eval_bwd,
};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    vec![
        misuse!("batch_norm", ["x has 3 channels, gamma [4]", "x [2, 3, 5]"], |device| {
            let four = zeros(device, &[4]);
            batch_norm(&zeros(device, &[2, 3, 5]), &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm", ["x [1, 4] has one value a channel"], |device| {
            let four = zeros(device, &[4]);
            batch_norm(&zeros(device, &[1, 4]), &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm", ["x needs axes (n, c, ..)", "x [4]"], |device| {
            let four = zeros(device, &[4]);
            batch_norm(&four, &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm_eval", ["running_var holds u32, not f32", "x [2, 4]"], |device| {
            let (four, wrong) = (zeros(device, &[4]), Tensor::from_slice(device, [4], &[1u32; 4]));
            batch_norm_eval(&zeros(device, &[2, 4]), &four, &four, &four, &wrong, 1e-5)
        }),
        misuse!("batch_norm_eval", ["beta on CPU", "x [2, 4]"], |device| {
            let (four, wrong) = (zeros(device, &[4]), zeros(&Device::Cpu, &[4]));
            batch_norm_eval(&zeros(device, &[2, 4]), &four, &wrong, &four, &four, 1e-5)
        }),
        misuse!("batch_norm_bwd", ["x [2, 4]", "dy [4, 2]"], |device| {
            let four = zeros(device, &[4]);
            batch_norm_bwd(&zeros(device, &[2, 4]), &zeros(device, &[4, 2]), &four, &four, &four)
        }),
        misuse!("batch_norm_eval_bwd", ["x has 4 channels, running_mean [4, 1]"], |device| {
            let (x, four) = (zeros(device, &[2, 4]), zeros(device, &[4]));
            batch_norm_eval_bwd(&x, &x, &four, &zeros(device, &[4, 1]), &four, 1e-5)
        }),
        misuse!("batch_norm_relu", ["x [2, 4]", "beside [4, 2]"], |device| {
            let (x, four) = (zeros(device, &[2, 4]), zeros(device, &[4]));
            batch_norm_relu(&x, Some(&zeros(device, &[4, 2])), &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm_relu", ["x [1, 4] has one value a channel"], |device| {
            let (x, four) = (zeros(device, &[1, 4]), zeros(device, &[4]));
            batch_norm_relu(&x, None, &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm_eval_relu", ["beside holds u32, not f32", "x [2, 4]"], |device| {
            let (x, four, wrong) = (zeros(device, &[2, 4]), zeros(device, &[4]), Tensor::from_slice(device, [2, 4], &[1u32; 8]));
            batch_norm_eval_relu(&x, Some(&wrong), &four, &four, &four, &four, 1e-5)
        }),
        misuse!("batch_norm_relu_bwd", ["x has 4 channels, beta [3]"], |device| {
            let (x, four) = (zeros(device, &[2, 4]), zeros(device, &[4]));
            batch_norm_relu_bwd(&x, &x, &four, &zeros(device, &[3]), &four, &four)
        }),
        misuse!("batch_norm_add_relu_bwd", ["the shapes differ", "x [2, 4]", "y [4, 2]"], |device| {
            let (x, four) = (zeros(device, &[2, 4]), zeros(device, &[4]));
            batch_norm_add_relu_bwd(&x, &zeros(device, &[4, 2]), &x, &four, &four, &four)
        }),
        misuse!("demean_norm", ["x has 2 channels, beta [3]", "x [5, 2]"], |device| {
            let two = zeros(device, &[2]);
            demean_norm(&zeros(device, &[5, 2]), &two, &zeros(device, &[3]), &two, 0.1)
        }),
        misuse!("demean_norm_eval", ["x has 2 channels, running_mean [1]", "x [5, 2]"], |device| {
            let two = zeros(device, &[2]);
            demean_norm_eval(&zeros(device, &[5, 2]), &two, &two, &zeros(device, &[1]))
        }),
        misuse!("demean_norm_bwd", ["x [5, 2]", "dy [2, 5]"], |device| {
            let two = zeros(device, &[2]);
            demean_norm_bwd(&zeros(device, &[5, 2]), &zeros(device, &[2, 5]), &two, &two)
        }),
        misuse!("demean_norm_eval_bwd", ["dy holds u32, not f32", "x [1, 2]"], |device| {
            let two = zeros(device, &[2]);
            demean_norm_eval_bwd(&zeros(device, &[1, 2]), &Tensor::from_slice(device, [1, 2], &[1u32; 2]), &two, &two)
        }),
    ]
}
