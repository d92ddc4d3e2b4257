use super::{Row, row, tensor};
use crate::autograd::tape::Tape;
use crate::autograd::var::Var;
use gpu_core::{Device, Tensor};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("dropout", &[tensor([4, 5], 1)], |v| v[0].dropout(0.4)),
        row("dropout1d", &[tensor([2, 4, 3], 1)], |v| v[0].dropout1d(0.4)),
        row("dropout2d", &[tensor([2, 4, 2, 2], 1)], |v| v[0].dropout2d(0.4)),
        row("alpha_dropout", &[tensor([4, 5], 1)], |v| v[0].alpha_dropout(0.4)),
        row("feature_alpha_dropout", &[tensor([2, 4, 3], 1)], |v| v[0].feature_alpha_dropout(0.4)),
        row("bernoulli_keep", &[tensor([4, 5], 1)], |v| v[0].bernoulli_keep(0.6)),
        row("gaussian_noise", &[tensor([4, 5], 1)], |v| v[0].gaussian_noise(0.8, 0.3)),
    ]
}

#[test]
fn dropout_is_the_identity_in_evaluation_mode() {
    let x = Var::constant(&tensor([4, 5, 1, 1], 1));
    let same = [x.dropout(0.9), x.dropout2d(0.9), x.alpha_dropout(0.9), x.bernoulli_keep(0.1), x.gaussian_noise(1.0, 9.0)];
    assert!(same.iter().all(|y| y.value().shares_storage(x.value())));
    // Factors with another mean leave their mean.
    let doubled: Vec<f32> = x.value().to_vec().unwrap().iter().map(|v| 2.0 * v).collect();
    assert_eq!(x.gaussian_noise(2.0, 9.0).value().to_vec().unwrap(), doubled);
}

#[test]
fn two_dropouts_of_one_pass_and_two_steps_drop_differently() {
    let ones = Tensor::full(&Device::Cpu, [64], 1.0);
    let masks = |step: u32| {
        let tape = Tape::seeded(&Device::Cpu, 5, &Tensor::from_slice(&Device::Cpu, [1], &[step]));
        [0, 1].map(|_| tape.input(&ones).dropout(0.5).value().to_vec().unwrap())
    };
    assert_ne!(masks(0)[0], masks(0)[1]);
    assert_ne!(masks(0)[0], masks(1)[0]);
    assert_eq!(masks(1), masks(1));
}
