use super::{Row, row, tensor};
use gpu_core::{Device, Tensor};

fn running() -> [Tensor; 2] {
    [Tensor::full(&Device::Cpu, [2], 0.3), Tensor::full(&Device::Cpu, [2], 0.8)]
}

pub(super) fn rows() -> Vec<Row> {
    let inputs = [tensor([3, 2, 2, 2], 1), tensor([2], 2), tensor([2], 3)];
    vec![
        row("batch_norm", &inputs, |v| {
            let [mean, var] = running();
            v[0].batch_norm(&v[1], &v[2], &mean, &var, 0.1, 1e-5)
        }),
        row("batch_norm_eval", &inputs, |v| {
            let [mean, var] = running();
            v[0].batch_norm_eval(&v[1], &v[2], &mean, &var, 1e-5)
        }),
    ]
}
