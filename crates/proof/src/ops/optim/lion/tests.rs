use super::cases::{EXACT, three_steps};
use crate::{integers, values};
use gpu_core::ops::lion_step;
use gpu_core::{Device, Tensor};

#[test]
fn the_mirror_equals_a_naive_loop() {
    let (len, h) = (37_003, EXACT);
    let got = three_steps(&Device::Cpu, len, h)[0].to_vec().unwrap();
    let mut want: Vec<[f64; 2]> = values(len, 1).iter().map(|&w| [f64::from(w), 0.0]).collect();
    let mut zeros = 0;
    for step in 0..3 {
        for ([w, m], g) in want.iter_mut().zip(integers(len, 2 + step)) {
            let c = h.beta1 * *m + (1.0 - h.beta1) * f64::from(g);
            zeros += usize::from(c == 0.0);
            let sign = if c == 0.0 { 0.0 } else { c.signum() };
            *w -= h.lr * (sign + h.weight_decay * *w);
            *m = h.beta2 * *m + (1.0 - h.beta2) * f64::from(g);
        }
    }
    assert!(zeros > 1000, "{zeros} zeros: the sign of zero was hardly tried");
    for (got, [want, _]) in got.iter().zip(want) {
        assert!((f64::from(*got) - want).abs() < 1e-6, "{got} is not {want}");
    }
}

#[test]
#[should_panic(expected = "lion_step: m differs in length from params (params [4], m [3])")]
fn arenas_that_do_not_fit_are_named() {
    let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
    lion_step(&zeros(4), &zeros(4), &zeros(3), &zeros(8));
}
