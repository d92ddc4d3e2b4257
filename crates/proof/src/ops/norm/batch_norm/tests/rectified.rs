//! With a ReLU, or a sum and a ReLU, in the same kernels.

use super::{GRADIENT_SHAPES, hold, of_pytorch, unread};
use crate::ops::norm::batch_norm::cases::{SHAPES, of_channels};
use crate::{Bound, around, devices, difference, gradients, tensor};
use gpu_core::ops::{
    BatchNorm, batch_norm, batch_norm_add_relu_bwd, batch_norm_bwd, batch_norm_eval, batch_norm_eval_relu, batch_norm_relu,
    batch_norm_relu_bwd,
};
use gpu_core::{Device, Shape, Tensor};

fn train(t: &[Tensor], beside: Option<&Tensor>) -> BatchNorm {
    let c = t[0].shape().c();
    batch_norm_relu(&t[0], beside, &t[1], &t[2], &unread(c), &unread(c), 0.1, 1e-3)
}

#[test]
fn the_gradients_through_a_relu_are_the_difference_quotients() {
    for shape in GRADIENT_SHAPES.map(Shape::new) {
        let c = shape.c();
        let [gamma, beta, ..] = of_channels(&Device::Cpu, c);
        let inputs = [around(&Device::Cpu, shape, 0.5, 3), gamma, beta, tensor(&Device::Cpu, shape, 4)];
        gradients(
            &inputs[..3],
            |t| train(t, None).y,
            |t, dy| {
                let kept = train(t, None);
                let (dx, dgamma, dbeta) = batch_norm_relu_bwd(&t[0], dy, &t[1], &t[2], &kept.mean, &kept.rstd);
                vec![dx, dgamma, dbeta]
            },
        );
        gradients(
            &inputs,
            |t| train(t, Some(&t[3])).y,
            |t, dy| {
                let kept = train(t, Some(&t[3]));
                let (dx, dgamma, dbeta, dbeside) = batch_norm_add_relu_bwd(&t[0], &kept.y, dy, &t[1], &kept.mean, &kept.rstd);
                vec![dx, dgamma, dbeta, dbeside]
            },
        );
    }
}

/// What the operators one after another give, on the CPU to the bit.
#[test]
fn a_relu_in_the_kernels_is_the_operator_after_them() {
    let near = |what: &str, got: &Tensor, want: &[f32]| {
        let got_values = got.to_vec().unwrap();
        let difference = difference(&got_values, want, Bound::Relative(2e-5));
        assert!(difference.ok(), "{what} on {}", got.device().name());
        assert!(got.device().is_gpu() || got_values == want, "{what}: not the same bits");
    };
    let values = |t: Tensor| t.to_vec().unwrap();
    for device in devices() {
        for shape in SHAPES[..8].iter().map(|dims| Shape::new(dims)) {
            let [gamma, beta, mean, var] = &of_channels(&device, shape.c());
            let (x, beside, dy) = (around(&device, shape, 0.5, 1), tensor(&device, shape, 2), tensor(&device, shape, 3));
            let bn = batch_norm(&x, gamma, beta, mean, var, 0.0, 1e-5);
            let rectified = |y: &[f32]| y.iter().map(|&v| if v <= 0.0 { 0.0 } else { v }).collect::<Vec<_>>();
            let through = |y: &[f32]| {
                let dz: Vec<f32> = values(dy.clone()).iter().zip(y).map(|(&dy, &y)| if y <= 0.0 { 0.0 } else { dy }).collect();
                Tensor::from_slice(&device, shape, &dz)
            };
            let sum = |y: &[f32]| -> Vec<f32> { y.iter().zip(values(beside.clone())).map(|(a, b)| a + b).collect() };

            let alone = batch_norm_relu(&x, None, gamma, beta, mean, var, 0.0, 1e-5);
            let want = rectified(&values(bn.y.clone()));
            near("y", &alone.y, &want);
            let (dx, dgamma, dbeta) = batch_norm_relu_bwd(&x, &dy, gamma, beta, &bn.mean, &bn.rstd);
            let of_parts = batch_norm_bwd(&x, &through(&want), gamma, &bn.mean, &bn.rstd);
            near("dx", &dx, &values(of_parts.0));
            near("dgamma", &dgamma, &values(of_parts.1));
            near("dbeta", &dbeta, &values(of_parts.2));

            let both = batch_norm_relu(&x, Some(&beside), gamma, beta, mean, var, 0.0, 1e-5);
            let want = rectified(&sum(&values(bn.y)));
            near("y of a sum", &both.y, &want);
            let (dx, dgamma, dbeta, dbeside) = batch_norm_add_relu_bwd(&x, &both.y, &dy, gamma, &bn.mean, &bn.rstd);
            let dz = through(&want);
            let of_parts = batch_norm_bwd(&x, &dz, gamma, &bn.mean, &bn.rstd);
            near("dx of a sum", &dx, &values(of_parts.0));
            near("dgamma of a sum", &dgamma, &values(of_parts.1));
            near("dbeta of a sum", &dbeta, &values(of_parts.2));
            near("dbeside", &dbeside, &values(dz));

            let eval = batch_norm_eval(&x, gamma, beta, mean, var, 1e-5);
            let want = values(eval);
            near("y in evaluation", &batch_norm_eval_relu(&x, None, gamma, beta, mean, var, 1e-5), &rectified(&want));
            let y = batch_norm_eval_relu(&x, Some(&beside), gamma, beta, mean, var, 1e-5);
            near("y of a sum in evaluation", &y, &rectified(&sum(&want)));
        }
    }
}

#[test]
fn a_nan_passes_the_relu() {
    for device in devices() {
        let x = Tensor::from_slice(&device, [1, 1, 2, 2], &[f32::NAN, -3.0, 3.0, -1.0]);
        let (one, zero) = (Tensor::full(&device, [1], 1.0), Tensor::zeros(&device, [1]));
        let y = batch_norm_eval_relu(&x, None, &one, &zero, &zero, &one, 0.0).to_vec().unwrap();
        assert!(y[0].is_nan() && y[1..] == [0.0, 3.0, 0.0], "{y:?}");
    }
}

// y = torch.relu(F.batch_norm(x, None, None, gamma, beta, training=True, eps=1e-3) + beside); y.backward(dy)
#[test]
fn batch_norm_relu_gives_the_numbers_of_pytorch() {
    for device in devices() {
        let [x, gamma, beta, dy] = of_pytorch(&device);
        let unread = || Tensor::zeros(&device, [2]);
        let bn = batch_norm_relu(&x, None, &gamma, &beta, &unread(), &unread(), 0.25, 1e-3);
        hold(
            "y",
            &bn.y,
            &[0.0, 0.06188579, 2.319256, 1.0, 1.166657, 0.5000278, 3.447942, 0.0, 0.0, 0.6666852, 0.6666852, 1.999944],
        );
        let (dx, dgamma, dbeta) = batch_norm_relu_bwd(&x, &dy, &gamma, &beta, &bn.mean, &bn.rstd);
        let want = [
            0.05997102,
            0.169808,
            -0.7392032,
            -0.3055386,
            -0.0987644,
            -0.09257408,
            0.4993191,
            0.05997102,
            -0.04986601,
            0.1142001,
            0.2808575,
            0.1018194,
        ];
        hold("dx", &dx, &want);
        hold("dgamma", &dgamma, &[-1.034628, -4.333093]);
        hold("dbeta", &dbeta, &[-1.0, 1.0]);

        let beside = [0.0f32, -1.0, 1.0, -2.0, 0.0, 1.0, -4.0, 2.0, 3.0, 0.0, -1.0, -3.0];
        let beside = Tensor::from_slice(&device, [2, 2, 3], &beside);
        let bn = batch_norm_relu(&x, Some(&beside), &gamma, &beta, &unread(), &unread(), 0.25, 1e-3);
        let want = [0.0, 0.0, 3.319256, 0.0, 1.166657, 1.500028, 0.0, 0.9332005, 0.8045153, 0.6666852, 0.0, 0.0];
        hold("y of a sum", &bn.y, &want);
        let (dx, dgamma, dbeta, dbeside) = batch_norm_add_relu_bwd(&x, &bn.y, &dy, &gamma, &bn.mean, &bn.rstd);
        let want = [
            -1.088565,
            -0.6392315,
            -0.8692502,
            0.0,
            -0.1573997,
            -0.02777315,
            0.7087683,
            2.297491,
            -0.4092128,
            0.148142,
            -0.01851543,
            0.0555463,
        ];
        hold("dx of a sum", &dx, &want);
        hold("dgamma of a sum", &dgamma, &[-4.23257, -0.9999444]);
        hold("dbeta of a sum", &dbeta, &[3.0, 0.0]);
        hold("dbeside", &dbeside, &[0.0, 0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 3.0, 1.0, -1.0, 0.0, 0.0]);
    }
}
