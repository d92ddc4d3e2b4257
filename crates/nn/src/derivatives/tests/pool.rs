use super::{Row, row, separate, tensor};
use gpu_core::ops::Pool2dGeometry;

pub(super) fn rows() -> Vec<Row> {
    let g = Pool2dGeometry { kernel: [2, 3], stride: [2, 1], padding: [1, 1] };
    vec![
        row("max_pool2d", &[separate([1, 2, 5, 4])], move |v| v[0].max_pool2d(g)),
        row("avg_pool2d", &[tensor([1, 2, 5, 4], 1)], move |v| v[0].avg_pool2d(g)),
        row("global_avg_pool", &[tensor([2, 3, 3, 2], 1)], |v| v[0].global_avg_pool()),
    ]
}
