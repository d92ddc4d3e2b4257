use super::{Row, row, separate, tensor};
use gpu_core::{Device, Shape, Tensor};

fn index(shape: impl Into<Shape>, values: &[u32]) -> Tensor {
    Tensor::from_slice(&Device::cpu_f64(), shape, values)
}

pub(super) fn rows() -> Vec<Row> {
    let (each, list) = (index([2, 4], &[2, 0, 2, 1, 1, 1, 0, 2]), index([2, 2], &[3, 1, 3, 3]));
    // More than are walked without sorting.
    let many = index([40], &(0..40).map(|i| i * i % 5).collect::<Vec<_>>());
    let (each_again, list_again, many_again) = (each.clone(), list.clone(), many.clone());
    vec![
        row("gather", &[tensor([2, 3], 1)], move |v| v[0].gather(1, &each)),
        row("index_select", &[tensor([2, 4, 3], 1)], move |v| v[0].index_select(1, &list)),
        row("index_select", &[tensor([5, 2], 1)], move |v| v[0].index_select(0, &many)),
        row("scatter_add", &[tensor([2, 3], 1), tensor([2, 4], 2)], move |v| v[0].scatter_add(1, &each_again, &v[1])),
        row("index_add", &[tensor([4, 3], 1), tensor([2, 2, 3], 2)], move |v| v[0].index_add(0, &list_again, &v[1])),
        row("index_add", &[tensor([2, 5], 1), tensor([2, 40], 2)], move |v| v[0].index_add(1, &many_again, &v[1])),
        row("sort", &[separate([2, 9])], |v| v[0].sort(1, true).0),
        row("sort", &[separate([4, 3])], |v| v[0].sort(0, false).0),
        row("topk", &[separate([2, 9])], |v| v[0].topk(3, 1, true).0),
        row("cumsum", &[tensor([2, 5, 3], 1)], |v| v[0].cumsum(1)),
    ]
}
