//! Filters of one tap that skip pixels: dense layers over the pixels that they read, which are few and are copied together first.

use super::Layout;
use super::columns::{col2im, im2col};
use crate::mirror::{Real, for_each_chunk};

/// The dense layer over the pixels that are read.
pub(super) fn dense(l: &Layout) -> Option<Layout> {
    let skips = l.taps() == 1 && l.stride != [1; 2];
    skips.then_some(Layout { stride: [1; 2], padding: [0; 2], h: l.p, w: l.q, ..*l })
}

/// The pixels of `x` that are read.
pub(super) fn read<T: Real>(l: &Layout, x: &[T]) -> Vec<T> {
    let mut read = vec![T::zero(); l.n * l.c * l.p * l.q];
    im2col(l, x, &mut read);
    read
}

/// dx from its pixels that are read; the others are the bias.
pub(super) fn backward_x<T: Real>(l: &Layout, bias: Option<&[T]>, dx: &mut [T], of_read: impl FnOnce(&mut [T])) {
    let mut read = vec![T::zero(); l.n * l.c * l.p * l.q];
    of_read(&mut read);
    col2im(l, &read, dx);
    if let Some(bias) = bias {
        for_each_chunk(dx, l.h * l.w, &|plane, dx| dx.iter_mut().for_each(|dx| *dx += bias[plane % l.c]));
    }
}

#[cfg(test)]
mod tests {
    use crate::ops::{Conv2dGeometry, conv2d, conv2d_bwd_w, conv2d_bwd_x};
    use crate::testing::uniform;
    use crate::{Device, Shape, Tensor};

    /// Every element of `whole` by its place, as its row and column in the plane that is read, if it is read.
    fn places(whole: Shape, read: Shape, stride: [usize; 2]) -> impl Iterator<Item = Option<usize>> {
        (0..whole.len()).map(move |i| {
            let (plane, row, col) = (i / (whole.h() * whole.w()), i / whole.w() % whole.h(), i % whole.w());
            let is_read = row % stride[0] == 0 && col % stride[1] == 0;
            is_read.then(|| (plane * read.h() + row / stride[0]) * read.w() + col / stride[1])
        })
    }

    #[test]
    fn a_filter_of_one_tap_with_a_stride_is_a_dense_layer_over_what_it_reads() {
        for (x, k, stride, groups) in [([3, 8, 7, 5], 6, [2, 3], 2), ([9, 64, 2, 2], 40, [2, 2], 1), ([1, 5, 1, 9], 3, [1, 2], 1)] {
            let x_shape = Shape::from(x);
            let g = Conv2dGeometry { stride, groups, ..Default::default() };
            let w = uniform(&Device::Cpu, [k, x[1] / groups, 1, 1], 1);
            let (x, y_shape) = (uniform(&Device::Cpu, x_shape, 2), g.out_shape(x_shape, w.shape()).unwrap());
            let (bias, dy) = (uniform(&Device::Cpu, [k], 3), uniform(&Device::Cpu, y_shape, 4));

            let read_shape = Shape::from([x_shape.n(), x_shape.c(), y_shape.h(), y_shape.w()]);
            let values = x.to_vec().unwrap();
            let read: Vec<f32> = places(x_shape, read_shape, stride).zip(&values).filter_map(|(at, &v)| at.map(|_| v)).collect();
            let (read, dense) =
                (Tensor::from_slice(&Device::Cpu, read_shape, &read), Conv2dGeometry { groups, ..Default::default() });

            let (y, of_read) = (conv2d(&x, &w, Some(&bias), g), conv2d(&read, &w, Some(&bias), dense));
            assert_eq!(y.to_vec().unwrap(), of_read.to_vec().unwrap(), "y of {x_shape}");
            let (dw, of_read) = (conv2d_bwd_w(&x, &dy, w.shape(), g), conv2d_bwd_w(&read, &dy, w.shape(), dense));
            assert_eq!(dw.to_vec().unwrap(), of_read.to_vec().unwrap(), "dw of {x_shape}");
            let (dx, of_read) = (conv2d_bwd_x(&dy, &w, x_shape, g), conv2d_bwd_x(&dy, &w, read_shape, dense).to_vec().unwrap());
            let expected: Vec<f32> = places(x_shape, read_shape, stride).map(|at| at.map_or(0.0, |at| of_read[at])).collect();
            assert_eq!(dx.to_vec().unwrap(), expected, "dx of {x_shape}");
        }
    }
}
