//! Every entry of the table against difference quotients.

use crate::tape::Tape;
use crate::var::Var;
use gpu_core::ops::{Conv2dGeometry, ConvTranspose2dGeometry, Pool2dGeometry};
use gpu_core::{Device, Shape, Tensor, check};

fn tensor(shape: impl Into<Shape>, seed: u64) -> Tensor {
    check::tensor(&Device::Cpu, shape, seed)
}

/// Distinct values, at least 0.05 from each other and from zero, so that no difference quotient crosses a kink.
fn separate(shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let n = shape.len();
    // 7 and 5 share no factor with the lengths used.
    let values: Vec<f32> = (0..n).map(|i| ((i * 7 + 3) % n) as f32 * 0.1 - 0.05 * n as f32 + 0.05).collect();
    Tensor::from_slice(&Device::Cpu, shape, &values)
}

/// Holds the gradients of `f` with respect to all its inputs.
#[track_caller]
fn hold(inputs: &[Tensor], f: impl Fn(&[Var]) -> Var) {
    check::gradients(
        inputs,
        1e-2,
        |inputs| {
            let tape = Tape::new(&Device::Cpu);
            f(&inputs.iter().map(|t| tape.input(t)).collect::<Vec<_>>()).value().clone()
        },
        |inputs, dy| {
            let tape = Tape::new(&Device::Cpu);
            let vars: Vec<Var> = inputs.iter().map(|t| tape.variable(t)).collect();
            let gradients = f(&vars).mul(&Var::constant(dy)).sum().backward();
            vars.iter().map(|v| gradients.of(v).expect("the output depends on it").clone()).collect()
        },
    );
}

#[test]
fn convolutions() {
    let g = Conv2dGeometry { stride: [2, 1], padding: [1, 2], ..Conv2dGeometry::default() };
    hold(&[tensor([2, 3, 5, 4], 1), tensor([4, 3, 3, 2], 2), tensor([4], 3)], |v| v[0].conv2d(&v[1], Some(&v[2]), g));
    let depthwise = Conv2dGeometry { padding: [1, 1], groups: 3, ..Conv2dGeometry::default() };
    hold(&[tensor([2, 3, 4, 4], 1), tensor([3, 1, 3, 3], 2)], |v| v[0].conv2d(&v[1], None, depthwise));
}

#[test]
fn transposed_convolutions() {
    let g = ConvTranspose2dGeometry { stride: [2, 2], padding: [1, 1], output_padding: [1, 0], ..Default::default() };
    hold(&[tensor([2, 3, 3, 3], 1), tensor([3, 2, 3, 3], 2), tensor([2], 3)], |v| v[0].conv_transpose2d(&v[1], Some(&v[2]), g));
}

#[test]
fn products_and_biases() {
    hold(&[tensor([3, 4], 1), tensor([4, 2], 2)], |v| v[0].matmul(&v[1]));
    hold(&[tensor([2, 3, 4], 1), tensor([2, 4, 2], 2)], |v| v[0].matmul(&v[1]));
    hold(&[tensor([3, 4], 1), tensor([2, 4], 2), tensor([2], 3)], |v| v[0].linear(&v[1], Some(&v[2])));
    hold(&[tensor([2, 3, 2, 2], 1), tensor([3], 2)], |v| v[0].add_bias(&v[1]));
}

#[test]
fn arithmetic_with_broadcasting() {
    for (a, b) in [(vec![2, 3], vec![2, 3]), (vec![2, 3, 4], vec![3, 1]), (vec![4], vec![2, 4]), (vec![2, 2], vec![])] {
        let inputs = [tensor(a.as_slice(), 1), tensor(b.as_slice(), 2)];
        hold(&inputs, |v| v[0].add(&v[1]));
        hold(&inputs, |v| v[0].sub(&v[1]));
        hold(&inputs, |v| v[0].mul(&v[1]));
    }
    hold(&[tensor([5], 1)], |v| v[0].scale(-1.5));
    hold(&[tensor([5], 1)], |v| v[0].mul(&v[0]).add(&v[0]));
}

#[test]
fn sums_and_shapes() {
    hold(&[tensor([3, 5], 1)], |v| v[0].sum());
    hold(&[tensor([3, 5], 1)], |v| v[0].mean());
    hold(&[tensor([2, 6], 1)], |v| v[0].reshape([3, 4]));
    hold(&[tensor([2, 3, 2], 1)], |v| v[0].flatten());
}

#[test]
fn activations_and_pools() {
    hold(&[separate([2, 9])], |v| v[0].relu());
    let g = Pool2dGeometry { kernel: [2, 3], stride: [2, 1], padding: [1, 1] };
    hold(&[separate([1, 2, 5, 4])], |v| v[0].max_pool2d(g));
    hold(&[tensor([1, 2, 5, 4], 1)], |v| v[0].avg_pool2d(g));
    hold(&[tensor([2, 3, 3, 2], 1)], |v| v[0].global_avg_pool());
}

#[test]
fn batch_normalisation() {
    let running = || [Tensor::full(&Device::Cpu, [2], 0.3), Tensor::full(&Device::Cpu, [2], 0.8)];
    let inputs = [tensor([3, 2, 2, 2], 1), tensor([2], 2), tensor([2], 3)];
    hold(&inputs, |v| {
        let [mean, var] = running();
        v[0].batch_norm(&v[1], &v[2], &mean, &var, 0.1, 1e-5)
    });
    hold(&inputs, |v| {
        let [mean, var] = running();
        v[0].batch_norm_eval(&v[1], &v[2], &mean, &var, 1e-5)
    });
}

#[test]
fn dropouts() {
    hold(&[tensor([4, 5], 1)], |v| v[0].dropout(0.4));
    hold(&[tensor([2, 4, 2, 2], 1)], |v| v[0].dropout2d(0.4));
}

#[test]
fn losses() {
    let labels = Tensor::from_slice(&Device::Cpu, [3], &[0u32, 3, 2]);
    for smoothing in [0.0, 0.1] {
        hold(&[tensor([3, 4], 1)], |v| v[0].cross_entropy(&labels, smoothing));
    }
    hold(&[tensor([3, 4], 1), tensor([3, 4], 2)], |v| v[0].mse(&v[1]));
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
