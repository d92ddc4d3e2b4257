//! A small training, and what holds of it: the loss falls, and two runs give the same bits.

use wgrad::nn::parameters;
use wgrad::prelude::*;
use wgrad::proof;

const BATCH: usize = 8;

/// The bits of every loss and, at the end, of every parameter.
#[derive(Debug, PartialEq)]
pub struct Trained {
    pub losses: Vec<f32>,
    pub bits: Vec<u32>,
}

/// Trains a network with every kind of layer that has a state or a random number on one batch.
pub fn train(device: &Device, seed: u64, steps: usize) -> Trained {
    let net = seq![
        Conv2d::new(8, 3).padding(1).no_bias(),
        BatchNorm2d::new(),
        Relu,
        Residual::new(seq![Conv2d::new(8, 3).padding(1), BatchNorm2d::new()]),
        MaxPool2d::new(2),
        Dropout::new(0.1),
        Flatten,
        Linear::new(4),
    ];
    let net = net.build(&Init::seeded(device, seed), [3, 8, 8]).unwrap();
    let sgd = Sgd::new(&net, 0.05).momentum(0.9).weight_decay(5e-4);
    let options = StepOptions::new(BATCH, [3, 8, 8]).seed(seed);
    let step = TrainStep::captured(&net, &sgd, &options).unwrap();
    let x = proof::values(step.x().len(), seed);
    let labels: Vec<u32> = (0..BATCH as u32).map(|i| i % 4).collect();
    let losses: Vec<f32> = (0..steps)
        .map(|_| {
            step.run_on(&x, &labels).unwrap();
            step.loss().unwrap()
        })
        .collect();
    let bits = parameters(&net).iter().flat_map(|(_, p)| p.value().to_vec().unwrap()).map(f32::to_bits).collect();
    Trained { losses, bits }
}

#[test]
fn a_captured_training_lowers_the_loss() {
    for device in proof::devices() {
        let losses = train(&device, 1, 30).losses;
        assert!(losses[29] < 0.2 * losses[0], "{}: {losses:?}", device.name());
    }
}

#[test]
fn two_runs_of_one_seed_give_the_same_bits_and_another_seed_gives_others() {
    for device in proof::devices() {
        let first = train(&device, 2, 5);
        assert_eq!(first, train(&device, 2, 5), "{}", device.name());
        assert_ne!(first, train(&device, 3, 5), "{}", device.name());
    }
}

#[test]
fn both_devices_learn_the_same() {
    let Some(gpu) = proof::gpu() else { return };
    let (want, got) = (train(&Device::Cpu, 4, 5).losses, train(&gpu, 4, 5).losses);
    let near = want.iter().zip(&got).all(|(w, g)| (w - g).abs() < 1e-3 * w.abs());
    assert!(near, "{want:?} on the CPU, {got:?} on {}", gpu.name());
}

#[test]
fn a_saved_network_is_the_same_network_on_every_device() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.safetensors");
    let build = |device: &Device, seed| {
        let net = seq![Conv2d::new(4, 3), BatchNorm2d::new(), Relu, Flatten, Linear::new(5)];
        net.build(&Init::seeded(device, seed), [3, 8, 8]).unwrap()
    };
    let logits =
        |net: &Net, device: &Device| net.forward(&Var::constant(&proof::tensor(device, [2, 3, 8, 8], 7))).value().to_vec().unwrap();
    let saved = build(&Device::Cpu, 1);
    checkpoint::save(&saved, &path).unwrap();
    let want = logits(&saved, &Device::Cpu);
    for device in proof::devices() {
        let other = build(&device, 2);
        checkpoint::load(&other, &path).unwrap();
        let found = proof::difference(&logits(&other, &device), &want, proof::Bound::Relative(1e-5));
        assert!(found.ok(), "{}: {found:?}", device.name());
    }
}
