//! Steps of any closure.

use super::*;
use crate::autograd::{freeze, unfreeze};
use crate::optim::Adam;
use crate::{BatchNorm2d, Tanh};

fn layer(device: &Device, seed: u64) -> Net {
    seq![Linear::new(8), Tanh, Linear::new(3)].build(&Init::seeded(device, seed), [3]).unwrap()
}

/// A generator and a discriminator, each with a captured step of its own.
struct Gan {
    nets: [Net; 2],
    steps: [Step; 2],
}

fn gan(device: &Device) -> Gan {
    let [g, d] = [layer(device, 1), layer(device, 2)];
    let [of_g, of_d] = [&g, &d].map(|net| Adam::new(net, 0.01).betas(0.5, 0.999));
    let critic = Step::on(device)
        .seed(3)
        .input("x", [4, 3])
        .capture(|pass| {
            let fake = g.forward(&pass.normal([4, 3])).detach();
            let loss = d.forward(&pass.input("x")).square().mean() + (1.0 - d.forward(&fake)).square().mean();
            pass.update(&of_d, &loss);
            pass.output("loss", &loss);
        })
        .unwrap();
    let generator = Step::on(device)
        .seed(4)
        .capture(|pass| {
            let loss = d.forward(&g.forward(&pass.normal([4, 3]))).square().mean();
            pass.update(&of_g, &loss);
            pass.output("loss", &loss);
        })
        .unwrap();
    Gan { nets: [g, d], steps: [critic, generator] }
}

#[test]
fn two_steps_train_two_networks_against_each_other_and_each_leaves_the_other_alone() {
    for device in proof::devices() {
        let run = || {
            let Gan { nets: [g, d], steps: [critic, generator] } = gan(&device);
            let mut losses = Vec::new();
            for s in 0..3 {
                let before = values(&g);
                critic.run(&[("x", &proof::values(12, s))]).unwrap();
                assert!(values(&g) == before, "the critic's step changed the generator");
                let before = values(&d);
                generator.run(&[]).unwrap();
                assert!(values(&d) == before && values(&g) != before, "the generator's step changed the critic");
                losses.push([&critic, &generator].map(|step| step.value("loss").unwrap()));
            }
            (losses, values(&g), values(&d))
        };
        assert!(run() == run(), "two runs differ on {}", device.name());
    }
}

#[test]
fn what_only_another_networks_gradients_need_is_not_computed() {
    let device = Device::Cpu;
    let dispatches = |of: fn(&Net, &Net) -> Net| {
        let [g, d] = [layer(&device, 1), layer(&device, 2)];
        let sgd = Sgd::new(&of(&g, &d), 0.01);
        let step = Step::on(&device).capture(|pass| pass.update(&sgd, &d.forward(&g.forward(&pass.normal([4, 3]))).sum()));
        step.unwrap().dispatches()
    };
    let (both, alone) = (dispatches(seq_of), dispatches(|g, _| g.clone()));
    // A product, a sum and a place in the arena for each of the discriminator's weights and biases.
    assert!(both - alone >= 8, "{alone} kernels of {both}");
}

#[test]
fn a_closure_of_a_network_and_a_loss_is_the_train_step_bit_for_bit() {
    for device in proof::devices() {
        let want = recorded(&device, 3);
        let net = net(&device);
        let sgd = Sgd::new(&net, 0.05).momentum(0.9);
        let step = Step::on(&device).seed(9).input("x", options().shape()).labels("y", [BATCH]).capture(|pass| {
            let loss = net.forward(&pass.input("x")).cross_entropy(pass.labels("y"), 0.0);
            pass.update(&sgd, &loss);
            pass.output("loss", &loss);
        });
        let step = step.unwrap();
        let losses = (0..3).map(|s| {
            let (x, labels) = batch(s);
            sgd.set_lr(0.05 / (1.0 + s as f32));
            step.run(&[("x", &x), ("y", &labels)]).unwrap();
            step.value("loss").unwrap()
        });
        assert!((losses.collect::<Vec<f32>>(), values(&net)) == want, "on {}", device.name());
    }
}

#[test]
fn several_updates_of_one_step_follow_one_another_on_tapes_of_their_own() {
    for device in proof::devices() {
        let [a, b] = [layer(&device, 1), layer(&device, 2)];
        let [of_a, of_b] = [&a, &b].map(|net| Sgd::new(net, 0.1));
        let step = Step::on(&device).seed(1).input("x", [4, 3]).capture(|pass| {
            let draw = |net: &Net| net.forward(&pass.input("x").dropout(0.5)).square().mean();
            let first = draw(&a);
            pass.update(&of_a, &first);
            // What was learned is seen, other elements are dropped.
            let second = draw(&seq_of(&a, &b));
            pass.update(&of_b, &second);
            pass.output("first", &first);
            pass.output("second", &second);
        });
        let (step, x) = (step.unwrap(), proof::values(12, 1));
        let start = [&a, &b].map(values);
        step.run(&[("x", &x)]).unwrap();
        let read = ["first", "second"].map(|name| step.value(name).unwrap());
        assert!(read.iter().all(|loss| loss.is_finite()));
        assert!([&a, &b].map(values).iter().zip(&start).all(|(now, start)| now != start));
        assert_eq!((of_a.steps(), of_b.steps()), (1, 1));
    }
}

/// Both, one after the other.
fn seq_of(a: &Net, b: &Net) -> Net {
    let device = parameters(a)[0].1.value().device().clone();
    seq![a.clone(), b.clone()].build(&Init::seeded(&device, 0), [3]).unwrap()
}

#[test]
fn noise_is_drawn_anew_in_every_run_with_and_without_an_optimizer() {
    for device in proof::devices() {
        let net = layer(&device, 1);
        let sgd = Sgd::new(&net, 0.0);
        for train in [false, true] {
            let step = Step::on(&device).capture(|pass| {
                let noise = pass.normal([4, 3]);
                if train {
                    pass.update(&sgd, &net.forward(&noise).sum());
                }
                pass.output("noise", &noise);
            });
            let step = step.unwrap();
            let mut seen: Vec<Vec<f32>> = Vec::new();
            for _ in 0..4 {
                step.run(&[]).unwrap();
                let noise = step.values("noise").unwrap();
                assert!(!seen.contains(&noise), "it was drawn before, train: {train}");
                seen.push(noise);
            }
        }
    }
}

#[test]
fn steps_without_a_seed_draw_different_numbers_and_an_evaluation_draws_too() {
    let noise = || {
        let step = Step::on(&Device::Cpu).evaluate().capture(|pass| pass.output("noise", &pass.normal([8]))).unwrap();
        [0, 1].map(|_| {
            step.run(&[]).unwrap();
            step.values("noise").unwrap()
        })
    };
    let (first, second) = (noise(), noise());
    assert!(first[0] != first[1] && first[0] != second[0] && first[1] != second[1]);
}

#[test]
fn a_saliency_map_is_a_step_in_evaluation_mode() {
    for device in proof::devices() {
        let net = net(&device);
        let step = Step::on(&device).evaluate().input("x", options().shape()).capture(|pass| {
            let x = pass.variable("x");
            let gradients = net.forward(&x).sum().backward();
            pass.output("saliency", &Var::constant(gradients.of(&x).unwrap()));
        });
        let (step, (x, _)) = (step.unwrap(), batch(1));
        let before = values(&net);
        step.run(&[("x", &x)]).unwrap();
        assert!(values(&net) == before, "an evaluation changed a buffer");
        let eager = Tape::evaluating(&device).variable(&Tensor::from_slice(&device, options().shape(), &x));
        let want = net.forward(&eager).sum().backward().of(&eager).unwrap().to_vec().unwrap();
        assert_eq!(step.values("saliency").unwrap(), want);
    }
}

#[test]
fn updates_of_several_optimizers_are_accumulated_together() {
    let device = Device::Cpu;
    let run = |parts: usize| {
        let [a, b] = [layer(&device, 1), layer(&device, 2)];
        let [of_a, of_b] = [&a, &b].map(|net| Sgd::new(net, 0.1));
        let step = Step::on(&device).accumulate(parts as u32).input("x", [4 / parts, 3]).capture(|pass| {
            pass.update(&of_a, &a.forward(&pass.input("x")).square().mean());
            pass.update(&of_b, &b.forward(&pass.input("x")).square().mean());
        });
        let step = step.unwrap();
        for x in proof::values(12, 1).chunks(12 / parts) {
            step.run(&[("x", &x)]).unwrap();
        }
        assert_eq!((of_a.steps(), of_b.steps(), step.pending()), (1, 1, 0));
        [&a, &b].map(values).concat().concat()
    };
    let (whole, parts) = (run(1), run(2));
    assert!(whole.iter().zip(&parts).all(|(w, p)| (w - p).abs() < 1e-6));
}

#[test]
fn what_was_frozen_stays_in_optimizers_made_before_and_after() {
    for device in proof::devices() {
        let layers = seq![Conv2d::new(4, 3), BatchNorm2d::new(), Relu, Flatten, Linear::new(10)];
        let net = || layers.clone().build(&Init::seeded(&device, 1), [3, 8, 8]).unwrap();
        for before in [true, false] {
            let net = net();
            let adam = || AdamW::new(&net, 0.01).weight_decay(0.5);
            let early = before.then(adam);
            freeze(&net, "0.*").unwrap();
            freeze(&net, "1.*").unwrap();
            let adam = early.unwrap_or_else(adam);
            let step = TrainStep::captured(&net, &adam, &options()).unwrap();
            let start = values(&net);
            for s in 0..2 {
                let (x, labels) = batch(s);
                step.run_on(&x, &labels).unwrap();
            }
            let moved: Vec<String> = parameters(&net)
                .into_iter()
                .zip(values(&net).into_iter().zip(start))
                .filter(|(_, (now, start))| now != start)
                .map(|((key, _), _)| key)
                .collect();
            assert_eq!(moved, ["4.weight", "4.bias"], "made before: {before}, on {}", device.name());
        }
    }
}

#[test]
fn a_frozen_body_is_not_computed_backwards() {
    let device = Device::Cpu;
    let net = net(&device);
    let dispatches = || TrainStep::captured(&net, &Sgd::new(&net, 0.1), &options()).unwrap().dispatches();
    let all = dispatches();
    let last = parameters(&net).last().unwrap().0.rsplit_once('.').unwrap().0.to_owned();
    freeze(&net, "*").unwrap();
    unfreeze(&net, &format!("{last}.*")).unwrap();
    let few = dispatches();
    assert!(2 * few < all, "{few} of {all} kernels");
}

#[test]
#[should_panic(expected = "a parameter of shape [8, 3] was frozen or unfrozen after the recording; record the step again")]
fn freezing_after_the_recording_is_a_mistake() {
    let net = layer(&Device::Cpu, 1);
    let sgd = Sgd::new(&net, 0.1);
    let step = Step::on(&Device::Cpu).input("x", [4, 3]).capture(|pass| pass.update(&sgd, &net.forward(&pass.input("x")).sum()));
    freeze(&net, "0.*").unwrap();
    let _ = step.unwrap().run(&[("x", &[0.0; 12])]);
}

#[test]
fn a_value_can_be_awaited() {
    let device = Device::Cpu;
    let step = Step::on(&device).input("x", [2]).capture(|pass| pass.output("sum", &pass.input("x").sum())).unwrap();
    step.run(&[("x", &Tensor::from_slice(&device, [2], &[1.0f32, 2.0]))]).unwrap();
    let mut read = Box::pin(step.values_async("sum"));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(sum) = read.as_mut().poll(&mut cx) else { panic!("the CPU device waits for nothing") };
    assert_eq!(sum.unwrap(), [3.0]);
}

#[test]
fn numbers_in_a_closure_are_written_into_the_recording() {
    for device in proof::devices() {
        let step = Step::on(&device).input("x", [2]).capture(|pass| {
            let x = pass.input("x");
            pass.output("y", &(1.0 - 2.0 * (&x * &x) + &x / 4.0 - 0.5 + 3.0 / (x + 1.0)));
        });
        let step = step.unwrap();
        step.run(&[("x", &[1.0, 3.0])]).unwrap();
        assert_eq!(step.values("y").unwrap(), [0.25, -16.0]);
    }
}

/// What a panic says.
fn said(f: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).expect_err("there is no panic");
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a panic has a text")
}

/// What the closure's mistakes say.
fn mistake(what: impl FnOnce(&Net, &Sgd, &StepPass<'_>)) -> String {
    let net = layer(&Device::Cpu, 1);
    let sgd = Sgd::new(&net, 0.1);
    said(|| {
        let _ = Step::on(&Device::Cpu).input("x", [4, 3]).labels("y", [4]).capture(|pass| what(&net, &sgd, pass));
    })
}

#[test]
fn a_wrong_closure_is_told_why() {
    type Wrong = fn(&Net, &Sgd, &StepPass<'_>);
    let rows: [(&str, Wrong); 8] = [
        ("optimizer: step() in a capture", |net, sgd, pass| sgd.step(&net.forward(&pass.input("x")).sum().backward())),
        ("there is no input \"z\"; there are: x, y", |_, _, pass| drop(pass.input("z"))),
        ("the input \"y\" holds u32; take it by labels", |_, _, pass| drop(pass.input("y"))),
        ("the input \"x\" holds f32; take it by input", |_, _, pass| drop(pass.labels("x").clone())),
        ("two outputs are called \"a\"", |_, _, pass| (0..2).for_each(|_| pass.output("a", &pass.input("x")))),
        ("the loss depends on no parameter of this optimizer", |_, sgd, pass| pass.update(sgd, &pass.variable("x").sum())),
        ("this optimizer has its update in this step already", |net, sgd, pass| {
            (0..2).for_each(|_| pass.update(sgd, &net.forward(&pass.input("x")).sum()));
        }),
        ("random layers in a capture would draw the same numbers", |_, _, pass| {
            Tape::new(&Device::Cpu).input(pass.input("x").value()).dropout(0.5);
        }),
    ];
    for (want, wrong) in rows {
        let said = mistake(wrong);
        assert!(said.contains(want), "{said}");
    }
}

#[test]
fn a_wrong_run_is_told_why() {
    let step = || Step::on(&Device::Cpu).input("x", [2]).labels("y", [1]).capture(|_| {}).unwrap();
    let (x, y) = (vec![1.0f32; 2], vec![0u32]);
    let long = Tensor::zeros(&Device::Cpu, [3]);
    let rows: [(&str, &[(&str, &dyn Values)]); 6] = [
        ("the input \"y\" is to be given once in every run", &[("x", &x)]),
        ("the input \"x\" is to be given once in every run", &[("x", &x), ("y", &y), ("x", &x)]),
        ("there is no input \"z\"; there are: x, y", &[("x", &x), ("z", &y)]),
        ("the input \"x\" takes 2 values of f32 (shape [2]), not 1 of u32", &[("x", &y), ("y", &y)]),
        ("the input \"y\" takes 1 values of u32 (shape [1]), not 2 of f32", &[("x", &x), ("y", &x)]),
        ("the input \"x\" is f32 of shape [2] on CPU, the tensor", &[("x", &long), ("y", &y)]),
    ];
    for (want, inputs) in rows {
        let said = said(|| drop(step().run(inputs)));
        assert!(said.contains(want), "{said}");
    }
}

#[test]
#[should_panic(expected = "profile: the step has not run yet")]
fn an_update_is_measured_once_it_has_figures() {
    let net = layer(&Device::Cpu, 1);
    let sgd = Adam::new(&net, 0.1);
    let step = Step::on(&Device::Cpu).input("x", [4, 3]).capture(|pass| pass.update(&sgd, &net.forward(&pass.input("x")).sum()));
    let _ = step.unwrap().profile();
}

#[test]
fn the_norm_of_the_gradients_can_be_read_beside_the_step() {
    let net = layer(&Device::Cpu, 1);
    let sgd = Sgd::new(&net, 0.1).clip_norm(1e-3);
    let step = Step::on(&Device::Cpu).input("x", [4, 3]).capture(|pass| pass.update(&sgd, &net.forward(&pass.input("x")).sum()));
    step.unwrap().run(&[("x", &proof::values(12, 1))]).unwrap();
    assert!(sgd.grad_norm().unwrap().item().unwrap() > 1e-3);
}
