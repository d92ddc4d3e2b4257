use super::{Row, row, tensor};
use crate::tape::Tape;
use crate::var::Var;
use gpu_core::{Device, Tensor};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("dropout", &[tensor([4, 5], 1)], |v| v[0].dropout(0.4)),
        row("dropout2d", &[tensor([2, 4, 2, 2], 1)], |v| v[0].dropout2d(0.4)),
    ]
}

#[test]
fn dropout_is_the_identity_in_evaluation_mode() {
    let x = Var::constant(&tensor([4, 5, 1, 1], 1));
    assert!(x.dropout(0.9).value().shares_storage(x.value()) && x.dropout2d(0.9).value().shares_storage(x.value()));
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
