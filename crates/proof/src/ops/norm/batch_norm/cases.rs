//! What is held against the mirror.

use crate::{Bound, Case, around, normalised_terms, tensor, tensor_of};
use gpu_core::ops::{
    BatchNorm, add, batch_norm, batch_norm_add_relu_bwd, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd,
    batch_norm_eval_relu, batch_norm_relu, batch_norm_relu_bwd, demean_norm, demean_norm_bwd, demean_norm_eval,
    demean_norm_eval_bwd, mul, permute,
};
use gpu_core::{DType, Device, Shape, Tensor};

pub(super) const SHAPES: &[&[usize]] = &[
    &[2, 1],
    &[2, 7],
    &[33, 5],
    &[257, 12],
    &[3, 7, 11],
    &[4, 3, 5, 5],
    &[8, 16, 7, 9],
    &[2, 64, 16, 16],
    &[1, 1, 97, 101],
    &[19, 2, 32, 32],
    &[5, 3, 71, 61],
];

/// gamma, beta, running mean, running variance.
pub(super) fn of_channels(device: &Device, c: usize) -> [Tensor; 4] {
    let positive = |seed| tensor_of(device, [c], seed, |v| v + 1.5);
    [positive(11), tensor(device, [c], 12), tensor(device, [c], 13), positive(14)]
}

/// Of means and sums over a channel's elements.
fn bound(shape: Shape, fraction: f32) -> Bound {
    Bound::Own { fraction, terms: shape.n() * shape.inner(2) }
}

pub fn cases() -> Vec<Case> {
    let shapes = || SHAPES.iter().map(|dims| Shape::new(dims));
    // One mean is an f32 with steps of 1e-3: kernel and mirror may take neighbouring ones, by which all elements of a channel are off.
    let around_means = shapes().flat_map(|shape| [(shape, 0.5, 2e-5), (shape, 1e4, 3e-3)]);
    let normed = around_means.flat_map(|(shape, mean, fraction)| cases_of(shape, mean, fraction));
    let demeaned = shapes().chain([Shape::from([1, 4]), Shape::from([0, 3, 2, 2])]).flat_map(|shape| {
        let bound = bound(shape, 2e-5);
        [
            Case::new("demean_norm", shape.to_string(), bound, move |device| {
                let [gamma, beta, running_mean, _] = of_channels(device, shape.c());
                let (x, dy) = (around(device, shape, 0.5, 1), tensor(device, shape, 2));
                let (y, mean) = demean_norm(&x, &gamma, &beta, &running_mean, 0.1);
                let (dx, dgamma, dbeta) = demean_norm_bwd(&x, &dy, &gamma, &mean);
                vec![y, mean, running_mean, dx, dgamma, dbeta]
            }),
            Case::new("demean_norm_eval", shape.to_string(), bound, move |device| {
                let [gamma, beta, running_mean, _] = of_channels(device, shape.c());
                let (x, dy) = (around(device, shape, 0.5, 1), tensor(device, shape, 2));
                let (dx, dgamma, dbeta) = demean_norm_eval_bwd(&x, &dy, &gamma, &running_mean);
                vec![demean_norm_eval(&x, &gamma, &beta, &running_mean), dx, dgamma, dbeta]
            }),
        ]
    });
    let apart = [[8, 6, 4, 4], [3, 7, 5, 5], [9, 6, 1, 3]].map(|shape| channels_apart(shape.into()));
    let halves = [[4, 3, 5, 5], [8, 16, 7, 9], [2, 64, 16, 16]].into_iter().flat_map(|shape| cases_of_halves(shape.into()));
    normed.chain(demeaned).chain(shapes().flat_map(rectified_cases)).chain(apart).chain(halves).collect()
}

/// Of f16: what is normalised by its step, statistics and gradients as those of f32. The statistics of the sums are given, as in
/// [`rectified_cases`].
fn cases_of_halves(shape: Shape) -> [Case; 2] {
    let what = format!("{shape} of f16");
    let half = move |device: &Device, seed| around(device, shape, 0.5, seed).cast(DType::F16);
    let forward = Case::new("batch_norm", what.clone(), bound(shape, 1.0 / 1024.0), move |device| {
        let (x, beside, [gamma, beta, mean, var]) = (half(device, 1), half(device, 3), of_channels(device, shape.c()));
        let plain = batch_norm(&x, &gamma, &beta, &mean, &var, 0.1, 1e-5);
        let evaluated = batch_norm_eval_relu(&x, Some(&beside), &gamma, &beta, &mean, &var, 1e-5);
        vec![plain.y.cast(DType::F32), plain.mean, plain.rstd, evaluated.cast(DType::F32)]
    });
    let backward = Case::new("batch_norm_bwd", what, bound(shape, 2e-5), move |device| {
        let (x, y, dy) = (half(device, 1), tensor(device, shape, 3).cast(DType::F16), tensor(device, shape, 2));
        let [gamma, beta, mean, rstd] = of_channels(device, shape.c());
        let (dx, dgamma, dbeta) = batch_norm_relu_bwd(&x, &dy, &gamma, &beta, &mean, &rstd);
        let of_sum = batch_norm_add_relu_bwd(&x, &y, &dy, &gamma, &mean, &rstd);
        vec![dx, dgamma, dbeta, of_sum.0, of_sum.1, of_sum.2, of_sum.3]
    });
    [forward, backward]
}

/// With a ReLU, and with a sum before it. The statistics are given: a mean off by its last bit would let other elements through.
fn rectified_cases(shape: Shape) -> [Case; 3] {
    let (what, bound) = (shape.to_string(), bound(shape, 2e-5));
    let inputs = move |device: &Device| {
        let [gamma, beta, mean, rstd] = of_channels(device, shape.c());
        (around(device, shape, 0.5, 1), tensor(device, shape, 2), tensor(device, shape, 3), [gamma, beta, mean, rstd])
    };
    [
        Case::new("batch_norm_relu", what.clone(), bound, move |device| {
            let (x, beside, _, [gamma, beta, running_mean, running_var]) = inputs(device);
            let alone = batch_norm_relu(&x, None, &gamma, &beta, &running_mean, &running_var, 0.1, 1e-5);
            let both = batch_norm_relu(&x, Some(&beside), &gamma, &beta, &running_mean, &running_var, 0.1, 1e-5);
            vec![alone.y, alone.mean, alone.rstd, both.y, running_mean, running_var]
        }),
        Case::new("batch_norm_relu_bwd", what.clone(), bound, move |device| {
            let (x, dy, y, [gamma, beta, mean, rstd]) = inputs(device);
            let (dx, dgamma, dbeta) = batch_norm_relu_bwd(&x, &dy, &gamma, &beta, &mean, &rstd);
            let of_sum = batch_norm_add_relu_bwd(&x, &y, &dy, &gamma, &mean, &rstd);
            vec![dx, dgamma, dbeta, of_sum.0, of_sum.1, of_sum.2, of_sum.3]
        }),
        Case::new("batch_norm_eval_relu", what, bound, move |device| {
            let (x, beside, _, [gamma, beta, mean, var]) = inputs(device);
            let of = |beside| batch_norm_eval_relu(&x, beside, &gamma, &beta, &mean, &var, 1e-5);
            vec![of(None), of(Some(&beside))]
        }),
    ]
}

/// Every second channel is a million, all the others are about one half: whose sums begin at another channel's element lose all bits.
fn channels_apart(shape: Shape) -> Case {
    Case::new("batch_norm", format!("{shape}, channels far apart"), bound(shape, 2e-5), move |device| {
        let [gamma, beta, running_mean, running_var] = of_channels(device, shape.c());
        let each = |even: f32, odd: f32| {
            let values: Vec<f32> = (0..shape.c()).map(|c| if c % 2 == 0 { even } else { odd }).collect();
            Tensor::from_slice(device, [1, shape.c(), 1, 1], &values)
        };
        let x = add(&mul(&around(device, shape, 0.5, 1), &each(0.0, 1.0)), &each(1e6, 0.0));
        let BatchNorm { y, mean, rstd } = batch_norm(&x, &gamma, &beta, &running_mean, &running_var, 0.1, 1e-5);
        vec![y, mean, rstd, running_mean, running_var]
    })
}

/// Of the gradient of x: a channel is a row of a normalisation.
fn dx_terms(x: &Tensor, dy: &Tensor, gamma: &Tensor) -> Tensor {
    let [n, c, plane] = [x.shape().n(), x.shape().c(), x.shape().inner(2)];
    let by_channel = |t: &Tensor| permute(&t.reshape([n, c, plane]), &[1, 0, 2]);
    let terms = normalised_terms(&by_channel(x), &mul(&by_channel(dy), &gamma.reshape([c, 1, 1])), n * plane);
    permute(&terms.reshape([c, n, plane]), &[1, 0, 2])
}

/// Training, its gradient, and evaluation with its gradient.
fn cases_of(shape: Shape, mean: f32, fraction: f32) -> [Case; 3] {
    let what = format!("{shape} around {mean}");
    [
        Case::new("batch_norm", what.clone(), bound(shape, fraction), move |device| {
            let [gamma, beta, running_mean, running_var] = of_channels(device, shape.c());
            let x = around(device, shape, mean, 1);
            let BatchNorm { y, mean, rstd } = batch_norm(&x, &gamma, &beta, &running_mean, &running_var, 0.1, 1e-5);
            vec![y, mean, rstd, running_mean, running_var]
        }),
        Case::new("batch_norm_bwd", what.clone(), bound(shape, fraction), move |device| {
            let [gamma, _, running_mean, running_var] = of_channels(device, shape.c());
            let x = around(device, shape, mean, 1);
            let kept = batch_norm(&x, &gamma, &gamma, &running_mean, &running_var, 0.1, 1e-5);
            let (dx, dgamma, dbeta) = batch_norm_bwd(&x, &tensor(device, shape, 2), &gamma, &kept.mean, &kept.rstd);
            vec![dx, dgamma, dbeta]
        })
        .adding(move |device| {
            let [gamma, ..] = of_channels(device, shape.c());
            vec![dx_terms(&around(device, shape, mean, 1), &tensor(device, shape, 2), &gamma)]
        }),
        Case::new("batch_norm_eval", what, bound(shape, 2e-5), move |device| {
            let [gamma, beta, running_mean, running_var] = of_channels(device, shape.c());
            let (x, dy) = (around(device, shape, mean, 1), tensor(device, shape, 2));
            let y = batch_norm_eval(&x, &gamma, &beta, &running_mean, &running_var, 0.01);
            let (dx, dgamma, dbeta) = batch_norm_eval_bwd(&x, &dy, &gamma, &running_mean, &running_var, 0.01);
            vec![y, dx, dgamma, dbeta]
        }),
    ]
}
