//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;
use gpu_core::ops::{muon_combine, muon_momentum, muon_normalise, muon_step};

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("muon_momentum", ["momentum_buf differs in length", "[4]", "[3]"], |device| muon_momentum(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            &Tensor::zeros(device, [8])
        )),
        misuse!("muon_normalise", ["x [2, 3], squares [2]"], |device| muon_normalise(
            &Tensor::zeros(device, [2, 3]),
            &Tensor::zeros(device, [2]),
            1e-7
        )),
        misuse!("muon_combine", ["[2]", "[3]"], |device| muon_combine(
            &Tensor::zeros(device, [2]),
            1.0,
            &Tensor::zeros(device, [3]),
            1.0
        )),
        misuse!("muon_step", ["x differs in length", "params [4], x [3]"], |device| muon_step(
            &Tensor::zeros(device, [4]),
            &Tensor::zeros(device, [3]),
            1.0,
            &Tensor::zeros(device, [8])
        )),
    ]
}
