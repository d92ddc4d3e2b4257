use super::{Row, row, tensor};
use crate::autograd::var::Var;
use gpu_core::ops::{Conv1dGeometry, Conv2dGeometry, ConvTranspose1dGeometry, ConvTranspose2dGeometry};

pub(super) fn rows() -> Vec<Row> {
    let g = Conv2dGeometry { stride: [2, 1], padding: [1, 0, 2, 1].into(), ..Default::default() };
    let depthwise = Conv2dGeometry { padding: 1.into(), groups: 3, ..Default::default() };
    let one = Conv1dGeometry { stride: [2], padding: [2, 1].into(), dilation: [2], groups: 2 };
    let t = ConvTranspose2dGeometry { stride: [2, 2], padding: 1.into(), output_padding: [1, 0], ..Default::default() };
    let spread = ConvTranspose2dGeometry { stride: [3, 1], dilation: [2, 2], groups: 2, ..t };
    let t_one = ConvTranspose1dGeometry { stride: [2], padding: 1.into(), output_padding: [1], dilation: [2], groups: 2 };
    vec![
        row("conv2d", &[tensor([2, 3, 5, 4], 1), tensor([4, 3, 3, 2], 2), tensor([4], 3)], move |v| {
            v[0].conv2d(&v[1], Some(&v[2]), g)
        }),
        row("conv2d", &[tensor([2, 3, 4, 4], 1), tensor([3, 1, 3, 3], 2)], move |v| v[0].conv2d(&v[1], None, depthwise)),
        row("conv1d", &[tensor([2, 4, 9], 1), tensor([6, 2, 3], 2), tensor([6], 3)], move |v| v[0].conv1d(&v[1], Some(&v[2]), one)),
        row("conv_transpose2d", &[tensor([2, 3, 3, 3], 1), tensor([3, 2, 3, 3], 2), tensor([2], 3)], move |v| {
            v[0].conv_transpose2d(&v[1], Some(&v[2]), t)
        }),
        row("conv_transpose2d", &[tensor([1, 4, 3, 4], 1), tensor([4, 1, 2, 3], 2)], move |v| {
            v[0].conv_transpose2d(&v[1], None, spread)
        }),
        row("conv_transpose1d", &[tensor([2, 4, 5], 1), tensor([4, 3, 3], 2), tensor([6], 3)], move |v| {
            v[0].conv_transpose1d(&v[1], Some(&v[2]), t_one)
        }),
    ]
}

#[test]
#[should_panic(expected = "conv1d: x has 3 channels, w wants 4 (x [1, 3, 8], w [8, 4, 3])")]
fn a_convolution_of_one_axis_names_the_shapes_that_it_was_given() {
    let [x, w] = [tensor([1, 3, 8], 1), tensor([8, 4, 3], 2)].map(|t| Var::constant(&t));
    x.conv1d(&w, None, Conv1dGeometry::default());
}

#[test]
#[should_panic(expected = "conv_transpose1d: the bias does not fit 6 channels (x [1, 4, 8], w [4, 6, 3], bias [4])")]
fn a_bias_of_another_length_is_named() {
    let [x, w, b] = [tensor([1, 4, 8], 1), tensor([4, 6, 3], 2), tensor([4], 3)].map(|t| Var::constant(&t));
    x.conv_transpose1d(&w, Some(&b), ConvTranspose1dGeometry::default());
}
