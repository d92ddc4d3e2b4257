//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{Divisor, Pool2dGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x};
use gpu_core::{Device, Tensor};

const PLAIN: Pool2dGeometry = Pool2dGeometry::new([2, 2]);
const PADDED: Pool2dGeometry = Pool2dGeometry { padding: [2, 2], ..PLAIN };
const STILL: Pool2dGeometry = Pool2dGeometry { stride: [0, 2], ..PLAIN };
const APART: Pool2dGeometry = Pool2dGeometry { padding: [1, 1], dilation: [2, 2], ..PLAIN };

pub fn wrong_calls() -> Vec<Misuse> {
    fn zeros<const R: usize>(device: &Device, shape: [usize; R]) -> Tensor {
        Tensor::zeros(device, shape)
    }
    vec![
        misuse!("max_pool2d", ["smaller than the kernel [2, 2]", "x [1, 1, 1, 4]"], |d| max_pool2d(&zeros(d, [1, 1, 1, 4]), PLAIN)),
        misuse!("max_pool2d", ["padding [2, 2] is as much as a window reaches", "x [1, 1, 4, 4]"], |d| {
            max_pool2d(&zeros(d, [1, 1, 4, 4]), PADDED)
        }),
        misuse!("max_pool2d", ["stride [0, 2]", "x [1, 1, 4, 4]"], |d| max_pool2d(&zeros(d, [1, 1, 4, 4]), STILL)),
        misuse!("max_pool2d", ["lies in the padding [1, 1] alone", "x [1, 1, 1, 1]"], |d| {
            max_pool2d(&zeros(d, [1, 1, 1, 1]), APART)
        }),
        misuse!("max_pool2d", ["x holds u32, not f32", "x [1]"], |d| max_pool2d(&Tensor::from_slice(d, [1], &[1u32]), PLAIN)),
        misuse!("max_pool2d_bwd_x", ["indices holds f32, not u32", "indices [1, 1, 2, 2]"], |d| {
            let dy = zeros(d, [1, 1, 2, 2]);
            max_pool2d_bwd_x(&dy, &dy, [1, 1, 4, 4].into(), PLAIN)
        }),
        misuse!("max_pool2d_bwd_x", ["x [1, 1, 4, 4] is pooled to [1, 1, 2, 2]", "dy [1, 1, 2, 3]"], |d| {
            let indices = Tensor::from_slice(d, [1, 1, 2, 2], &[0u32; 4]);
            max_pool2d_bwd_x(&zeros(d, [1, 1, 2, 3]), &indices, [1, 1, 4, 4].into(), PLAIN)
        }),
        misuse!("avg_pool2d", ["x has 3 axes, not 4", "x [1, 4, 4]"], |d| {
            avg_pool2d(&zeros(d, [1, 4, 4]), PLAIN, Divisor::Window)
        }),
        misuse!("avg_pool2d", ["the divisor is zero", "x [1, 1, 4, 4]"], |d| {
            avg_pool2d(&zeros(d, [1, 1, 4, 4]), PLAIN, Divisor::Fixed(0))
        }),
        misuse!("avg_pool2d_bwd_x", ["x [1, 1, 4, 4] is pooled to [1, 1, 2, 2]", "dy [1, 1, 2, 3]"], |d| {
            avg_pool2d_bwd_x(&zeros(d, [1, 1, 2, 3]), [1, 1, 4, 4].into(), PLAIN, Divisor::Window)
        }),
        misuse!("avg_pool2d_bwd_x", ["the divisor is zero", "dy [1, 1, 2, 2]"], |d| {
            avg_pool2d_bwd_x(&zeros(d, [1, 1, 2, 2]), [1, 1, 4, 4].into(), PLAIN, Divisor::Fixed(0))
        }),
    ]
}
