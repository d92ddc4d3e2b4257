//! The moving average of the weights, and Lookahead.

use super::pytorch::One;
use super::*;
use crate::{EvalStep, StepOptions, TrainStep};

#[test]
fn the_average_is_that_of_pytorch() {
    // torch.optim.swa_utils.AveragedModel(..., get_ema_multi_avg_fn(0.9)) over four steps of SGD(lr=0.1).
    let want = [0.19145, -0.2532, 0.305475, -0.464175, 0.577, -0.722575];
    for device in proof::devices() {
        let net = One::new(&device, [2, 3]);
        let sgd = Sgd::new(&net, 0.1).ema(0.9);
        (0..4).for_each(|t| net.step(&sgd, t));
        let last = net.values();
        let averaged = with_average(&sgd, || net.values());
        for (got, want) in averaged.iter().zip(want) {
            assert!((got - want).abs() < 1e-6, "{}: {got} is not {want}", device.name());
        }
        assert_eq!(net.values(), last, "the weights came back changed");
        assert_eq!(with_average(&sgd, || net.values()), averaged, "the average came back changed");
    }
}

#[test]
fn a_recorded_evaluation_sees_the_average_and_training_goes_on_without_a_trace() {
    let options = StepOptions::new(4, [2, 2, 2]);
    for device in proof::devices() {
        let run = |look: bool| {
            let net = net(&device);
            let adam = AdamW::new(&net, 0.05).ema(0.5);
            let step = TrainStep::captured(&net, &adam, &options).unwrap();
            let eval = EvalStep::captured(&net, &device, &options).unwrap();
            let mut seen = Vec::new();
            for s in 0..4 {
                step.run_on(&proof::values(32, s), &[0, 1, 2, 0]).unwrap();
                if look {
                    let outputs = || {
                        eval.run_on(&proof::values(32, 9), &[0, 1, 2, 0]).unwrap();
                        eval.output().to_vec().unwrap()
                    };
                    let (raw, averaged) = (outputs(), with_average(&adam, outputs));
                    // After one step the average is a copy.
                    assert_eq!(raw == averaged, s == 0);
                    seen.push(averaged);
                }
            }
            (values(&net), Checkpoint::new().optimizer(&adam).unwrap().to_bytes())
        };
        assert!(run(true) == run(false), "{}", device.name());
    }
}

#[test]
fn there_is_no_average_before_the_first_step_and_none_where_none_was_asked_for() {
    let net = net(&Device::Cpu);
    let sgd = Sgd::new(&net, 0.1).ema(0.9);
    assert!(!sgd.swap_average());
    assert!(!Sgd::new(&net, 0.1).swap_average());
}

#[test]
fn the_weights_come_back_after_a_panic() {
    let net = One::new(&Device::Cpu, [2, 3]);
    let sgd = Sgd::new(&net, 0.1).ema(0.9);
    (0..3).for_each(|t| net.step(&sgd, t));
    let last = net.values();
    let hook = std::panic::AssertUnwindSafe(|| with_average(&sgd, || std::panic::resume_unwind(Box::new(()))));
    assert!(std::panic::catch_unwind(hook).is_err());
    assert_eq!(net.values(), last);
    net.step(&sgd, 3);
}

#[test]
#[should_panic(expected = "the network has its averaged weights; swap them back")]
fn averaged_weights_are_not_trained() {
    let net = One::new(&Device::Cpu, [2, 3]);
    let sgd = Sgd::new(&net, 0.1).ema(0.9);
    net.step(&sgd, 0);
    sgd.swap_average();
    net.step(&sgd, 1);
}

#[test]
fn lookahead_steps_back_as_its_paper_says() {
    for device in proof::devices() {
        let net = One::new(&device, [2, 3]);
        let sgd = Sgd::new(&net, 0.1).momentum(0.5).lookahead(3, 0.25);
        // Loaded after the optimiser was made: the slow weights begin here too.
        let start: Vec<f32> = net.values().iter().map(|w| 2.0 * w).collect();
        net.0.set(&start);
        let mut fast: Vec<f64> = start.iter().map(|&w| w.into()).collect();
        let (mut slow, mut v) = (fast.clone(), vec![0.0; 6]);
        for t in 0..7 {
            net.step(&sgd, t);
            for (i, ((w, slow), v)) in fast.iter_mut().zip(&mut slow).zip(&mut v).enumerate() {
                *v = 0.5 * *v + (((3 * i + 5 * t) % 7) as f64 / 4.0 - 0.75);
                *w -= 0.1 * *v;
                if t % 3 == 2 {
                    *slow += 0.25 * (*w - *slow);
                    *w = *slow;
                }
            }
        }
        for (got, want) in net.values().iter().zip(&fast) {
            assert!((f64::from(*got) - want).abs() < 1e-6, "{}: {got} is not {want}", device.name());
        }
    }
}
