//! What is timed.

use super::cases::{labels, logits};
use crate::{Bench, tensor};
use gpu_core::ops::{
    CrossEntropy, Overlap, accumulate_metrics, accumulate_overlaps, argmax, cross_entropy, cross_entropy_bwd, log_softmax,
    log_softmax_bwd_x, nll_loss, nll_loss_bwd, soft_cross_entropy, soft_cross_entropy_bwd_target, soft_cross_entropy_bwd_x,
    softmax, softmax_bwd_x,
};
use gpu_core::{DType, Tensor};

pub fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 2] = [1024, 1000];
    // Logits, a tensor of their shape, labels, and the upstream gradient.
    type Run = fn(&Tensor, &Tensor, &Tensor, &Tensor) -> Tensor;
    let functions: [(&str, Run); 16] = [
        ("cross_entropy", |x, _, labels, _| cross_entropy(x, labels, 0.1).0),
        ("cross_entropy, one class ignored", |x, _, labels, _| {
            cross_entropy(x, labels, CrossEntropy { ignore_index: Some(0), ..Default::default() }).0
        }),
        ("cross_entropy_bwd", |x, _, labels, dloss| cross_entropy_bwd(x, labels, 0.1, dloss)),
        ("nll_loss", |x, _, labels, _| nll_loss(x, labels, 0.0)),
        ("nll_loss_bwd", |x, _, labels, dloss| nll_loss_bwd(x.shape(), labels, 0.0, dloss)),
        ("soft_cross_entropy", |x, target, _, _| soft_cross_entropy(x, target, 0.0).0),
        ("soft_cross_entropy_bwd_x", |x, target, _, dloss| soft_cross_entropy_bwd_x(x, target, 0.0, dloss)),
        ("soft_cross_entropy_bwd_target", |x, _, _, dloss| soft_cross_entropy_bwd_target(x, 0.0, dloss)),
        ("softmax", |x, _, _, _| softmax(x, 1)),
        ("softmax, axis 0", |x, _, _, _| softmax(x, 0)),
        ("softmax_bwd_x", |y, dy, _, _| softmax_bwd_x(y, dy, 1)),
        ("log_softmax", |x, _, _, _| log_softmax(x, 1)),
        ("log_softmax_bwd_x", |y, dy, _, _| log_softmax_bwd_x(y, dy, 1)),
        ("argmax", |x, _, _, _| argmax(x)),
        ("accumulate_metrics", |x, _, labels, loss| {
            let sums = Tensor::empty_of(x.device(), [8], DType::U32);
            accumulate_metrics(loss, x, labels, &sums);
            sums
        }),
        ("accumulate_overlaps", |x, _, labels, _| {
            let sums = Tensor::empty_of(x.device(), [x.shape().c(), Overlap::WORDS], DType::U32);
            accumulate_overlaps(x, labels, &sums);
            sums
        }),
    ];
    let bench = |(name, f): (&'static str, Run)| {
        Bench::new(name, "1024x1000", 0, move |device| {
            let (x, other) = (logits(device, SHAPE, 1), tensor(device, SHAPE, 2));
            let (labels, dloss) = (labels(device, SHAPE), Tensor::scalar(device, 1.0));
            move || vec![f(&x, &other, &labels, &dloss)]
        })
    };
    functions.into_iter().map(bench).collect()
}
