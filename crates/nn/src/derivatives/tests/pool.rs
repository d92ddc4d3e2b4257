use super::{Row, row, separate, tensor};
use gpu_core::ops::{Divisor, Pool1dGeometry, Pool2dGeometry};

pub(super) fn rows() -> Vec<Row> {
    let g = Pool2dGeometry { stride: [2, 1], padding: [1, 1], ..Pool2dGeometry::new([2, 3]) };
    let dilated = Pool2dGeometry { dilation: [2, 1], ceil_mode: true, ..g };
    let one = Pool1dGeometry { stride: [2], padding: [1], ceil_mode: true, ..Pool1dGeometry::new([3]) };
    vec![
        row("max_pool2d", &[separate([1, 2, 5, 4])], move |v| v[0].max_pool2d(g)),
        row("max_pool2d", &[separate([1, 2, 5, 4])], move |v| v[0].max_pool2d(dilated)),
        row("max_pool1d", &[separate([2, 2, 6])], move |v| v[0].max_pool1d(one)),
        row("avg_pool2d", &[tensor([1, 2, 5, 4], 1)], move |v| v[0].avg_pool2d(g, Divisor::Window)),
        row("avg_pool2d", &[tensor([1, 2, 5, 4], 1)], move |v| v[0].avg_pool2d(g, Divisor::Inside)),
        row("avg_pool1d", &[tensor([2, 2, 6], 1)], move |v| v[0].avg_pool1d(one, Divisor::Window)),
        row("global_avg_pool", &[tensor([2, 3, 3, 2], 1)], |v| v[0].global_avg_pool()),
    ]
}
