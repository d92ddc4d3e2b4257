use super::cases::{FORMS, hyper, three_steps};
use crate::{devices, values};
use gpu_core::ops::{RmspropHyper, rmsprop_step};
use gpu_core::{Device, Tensor};

#[test]
fn the_mirrors_equal_a_naive_loop() {
    for (momentum, centered) in FORMS {
        let (len, h) = (37_003, hyper(momentum, centered));
        let got = three_steps(&Device::Cpu, len, momentum, centered)[0].to_vec().unwrap();
        let mut want: Vec<[f64; 4]> = values(len, 1).iter().map(|&w| [f64::from(w), 0.0, 0.0, 0.0]).collect();
        for step in 0..3 {
            for ([w, s, mean, buf], g) in want.iter_mut().zip(values(len, 2 + step)) {
                let g = f64::from(g) + h.weight_decay * *w;
                *s = h.alpha * *s + (1.0 - h.alpha) * g * g;
                *mean = h.alpha * *mean + (1.0 - h.alpha) * g;
                let spread = if centered { *s - *mean * *mean } else { *s };
                *buf = momentum * *buf + g / (spread.sqrt() + h.eps);
                *w -= h.lr * *buf;
            }
        }
        for (got, [want, ..]) in got.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 2e-5, "momentum {momentum}, centered {centered}: {got} is not {want}");
        }
    }
}

#[test]
fn a_constant_gradient_has_no_variance() {
    // Rounding may leave the mean square below the square of the mean: that must not become a root of a negative number.
    for device in devices() {
        let [w, square_avg, mean] = [0; 3].map(|_| Tensor::zeros(&device, [1000]));
        let figures = Tensor::from_slice(&device, [8], &RmspropHyper { alpha: 0.5, ..RmspropHyper::default() }.to_array());
        for _ in 0..60 {
            let grads: Vec<f32> = (0..1000).map(|i| 0.1 + i as f32 / 777.0).collect();
            rmsprop_step(&w, &Tensor::from_slice(&device, [1000], &grads), &square_avg, None, Some(&mean), &figures);
        }
        assert!(w.to_vec().unwrap().iter().all(|w| w.is_finite()), "{}", device.name());
    }
}

#[test]
#[should_panic(expected = "rmsprop_step: grad_avg differs in length from params (params [4], grad_avg [3])")]
fn arenas_that_do_not_fit_are_named() {
    let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
    rmsprop_step(&zeros(4), &zeros(4), &zeros(4), None, Some(&zeros(3)), &zeros(8));
}
