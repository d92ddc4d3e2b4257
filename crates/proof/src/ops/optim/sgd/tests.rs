use super::cases::HYPERS;
use crate::tensor;
use gpu_core::ops::{SgdHyper, sgd_step};
use gpu_core::{Device, Tensor};

#[test]
fn the_mirror_equals_a_naive_loop() {
    for &hyper in HYPERS {
        let len = 37_003;
        let (w, buf) = (tensor(&Device::Cpu, [len], 1), tensor(&Device::Cpu, [len], 2));
        let mut want: Vec<f64> = w.to_vec().unwrap().iter().map(|&v| f64::from(v)).collect();
        let mut momentum: Vec<Option<f64>> = vec![None; len];
        for step in 0..3 {
            let grads = tensor(&Device::Cpu, [len], 3 + step);
            let figures = SgdHyper { first_step: step == 0, ..hyper }.to_array();
            sgd_step(&w, &grads, &buf, &Tensor::from_slice(&Device::Cpu, [8], &figures));
            for ((w, b), g) in want.iter_mut().zip(&mut momentum).zip(grads.to_vec().unwrap()) {
                let mut g = f64::from(g) + hyper.weight_decay * *w;
                if hyper.momentum != 0.0 {
                    let new = b.map_or(g, |b| hyper.momentum * b + (1.0 - hyper.dampening) * g);
                    *b = Some(new);
                    g = if hyper.nesterov { g + hyper.momentum * new } else { new };
                }
                *w -= hyper.lr * g;
            }
        }
        for (got, want) in w.to_vec().unwrap().iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{hyper:?}: {got} is not {want}");
        }
    }
}

#[test]
fn without_dampening_a_buffer_of_zeros_is_a_first_step() {
    let run = |first_step| {
        let (w, buf) = (tensor(&Device::Cpu, [99], 1), Tensor::zeros(&Device::Cpu, [99]));
        let figures = SgdHyper { first_step, ..HYPERS[4] }.to_array();
        sgd_step(&w, &tensor(&Device::Cpu, [99], 2), &buf, &Tensor::from_slice(&Device::Cpu, [8], &figures));
        (w.to_vec().unwrap(), buf.to_vec().unwrap())
    };
    assert_eq!(run(true), run(false));
}

#[test]
#[should_panic(expected = "sgd_step: grads differs in length from params (params [4], grads [3])")]
fn arenas_that_do_not_fit_are_named() {
    let zeros = |n: usize| Tensor::zeros(&Device::Cpu, [n]);
    sgd_step(&zeros(4), &zeros(3), &zeros(4), &zeros(8));
}
