use super::cases::{HYPERS, three_steps};
use crate::values;
use gpu_core::ops::adagrad_step;
use gpu_core::{Device, Tensor};

#[test]
fn the_mirror_equals_a_naive_loop() {
    for (h, initial) in HYPERS.into_iter().zip([0.0f32, 0.5]) {
        let len = 37_003;
        let got = three_steps(&Device::Cpu, len, h, initial)[0].to_vec().unwrap();
        let mut want: Vec<[f64; 2]> = values(len, 1).iter().map(|&w| [f64::from(w), f64::from(initial)]).collect();
        for step in 1..4u64 {
            for ([w, sum], g) in want.iter_mut().zip(values(len, 1 + step)) {
                let g = f64::from(g) + h.weight_decay * *w;
                *sum += g * g;
                *w -= h.lr / (1.0 + (step - 1) as f64 * h.lr_decay) * g / (sum.sqrt() + h.eps);
            }
        }
        for (got, [want, _]) in got.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{h:?}: {got} is not {want}");
        }
    }
}

#[test]
#[should_panic(expected = "adagrad_step: square_sum differs in length from params (params [4], square_sum [3])")]
fn arenas_that_do_not_fit_are_named() {
    let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
    adagrad_step(&zeros(4), &zeros(4), &zeros(3), &zeros(8));
}
