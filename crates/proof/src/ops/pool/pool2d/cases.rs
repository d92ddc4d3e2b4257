//! What is held against the mirror.

use crate::{Bound, Case, input_integers, tensor};
use gpu_core::ops::internals::pool2d::{self as forms, Form};
use gpu_core::ops::{Divisor, Pool2dGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x};
use gpu_core::{Shape, Tensor};

pub(super) const fn pool(kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Pool2dGeometry {
    Pool2dGeometry { stride, padding, ..Pool2dGeometry::new(kernel) }
}

/// Plain, one pixel, odd, overlapping, asymmetrical, with gaps between windows, padded, as wide as the plane; then: dilated, with
/// windows past the end, both, a window larger than the plane, and no images at all; then the common windows over rows of eights, and
/// what just fails to be that; and padding as ONNX allows it, of all but one element of a window.
const GEOMETRIES: &[([usize; 4], Pool2dGeometry)] = &[
    ([2, 3, 8, 8], pool([2, 2], [2, 2], [0, 0])),
    ([1, 1, 1, 1], pool([1, 1], [1, 1], [0, 0])),
    ([3, 5, 7, 9], pool([2, 2], [2, 2], [0, 0])),
    ([1, 4, 9, 7], pool([3, 3], [2, 2], [1, 1])),
    ([2, 3, 11, 13], pool([3, 2], [1, 3], [1, 0])),
    ([2, 2, 17, 5], pool([5, 1], [3, 1], [2, 0])),
    ([1, 3, 10, 10], pool([2, 2], [3, 4], [0, 0])),
    ([2, 7, 6, 5], pool([2, 3], [2, 3], [1, 1])),
    ([5, 2, 7, 7], pool([7, 7], [7, 7], [0, 0])),
    ([2, 3, 11, 11], Pool2dGeometry { dilation: [2, 2], ..pool([3, 3], [1, 1], [1, 1]) }),
    ([2, 3, 10, 13], Pool2dGeometry { dilation: [3, 2], ..pool([2, 3], [4, 2], [1, 0]) }),
    ([2, 3, 8, 7], Pool2dGeometry { ceil_mode: true, ..pool([3, 2], [2, 3], [1, 1]) }),
    ([1, 4, 9, 12], Pool2dGeometry { ceil_mode: true, dilation: [2, 3], ..pool([3, 3], [3, 4], [1, 1]) }),
    ([2, 2, 2, 3], Pool2dGeometry { ceil_mode: true, ..pool([3, 4], [2, 2], [0, 0]) }),
    ([0, 3, 8, 8], pool([2, 2], [2, 2], [0, 0])),
    ([3, 7, 9, 24], pool([2, 2], [2, 2], [0, 0])),
    ([2, 3, 9, 24], Pool2dGeometry { ceil_mode: true, ..pool([2, 2], [2, 2], [0, 0]) }),
    ([5, 3, 8, 8], pool([3, 3], [2, 2], [1, 1])),
    ([2, 3, 11, 32], pool([3, 3], [2, 2], [1, 1])),
    ([2, 3, 1, 16], pool([3, 3], [2, 2], [1, 1])),
    ([2, 2, 7, 20], pool([2, 2], [2, 2], [0, 0])),
    ([2, 2, 8, 16], Pool2dGeometry { ceil_mode: true, ..pool([3, 3], [2, 2], [1, 1]) }),
    ([2, 2, 8, 16], pool([2, 2], [2, 2], [1, 1])),
    ([2, 2, 5, 6], pool([3, 3], [1, 1], [2, 2])),
    ([1, 3, 2, 16], Pool2dGeometry { ceil_mode: true, ..pool([3, 5], [2, 2], [2, 4]) }),
    ([1, 2, 7, 9], Pool2dGeometry { dilation: [2, 3], ..pool([3, 3], [2, 1], [4, 6]) }),
];

pub(super) fn geometries() -> impl Iterator<Item = (Shape, Pool2dGeometry)> {
    GEOMETRIES.iter().map(|&(x, g)| (Shape::from(x), g))
}

pub fn cases() -> Vec<Case> {
    // The last: more workgroups than fit into a row of the grid.
    let wide = (Shape::from([257, 255, 16, 17]), Pool2dGeometry::new([16, 17]));
    let mut cases = Vec::new();
    for (shape, g) in geometries().chain([wide]) {
        let what = format!("{shape} {g:?}");
        cases.push(Case::new("max_pool2d", what.clone(), Bound::Exact, move |device| {
            // Small integers: ties abound.
            let x = Tensor::from_slice(device, shape, &input_integers(device, shape.len(), 1));
            let (y, indices) = max_pool2d(&x, g);
            let dx = max_pool2d_bwd_x(&tensor(device, y.shape(), 2), &indices, shape, g);
            vec![y, indices, dx]
        }));
        // The divisor is rounded too, and WGSL allows a division two and a half units.
        let bound = Bound::Sum { terms: g.kernel[0] * g.kernel[1] + 3 };
        let divisors = [Divisor::Window, Divisor::Inside, Divisor::Fixed(3)];
        for divisor in divisors.into_iter().take(if shape == wide.0 { 1 } else { 3 }) {
            cases.push(Case::new("avg_pool2d", format!("{what} {divisor:?}"), bound, move |device| {
                let y = avg_pool2d(&tensor(device, shape, 1), g, divisor);
                let dx = avg_pool2d_bwd_x(&tensor(device, y.shape(), 2), shape, g, divisor);
                vec![y, dx]
            }));
        }
    }
    cases.extend(geometries().flat_map(|(shape, g)| large_windows(shape, g)));
    cases
}

/// The form for large windows, of small ones.
fn large_windows(shape: Shape, g: Pool2dGeometry) -> [Case; 2] {
    let (what, y) = (format!("{shape} {g:?}"), g.out_shape(shape).expect("the windows fit"));
    let max = Case::new("max_pool2d_wide", what.clone(), Bound::Exact, move |device| {
        let x = Tensor::from_slice(device, shape, &input_integers(device, shape.len(), 1));
        let (y, indices) = forms::max_pool2d(Form::Wide, &x, g, y);
        // Integers: the order of the sum is another one.
        let dy = Tensor::from_slice(device, y.shape(), &input_integers(device, y.len(), 2));
        let dx = forms::max_pool2d_bwd_x(Form::Wide, &dy, &indices, shape, g);
        vec![y, indices, dx]
    });
    let bound = Bound::Sum { terms: g.kernel[0] * g.kernel[1] + 3 };
    let avg = Case::new("avg_pool2d_wide", what, bound, move |device| {
        let mean = forms::avg_pool2d(Form::Wide, &tensor(device, shape, 1), g, Divisor::Inside, y);
        vec![mean, forms::avg_pool2d_bwd_x(Form::Wide, &tensor(device, y, 2), shape, g, Divisor::Window)]
    });
    [max, avg]
}
