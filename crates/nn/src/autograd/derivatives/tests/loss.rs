use super::{Row, row, tensor};
use gpu_core::ops::{CrossEntropy, Reduction};
use gpu_core::{Device, Tensor};

/// Values in [0.1, 0.9).
fn probabilities(shape: [usize; 2], seed: u64) -> Tensor {
    let values: Vec<f32> = proof::values(shape[0] * shape[1], seed).iter().map(|v| 0.5 + 0.4 * v).collect();
    Tensor::from_slice(&Device::cpu_f64(), shape, &values)
}

fn class_weights() -> Tensor {
    Tensor::from_slice(&Device::cpu_f64(), [4], &[0.5f32, 2.0, 1.25, 0.75])
}

fn options(smoothing: f32, weighted: bool, ignore_index: Option<u32>, reduction: Reduction) -> CrossEntropy {
    CrossEntropy { smoothing, weight: weighted.then(class_weights), ignore_index, reduction }
}

pub(super) fn rows() -> Vec<Row> {
    let labels = Tensor::from_slice(&Device::cpu_f64(), [3], &[0u32, 3, 2]);
    let (x, both) = ([tensor([3, 4], 1)], [tensor([3, 4], 1), tensor([3, 4], 2)]);
    let [logits, probable] = [tensor([3, 4], 1), probabilities([3, 4], 1)].map(|x| [x, probabilities([3, 4], 2)]);
    let mut rows = Vec::new();
    for smoothing in [0.0, 0.1] {
        let labels = labels.clone();
        rows.push(row("cross_entropy", &x, move |v| v[0].cross_entropy(&labels, smoothing)));
    }
    for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
        let [a, b] = [labels.clone(), labels.clone()];
        rows.extend([
            row("cross_entropy", &x, move |v| v[0].cross_entropy(&a, options(0.2, true, Some(3), reduction))),
            row("nll_loss", &x, move |v| v[0].nll_loss(&b, options(0.0, true, Some(3), reduction))),
            row("soft_cross_entropy", &logits, move |v| v[0].soft_cross_entropy(&v[1], options(0.2, true, None, reduction))),
            row("mse_loss", &both, move |v| v[0].mse_loss(&v[1], reduction)),
            row("l1_loss", &both, move |v| v[0].l1_loss(&v[1], reduction)),
            row("smooth_l1_loss", &both, move |v| v[0].smooth_l1_loss(&v[1], 0.5, reduction)),
            row("huber_loss", &both, move |v| v[0].huber_loss(&v[1], 0.5, reduction)),
            row("bce_with_logits", &logits, move |v| v[0].bce_with_logits(&v[1], None, Some(&class_weights()), reduction)),
            row("bce_loss", &probable, move |v| v[0].bce_loss(&v[1], Some(&class_weights()), reduction)),
            row("kl_div", &logits, move |v| v[0].kl_div(&v[1], false, reduction)),
            row("kl_div", &both, move |v| v[0].kl_div(&v[1], true, reduction)),
        ]);
    }
    rows
}
