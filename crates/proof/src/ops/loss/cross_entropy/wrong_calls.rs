//! Wrong calls, and what their panics say.

use crate::{Misuse, misuse};
use gpu_core::ops::{
    CrossEntropy, MetricSums, Overlap, Reduction, accumulate_loss, accumulate_metrics, accumulate_overlaps, argmax, cross_entropy,
    cross_entropy_bwd, log_softmax, log_softmax_bwd_x, nll_loss, nll_loss_bwd, soft_cross_entropy, soft_cross_entropy_bwd_target,
    soft_cross_entropy_bwd_x, softmax, softmax_bwd_x,
};
use gpu_core::{Device, Tensor};

pub fn wrong_calls() -> Vec<Misuse> {
    fn x(d: &Device, shape: &[usize]) -> Tensor {
        Tensor::zeros(d, shape)
    }
    fn u(d: &Device, len: usize) -> Tensor {
        Tensor::from_slice(d, [len], &vec![0u32; len])
    }
    fn one(d: &Device) -> Tensor {
        Tensor::scalar(d, 1.0)
    }
    fn weighted(d: &Device, c: usize) -> CrossEntropy {
        CrossEntropy { weight: Some(Tensor::zeros(d, [c])), ..Default::default() }
    }
    fn each() -> CrossEntropy {
        CrossEntropy { reduction: Reduction::None, ..Default::default() }
    }
    vec![
        misuse!("cross_entropy", ["one label for each of 4 rows", "logits [4, 3], labels [3]"], |d| {
            cross_entropy(&x(d, &[4, 3]), &u(d, 3), 0.0)
        }),
        misuse!("cross_entropy", ["labels must hold u32, they hold f32", "labels [4]"], |d| {
            cross_entropy(&x(d, &[4, 3]), &x(d, &[4]), 0.0)
        }),
        misuse!("cross_entropy", ["smoothing 1.5 is not in [0, 1]", "[4, 3]"], |d| cross_entropy(&x(d, &[4, 3]), &u(d, 4), 1.5)),
        misuse!("cross_entropy", ["no rows", "[0, 3]"], |d| cross_entropy(&x(d, &[0, 3]), &u(d, 0), 0.0)),
        misuse!("cross_entropy", ["with C > 0", "[3, 0]"], |d| cross_entropy(&x(d, &[3, 0]), &u(d, 3), 0.0)),
        misuse!("cross_entropy", ["labels on CPU"], |d| cross_entropy(&x(d, &[4, 3]), &u(&Device::Cpu, 4), 0.0)),
        misuse!("cross_entropy", ["logits [4, 3], weight [4]"], |d| cross_entropy(&x(d, &[4, 3]), &u(d, 4), weighted(d, 4))),
        misuse!("cross_entropy_bwd", ["probs [4, 3], labels [3]"], |d| {
            cross_entropy_bwd(&x(d, &[4, 3]), &u(d, 3), 0.0, &one(d))
        }),
        misuse!("cross_entropy_bwd", ["dloss must be a scalar", "probs [4, 3], dloss [2]"], |d| {
            cross_entropy_bwd(&x(d, &[4, 3]), &u(d, 4), 0.0, &x(d, &[2]))
        }),
        misuse!("cross_entropy_bwd", ["a number for each row", "probs [4, 3], dloss []"], |d| {
            cross_entropy_bwd(&x(d, &[4, 3]), &u(d, 4), each(), &one(d))
        }),
        misuse!("nll_loss", ["there is no smoothing here", "x [4, 3]"], |d| nll_loss(&x(d, &[4, 3]), &u(d, 4), 0.1)),
        misuse!("nll_loss", ["x [4, 3], labels [2]"], |d| nll_loss(&x(d, &[4, 3]), &u(d, 2), 0.0)),
        misuse!("nll_loss_bwd", ["x [4, 3], labels [2]"], |d| nll_loss_bwd([4, 3].into(), &u(d, 2), 0.0, &one(d))),
        misuse!("soft_cross_entropy", ["the shapes differ", "logits [4, 3], target [4, 2]"], |d| {
            soft_cross_entropy(&x(d, &[4, 3]), &x(d, &[4, 2]), 0.0)
        }),
        misuse!("soft_cross_entropy", ["no label to ignore", "[4, 3]"], |d| {
            soft_cross_entropy(&x(d, &[4, 3]), &x(d, &[4, 3]), CrossEntropy { ignore_index: Some(1), ..0.0.into() })
        }),
        misuse!("soft_cross_entropy_bwd_x", ["probs [4, 3], target [4, 2]"], |d| {
            soft_cross_entropy_bwd_x(&x(d, &[4, 3]), &x(d, &[4, 2]), 0.0, &one(d))
        }),
        misuse!("soft_cross_entropy_bwd_target", ["logits [4, 3], dloss [4]"], |d| {
            soft_cross_entropy_bwd_target(&x(d, &[4, 3]), 0.0, &x(d, &[4]))
        }),
        misuse!("softmax", ["there is no axis 2", "x [4, 3]"], |d| softmax(&x(d, &[4, 3]), 2)),
        misuse!("softmax", ["x holds u32, not f32", "x [3]"], |d| softmax(&u(d, 3), 0)),
        misuse!("softmax_bwd_x", ["y [4, 3], dy [3, 4]"], |d| softmax_bwd_x(&x(d, &[4, 3]), &x(d, &[3, 4]), 1)),
        misuse!("log_softmax", ["there is no axis 0", "x []"], |d| log_softmax(&one(d), 0)),
        misuse!("log_softmax_bwd_x", ["y [4, 3], dy [3, 4]"], |d| log_softmax_bwd_x(&x(d, &[4, 3]), &x(d, &[3, 4]), 1)),
        misuse!("argmax", ["x must be (N, C, ...) with C > 0", "x [3]"], |d| argmax(&x(d, &[3]))),
        misuse!("accumulate_metrics", ["logits [4, 3], labels [3]"], |d| {
            accumulate_metrics(&one(d), &x(d, &[4, 3]), &u(d, 3), &MetricSums::zeros(d))
        }),
        misuse!("accumulate_metrics", ["sums have 8 elements", "loss [], sums [4]"], |d| {
            accumulate_metrics(&one(d), &x(d, &[4, 3]), &u(d, 4), &u(d, 4))
        }),
        misuse!("accumulate_overlaps", ["logits [4, 3], labels [3]"], |d| {
            accumulate_overlaps(&x(d, &[4, 3]), &u(d, 3), &Overlap::zeros(d, 3))
        }),
        misuse!("accumulate_overlaps", ["sums must have 6 words for each class", "logits [4, 3], sums [2, 6]"], |d| {
            accumulate_overlaps(&x(d, &[4, 3]), &u(d, 4), &Overlap::zeros(d, 2))
        }),
        misuse!("accumulate_overlaps", ["sums holds f32, not u32", "sums [3, 6]"], |d| {
            accumulate_overlaps(&x(d, &[4, 3]), &u(d, 4), &x(d, &[3, 6]))
        }),
        misuse!("accumulate_loss", ["sums holds f32, not u32", "sums [8]"], |d| accumulate_loss(&one(d), 4, &x(d, &[8]))),
        misuse!("accumulate_loss", ["loss must be a scalar", "loss [2], sums [8]"], |d| {
            accumulate_loss(&x(d, &[2]), 4, &MetricSums::zeros(d))
        }),
    ]
}
