//! The settings of a training run, one row each. A new one is a row here, and its use.

use super::define::settings;
#[cfg(feature = "cli")]
use super::fallback::with_words;
use super::fallback::{Basis, Fallback, always, by_data, by_optimizer, named};
use super::kinds::OptimizerKind::{Adadelta, Adagrad, Adam, Adamw, Lion, Muon, Rmsprop, Sgd};
use super::kinds::{
    ClassWeights, DeviceKind, LossKind, OptimizerKind, PrecisionKind, ScheduleKind, TestImages, Validation, Warmup,
};
use super::range::{Range, count_from, fingerprint, folder_name, non_negative, positive, share, side, warmup};
use super::row::{Resume, Row};
use crate::data::{InMemory, Sampler, builtin};
use crate::error::Result;
use crate::photo::{Background, Fit};
use crate::tta::Tta;
use std::path::PathBuf;

/// What `-h` shows; `--help` shows all.
#[cfg(feature = "cli")]
const COMMON: &[&str] = &[
    "data",
    "model",
    "weights",
    "epochs",
    "batch_size",
    "optimizer",
    "lr",
    "schedule",
    "augment",
    "seed",
    "device",
    "out",
    "name",
    "val",
    "image_size",
];

settings! {
    "Data" {
        /// Data set: the built-in one, a folder with CIFAR-10, CIFAR-100, MNIST, pictures by class (cat/1.jpg) or with masks,
        /// cifar-10-binary.tar.gz, or a table of pictures (a row path,label each)
        data: String, "builtin|DIR|FILE", default named(builtin::NAME);
    }
    "Model" {
        /// Network: small-cnn, resnet20, lenet, ..., or a layer list (FILE.json or FILE.toml)
        model: String, "NAME|FILE", default named("small-cnn");
        /// Start from the weights of a PyTorch state dict in this file (.pth or .safetensors): torchvision's names, or positions
        weights: PathBuf, "FILE";
        /// Take from --weights what fits, and initialise the rest at random, such as another head
        lenient: bool, "true|false", alone "true";
    }
    "Optimisation" {
        /// Passes over the training images; more over few pictures
        epochs: u64, "N", short 'e', default by_data(1, 5), range count_from(1), resume MayChange;
        /// Images in a step; fewer of few pictures
        batch_size: usize, "N", short 'b', default always(64), range count_from(1);
        /// Update rule
        optimizer: OptimizerKind, "OPTIMIZER", default always(OptimizerKind::default());
        /// Learning rate, the highest one of the schedule
        lr: f64, "RATE", default by_optimizer(
            &[(0.05, &[Sgd]), (0.002, &[Adam, Adamw]), (0.001, &[Rmsprop]), (0.01, &[Adagrad]), (1.0, &[Adadelta]), (0.0003, &[Lion]), (0.02, &[Muon])], None,
        ), range positive();
        /// Momentum
        momentum: f64, "M", default by_optimizer(
            &[(0.9, &[Sgd]), (0.0, &[Rmsprop]), (0.95, &[Muon])], Some((0.9, "; the others have none")),
        ), range share();
        /// Look ahead along the momentum, as Nesterov has it; for sgd and muon
        nesterov: bool, "true|false", alone "true", unset "true for muon, false for sgd";
        /// Weight decay
        weight_decay: f64, "D", default by_optimizer(
            &[(5e-4, &[Sgd]), (0.01, &[Adamw, Muon]), (0.1, &[Lion])], Some((0.0, ", else 0")),
        ), range non_negative();
        /// No weight decay for biases and normalisations
        decay_weights_only: bool, "true|false", alone "true", unset "false";
        /// Largest norm of all gradients together; larger ones are scaled down to it
        clip_norm: f64, "NORM", unset "none", range positive();
        /// Largest size of each element of a gradient; larger ones are cut off
        clip_value: f64, "LIMIT", unset "none", range positive();
        /// Keep a moving average of the weights with this decay, evaluate it and save it as the best
        ema: f64, "DECAY", unset "none", range share();
        /// Compute each step in this many parts of the batch, to save memory
        accumulate: u32, "N", default always(1);
        /// Keep activations only between this many segments of the network and recompute the others, to save memory; without a number,
        /// the square root of the number of layers
        checkpoint_activations: usize, "SEGMENTS", alone "0", default always(1), range count_from(0);
        /// mixed rounds the factors of products to f16 and adds their products up in f32, as a GPU's matrix units do; weights stay f32
        precision: PrecisionKind, "PRECISION", unset "f32";
        /// Learning rate over the steps
        schedule: ScheduleKind, "SCHEDULE", default always(ScheduleKind::OneCycle);
        /// How long the learning rate first rises: steps, a part of the run (5%), or epochs (2 epochs); the schedule takes the rest. Not with
        /// one-cycle, which has its own rise
        warmup: Warmup, "STEPS|SHARE%|EPOCHS", default always(Warmup::Steps(0)), range warmup();
        /// Share of the target that is spread over all classes
        label_smoothing: f64, "S", default always(0.0), range share();
        /// What is minimised where pictures have masks: cross-entropy, or dice, which adds 1 minus the mean Dice of the classes
        loss: LossKind, "LOSS", unset "cross-entropy";
        /// How much the images of each class weigh in the loss of the training
        class_weights: ClassWeights, "WEIGHTS", unset "all alike";
        /// Which images an epoch shows, and in which order
        sampler: Sampler, "SAMPLER", unset "shuffled";
    }
    "Model" {
        /// Leave these parameters and statistics as they are: keys of a checkpoint, with * for any characters and commas between, as in
        /// layer1.*,layer2.*
        freeze: String, "KEYS", unset "none";
    }
    "Optimisation" {
        /// Other learning rates for some parameters: keys, as for --freeze, and a factor, as in 'layer*=0.1'
        lr_scale: String, "KEYS=FACTOR", unset "none";
    }
    "Data" {
        /// auto (for CIFAR flip, and crop from 10 epochs on; for pictures flip and crop; else none), none, or several of flip, crop, cutout,
        /// resized-crop, rotate, affine, jitter, erase, randaugment, mixup, cutmix, with a comma between; the later ones take a number too,
        /// as in rotate=30
        augment: String, "LIST", default named("auto");
    }
    "Run" {
        /// Seed of the weights, the order of the images, augmentation and dropout
        seed: u64, "N", default always(0), range count_from(0);
        /// Where to run
        device: DeviceKind, "DEVICE", default always(DeviceKind::Auto), resume MayChange;
        /// Folder in which the run's folder is made
        out: PathBuf, "DIR", short 'o', default named("runs");
        /// Name of the run's folder
        name: String, "NAME", unset "DATA-MODEL-NUMBER", range folder_name(), resume Once;
    }
    "Data" {
        /// Images to choose the best weights by: a number or a share of the training images, which are then not learned from; own, those
        /// that the set has; test, the test images; or none
        val: Validation, "N|SHARE|own|test|none", unset "own, else 5000, or a tenth where that is less";
        /// Test images of pictures that have none of their own: a number or a share of the others, or none
        test: TestImages, "N|SHARE|none", unset "a tenth";
        /// Rows and columns that pictures are brought to
        image_size: usize, "PIXELS", unset "64, or what the layer list takes", range side();
        /// How a picture of another shape fits that: stretched, or its middle
        fit: Fit, "FIT", unset "stretch";
        /// Colour under what is transparent in pictures: white, black, grey, or as in #ff8000
        background: Background, "COLOUR", unset "white";
        /// Leave out pictures that cannot be read, and list them
        skip_bad: bool, "true|false", alone "true";
        /// Keep pictures as they were decoded in this folder, for the next run
        cache: PathBuf, "DIR", unset "none; that of --out for --in-memory off";
        /// Hold all pictures in memory, or decode each when it is first needed and read it from the cache from then on: the same images
        in_memory: InMemory, "MODE", unset "auto: on where they take up to half of what is free", resume MayChange;
    }
    "Optimisation" {
        /// Stop after this many epochs that were no better than the best before them
        patience: u64, "EPOCHS", unset "none", range count_from(1), resume MayChange;
    }
    "Run" {
        /// Stop after this many steps in all; the schedule stays that of the whole run
        max_steps: u64, "N", range count_from(1), resume PerCommand;
    }
    "Data" {
        /// At the end, name each test image by the mean of the probabilities of the image and of its mirror image
        tta: Tta, "flip", unset "none";
        /// Evaluate on the first N validation and test images only; 0 for none
        test_images: usize, "N", unset "all", range count_from(0);
    }
    "Run" {
        /// Steps between two checkpoints; the end of each epoch has one of its own
        save_every: u64, "STEPS", default always(500), range count_from(1);
        /// Steps between two lines of metrics.jsonl
        log_every: u64, "STEPS", default always(50), range count_from(1);
        /// Write what is logged for TensorBoard too, into the run's folder
        tensorboard: bool, "true|false", alone "true", resume MayChange;
        /// Write what the time is spent on to this file, for ui.perfetto.dev or about:tracing
        trace: PathBuf, "FILE.json", unset "none", resume PerCommand;
        /// Leave the pictures and the layers out of report.html, which take about as long as four steps at the end of a run
        plain_report: bool, "true|false", alone "true", unset "false", resume MayChange;
    }
    "Model" {
        /// Leave this out where a key of --weights begins with it, such as module.
        strip_prefix: String, "PREFIX";
    }
    "Data" {
        /// Refuse another data set than that of this fingerprint; the config.toml of a run has its own
        data_fingerprint: String, "HEX", range fingerprint();
    }
}
