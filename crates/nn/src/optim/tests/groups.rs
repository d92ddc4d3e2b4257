//! Groups, what each is updated by, and what they leave as it is.

use super::pytorch::One;
use super::*;
use crate::autograd::{Var, freeze};
use crate::{DemeanNorm, InstanceNorm2d, Relu, Residual, StepOptions, TrainStep};

fn named(net: &Net) -> Vec<(String, Vec<f32>)> {
    parameters(net).iter().filter(|(_, p)| p.is_trainable()).map(|(k, p)| (k.clone(), p.value().to_vec().unwrap())).collect()
}

#[test]
fn the_settings_of_all_groups_hold_and_the_later_win() {
    for device in proof::devices() {
        let net = net(&device);
        let sgd = Sgd::new(&net, 0.5)
            .weight_decay(0.5)
            .group(|key, _| key.starts_with("0."), |g| g.lr_factor(0.5).weight_decay(1.0))
            .group(|key, _| key.ends_with("bias"), |g| g.weight_decay(0.0))
            .group(|key, _| key == "2.bias", |g| g.weight_decay(0.25).lr(2.0));
        let before = named(&net);
        sgd.step(&zero(&device, &net));
        for ((key, before), (_, after)) in before.iter().zip(named(&net)) {
            let shrink = match key.as_str() {
                "0.weight" => 0.5 * 0.5 * 1.0,
                "0.bias" => 0.0,
                "2.weight" => 0.5 * 0.5,
                "2.bias" => 2.0 * 0.25,
                other => panic!("{other}"),
            };
            for (before, after) in before.iter().zip(after) {
                let want = before - shrink * before;
                assert!((after - want).abs() <= 1e-7 * want.abs(), "{key} on {}: {after} is not {want}", device.name());
            }
        }
    }
}

struct Pair {
    first: Net,
    second: Net,
}
crate::parameters!(Pair { first, second });

/// As in PyTorch, whose gradient is then absent: neither the decay nor what the moments hold moves it.
#[test]
fn what_the_loss_does_not_depend_on_stays_as_it_is() {
    for device in proof::devices() {
        let pair = Pair { first: net(&device), second: net(&device) };
        let (first, second) = (&pair.first, &pair.second);
        let adam = AdamW::new(&pair, 0.1).weight_decay(0.5);
        let step = |both: bool| {
            let x = Tape::new(&device).input(&proof::tensor(&device, [4, 2, 2, 2], 1));
            let loss = first.forward(&x).square().sum();
            adam.step(&if both { loss + second.forward(&x).sum() } else { loss }.backward());
        };
        step(true);
        let (before, moved) = (named(second), named(first));
        step(false);
        assert_eq!(named(second), before, "on {}", device.name());
        assert_ne!(named(first), moved, "on {}", device.name());
    }
}

#[test]
fn a_group_with_a_rate_of_its_own_ignores_the_schedule() {
    let net = net(&Device::Cpu);
    let sgd =
        Sgd::new(&net, 0.5).group(|key, _| key == "2.bias", |g| g.lr(0.0)).group(|key, _| key == "2.weight", |g| g.lr_factor(0.5));
    let before = named(&net);
    sgd.set_lr(1.0);
    train(&net, &sgd, 0..1);
    let after = named(&net);
    let moved = |key: &str| {
        let find = |list: &[(String, Vec<f32>)]| list.iter().find(|(k, _)| k == key).unwrap().1.clone();
        find(&before).iter().zip(find(&after)).map(|(b, a)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert_eq!(moved("2.bias"), 0.0);
    let plain = self::net(&Device::Cpu);
    let whole = Sgd::new(&plain, 1.0);
    train(&plain, &whole, 0..1);
    let [w0, w1, w2] = [&before, &after, &named(&plain)].map(|l| l.iter().find(|(k, _)| k == "2.weight").unwrap().1.clone());
    for ((w0, half), full) in w0.iter().zip(w1).zip(w2) {
        assert!((half - (w0 + full) / 2.0).abs() < 1e-6, "{w0} {half} {full}");
    }
}

#[test]
fn each_group_is_one_dispatch() {
    let net = net(&Device::Cpu);
    let launches = |optimizer: &dyn Optimizer| {
        optimizer.step(&zero(&Device::Cpu, &net));
        let (_, capture) = Device::Cpu.capture(|| optimizer.update()).unwrap();
        capture.len()
    };
    assert_eq!(launches(&Sgd::new(&net, 0.1)), 1);
    assert_eq!(launches(&AdamW::new(&net, 0.1).weight_decay(0.1).decay_weights_only()), 2);
    let three = Lion::new(&net, 0.1).decay_weights_only().group(|key, _| key.starts_with("0."), |g| g.lr_factor(2.0));
    assert_eq!(launches(&three), 3);
    // Two of all: the sums, the norm, its copy, the clip, and the update.
    assert_eq!(launches(&Sgd::new(&net, 0.1).clip_norm(1.0)), 5);
}

#[test]
fn a_checkpoint_knows_nothing_of_groups() {
    let [plain, grouped] = [0; 2].map(|_| net(&Device::Cpu));
    let adam = AdamW::new(&plain, 0.01);
    train(&plain, &adam, 0..3);
    let saved = Checkpoint::new().net(&plain).unwrap().optimizer(&adam).unwrap();
    let other = AdamW::new(&grouped, 0.01).group(|key, _| key == "2.bias", |g| g.lr_factor(1.0)).decay_weights_only();
    saved.load_net(&grouped).unwrap();
    saved.load_optimizer(&other).unwrap();
    train(&plain, &adam, 3..5);
    train(&grouped, &other, 3..5);
    assert_eq!(values(&plain), values(&grouped));
}

#[test]
fn the_norm_of_the_last_step_can_be_read() {
    for device in proof::devices() {
        let net = One::new(&device, [2, 3]);
        let sgd = Sgd::new(&net, 0.1).clip_norm(100.0);
        net.step(&sgd, 0);
        let want: f32 = (0..6).map(|i| ((3 * i) % 7) as f32 / 4.0 - 0.75).map(|g| g * g).sum::<f32>().sqrt();
        let got = sgd.grad_norm().unwrap().item().unwrap();
        assert!((got - want).abs() < 1e-6, "{got} is not {want}");
        assert!(Sgd::new(&net, 0.1).grad_norm().is_none());
    }
}

#[test]
fn what_a_buffer_held_before_is_no_gradient() {
    // Five elements: the rest of their 256 bytes is of another tensor, that was large.
    for device in proof::devices() {
        drop(Tensor::full(&device, [5], 1e30));
        let net = One::new(&device, [5]);
        let sgd = Sgd::new(&net, 1.0).clip_norm(1.0);
        net.step(&sgd, 0);
        let norm = sgd.grad_norm().unwrap().item().unwrap();
        assert!(norm < 2.0, "{}: the norm is {norm}", device.name());
    }
}

#[test]
fn matrices_of_one_shape_are_one_batch_and_give_what_each_gives_alone() {
    for device in proof::devices() {
        let layer = || Linear::new(16).no_bias();
        let both = seq![layer(), layer()].build(&Init::seeded(&device, 3), [16]).unwrap();
        let start = [0, 1].map(|at| both.children()[at].param("weight").value().to_vec().unwrap());
        let muon = Muon::new(&both, 0.1);
        let x = proof::tensor(&device, [4, 16], 9);
        let loss = |net: &Net| net.forward(&Tape::new(&device).input(&x)).mul(&Var::constant(&x)).sum().backward();
        let gradients = loss(&both);
        let keys = parameters(&both);
        let alone: Vec<Vec<f32>> = start
            .iter()
            .zip(&keys)
            .map(|(start, (_, param))| {
                let one = One(crate::Param::trainable(Tensor::from_slice(&device, [16, 16], start)));
                let single = Muon::new(&one, 0.1);
                let x = Tape::new(&device).input(gradients.of(param).unwrap());
                single.step(&one.forward(&x).backward());
                one.values()
            })
            .collect();
        muon.step(&gradients);
        for ((_, param), want) in keys.iter().zip(alone) {
            let got = param.value().to_vec().unwrap();
            let error = got.iter().zip(&want).map(|(g, w)| (g - w).abs()).fold(0.0, f32::max);
            assert!(error < 1e-6, "{}: {error}", device.name());
        }
    }
}

/// What is frozen stays as it is, running statistics too, however the step is run; a rate of 0 holds the weights alone, as in PyTorch.
#[test]
fn a_frozen_part_keeps_its_running_statistics_and_a_rate_of_zero_does_not() {
    // No norm has an input whose mean is zero already.
    let body = || seq![BatchNorm2d::new(), Relu, InstanceNorm2d::new().affine().tracked(), Relu, DemeanNorm::new()];
    for device in proof::devices() {
        for (frozen, captured) in [(true, false), (true, true), (false, false), (false, true)] {
            let list = seq![Residual::new(seq![BatchNorm2d::new()]), body(), Flatten, Linear::new(3)];
            let net = list.build(&Init::seeded(&device, 1), [2, 2, 2]).unwrap();
            let mut sgd = Sgd::new(&net, 0.1).momentum(0.9).weight_decay(0.1);
            match frozen {
                true => ["0.*", "1.*"].iter().for_each(|pattern| freeze(&net, pattern).unwrap()),
                false => sgd = sgd.group(|key, _| key < "2", |g| g.lr(0.0)),
            }
            let state = || -> Vec<(String, Vec<f32>)> {
                parameters(&net).iter().map(|(key, p)| (key.clone(), p.value().to_vec().unwrap())).collect()
            };
            let before = state();
            match captured {
                true => {
                    let step = TrainStep::captured(&net, &sgd, &StepOptions::new(4, [2, 2, 2])).unwrap();
                    (0..2).for_each(|seed| step.run_on(&proof::values(32, seed), &[0, 1, 2, 0]).unwrap());
                }
                false => train(&net, &sgd, 0..2),
            }
            for ((key, before), (_, after)) in before.iter().zip(state()) {
                let moves = key.as_str() >= "2" || (!frozen && key.contains("running"));
                assert_eq!(*before != after, moves, "{key}, frozen: {frozen}, captured: {captured}, on {}", device.name());
            }
        }
    }
}

#[test]
fn muons_steps_turn_all_directions_alike() {
    // A gradient whose largest direction is a thousand times its smallest; the step's are within a factor of two.
    let net = One::new(&Device::Cpu, [4, 4]);
    let muon = Muon::new(&net, 1.0);
    let before = net.values();
    let gradient: Vec<f32> = (0..16).map(|i| if i % 5 == 0 { 10f32.powi(-(i / 5)) } else { 0.0 }).collect();
    let x = Tape::new(&Device::Cpu).input(&Tensor::from_slice(&Device::Cpu, [4, 4], &gradient));
    muon.step(&net.forward(&x).backward());
    let moved: Vec<f32> = before.iter().zip(net.values()).map(|(b, a)| b - a).collect();
    for i in 0..3 {
        assert!((0.6..1.3).contains(&moved[5 * i]), "{moved:?}");
    }
    assert!((0..16).filter(|i| i % 5 != 0).all(|i| moved[i].abs() < 1e-5), "{moved:?}");
}

#[test]
#[should_panic(expected = "what it keeps was changed after 1 steps")]
fn what_is_kept_is_settled_before_the_first_step() {
    let net = net(&Device::Cpu);
    let adam = AdamW::new(&net, 0.1);
    train(&net, &adam, 0..1);
    let _ = adam.amsgrad(true);
}

#[test]
#[should_panic(expected = "a group was added after 1 steps")]
fn groups_are_settled_before_the_first_step() {
    let net = net(&Device::Cpu);
    let sgd = Sgd::new(&net, 0.1);
    train(&net, &sgd, 0..1);
    let _ = sgd.decay_weights_only();
}
