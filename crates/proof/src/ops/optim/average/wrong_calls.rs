//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::{ema_step, exchange, lookahead_step};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("ema_step", ["average differs in length", "params [4], average [3]"], |device| ema_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [1])
        )),
        misuse!("lookahead_step", ["far is one element", "far [2]"], |device| lookahead_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [2])
        )),
        misuse!("exchange", ["other differs in length", "params [4], other [3]"], |device| exchange(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3])
        )),
    ]
}
