use super::*;
use crate::autograd::{Tape, Var, parameters};
use crate::checkpoint::Checkpoint;
use crate::optim::Optimizer;
use crate::optim::update::Update;
use crate::{AdamW, Conv2d, Flatten, Init, Layer, Linear, Net, Relu, Sgd, seq, zoo};
use gpu_core::ops::{CrossEntropy, Reduction};
use gpu_core::{Device, Shape, Tensor};

mod captured;
mod labels;
mod mixed;
mod parts;
mod segmentation;

const BATCH: usize = 4;

fn options() -> StepOptions {
    StepOptions::new(BATCH, [3, 8, 8]).seed(9)
}

fn net(device: &Device) -> Net {
    zoo::build("small-cnn", &Init::seeded(device, 1), [3, 8, 8].into(), 10).unwrap()
}

fn batch(step: u64) -> (Vec<f32>, Vec<u32>) {
    let labels = (0..BATCH as u64).map(|i| ((step + 3 * i) % 10) as u32).collect();
    (proof::values(options().shape().len(), step), labels)
}

fn values(net: &Net) -> Vec<Vec<f32>> {
    parameters(net).iter().map(|(_, p)| p.value().to_vec().unwrap()).collect()
}

/// Losses and final parameters of a recorded training.
fn recorded(device: &Device, steps: u64) -> (Vec<f32>, Vec<Vec<f32>>) {
    let net = net(device);
    let sgd = Sgd::new(&net, 0.05).momentum(0.9);
    let step = TrainStep::captured(&net, &sgd, &options()).unwrap();
    let losses = (0..steps).map(|s| {
        let (x, labels) = batch(s);
        sgd.set_lr(0.05 / (1.0 + s as f32));
        step.run_on(&x, &labels).unwrap();
        step.loss().unwrap()
    });
    (losses.collect(), values(&net))
}

/// The same without a recording.
fn eager(device: &Device, steps: u64) -> (Vec<f32>, Vec<Vec<f32>>) {
    let net = net(device);
    let sgd = Sgd::new(&net, 0.05).momentum(0.9);
    let losses = (0..steps).map(|s| {
        let (x, labels) = batch(s);
        let x = Tensor::from_slice(device, options().shape(), &x);
        let labels = Tensor::from_slice(device, [BATCH], &labels);
        let counter = Tensor::from_slice(device, [1], &[s as u32]);
        sgd.set_lr(0.05 / (1.0 + s as f32));
        let loss = net.forward(&Tape::seeded(device, 9, &counter).input(&x)).cross_entropy(&labels, 0.0);
        sgd.step(&loss.backward());
        loss.item().unwrap()
    });
    (losses.collect(), values(&net))
}

#[test]
fn a_recorded_step_is_an_eager_step_bit_for_bit_and_twice_is_once() {
    for device in proof::devices() {
        let first = recorded(&device, 3);
        assert!(first == recorded(&device, 3), "{}: two runs differ", device.name());
        assert!(first == eager(&device, 3), "{}: recorded and eager differ", device.name());
    }
}

#[test]
fn metrics_add_up_until_they_are_reset() {
    for device in proof::devices() {
        let net = net(&device);
        let sgd = Sgd::new(&net, 0.0);
        let step = TrainStep::captured(&net, &sgd, &options()).unwrap();
        let mut losses = Vec::new();
        for s in 0..3 {
            let (x, labels) = batch(s);
            step.run_on(&x, &labels).unwrap();
            losses.push(f64::from(step.loss().unwrap()));
        }
        let metrics = step.metrics().unwrap();
        assert_eq!(metrics.images, 12);
        assert!((metrics.loss - losses.iter().sum::<f64>() / 3.0).abs() < 1e-5);
        assert!((0.0..=1.0).contains(&metrics.accuracy));
        step.reset_metrics();
        assert!(step.metrics().unwrap().loss.is_nan() && step.metrics().unwrap().images == 0);
    }
}

#[test]
fn an_evaluation_sees_the_newest_parameters_and_leaves_them() {
    for device in proof::devices() {
        let net = net(&device);
        let adam = AdamW::new(&net, 0.01);
        let train = TrainStep::captured(&net, &adam, &options()).unwrap();
        let eval = EvalStep::captured(&net, &device, &options()).unwrap();
        let (x, labels) = batch(0);
        for _ in 0..12 {
            train.run_on(&x, &labels).unwrap();
        }
        let before = values(&net);
        eval.run_on(&x, &labels).unwrap();
        let eager = net.forward(&Var::constant(eval.x()));
        assert_eq!(eval.output().to_vec().unwrap(), eager.value().to_vec().unwrap());
        assert_eq!(eval.metrics().unwrap().images, BATCH as u64);
        assert!(values(&net) == before, "an evaluation changed a parameter");
    }
}

#[test]
fn a_training_resumes_with_the_same_random_numbers() {
    let device = Device::Cpu;
    let run = |net: &Net, sgd: &Sgd, steps: std::ops::Range<u64>| {
        let step = TrainStep::captured(net, sgd, &options()).unwrap();
        for s in steps {
            let (x, labels) = batch(s);
            step.run_on(&x, &labels).unwrap();
        }
    };
    let [whole, resumed] = [net(&device), net(&device)];
    let [a, b] = [&whole, &resumed].map(|n| Sgd::new(n, 0.05).momentum(0.9));
    run(&whole, &a, 0..2);
    let saved = Checkpoint::new().net(&whole).unwrap().optimizer(&a).unwrap();
    run(&whole, &a, 2..4);
    saved.load_net(&resumed).unwrap();
    saved.load_optimizer(&b).unwrap();
    run(&resumed, &b, 2..4);
    assert!(values(&whole) == values(&resumed), "the resumed training went another way");
}

#[test]
fn an_autoencoder_learns_its_input() {
    let device = Device::Cpu;
    let net = zoo::build("autoencoder", &Init::seeded(&device, 1), [3, 8, 8].into(), 10).unwrap();
    let adam = AdamW::new(&net, 0.01);
    let step = TrainStep::captured(&net, &adam, &options().loss(Loss::Reconstruction)).unwrap();
    let (x, labels) = batch(0);
    step.run_on(&x, &labels).unwrap();
    let first = step.loss().unwrap();
    assert!((step.mean_loss().unwrap() - f64::from(first)).abs() < 1e-6);
    for _ in 0..30 {
        step.run_on(&x, &labels).unwrap();
    }
    assert!(step.loss().unwrap() < 0.5 * first);
    assert_eq!(step.metrics().unwrap().images, 31 * BATCH as u64);
}

#[test]
fn a_prologue_runs_before_every_step() {
    let device = Device::Cpu;
    let net = net(&device);
    let sgd = Sgd::new(&net, 0.0);
    let (x, labels) = batch(1);
    let source = Tensor::from_slice(&device, options().shape(), &x);
    let step = TrainStep::captured_with(&net, &sgd, &options(), |slots| gpu_core::ops::copy_into(&source, &slots.x)).unwrap();
    step.labels().write(&labels);
    step.run().unwrap();
    assert_eq!(step.x().to_vec().unwrap(), x);
}

#[test]
fn a_prediction_is_near_the_recording() {
    let device = Device::Cpu;
    let net = zoo::build("resnet20", &Init::seeded(&device, 1), [3, 32, 32].into(), 10).unwrap();
    let (sgd, options) = (Sgd::new(&net, 0.1), StepOptions::new(64, [3, 32, 32]));
    let predicted = MemoryPlan::predict(&net, &sgd, &options).unwrap().step_bytes as f64;
    let taken = TrainStep::captured(&net, &sgd, &options).unwrap().plan().step_bytes as f64;
    assert!((0.98..1.05).contains(&(predicted / taken)), "predicted {predicted}, taken {taken}");
}

#[test]
fn a_network_that_does_not_fit_is_an_error_that_names_the_layer() {
    let net = net(&Device::Cpu);
    let sgd = Sgd::new(&net, 0.1);
    let Err(error) = TrainStep::captured(&net, &sgd, &StepOptions::new(2, [1, 8, 8])) else { panic!("it fits") };
    assert!(error.to_string().starts_with("layer 0 (conv2d): "), "{error}");
}

#[test]
#[should_panic(expected = "was moved by an optimizer made")]
fn a_step_whose_parameters_went_away_is_a_mistake() {
    let net = net(&Device::Cpu);
    let step = EvalStep::captured(&net, &Device::Cpu, &options()).unwrap();
    let _sgd = Sgd::new(&net, 0.1);
    let _ = step.run();
}

/// No layer that looks at the whole batch.
fn plain(device: &Device) -> Net {
    let net = seq![Conv2d::new(4, 3), Relu, Flatten, Linear::new(10)];
    net.build(&Init::seeded(device, 4), [3, 8, 8]).unwrap()
}

#[test]
fn a_batch_in_parts_is_a_whole_batch() {
    for device in proof::devices() {
        let run = |parts: usize| {
            let net = plain(&device);
            let adam = AdamW::new(&net, 0.01).clip_norm(0.5);
            let options = StepOptions::new(BATCH / parts, [3, 8, 8]).accumulate(parts as u32);
            let step = TrainStep::captured(&net, &adam, &options).unwrap();
            for s in 0..3 {
                let (x, labels) = batch(s);
                for (x, labels) in x.chunks_exact(x.len() / parts).zip(labels.chunks_exact(BATCH / parts)) {
                    assert_eq!(adam.steps(), s as u32);
                    step.run_on(x, labels).unwrap();
                }
                assert_eq!((adam.steps(), step.pending()), (s as u32 + 1, 0));
            }
            assert_eq!(step.metrics().unwrap().images, 12);
            (values(&net), step.mean_loss().unwrap(), adam.grad_norm().unwrap().item().unwrap())
        };
        let (whole, loss, norm) = run(1);
        for parts in [2, 4] {
            let (got, parts_loss, parts_norm) = run(parts);
            assert!((parts_loss - loss).abs() < 1e-5, "{parts_loss} is not {loss}");
            assert!((parts_norm - norm).abs() < 1e-5 * norm, "{parts_norm} is not {norm}");
            for (got, want) in got.iter().flatten().zip(whole.iter().flatten()) {
                assert!((got - want).abs() < 2e-5, "{parts} parts on {}: {got} is not {want}", device.name());
            }
        }
    }
}

#[test]
fn an_accumulation_begins_without_what_others_left() {
    let device = Device::Cpu;
    let run = |disturbed: bool| {
        let net = plain(&device);
        let sgd = Sgd::new(&net, 0.1);
        let step = TrainStep::captured(&net, &sgd, &options().accumulate(2)).unwrap();
        let other = TrainStep::captured(&net, &sgd, &options()).unwrap();
        if disturbed {
            // A rate of nothing: only the gradients are left behind.
            sgd.set_lr(0.0);
            let (x, labels) = batch(7);
            other.run_on(&x, &labels).unwrap();
            sgd.set_lr(0.1);
        }
        for s in 0..2 {
            let (x, labels) = batch(s);
            step.run_on(&x, &labels).unwrap();
        }
        values(&net)
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn the_plan_of_an_accumulated_step_has_its_update() {
    let device = Device::Cpu;
    let net = net(&device);
    let muon = crate::Muon::new(&net, 0.1);
    let options = options().accumulate(2);
    let predicted = MemoryPlan::predict(&net, &muon, &options).unwrap().step_bytes as f64;
    let step = TrainStep::captured(&net, &muon, &options).unwrap();
    let taken = step.plan().step_bytes as f64;
    let update = device.capture(|| muon.update()).unwrap().1.bytes() as f64;
    assert!(update > 0.0 && taken > update);
    assert!((0.9..1.2).contains(&(predicted / taken)), "predicted {predicted}, taken {taken}");
}

#[test]
#[should_panic(expected = "an update after 0 runs")]
fn an_update_needs_a_run() {
    let _ = options().accumulate(0);
}

/// A network that gives (N, 4, 8, 8), and what it gives for the batch `x`.
fn maps(device: &Device, x: &[f32]) -> (Net, Var) {
    let net = seq![Conv2d::new(4, 1)].build(&Init::seeded(device, 3), [3, 8, 8]).unwrap();
    let y = net.forward(&Var::constant(&Tensor::from_slice(device, options().shape(), x)));
    (net, y)
}

#[test]
fn every_loss_of_a_step_is_the_function_of_its_name_and_falls() {
    const WEIGHTS: [f32; 4] = [0.5, 2.0, 1.25, 0.75];
    type Eager = fn(&Var, &Var, &Tensor) -> Var;
    let losses: [(Loss, bool, Eager); 8] = [
        (Loss::Mse, false, |y, t, _| y.mse_loss(t, Reduction::Mean)),
        (Loss::L1, false, |y, t, _| y.l1_loss(t, Reduction::Mean)),
        (Loss::SmoothL1 { beta: 0.3 }, false, |y, t, _| y.smooth_l1_loss(t, 0.3, Reduction::Mean)),
        (Loss::Huber { delta: 0.3 }, false, |y, t, _| y.huber_loss(t, 0.3, Reduction::Mean)),
        (Loss::BceWithLogits, false, |y, t, _| y.bce_with_logits(t, None, None, Reduction::Mean)),
        (Loss::BceWithLogits, true, |y, t, w| y.bce_with_logits(t, None, Some(&w.reshape([4, 1, 1])), Reduction::Mean)),
        (Loss::SoftCrossEntropy { smoothing: 0.1 }, false, |y, t, _| y.soft_cross_entropy(t, 0.1)),
        (Loss::SoftCrossEntropy { smoothing: 0.0 }, true, |y, t, w| {
            y.soft_cross_entropy(t, CrossEntropy { weight: Some(w.clone()), ..CrossEntropy::default() })
        }),
    ];
    for device in proof::devices() {
        let (x, _) = batch(0);
        let weights = Tensor::from_slice(&device, [4], &WEIGHTS);
        for (loss, weighted, eager) in losses {
            let (net, y) = maps(&device, &x);
            let targets: Vec<f32> = proof::values(y.shape().len(), 5).iter().map(|v| 0.5 + 0.5 * v).collect();
            let options = options().loss(loss).class_weights(if weighted { WEIGHTS.to_vec() } else { Vec::new() });
            let want = eager(&y, &Var::constant(&Tensor::from_slice(&device, y.shape(), &targets)), &weights).item().unwrap();
            let sgd = Sgd::new(&net, 0.05);
            let step = TrainStep::captured(&net, &sgd, &options).unwrap();
            let first = {
                step.run_on_targets(&x, &targets).unwrap();
                step.loss().unwrap()
            };
            assert_eq!(first, want, "{loss:?} on {}", device.name());
            for _ in 0..4 {
                step.run_on_targets(&x, &targets).unwrap();
            }
            assert!(step.loss().unwrap() < first, "{loss:?} on {}", device.name());
            assert_eq!(step.metrics().unwrap().images, 5 * BATCH as u64);
        }
    }
}

#[test]
fn every_place_of_a_map_has_its_label_and_counts_its_part_of_the_image() {
    for device in proof::devices() {
        let (x, _) = batch(0);
        let (net, y) = maps(&device, &x);
        let right = gpu_core::ops::argmax(y.value()).read::<u32>().unwrap();
        // A quarter of the places is labelled otherwise.
        let labels: Vec<u32> = right.iter().enumerate().map(|(i, l)| if i % 4 == 0 { (l + 1) % 4 } else { *l }).collect();
        let step = EvalStep::captured(&net, &device, &options().class_weights([0.5, 2.0, 1.25, 0.75])).unwrap();
        assert_eq!(step.labels().shape(), Shape::from([BATCH, 8, 8]));
        step.run_on(&x, &labels).unwrap();
        let metrics = step.metrics().unwrap();
        assert_eq!((metrics.images, metrics.accuracy), (BATCH as u64, 0.75));
        let weight = Some(Tensor::from_slice(&device, [4], &[0.5f32, 2.0, 1.25, 0.75]));
        let want = y.cross_entropy(step.labels(), CrossEntropy { weight, ..CrossEntropy::default() });
        assert_eq!(step.loss().unwrap(), want.item().unwrap());
    }
}

#[test]
fn class_weights_that_do_not_fit_the_output_are_refused() {
    let (net, _) = maps(&Device::Cpu, &batch(0).0);
    let Err(error) = EvalStep::captured(&net, &Device::Cpu, &options().class_weights([1.0; 3])) else { panic!("they fit") };
    assert_eq!(error.to_string(), "3 class weights are given for an output of shape [4, 4, 8, 8]");
}

#[test]
fn a_step_launches_many_kernels_and_compiles_few() {
    // Each pipeline more is 10 to 200 ms more before the first step, by the driver.
    const MOST: [(&str, usize, usize); 2] = [("small-cnn", 27, 12), ("resnet20", 37, 13)];
    for device in proof::devices() {
        for (model, training, evaluation) in MOST {
            let net = zoo::build(model, &Init::seeded(&device, 1), [3, 32, 32].into(), 10).unwrap();
            let options = StepOptions::new(2, [3, 32, 32]);
            let train = TrainStep::captured(&net, &Sgd::new(&net, 0.1).momentum(0.9), &options).unwrap();
            let eval = EvalStep::captured(&net, &device, &options).unwrap();
            let found = (train.pipelines(), eval.pipelines());
            if device.is_gpu() {
                assert!(found.0 <= training && found.1 <= evaluation, "{model}: {found:?}");
                assert!(found.0 > 0 && found.1 > 0 && train.dispatches() > 2 * found.0, "{model}: {found:?}");
            } else {
                assert_eq!(found, (0, 0));
            }
        }
    }
}
