use super::cases::three_steps;
use crate::{devices, values};
use gpu_core::ops::{AdamHyper, adamw_step};
use gpu_core::{Device, Tensor};

#[test]
fn the_mirrors_equal_a_naive_loop() {
    for (decoupled, weight_decay, amsgrad) in [(true, 0.0, false), (true, 0.1, false), (false, 0.1, false), (true, 0.1, true)] {
        let h = AdamHyper { lr: 0.01, beta2: 0.6, weight_decay, decoupled, ..AdamHyper::default() };
        let len = 37_003;
        let got = three_steps(&Device::Cpu, len, h, amsgrad)[0].to_vec().unwrap();
        let mut want: Vec<[f64; 4]> = values(len, 1).iter().map(|&w| [f64::from(w), 0.0, 0.0, 0.0]).collect();
        let mut fell = false;
        for step in 1..4u64 {
            for ([w, m, v, most], g) in want.iter_mut().zip(values(len, 1 + step)) {
                let mut g = f64::from(g) / step.pow(3) as f64;
                if decoupled {
                    *w *= 1.0 - h.lr * weight_decay;
                } else {
                    g += weight_decay * *w;
                }
                *m = h.beta1 * *m + (1.0 - h.beta1) * g;
                *v = h.beta2 * *v + (1.0 - h.beta2) * g * g;
                fell |= *v < *most;
                *most = most.max(*v);
                let unbiased = |moment: f64, beta: f64| moment / (1.0 - beta.powi(step as i32));
                let square = if amsgrad { *most } else { *v };
                *w -= h.lr * unbiased(*m, h.beta1) / (unbiased(square, h.beta2).sqrt() + h.eps);
            }
        }
        assert!(fell, "no second moment ever fell: AMSGrad was not tried");
        for (got, [want, ..]) in got.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{h:?} amsgrad {amsgrad}: {got} is not {want}");
        }
    }
}

#[test]
fn a_parameter_without_gradient_stays() {
    for device in devices() {
        let zeros = || Tensor::zeros(&device, [6]);
        let w = Tensor::full(&device, [6], 2.0);
        let figures = AdamHyper { weight_decay: 0.0, ..AdamHyper::default() }.at_step(1);
        adamw_step(&w, &zeros(), &zeros(), &zeros(), &Tensor::from_slice(&device, [8], &figures));
        assert_eq!(w.to_vec().unwrap(), [2.0; 6]);
    }
}

#[test]
#[should_panic(expected = "adamw_step: v differs in length from params (params [4], v [3])")]
fn arenas_that_do_not_fit_are_named() {
    let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
    adamw_step(&zeros(4), &zeros(4), &zeros(4), &zeros(3), &zeros(8));
}

#[test]
#[should_panic(expected = "AdamHyper: steps count from 1")]
fn step_zero_is_refused() {
    let _ = AdamHyper::default().at_step(0);
}
