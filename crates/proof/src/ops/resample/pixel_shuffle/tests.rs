use super::cases::ROWS;
use crate::{devices, gradients, tensor, values};
use gpu_core::ops::{pixel_shuffle, pixel_unshuffle};
use gpu_core::{Device, Shape, Tensor};

#[test]
fn every_pixel_goes_where_the_formula_says_and_back() {
    for device in devices() {
        for &(dims, r) in ROWS {
            let x = Shape::from(dims);
            let values = values(x.len(), 1);
            let y = pixel_shuffle(&Tensor::from_slice(&device, x, &values), r);
            let (c, rows, columns) = (x.c() / (r * r), x.h() * r, x.w() * r);
            assert_eq!(y.shape(), Shape::from([x.n(), c, rows, columns]));
            for (at, got) in y.to_vec().unwrap().into_iter().enumerate() {
                let (v, u, k, n) = (at % columns, at / columns % rows, at / (rows * columns) % c, at / (rows * columns * c));
                let channel = (k * r + u % r) * r + v % r;
                assert_eq!(got, values[((n * x.c() + channel) * x.h() + u / r) * x.w() + v / r], "{x} by {r}, {at}");
            }
            assert_eq!(pixel_unshuffle(&y, r).to_vec().unwrap(), values);
        }
    }
}

/// From `torch.nn.functional.pixel_shuffle(torch.arange(16.).view(1, 8, 1, 2), 2)`.
#[test]
fn pixel_shuffle_agrees_with_pytorch() {
    for device in devices() {
        let x = Tensor::from_slice(&device, [1, 8, 1, 2], &(0..16).map(|v| v as f32).collect::<Vec<_>>());
        let want = [0., 2., 1., 3., 4., 6., 5., 7., 8., 10., 9., 11., 12., 14., 13., 15.];
        assert_eq!(pixel_shuffle(&x, 2).to_vec().unwrap(), want);
    }
}

#[test]
fn each_is_the_gradient_of_the_other() {
    let (small, large) = (tensor(&Device::Cpu, [1, 4, 2, 3], 1), tensor(&Device::Cpu, [2, 1, 4, 6], 1));
    gradients(&[small], |t| pixel_shuffle(&t[0], 2), |_, dy| vec![pixel_unshuffle(dy, 2)]);
    gradients(&[large], |t| pixel_unshuffle(&t[0], 2), |_, dy| vec![pixel_shuffle(dy, 2)]);
}
