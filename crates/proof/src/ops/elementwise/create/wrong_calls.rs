//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::Tensor;

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("eye", ["65536 rows"], |d| Tensor::eye(d, 65_536)),
        misuse!("arange", ["from 0 to 1 by -1"], |d| Tensor::arange(d, 0.0, 1.0, -1.0)),
        misuse!("arange", ["by 0"], |d| Tensor::arange(d, 0.0, 1.0, 0.0)),
        misuse!("linspace", ["20000000 numbers"], |d| Tensor::linspace(d, 0.0, 1.0, 20_000_000)),
        misuse!("linspace", ["to inf"], |d| Tensor::linspace(d, 0.0, f32::INFINITY, 3)),
    ]
}
