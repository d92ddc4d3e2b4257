mod averages;
mod groups;
mod pytorch;

use super::*;
use crate::autograd::{Gradients, Tape, parameters};
use crate::checkpoint::Checkpoint;
use crate::module::Module;
use crate::state_dict::Array;
use crate::{BatchNorm2d, Flatten, Init, Layer, Linear, Net, seq};
use gpu_core::{Device, Tensor};
use std::collections::BTreeMap;
use std::sync::Arc;

fn net(device: &Device) -> Net {
    seq![BatchNorm2d::new(), Flatten, Linear::new(3)].build(&Init::seeded(device, 1), [2, 2, 2]).unwrap()
}

/// Gradients that are zero: what moves, moves by the decay.
fn zero(device: &Device, net: &Net) -> Gradients {
    let x = Tape::pass(device).evaluate().tape().input(&proof::tensor(device, [4, 2, 2, 2], 1));
    (0.0 * net.forward(&x).sum()).backward()
}

fn train(net: &Net, optimizer: &dyn Optimizer, steps: std::ops::Range<u64>) {
    for step in steps {
        let x = proof::tensor(optimizer.device(), [4, 2, 2, 2], step);
        let labels = Tensor::from_slice(optimizer.device(), [4], &[0u32, 1, 2, 0]);
        let loss = net.forward(&Tape::new(optimizer.device()).input(&x)).cross_entropy(&labels, 0.0);
        optimizer.step(&optimizer.scaled(&loss).backward());
    }
}

fn values(net: &Net) -> Vec<Vec<f32>> {
    parameters(net).iter().map(|(_, p)| p.value().to_vec().unwrap()).collect()
}

type Make = fn(&Net) -> Arc<dyn Optimizer>;

/// Every optimiser, with every option that keeps something.
const OPTIMIZERS: [(&str, Make); 11] = [
    ("sgd", |net| Sgd::new(net, 0.1).momentum(0.9).dampening(0.1).weight_decay(0.01).handle()),
    ("adamw", |net| AdamW::new(net, 0.01).weight_decay(0.1).decay_weights_only().clip_norm(0.1).handle()),
    ("adam", |net| Adam::new(net, 0.01).weight_decay(0.1).amsgrad(true).clip_value(0.01).handle()),
    ("rmsprop", |net| RmsProp::new(net, 0.01).weight_decay(0.1).handle()),
    ("rmsprop centered", |net| RmsProp::new(net, 0.01).momentum(0.5).centered(true).lookahead(2, 0.5).handle()),
    ("adagrad", |net| Adagrad::new(net, 0.1).lr_decay(0.1).initial_accumulator(0.1).handle()),
    ("adadelta", |net| Adadelta::new(net, 1.0).rho(0.8).eps(1e-3).weight_decay(0.01).handle()),
    ("lion", |net| Lion::new(net, 0.01).weight_decay(0.1).ema(0.9).handle()),
    ("scaled", |net| Adam::new(net, 0.01).clip_norm(0.1).ema(0.9).loss_scaling(4.0, 2).handle()),
    ("muon", |net| Muon::new(net, 0.01).weight_decay(0.1).handle()),
    ("grouped", |net| {
        let slow = |key: &str, _| key.starts_with("0.");
        Muon::new(net, 0.01).group(slow, |g| g.lr_factor(0.1)).decay_weights_only().ema(0.5).lookahead(3, 0.8).handle()
    }),
];

#[test]
fn training_goes_on_from_a_checkpoint_bit_for_bit() {
    for device in proof::devices() {
        for (name, make) in OPTIMIZERS {
            let (whole, resumed) = (net(&device), net(&device));
            let (one, other) = (make(&whole), make(&resumed));
            train(&whole, &*one, 0..3);
            let saved = Checkpoint::new().net(&whole).unwrap().optimizer(&*one).unwrap().to_bytes();
            train(&whole, &*one, 3..6);
            let saved = Checkpoint::from_bytes(&saved).unwrap();
            saved.load_net(&resumed).unwrap();
            saved.load_optimizer(&*other).unwrap();
            assert_eq!(other.steps(), 3);
            train(&resumed, &*other, 3..6);
            assert!(values(&whole) == values(&resumed), "{name} on {}", device.name());
            let states = [&one, &other].map(|o| Checkpoint::new().optimizer(&**o).unwrap().to_bytes());
            assert!(states[0] == states[1], "{name} on {}: the states differ", device.name());
        }
    }
}

/// What a checkpoint has of an optimiser.
fn state_of(optimizer: &dyn Optimizer) -> BTreeMap<String, Array> {
    let saved = Checkpoint::new().optimizer(optimizer).unwrap();
    saved.arrays().iter().map(|(key, array)| (key.strip_prefix("optimizer.").unwrap().to_owned(), array.clone())).collect()
}

/// A float is the same for 2^24 and the number after it.
#[test]
fn steps_are_saved_exactly_beyond_what_a_float_counts() {
    let (net, [one, other]) = (net(&Device::Cpu), [0; 2].map(|_| net(&Device::Cpu)));
    let [adam, of_one, of_other] = [&net, &one, &other].map(|net| Adam::new(net, 0.01));
    let at = |steps: f32| {
        let mut state = state_of(&adam);
        state.get_mut("step").unwrap().values = vec![steps];
        state
    };
    // What older versions wrote has the float alone.
    adam.load_state(&at(16_777_216.0)).unwrap();
    assert_eq!(adam.steps(), 1 << 24);
    train(&net, &adam, 0..1);
    let saved = Checkpoint::from_bytes(&Checkpoint::new().optimizer(&adam).unwrap().to_bytes()).unwrap();
    saved.load_optimizer(&of_one).unwrap();
    assert_eq!([adam.steps(), of_one.steps()], [(1 << 24) + 1; 2]);
    // A count beside a float that it does not round to is that of another state.
    saved.note("optimizer.steps", "7").load_optimizer(&of_other).unwrap();
    assert_eq!(of_other.steps(), 1 << 24);
    for wrong in [-1.0, 0.5, f32::NAN, f32::INFINITY, 1e30] {
        let error = of_one.load_state(&at(wrong)).unwrap_err().to_string();
        assert!(error.contains(&format!("step ({wrong:?} in the file, a count from 0 to 2^32 wanted)")), "{error}");
        assert_eq!(of_one.steps(), (1 << 24) + 1);
    }
}

#[test]
fn a_loss_scale_that_is_none_is_refused() {
    let net = net(&Device::Cpu);
    let sgd = Sgd::new(&net, 0.1).loss_scaling(1024.0, 2000);
    let at = |scale: [f32; 3]| {
        let mut state = state_of(&sgd);
        state.get_mut("loss_scale").unwrap().values = scale.to_vec();
        state
    };
    sgd.load_state(&at([2.0, 7.0, 3.0])).unwrap();
    for wrong in [[3.0, 0.0, 0.0], [0.5, 0.0, 0.0], [f32::NAN, 0.0, 0.0], [2.0, -1.0, 0.0], [2.0, 0.0, 0.5]] {
        let error = sgd.load_state(&at(wrong)).unwrap_err().to_string();
        assert!(error.contains("loss_scale (") && error.contains("not 2^k and two counts"), "{error}");
        assert_eq!(sgd.loss_scale().unwrap().to_vec().unwrap(), [2.0, 7.0, 3.0]);
    }
}

#[test]
fn every_optimizer_lowers_the_loss() {
    let device = Device::Cpu;
    for (name, make) in OPTIMIZERS {
        let net = net(&device);
        let optimizer = make(&net);
        let loss = || {
            let labels = Tensor::from_slice(&device, [4], &[0u32, 1, 2, 0]);
            let x = Tape::new(&device).input(&proof::tensor(&device, [4, 2, 2, 2], 0));
            net.forward(&x).cross_entropy(&labels, 0.0)
        };
        let first = loss().item().unwrap();
        for _ in 0..40 {
            optimizer.step(&optimizer.scaled(&loss()).backward());
        }
        let last = loss().item().unwrap();
        assert!(last < 0.9 * first, "{name}: {first}, then {last}");
    }
}

#[test]
fn a_recorded_update_is_an_eager_one_bit_for_bit() {
    for device in proof::devices() {
        for (name, make) in OPTIMIZERS {
            let [eager, recorded] = [0; 2].map(|_| net(&device));
            let (one, other) = (make(&eager), make(&recorded));
            let options = crate::StepOptions::new(4, [2, 2, 2]);
            let step = crate::TrainStep::captured(&recorded, &*other, &options).unwrap();
            for s in 0..4 {
                let lr = 0.01 / (1.0 + s as f32);
                one.set_lr(lr);
                other.set_lr(lr);
                train(&eager, &*one, s..s + 1);
                step.run_on(&proof::values(32, s), &[0, 1, 2, 0]).unwrap();
            }
            assert!(values(&eager) == values(&recorded), "{name} on {}", device.name());
        }
    }
}

#[test]
fn the_state_of_another_optimizer_is_refused() {
    let net = net(&Device::Cpu);
    let saved = Checkpoint::new().optimizer(&Sgd::new(&net, 0.1)).unwrap();
    let message = saved.load_optimizer(&AdamW::new(&net, 0.1)).unwrap_err().to_string();
    assert!(message.contains("missing (8): optimizer.exp_avg.0.weight"), "{message}");
    assert!(message.contains("unexpected (4): optimizer.momentum.0.bias"), "{message}");
}

#[test]
#[should_panic(expected = "0.weight was moved by an optimizer made later")]
fn a_second_optimizer_takes_the_parameters_over() {
    let net = net(&Device::Cpu);
    let first = Sgd::new(&net, 0.1);
    let _second = Sgd::new(&net, 0.1);
    train(&net, &first, 0..1);
}

#[test]
fn moving_the_parameters_keeps_their_values() {
    let net = net(&Device::Cpu);
    let before = values(&net);
    let _sgd = Sgd::new(&net, 0.1);
    assert_eq!(values(&net), before);
}

#[test]
fn only_weights_decay_where_that_is_asked_for() {
    let net = net(&Device::Cpu);
    let sgd = Sgd::new(&net, 1.0).weight_decay(0.5).decay_weights_only();
    let before = parameters(&net).iter().map(|(k, p)| (k.clone(), p.value().to_vec().unwrap())).collect::<Vec<_>>();
    sgd.step(&zero(&Device::Cpu, &net));
    for ((key, before), (_, after)) in before.iter().zip(parameters(&net)) {
        let factor = if key == "2.weight" { 0.5 } else { 1.0 };
        let want: Vec<f32> = before.iter().map(|v| v * factor).collect();
        assert_eq!(after.value().to_vec().unwrap(), want, "{key}");
    }
}

#[test]
#[should_panic(expected = "no trainable parameter")]
fn nothing_to_learn_is_a_mistake() {
    Sgd::new(&seq![Flatten].build(&Init::seeded(&Device::Cpu, 0), [1]).unwrap(), 0.1);
}
