//! What is timed: the layers of a ResNet for CIFAR, in every form.

use super::gather::{self, Direction};
use super::layout::{Form, Layout};
use super::{Conv2dGeometry, ConvTranspose2dGeometry, conv_transpose2d, depthwise, im2col, weight};
use crate::check::{Bench, tensor};
use crate::device::Device;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// 3x3 taps over 32 images of 64 channels.
fn layer(groups: usize, extent: usize) -> (Layout, [Shape; 3]) {
    let g = Conv2dGeometry { padding: 1.into(), groups, ..Default::default() };
    let (x, w) = (Shape::from([32, 64, extent, extent]), Shape::from([64, 64 / groups, 3, 3]));
    (Layout::new(g, x, w, x), [x, w, x])
}

/// A row: `run` fills `out` from two tensors.
fn row(
    name: &'static str,
    what: String,
    l: Layout,
    [a, b, out]: [Shape; 3],
    run: impl Fn(&Layout, &Tensor, &Tensor, &Tensor) + Clone + Send + Sync + 'static,
) -> Bench {
    let flops = 2 * (l.n * l.k * l.p * l.q * l.terms()) as u64;
    Bench::new(name, what, flops, move |device: &Device| {
        let (a, b, run) = (tensor(device, a, 1), tensor(device, b, 2), run.clone());
        move || {
            let result = Tensor::empty(a.device(), out);
            run(&l, &a, &b, &result);
            vec![result]
        }
    })
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    let mut rows = Vec::new();
    let (l, [x, w, y]) = layer(1, 32);
    for form in Form::ALL {
        let what = format!("3x3 64>64, 32x32, batch 32, {form:?}");
        rows.push(row("conv2d", what.clone(), l, [x, w, y], move |l, x, w, y| {
            gather::launch(l, Direction::Forward, form, x, w, None, y);
        }));
        rows.push(row("conv2d_bwd_x", what.clone(), l, [y, w, x], move |l, dy, w, dx| {
            gather::launch(l, Direction::Backward, form, dy, w, None, dx);
        }));
        rows.push(row("conv2d_bwd_w", what, l, [x, y, w], move |l, x, dy, dw| weight::launch(l, form, x, dy, dw)));
    }
    let what = "3x3 64>64, 32x32, batch 32, im2col".to_owned();
    rows.push(row("conv2d", what.clone(), l, [x, w, y], im2col::forward));
    rows.push(row("conv2d_bwd_x", what.clone(), l, [y, w, x], |l, dy, w, dx| im2col::backward_x(l, dy, w, None, dx)));
    rows.push(row("conv2d_bwd_w", what, l, [x, y, w], im2col::backward_w));
    // The common width, and one that goes by single elements.
    for extent in [32, 31] {
        let (l, [x, w, y]) = layer(64, extent);
        let what = format!("depthwise 3x3 64, {extent}x{extent}, batch 32");
        rows.push(row("conv2d", what.clone(), l, [x, w, y], |l, x, w, y| depthwise::forward(l, x, w, None, y)));
        rows.push(row("conv2d_bwd_x", what.clone(), l, [y, w, x], |l, dy, w, dx| depthwise::backward_x(l, dy, w, None, dx)));
        rows.push(row("conv2d_bwd_w", what, l, [x, y, w], depthwise::backward_w));
    }
    rows.push(Bench::new("conv_transpose2d", "4x4 stride 2 64>32, 16x16, batch 32", 2 * 32 * 32 * 64 * 16 * 256, |device| {
        let (x, w) = (tensor(device, [32, 64, 16, 16], 1), tensor(device, [64, 32, 4, 4], 2));
        let g = ConvTranspose2dGeometry { stride: [2; 2], padding: 1.into(), ..Default::default() };
        move || vec![conv_transpose2d(&x, &w, None, g)]
    }));
    rows
}
