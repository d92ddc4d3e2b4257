//! What is held against the mirror.

use crate::{Bound, Case, tensor, tensor_of};
use gpu_core::ops::{PointwiseLoss, Reduction, pointwise_loss, pointwise_loss_bwd_target, pointwise_loss_bwd_x};
use gpu_core::{Device, Shape, Tensor};

/// A loss with every kind of option, its name, and whether x and target are probabilities.
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) loss: PointwiseLoss,
    pub(super) of_probabilities: [bool; 2],
}

/// Every loss, for an x (N, C, ...); weights are positive.
pub(super) fn samples(device: &Device, x: Shape) -> Vec<Sample> {
    let positive = |shape: Shape, seed| tensor_of(device, shape, seed, |v| v + 1.1);
    let each = || Some(positive(x, 8));
    let mut by_class = vec![1; x.rank() - 1];
    by_class[0] = x.c();
    let by_class = || Some(positive(Shape::new(&by_class), 9));
    let sample = |name, loss, of_probabilities| Sample { name, loss, of_probabilities };
    let bce = |weight, pos_weight| PointwiseLoss::BceWithLogits { weight, pos_weight };
    vec![
        sample("mse", PointwiseLoss::Mse, [false; 2]),
        sample("l1", PointwiseLoss::L1, [false; 2]),
        sample("smooth_l1", PointwiseLoss::SmoothL1 { beta: 0.5 }, [false; 2]),
        sample("smooth_l1, beta 0", PointwiseLoss::SmoothL1 { beta: 0.0 }, [false; 2]),
        sample("huber", PointwiseLoss::Huber { delta: 0.5 }, [false; 2]),
        sample("bce_with_logits", bce(None, None), [false, true]),
        sample("bce_with_logits, weighted", bce(each(), by_class()), [false, true]),
        sample("bce", PointwiseLoss::Bce { weight: None }, [true; 2]),
        sample("bce, weighted", PointwiseLoss::Bce { weight: by_class() }, [true; 2]),
        sample("kl_div", PointwiseLoss::KlDiv { log_target: false }, [false, true]),
        sample("kl_div, of logarithms", PointwiseLoss::KlDiv { log_target: true }, [false; 2]),
    ]
}

/// Values in [-1, 1), or probabilities in [0.05, 0.95).
pub(super) fn inputs(device: &Device, shape: Shape, of_probabilities: [bool; 2]) -> [Tensor; 2] {
    [(1, of_probabilities[0]), (2, of_probabilities[1])]
        .map(|(seed, is_probability)| tensor_of(device, shape, seed, |v| if is_probability { 0.5 + 0.45 * v } else { v }))
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let shapes = [&[1, 1][..], &[13, 7], &[3, 5, 2, 3], &[1031, 67]];
    for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
        for (which, name) in samples(&Device::Cpu, [1, 1].into()).into_iter().map(|sample| sample.name).enumerate() {
            // Every loss in all shapes once, and in one for the other reductions.
            let shapes = if reduction == Reduction::Mean { &shapes[..] } else { &shapes[1..2] };
            for &shape in shapes {
                let shape = Shape::new(shape);
                cases.push(Case::new(
                    "pointwise_loss",
                    format!("{name}, {shape}, {reduction:?}"),
                    Bound::own(2e-5),
                    move |device| {
                        let Sample { loss, of_probabilities, .. } = samples(device, shape).remove(which);
                        let [x, target] = inputs(device, shape, of_probabilities);
                        let y = pointwise_loss(&loss, &x, &target, reduction);
                        let dloss = tensor(device, y.shape(), 3);
                        let dx = pointwise_loss_bwd_x(&loss, &x, &target, reduction, &dloss);
                        vec![y, dx, pointwise_loss_bwd_target(&loss, &x, &target, reduction, &dloss)]
                    },
                ));
            }
        }
    }
    // More parts than one invocation of the second stage adds.
    cases.push(Case::new("pointwise_loss", "mse, 1200007 elements, summed".to_owned(), Bound::own(1e-5), |device| {
        let (x, target) = (tensor(device, [1_200_007], 1), tensor(device, [1_200_007], 2));
        vec![pointwise_loss(&PointwiseLoss::Mse, &x, &target, Reduction::Sum)]
    }));
    cases
}
