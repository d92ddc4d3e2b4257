//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{
    Conv2dGeometry, ConvAlgorithm, ConvTranspose2dGeometry, Padding, conv_transpose2d, conv_transpose2d_bwd_w,
    conv_transpose2d_bwd_x, conv2d, conv2d_bwd_w, conv2d_bwd_w_by, conv2d_bwd_x, conv2d_bwd_x_by, conv2d_by,
};
use gpu_core::{DType, Device, Tensor};

const PLAIN: Conv2dGeometry = Conv2dGeometry { stride: [1; 2], padding: Padding::both([0; 2]), dilation: [1; 2], groups: 1 };
const GROUPED: Conv2dGeometry = Conv2dGeometry { groups: 2, ..PLAIN };
const BACK: ConvTranspose2dGeometry =
    ConvTranspose2dGeometry { stride: [2; 2], padding: Padding::both([0; 2]), output_padding: [0; 2], dilation: [1; 2], groups: 1 };
const EXTRA: ConvTranspose2dGeometry = ConvTranspose2dGeometry { output_padding: [2, 0], ..BACK };
const CUT: ConvTranspose2dGeometry = ConvTranspose2dGeometry { padding: Padding::both([9; 2]), ..BACK };

fn zeros<const R: usize>(device: &Device, shape: [usize; R]) -> Tensor {
    Tensor::zeros(device, shape)
}

pub fn wrong_calls() -> Vec<Misuse> {
    vec![
        misuse!("conv2d", ["x has 3 channels, w wants 4", "x [1, 3, 8, 8]", "w [8, 4, 3, 3]"], |d| {
            conv2d(&zeros(d, [1, 3, 8, 8]), &zeros(d, [8, 4, 3, 3]), None, PLAIN)
        }),
        misuse!("conv2d", ["a window of 3 does not fit into 2", "x [1, 3, 2, 2]", "w [8, 3, 3, 3]"], |d| {
            conv2d(&zeros(d, [1, 3, 2, 2]), &zeros(d, [8, 3, 3, 3]), None, PLAIN)
        }),
        misuse!("conv2d", ["5 output channels do not divide into 2 groups", "x [1, 4, 2, 2]", "w [5, 2, 1, 1]"], |d| {
            conv2d(&zeros(d, [1, 4, 2, 2]), &zeros(d, [5, 2, 1, 1]), None, GROUPED)
        }),
        misuse!("conv2d", ["x and w have 4 axes each", "x [3, 8, 8]", "w [8, 3, 3, 3]"], |d| {
            conv2d(&zeros(d, [3, 8, 8]), &zeros(d, [8, 3, 3, 3]), None, PLAIN)
        }),
        misuse!("conv2d", ["there is nothing to convolve", "x [2, 3, 0, 8]", "w [8, 3, 3, 3]"], |d| {
            conv2d(&zeros(d, [2, 3, 0, 8]), &zeros(d, [8, 3, 3, 3]), None, PLAIN)
        }),
        misuse!("conv2d", ["stride [0, 1]", "x [1, 1, 2, 2]", "w [1, 1, 1, 1]"], |d| {
            conv2d(&zeros(d, [1, 1, 2, 2]), &zeros(d, [1, 1, 1, 1]), None, Conv2dGeometry { stride: [0, 1], ..PLAIN })
        }),
        misuse!("conv2d", ["4294967297 is over 2147483647", "x [1, 1, 2, 2]"], |d| {
            conv2d(&zeros(d, [1, 1, 2, 2]), &zeros(d, [1, 1, 1, 1]), None, Conv2dGeometry { stride: [(1 << 32) + 1, 1], ..PLAIN })
        }),
        misuse!("conv2d", ["[1, 1, 131073, 131073] has more elements than the 4294967295"], |d| {
            let g = Conv2dGeometry { padding: 65_536.into(), ..PLAIN };
            conv2d(&zeros(d, [1, 1, 1, 1]), &zeros(d, [1, 1, 1, 1]), None, g)
        }),
        misuse!("conv2d", ["the bias does not fit 8 output channels", "bias [3]", "w [8, 3, 1, 1]"], |d| {
            conv2d(&zeros(d, [1, 3, 2, 2]), &zeros(d, [8, 3, 1, 1]), Some(&zeros(d, [3])), PLAIN)
        }),
        misuse!("conv2d", ["x holds u32, not f32", "x [1, 1, 1, 1]"], |d| {
            conv2d(&Tensor::from_slice(d, [1, 1, 1, 1], &[1u32]), &zeros(d, [1, 1, 1, 1]), None, PLAIN)
        }),
        misuse!("conv2d", ["w on CPU", "x [1, 1, 1, 1], w [1, 1, 1, 1]"], |d| {
            conv2d(&zeros(d, [1, 1, 1, 1]), &zeros(&Device::Cpu, [1, 1, 1, 1]), None, PLAIN)
        }),
        misuse!("conv2d", ["x holds f16, not f32", "x [1, 1, 1, 1], w [1, 1, 1, 1]"], |d| {
            conv2d(&zeros(d, [1, 1, 1, 1]).cast(DType::F16), &zeros(d, [1, 1, 1, 1]), None, PLAIN)
        }),
        misuse!("conv2d_bwd_w", ["dy holds f16, not f32", "dy [1, 1, 1, 1], x [1, 1, 1, 1]"], |d| {
            let x = zeros(d, [1, 1, 1, 1]);
            conv2d_bwd_w(&x, &x.cast(DType::F16), x.shape(), PLAIN)
        }),
        misuse!("conv2d_by", ["x has 3 channels, w wants 4", "x [1, 3, 8, 8]", "w [8, 4, 3, 3]"], |d| {
            conv2d_by(ConvAlgorithm::Im2col, &zeros(d, [1, 3, 8, 8]), &zeros(d, [8, 4, 3, 3]), None, PLAIN)
        }),
        misuse!("conv2d_bwd_x", ["dy should be [1, 8, 6, 6]", "dy [1, 8, 8, 8]", "w [8, 3, 3, 3]"], |d| {
            conv2d_bwd_x(&zeros(d, [1, 8, 8, 8]), &zeros(d, [8, 3, 3, 3]), [1, 3, 8, 8].into(), PLAIN)
        }),
        misuse!("conv2d_bwd_x_by", ["dy should be [1, 8, 6, 6]", "dy [1, 8, 8, 8]", "w [8, 3, 3, 3]"], |d| {
            conv2d_bwd_x_by(ConvAlgorithm::Im2col, &zeros(d, [1, 8, 8, 8]), &zeros(d, [8, 3, 3, 3]), [1, 3, 8, 8].into(), PLAIN)
        }),
        misuse!("conv2d_bwd_w", ["dy should be [1, 8, 6, 6]", "dy [2, 8, 6, 6]", "x [1, 3, 8, 8]"], |d| {
            conv2d_bwd_w(&zeros(d, [1, 3, 8, 8]), &zeros(d, [2, 8, 6, 6]), [8, 3, 3, 3].into(), PLAIN)
        }),
        misuse!("conv2d_bwd_w_by", ["dy holds i32, not f32", "dy [1, 8, 6, 6]", "x [1, 3, 8, 8]"], |d| {
            let dy = Tensor::from_slice(d, [1, 8, 6, 6], &[0i32; 288]);
            conv2d_bwd_w_by(ConvAlgorithm::Im2col, &zeros(d, [1, 3, 8, 8]), &dy, [8, 3, 3, 3].into(), PLAIN)
        }),
        misuse!("conv_transpose2d", ["x has 3 channels in 1 groups, w wants 4", "x [1, 3, 8, 8]", "w [4, 8, 3, 3]"], |d| {
            conv_transpose2d(&zeros(d, [1, 3, 8, 8]), &zeros(d, [4, 8, 3, 3]), None, BACK)
        }),
        misuse!("conv_transpose2d", ["output padding [2, 0] is not under the stride [2, 2]", "x [1, 1, 2, 2]"], |d| {
            conv_transpose2d(&zeros(d, [1, 1, 2, 2]), &zeros(d, [1, 1, 3, 3]), None, EXTRA)
        }),
        misuse!("conv_transpose2d", ["padding 9 cuts the output away", "x [1, 1, 2, 2]", "w [1, 1, 3, 3]"], |d| {
            conv_transpose2d(&zeros(d, [1, 1, 2, 2]), &zeros(d, [1, 1, 3, 3]), None, CUT)
        }),
        misuse!("conv_transpose2d", ["the bias does not fit 6 output channels", "bias [3]", "w [4, 6, 3, 3]"], |d| {
            conv_transpose2d(&zeros(d, [1, 4, 2, 2]), &zeros(d, [4, 6, 3, 3]), Some(&zeros(d, [3])), BACK)
        }),
        misuse!("conv_transpose2d_bwd_x", ["dy should be [1, 6, 5, 5]", "dy [1, 6, 4, 4]", "w [4, 6, 3, 3]"], |d| {
            conv_transpose2d_bwd_x(&zeros(d, [1, 6, 4, 4]), &zeros(d, [4, 6, 3, 3]), [1, 4, 2, 2].into(), BACK)
        }),
        misuse!("conv_transpose2d_bwd_w", ["dy should be [1, 6, 5, 5]", "dy [1, 6, 4, 4]", "x [1, 4, 2, 2]"], |d| {
            conv_transpose2d_bwd_w(&zeros(d, [1, 4, 2, 2]), &zeros(d, [1, 6, 4, 4]), [4, 6, 3, 3].into(), BACK)
        }),
    ]
}
