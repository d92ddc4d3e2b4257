//! What is held against the mirror.

use crate::{Bound, Case, tensor};
use gpu_core::ops::{
    DropoutKey, alpha_dropout, alpha_dropout_bwd_x, bernoulli_keep, bernoulli_keep_bwd_x, dropout, dropout_bwd_x, dropout_mask,
    dropout2d, dropout2d_bwd_x, feature_alpha_dropout, feature_alpha_dropout_bwd_x, gaussian_noise, gaussian_noise_bwd_x,
};
use gpu_core::{Device, Shape, Tensor, ops};

pub(super) const KEY: DropoutKey = DropoutKey { seed: 0x0123_4567_89ab_cdef, stream: 5 };

pub(super) fn step_at(device: &Device, step: u32) -> Tensor {
    Tensor::from_slice(device, [1], &[step])
}

fn alpha_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // A driver may fuse the product and the sum.
    let bound = Bound::own(2e-7);
    for len in [1usize, 3, 1021, 100_003] {
        for p in [0.0, 0.3, 1.0] {
            cases.push(Case::new("alpha_dropout", format!("{len} elements, p {p}"), bound, move |device| {
                let (x, step) = (tensor(device, [len], 1), step_at(device, 41));
                vec![alpha_dropout(&x, p, KEY, &step), alpha_dropout_bwd_x(&x, p, KEY, &step)]
            }));
        }
    }
    for shape in [[1, 1, 1, 1], [5, 7, 1, 1], [3, 5, 1, 3], [2, 3, 7, 11], [17, 64, 4, 4]] {
        cases.push(Case::new("feature_alpha_dropout", format!("{shape:?}"), bound, move |device| {
            let (x, step) = (tensor(device, shape, 2), step_at(device, 41));
            vec![feature_alpha_dropout(&x, 0.4, KEY, &step), feature_alpha_dropout_bwd_x(&x, 0.4, KEY, &step)]
        }));
    }
    cases
}

fn noise_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 3, 1021, 100_003] {
        for [mean, sigma] in [[1.0, 0.5], [0.0, 1.0], [2.0, 0.0]] {
            let what = format!("{len} elements, mean {mean}, sigma {sigma}");
            let case = Case::new("gaussian_noise", what, Bound::own(2e-6), move |device| {
                // Of ones: a small x would hide the error of its factor.
                let (x, step) = (Tensor::full(device, [len], 1.0), step_at(device, 41));
                let dy = tensor(device, [len], 2);
                vec![gaussian_noise(&x, mean, sigma, KEY, &step), gaussian_noise_bwd_x(&dy, mean, sigma, KEY, &step)]
            });
            // Each factor is off by a part of the radius that it was drawn with, most of which are under four.
            let largest = mean + 4.0 * sigma;
            cases.push(
                case.adding(move |device| vec![Tensor::scalar(device, largest), ops::scale(&tensor(device, [len], 2), largest)]),
            );
        }
        cases.push(Case::new("bernoulli_keep", format!("{len} elements"), Bound::Exact, move |device| {
            let (x, step) = (tensor(device, [len], 1), step_at(device, 41));
            vec![bernoulli_keep(&x, 0.3, KEY, &step), bernoulli_keep_bwd_x(&x, 0.3, KEY, &step)]
        }));
    }
    cases
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 3, 4, 31, 33, 1021, 1_000_003] {
        for p in [0.0, 0.3, 0.5, 1.0] {
            cases.push(Case::new("dropout", format!("{len} elements, p {p}"), Bound::Exact, move |device| {
                let (x, step) = (tensor(device, [len], 1), step_at(device, 41));
                vec![dropout(&x, p, KEY, &step), dropout_bwd_x(&x, p, KEY, &step), dropout_mask(Shape::from([len]), p, KEY, &step)]
            }));
        }
    }
    for shape in [[1, 1, 1, 1], [5, 7, 1, 1], [5, 7, 1, 2], [3, 5, 1, 3], [2, 3, 7, 11], [2, 33, 4, 4], [17, 64, 16, 16]] {
        cases.push(Case::new("dropout2d", format!("{shape:?}"), Bound::Exact, move |device| {
            let (x, step) = (tensor(device, shape, 2), step_at(device, 41));
            vec![dropout2d(&x, 0.4, KEY, &step), dropout2d_bwd_x(&x, 0.4, KEY, &step)]
        }));
    }
    cases.into_iter().chain(alpha_cases()).chain(noise_cases()).collect()
}
