//! The table, and what is timed.

use super::*;
use crate::check::{self, Bench, Bound, Case};

const fn pool(kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Pool2dGeometry {
    Pool2dGeometry { stride, padding, ..Pool2dGeometry::new(kernel) }
}

/// Plain, one pixel, odd, overlapping, asymmetrical, with gaps between windows, padded, as wide as the plane; then: dilated, with
/// windows past the end, both, a window larger than the plane, and no images at all; then the common windows over rows of eights, and
/// what just fails to be that.
pub(super) const GEOMETRIES: &[([usize; 4], Pool2dGeometry)] = &[
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
];

pub(super) fn geometries() -> impl Iterator<Item = (Shape, Pool2dGeometry)> {
    GEOMETRIES.iter().map(|&(x, g)| (Shape::from(x), g))
}

pub(in crate::ops) fn cases() -> Vec<Case> {
    // The last: more workgroups than fit into a row of the grid.
    let wide = (Shape::from([257, 255, 16, 17]), Pool2dGeometry::new([16, 17]));
    let mut cases = Vec::new();
    for (shape, g) in geometries().chain([wide]) {
        let what = format!("{shape} {g:?}");
        cases.push(Case::new("max_pool2d", what.clone(), Bound::Exact, move |device| {
            // Small integers: ties abound.
            let x = Tensor::from_slice(device, shape, &check::input_integers(device, shape.len(), 1));
            let (y, indices) = max_pool2d(&x, g);
            let dx = max_pool2d_bwd_x(&check::tensor(device, y.shape(), 2), &indices, shape, g);
            vec![y, indices, dx]
        }));
        // The divisor is rounded too, and WGSL allows a division two and a half units.
        let bound = Bound::Sum { terms: g.kernel[0] * g.kernel[1] + 3 };
        let divisors = [Divisor::Window, Divisor::Inside, Divisor::Fixed(3)];
        for divisor in divisors.into_iter().take(if shape == wide.0 { 1 } else { 3 }) {
            cases.push(Case::new("avg_pool2d", format!("{what} {divisor:?}"), bound, move |device| {
                let y = avg_pool2d(&check::tensor(device, shape, 1), g, divisor);
                let dx = avg_pool2d_bwd_x(&check::tensor(device, y.shape(), 2), shape, g, divisor);
                vec![y, dx]
            }));
        }
    }
    cases
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [128, 64, 32, 32];
    let windows = [
        ("2x2", pool([2, 2], [2, 2], [0, 0])),
        ("3x3 stride 2", pool([3, 3], [2, 2], [1, 1])),
        ("3x3 stride 1", pool([3, 3], [1, 1], [1, 1])),
    ];
    let rows = windows.into_iter().flat_map(|(what, g)| {
        let what = format!("128x64x32x32, {what}");
        [
            Bench::new("max_pool2d", what.clone(), 0, move |device| {
                let x = check::tensor(device, SHAPE, 1);
                move || vec![max_pool2d(&x, g).0]
            }),
            Bench::new("max_pool2d_bwd_x", what.clone(), 0, move |device| {
                let (y, indices) = max_pool2d(&check::tensor(device, SHAPE, 1), g);
                let dy = check::tensor(device, y.shape(), 2);
                move || vec![max_pool2d_bwd_x(&dy, &indices, SHAPE.into(), g)]
            }),
            Bench::new("avg_pool2d", what.clone(), 0, move |device| {
                let x = check::tensor(device, SHAPE, 1);
                move || vec![avg_pool2d(&x, g, Divisor::Window)]
            }),
            Bench::new("avg_pool2d_bwd_x", what, 0, move |device| {
                let dy = check::tensor(device, g.out_shape(SHAPE.into()).expect("the windows fit"), 1);
                move || vec![avg_pool2d_bwd_x(&dy, SHAPE.into(), g, Divisor::Window)]
            }),
        ]
    });
    rows.collect()
}
