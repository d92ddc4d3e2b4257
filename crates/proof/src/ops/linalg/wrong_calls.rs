//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{Triangle, cholesky, lstsq, pinv, ridge, solve_spd, solve_triangular};
use gpu_core::{Device, Tensor};

fn zeros(device: &Device, dims: &[usize]) -> Tensor {
    Tensor::zeros(device, dims)
}

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("cholesky", ["not square", "a [2, 3]"], |device| cholesky(&zeros(device, &[2, 3]))),
        misuse!("cholesky", ["rank 1, not 2", "a [4]"], |device| cholesky(&zeros(device, &[4]))),
        misuse!("cholesky", ["a holds u32, not f32", "a [1, 1]"], |device| {
            cholesky(&Tensor::from_slice(device, [1, 1], &[1u32]))
        }),
        misuse!("solve_triangular", ["differ in rows", "a [2, 2], b [3]"], |device| {
            solve_triangular(&zeros(device, &[2, 2]), &zeros(device, &[3]), Triangle::Lower, false)
        }),
        misuse!("solve_triangular", ["not square", "a [2, 3]"], |device| {
            solve_triangular(&zeros(device, &[2, 3]), &zeros(device, &[2]), Triangle::Upper, false)
        }),
        misuse!("solve_spd", ["differ in rows", "a [2, 2], b [3, 1]"], |device| {
            solve_spd(&zeros(device, &[2, 2]), &zeros(device, &[3, 1]))
        }),
        misuse!("lstsq", ["fewer rows than columns", "a [2, 3], b [2]"], |device| {
            lstsq(&zeros(device, &[2, 3]), &zeros(device, &[2]))
        }),
        misuse!("lstsq", ["b on CPU", "a [2, 2], b [2]"], |device| { lstsq(&zeros(device, &[2, 2]), &zeros(&Device::Cpu, &[2])) }),
        misuse!("ridge", ["lambda is -1", "a [2, 3], b [2]"], |device| {
            ridge(&zeros(device, &[2, 3]), &zeros(device, &[2]), -1.0)
        }),
        misuse!("ridge", ["b has rank 3", "b [2, 1, 1]"], |device| {
            ridge(&zeros(device, &[2, 3]), &zeros(device, &[2, 1, 1]), 1.0)
        }),
        misuse!("pinv", ["rank 1, not 2", "a [4]"], |device| pinv(&zeros(device, &[4]))),
        misuse!("pinv", ["a holds u32, not f32", "a [1, 1]"], |device| pinv(&Tensor::from_slice(device, [1, 1], &[1u32]))),
    ]
}
