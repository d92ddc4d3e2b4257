//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::{adamw_step, adamw_step_amsgrad};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("adamw_step", ["two outputs (shapes [4] and [4]) overlap in memory"], |device| {
            let [zeros, twice, hyper] = [4, 4, 8].map(|len| Tensor::zeros(device, [len]));
            adamw_step(&Tensor::zeros(device, [4]), &zeros, &twice, &twice, &hyper)
        }),
        misuse!("adamw_step", ["v differs in length", "params [4], v [3]"], |device| adamw_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [8])
        )),
        misuse!("adamw_step_amsgrad", ["max_v differs in length", "params [4], max_v [3]"], |device| adamw_step_amsgrad(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [8])
        )),
    ]
}
