//! The mirrors against naive loops, the kernels against exact integers, and the adjoint identities.

use super::cases::{DEPTHWISE_ROWS, ROWS, Row};
use super::*;
use crate::check;
use crate::device::Device;

/// Calls `f` with (x index, w index, y index) of every product of a convolution: the definition, once.
fn for_each_tap(g: Conv2dGeometry, x: Shape, w: Shape, y: Shape, mut f: impl FnMut(usize, usize, usize)) {
    let group_k = w.dim(0) / g.groups;
    for yi in 0..y.len() {
        let (q, p, k, n) = (yi % y.w(), yi / y.w() % y.h(), yi / y.inner(2) % y.c(), yi / y.inner(1));
        for c in 0..w.dim(1) {
            for (r, s) in (0..w.dim(2)).flat_map(|r| (0..w.dim(3)).map(move |s| (r, s))) {
                let h = (p * g.stride[0] + r * g.dilation[0]).checked_sub(g.padding[0]).filter(|&h| h < x.h());
                let v = (q * g.stride[1] + s * g.dilation[1]).checked_sub(g.padding[1]).filter(|&v| v < x.w());
                if let (Some(h), Some(v)) = (h, v) {
                    let channel = k / group_k * w.dim(1) + c;
                    f(((n * x.c() + channel) * x.h() + h) * x.w() + v, ((k * w.dim(1) + c) * w.dim(2) + r) * w.dim(3) + s, yi);
                }
            }
        }
    }
}

/// y, dx and dw in f64 by the definition.
fn naive(g: Conv2dGeometry, x: (Shape, &[f32]), w: (Shape, &[f32]), dy: (Shape, &[f32])) -> [Vec<f32>; 3] {
    let (mut y, mut dx, mut dw) = (vec![0f64; dy.1.len()], vec![0f64; x.1.len()], vec![0f64; w.1.len()]);
    for_each_tap(g, x.0, w.0, dy.0, |xi, wi, yi| {
        let [xv, wv, dv] = [x.1[xi], w.1[wi], dy.1[yi]].map(f64::from);
        y[yi] += xv * wv;
        dx[xi] += wv * dv;
        dw[wi] += xv * dv;
    });
    [y, dx, dw].map(|v| v.into_iter().map(|v| v as f32).collect())
}

#[test]
fn small_integers_convolve_exactly_on_every_device_and_by_every_algorithm() {
    for &(x, k, [r, s], g) in ROWS.iter().chain(DEPTHWISE_ROWS) {
        let (x, w) = (Shape::from(x), Shape::from([k, x[1] / g.groups, r, s]));
        let y = g.out_shape(x, w).unwrap();
        let [xs, ws, ds] = [(x, 1), (w, 2), (y, 3)].map(|(shape, seed)| check::integers(shape.len(), seed));
        let [want_y, want_dx, want_dw] = naive(g, (x, &xs), (w, &ws), (y, &ds));
        for device in check::devices() {
            let [xt, wt, dt] = [(x, &xs), (w, &ws), (y, &ds)].map(|(shape, v)| Tensor::from_slice(&device, shape, v));
            for algorithm in [ConvAlgorithm::Auto, ConvAlgorithm::Im2col] {
                let what = format!("{algorithm:?} on {}: x {x} w {w} {g:?}", device.name());
                assert_eq!(conv2d_by(algorithm, &xt, &wt, None, g).to_vec().unwrap(), want_y, "y, {what}");
                assert_eq!(conv2d_bwd_x_by(algorithm, &dt, &wt, x, g).to_vec().unwrap(), want_dx, "dx, {what}");
                assert_eq!(conv2d_bwd_w_by(algorithm, &xt, &dt, w, g).to_vec().unwrap(), want_dw, "dw, {what}");
            }
        }
    }
}

#[test]
fn a_shifted_padding_is_noticed() {
    let g = Conv2dGeometry { padding: [1; 2], ..Default::default() };
    let wrong = Conv2dGeometry { padding: [1, 1], dilation: [2, 1], ..g };
    let (x, w) = (Shape::from([1, 2, 5, 5]), Shape::from([3, 2, 1, 3]));
    let y = g.out_shape(x, w).unwrap();
    let [xs, ws, ds] = [(x, 1), (w, 2), (y, 3)].map(|(shape, seed)| check::integers(shape.len(), seed));
    let mut moved = ds.clone();
    moved.rotate_right(1);
    let right = naive(g, (x, &xs), (w, &ws), (y, &ds));
    assert_ne!(right[1], naive(g, (x, &xs), (w, &ws), (y, &moved))[1]);
    // One row of taps: a dilation of rows changes nothing, and the comparison says so.
    assert_eq!(right, naive(wrong, (x, &xs), (w, &ws), (y, &ds)));
}

/// `<conv_transpose(x), y> = <x, conv(y)>`, with integers: exactly.
#[test]
fn the_transposed_convolution_is_the_adjoint_of_the_convolution() {
    let g = ConvTranspose2dGeometry { stride: [2, 3], padding: [1, 0], output_padding: [1, 2], ..Default::default() };
    for device in check::devices() {
        let (x, w) = (Shape::from([2, 6, 4, 5]), Shape::from([6, 3, 3, 4]));
        let y = g.out_shape(x, w).unwrap();
        let make = |shape: Shape, seed| Tensor::from_slice(&device, shape, &check::integers(shape.len(), seed));
        let (xt, wt, yt) = (make(x, 1), make(w, 2), make(y, 3));
        let dot = |a: &Tensor, b: &Tensor| -> f32 { a.to_vec().unwrap().iter().zip(b.to_vec().unwrap()).map(|(a, b)| a * b).sum() };
        let left = dot(&conv_transpose2d(&xt, &wt, None, g), &yt);
        assert_eq!(left, dot(&xt, &conv_transpose2d_bwd_x(&yt, &wt, x, g)));
        assert_eq!(left, dot(&wt, &conv_transpose2d_bwd_w(&xt, &yt, w, g)));
        assert_ne!(left, 0.0);
    }
}

/// From `torch.nn.functional.conv2d(torch.arange(16.).view(1, 1, 4, 4), torch.ones(1, 1, 3, 3), torch.tensor([0.5]))`.
#[test]
fn conv2d_agrees_with_pytorch() {
    for device in check::devices() {
        let x: Vec<f32> = (0..16).map(|v| v as f32).collect();
        let x = Tensor::from_slice(&device, [1, 1, 4, 4], &x);
        let (w, b) = (Tensor::full(&device, [1, 1, 3, 3], 1.0), Tensor::full(&device, [1], 0.5));
        let y = conv2d(&x, &w, Some(&b), Conv2dGeometry::default());
        assert_eq!(y.to_vec().unwrap(), [45.5, 54.5, 81.5, 90.5]);
    }
}

#[test]
fn gradients_agree_with_differences() {
    let rows: [Row; 2] = [
        ([2, 4, 5, 6], 6, [3, 2], Conv2dGeometry { stride: [2, 1], padding: [1, 0], dilation: [1, 2], groups: 2 }),
        ([2, 3, 5, 4], 3, [3, 3], Conv2dGeometry { stride: [1; 2], padding: [1; 2], dilation: [1; 2], groups: 3 }),
    ];
    for (x, k, [r, s], g) in rows {
        let inputs = [check::tensor(&Device::Cpu, x, 1), check::tensor(&Device::Cpu, [k, x[1] / g.groups, r, s], 2)];
        let backward =
            |t: &[Tensor], dy: &Tensor| vec![conv2d_bwd_x(dy, &t[1], t[0].shape(), g), conv2d_bwd_w(&t[0], dy, t[1].shape(), g)];
        check::gradients(&inputs, |t| conv2d(&t[0], &t[1], None, g), backward);
    }
}

#[test]
#[should_panic(expected = "conv2d: x has 3 channels, w wants 4 (x [1, 3, 8, 8], w [8, 4, 3, 3])")]
fn wrong_channels_are_named() {
    let cpu = Device::Cpu;
    conv2d(&Tensor::zeros(&cpu, [1, 3, 8, 8]), &Tensor::zeros(&cpu, [8, 4, 3, 3]), None, Conv2dGeometry::default());
}

#[test]
#[should_panic(expected = "conv2d: a window of 3 does not fit into 2")]
fn a_window_larger_than_the_input_is_named() {
    let cpu = Device::Cpu;
    conv2d(&Tensor::zeros(&cpu, [1, 3, 2, 2]), &Tensor::zeros(&cpu, [8, 3, 3, 3]), None, Conv2dGeometry::default());
}
