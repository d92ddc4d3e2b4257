use super::{Row, row, tensor};
use gpu_core::{Device, Tensor};

pub(super) fn rows() -> Vec<Row> {
    let labels = Tensor::from_slice(&Device::Cpu, [3], &[0u32, 3, 2]);
    let mut rows = vec![row("mse", &[tensor([3, 4], 1), tensor([3, 4], 2)], |v| v[0].mse(&v[1]))];
    for smoothing in [0.0, 0.1] {
        let labels = labels.clone();
        rows.push(row("cross_entropy", &[tensor([3, 4], 1)], move |v| v[0].cross_entropy(&labels, smoothing)));
    }
    rows
}
