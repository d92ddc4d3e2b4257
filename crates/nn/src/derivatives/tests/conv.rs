use super::{Row, row, tensor};
use gpu_core::ops::{Conv2dGeometry, ConvTranspose2dGeometry};

pub(super) fn rows() -> Vec<Row> {
    let g = Conv2dGeometry { stride: [2, 1], padding: [1, 2], ..Conv2dGeometry::default() };
    let depthwise = Conv2dGeometry { padding: [1, 1], groups: 3, ..Conv2dGeometry::default() };
    let t = ConvTranspose2dGeometry { stride: [2, 2], padding: [1, 1], output_padding: [1, 0], ..Default::default() };
    vec![
        row("conv2d", &[tensor([2, 3, 5, 4], 1), tensor([4, 3, 3, 2], 2), tensor([4], 3)], move |v| {
            v[0].conv2d(&v[1], Some(&v[2]), g)
        }),
        row("conv2d", &[tensor([2, 3, 4, 4], 1), tensor([3, 1, 3, 3], 2)], move |v| v[0].conv2d(&v[1], None, depthwise)),
        row("conv_transpose2d", &[tensor([2, 3, 3, 3], 1), tensor([3, 2, 3, 3], 2), tensor([2], 3)], move |v| {
            v[0].conv_transpose2d(&v[1], Some(&v[2]), t)
        }),
    ]
}
