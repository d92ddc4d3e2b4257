use super::{Row, row, separate, tensor};
use crate::autograd::var::Var;
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
        row("adaptive_avg_pool2d", &[tensor([1, 2, 5, 4], 1)], |v| v[0].adaptive_avg_pool2d([2, 3])),
        row("adaptive_max_pool2d", &[separate([1, 2, 5, 4])], |v| v[0].adaptive_max_pool2d([2, 3])),
        row("global_max_pool", &[separate([2, 3, 3, 2])], |v| v[0].global_max_pool()),
        row("global_avg_pool", &[tensor([2, 3, 3, 2], 1)], |v| v[0].global_avg_pool()),
    ]
}

#[test]
#[should_panic(expected = "max_pool1d: x is smaller than the kernel [9] (padding [0], dilation [1]) (x [1, 3, 8])")]
fn a_pooling_of_one_axis_names_the_shape_that_it_was_given() {
    Var::constant(&tensor([1, 3, 8], 1)).max_pool1d(Pool1dGeometry::new([9]));
}
