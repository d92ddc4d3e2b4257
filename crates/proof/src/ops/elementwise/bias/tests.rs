use crate::{devices, gradients, tensor};
use gpu_core::ops::{add_bias, add_bias_bwd_b};
use gpu_core::{Device, Shape, Tensor};

#[test]
fn the_mirrors_are_the_formulas() {
    for dims in [&[70usize, 515][..], &[3, 1], &[2, 5, 7, 9], &[5, 3, 37, 41]] {
        let shape = Shape::new(dims);
        let (x, b) = (tensor(&Device::Cpu, shape, 1), tensor(&Device::Cpu, [shape.c()], 2));
        let (y, db) = (add_bias(&x, &b).to_vec().unwrap(), add_bias_bwd_b(&x).to_vec().unwrap());
        let (x, b) = (x.to_vec().unwrap(), b.to_vec().unwrap());
        let mut want = vec![0f64; shape.c()];
        for i in 0..shape.len() {
            let c = i / shape.inner(2) % shape.c();
            assert_eq!(y[i], x[i] + b[c]);
            want[c] += f64::from(x[i]);
        }
        for (got, want) in db.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-5, "{shape}: {got} is not {want}");
        }
    }
}

#[test]
fn the_gradient_is_the_difference_quotient() {
    let inputs = [tensor(&Device::Cpu, [3, 2, 2, 3], 1), tensor(&Device::Cpu, [2], 2)];
    gradients(&inputs, |t| add_bias(&t[0], &t[1]), |_, dy| vec![dy.clone(), add_bias_bwd_b(dy)]);
}

#[test]
fn the_gradient_of_nothing_is_zero() {
    for device in devices() {
        assert_eq!(add_bias_bwd_b(&Tensor::zeros(&device, [0, 2])).to_vec().unwrap(), [0.0, 0.0]);
    }
}
