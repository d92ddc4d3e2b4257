//! Filters whose windows do not meet: dense layers over the pixels that they read, which are copied together first.

use super::columns::{col2im, im2col};
use super::{Layout, is_pointwise};
use crate::mirror::{Real, for_each_chunk};

/// The dense layer over the pixels that are read: each tap of an input channel is a channel there.
pub(super) fn dense(l: &Layout) -> Option<Layout> {
    let axes = [(l.p, l.r, 0), (l.q, l.s, 1)];
    let is_apart = axes.iter().all(|&(outs, taps, axis)| outs == 1 || l.stride[axis] > (taps - 1) * l.dilation[axis]);
    let dense = Layout { stride: [1; 2], padding: [0; 2], c: l.c * l.taps(), h: l.p, w: l.q, r: 1, s: 1, ..*l };
    // A single window may lie in its padding for the most part.
    let is_within = l.padding == [0; 2] || l.taps() == 1;
    (is_apart && is_within && !is_pointwise(l)).then_some(dense)
}

/// The pixels of `x` that are read.
pub(super) fn read<T: Real>(l: &Layout, x: &[T]) -> Vec<T> {
    let mut read = vec![T::zero(); l.n * l.c * l.taps() * l.p * l.q];
    im2col(l, x, &mut read);
    read
}

/// dx from its pixels that are read; the others are the bias.
pub(super) fn backward_x<T: Real>(l: &Layout, bias: Option<&[T]>, dx: &mut [T], of_read: impl FnOnce(&mut [T])) {
    let mut read = vec![T::zero(); l.n * l.c * l.taps() * l.p * l.q];
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

    /// For every element of `whole`, where it lies in (N, C * taps, P, Q) of what is read, if it is.
    fn places(whole: Shape, read: Shape, stride: [usize; 2], taps: [usize; 2]) -> impl Iterator<Item = Option<usize>> {
        (0..whole.len()).map(move |i| {
            let (plane, row, col) = (i / (whole.h() * whole.w()), i / whole.w() % whole.h(), i % whole.w());
            let (p, q, r, s) = (row / stride[0], col / stride[1], row % stride[0], col % stride[1]);
            let is_read = r < taps[0] && s < taps[1] && p < read.h() && q < read.w();
            is_read.then(|| ((plane * taps[0] * taps[1] + r * taps[1] + s) * read.h() + p) * read.w() + q)
        })
    }

    #[test]
    fn a_filter_whose_windows_do_not_meet_is_a_dense_layer_over_what_it_reads() {
        let layers = [
            ([3, 8, 7, 5], 6, [1, 1], [2, 3], 2),
            ([9, 64, 2, 2], 40, [1, 1], [2, 2], 1),
            ([1, 5, 1, 9], 3, [1, 1], [1, 2], 1),
            ([3, 6, 8, 7], 4, [2, 2], [2, 3], 2),
            ([2, 3, 9, 12], 5, [3, 4], [3, 4], 1),
            // One output, whatever the stride is.
            ([5, 4, 4, 3], 6, [4, 3], [4, 3], 2),
        ];
        for (x, k, [r, s], stride, groups) in layers {
            let x_shape = Shape::from(x);
            let g = Conv2dGeometry { stride, groups, ..Default::default() };
            let w = uniform(&Device::Cpu, [k, x[1] / groups, r, s], 1);
            let (x, y_shape) = (uniform(&Device::Cpu, x_shape, 2), g.out_shape(x_shape, w.shape()).unwrap());
            let (bias, dy) = (uniform(&Device::Cpu, [k], 3), uniform(&Device::Cpu, y_shape, 4));

            let read_shape = Shape::from([x_shape.n(), x_shape.c() * r * s, y_shape.h(), y_shape.w()]);
            let (values, mut read) = (x.to_vec().unwrap(), vec![0.0; read_shape.len()]);
            let at = || places(x_shape, read_shape, stride, [r, s]);
            at().zip(&values).for_each(|(at, &v)| at.into_iter().for_each(|at| read[at] = v));
            let (read, dense) =
                (Tensor::from_slice(&Device::Cpu, read_shape, &read), Conv2dGeometry { groups, ..Default::default() });
            let w_dense = w.reshape([k, read_shape.c() / groups, 1, 1]);

            let (y, of_read) = (conv2d(&x, &w, Some(&bias), g), conv2d(&read, &w_dense, Some(&bias), dense));
            assert_eq!(y.to_vec().unwrap(), of_read.to_vec().unwrap(), "y of {x_shape}");
            let (dw, of_read) = (conv2d_bwd_w(&x, &dy, w.shape(), g), conv2d_bwd_w(&read, &dy, w_dense.shape(), dense));
            assert_eq!(dw.to_vec().unwrap(), of_read.to_vec().unwrap(), "dw of {x_shape}");
            let (dx, of_read) =
                (conv2d_bwd_x(&dy, &w, x_shape, g), conv2d_bwd_x(&dy, &w_dense, read_shape, dense).to_vec().unwrap());
            let expected: Vec<f32> = at().map(|at| at.map_or(0.0, |at| of_read[at])).collect();
            assert_eq!(dx.to_vec().unwrap(), expected, "dx of {x_shape}");
        }
    }
}
