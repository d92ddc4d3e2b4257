use super::cases::{HYPERS, three_steps};
use crate::values;
use gpu_core::ops::adadelta_step;
use gpu_core::{Device, Tensor};

#[test]
fn the_mirror_equals_a_naive_loop() {
    for h in HYPERS {
        let len = 37_003;
        let got = three_steps(&Device::Cpu, len, h).iter().map(|t| t.to_vec().unwrap()).collect::<Vec<_>>();
        let mut want: Vec<[f64; 3]> = values(len, 1).iter().map(|&w| [f64::from(w), 0.0, 0.0]).collect();
        for step in 1..4u64 {
            for ([w, s, acc], g) in want.iter_mut().zip(values(len, 1 + step)) {
                let g = f64::from(g) + h.weight_decay * *w;
                *s = h.rho * *s + (1.0 - h.rho) * g * g;
                let delta = (*acc + h.eps).sqrt() / (*s + h.eps).sqrt() * g;
                *acc = h.rho * *acc + (1.0 - h.rho) * delta * delta;
                *w -= h.lr * delta;
            }
        }
        for (i, want) in want.iter().enumerate() {
            for (got, want) in got.iter().map(|t| t[i]).zip(want) {
                assert!((f64::from(got) - want).abs() < 1e-6, "{h:?}: {got} is not {want}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "adadelta_step: acc_delta differs in length from params (params [4], acc_delta [3])")]
fn arenas_that_do_not_fit_are_named() {
    let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
    adadelta_step(&zeros(4), &zeros(4), &zeros(4), &zeros(3), &zeros(8));
}
