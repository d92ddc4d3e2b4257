use super::{Row, row, tensor};
use gpu_core::{Device, Tensor};

fn running() -> [Tensor; 2] {
    [Tensor::full(&Device::cpu_f64(), [2], 0.3), Tensor::full(&Device::cpu_f64(), [2], 0.8)]
}

pub(super) fn rows() -> Vec<Row> {
    let inputs = [tensor([3, 2, 2, 2], 1), tensor([2], 2), tensor([2], 3)];
    let beside = [&inputs[..], &[tensor([3, 2, 2, 2], 4)]].concat();
    let flat = [tensor([5, 2], 1), tensor([2], 2), tensor([2], 3)];
    let of_layer = [tensor([3, 2, 4], 1), tensor([2, 4], 2), tensor([2, 4], 3)];
    vec![
        row("batch_norm", &inputs, |v| {
            let [mean, var] = running();
            v[0].batch_norm(&v[1], &v[2], &mean, &var, 0.1, 1e-5)
        }),
        row("batch_norm", &flat, |v| {
            let [mean, var] = running();
            v[0].batch_norm(&v[1], &v[2], &mean, &var, 0.1, 1e-5)
        }),
        row("batch_norm_eval", &inputs, |v| {
            let [mean, var] = running();
            v[0].batch_norm_eval(&v[1], &v[2], &mean, &var, 1e-5)
        }),
        row("batch_norm_relu", &inputs, |v| {
            let [mean, var] = running();
            v[0].batch_norm_relu(None, &v[1], &v[2], &mean, &var, 0.1, 1e-5)
        }),
        row("batch_norm_relu", &beside, |v| {
            let [mean, var] = running();
            v[0].batch_norm_relu(Some(&v[3]), &v[1], &v[2], &mean, &var, 0.1, 1e-5)
        }),
        row("batch_norm_eval_relu", &inputs, |v| {
            let [mean, var] = running();
            v[0].batch_norm_eval_relu(None, &v[1], &v[2], &mean, &var, 1e-5)
        }),
        row("batch_norm_eval_relu", &beside, |v| {
            let [mean, var] = running();
            v[0].batch_norm_eval_relu(Some(&v[3]), &v[1], &v[2], &mean, &var, 1e-5)
        }),
        row("demean_norm", &inputs, |v| v[0].demean_norm(&v[1], &v[2], &running()[0], 0.1)),
        row("demean_norm_eval", &inputs, |v| v[0].demean_norm_eval(&v[1], &v[2], &running()[0])),
        row("layer_norm", &of_layer, |v| v[0].layer_norm([2, 4], Some(&v[1]), Some(&v[2]), 1e-5)),
        row("layer_norm", &of_layer[..2], |v| v[0].layer_norm([2, 4], Some(&v[1]), None, 1e-5)),
        row("layer_norm", &[tensor([3, 5], 1), tensor([5], 2)], |v| v[0].layer_norm([5], None, Some(&v[1]), 1e-5)),
        row("layer_norm", &of_layer[..1], |v| v[0].layer_norm([4], None, None, 1e-5)),
        row("group_norm", &[tensor([2, 4, 3], 1), tensor([4], 2), tensor([4], 3)], |v| {
            v[0].group_norm(2, Some(&v[1]), Some(&v[2]), 1e-5)
        }),
        row("group_norm", &[tensor([2, 6], 1), tensor([6], 2)], |v| v[0].group_norm(2, None, Some(&v[1]), 1e-5)),
        row("group_norm", &inputs[..1], |v| v[0].group_norm(1, None, None, 1e-5)),
        row("instance_norm", &inputs, |v| v[0].instance_norm(Some(&v[1]), Some(&v[2]), 1e-5)),
        row("instance_norm", &inputs[..1], |v| v[0].instance_norm(None, None, 1e-5)),
        row("instance_norm_tracked", &inputs, |v| {
            let [mean, var] = running();
            v[0].instance_norm_tracked(Some(&v[1]), Some(&v[2]), &mean, &var, 0.1, 1e-5)
        }),
        row("rms_norm", &of_layer[..2], |v| v[0].rms_norm([2, 4], Some(&v[1]), 1e-5)),
        row("rms_norm", &of_layer[..1], |v| v[0].rms_norm([4], None, 1e-5)),
    ]
}
