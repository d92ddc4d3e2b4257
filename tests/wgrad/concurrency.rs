//! Several threads on one device.

use crate::training::train;
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;
use wgrad::prelude::*;
use wgrad::proof;

/// A chain of launches that depends on every one before.
fn chain(device: &Device, seed: u64) -> Vec<f32> {
    let w = proof::tensor(device, [24, 24], seed);
    let mut x = proof::tensor(device, [16, 24], seed + 1);
    for _ in 0..40 {
        x = ops::scale(&ops::relu(&ops::matmul(&x, &w)), 0.5);
        x = ops::add(&x, &proof::tensor(device, [24], seed + 2)); // an upload in between
    }
    x.to_vec().unwrap()
}

#[test]
fn threads_that_share_a_device_compute_what_one_would() {
    for device in proof::devices() {
        let want: Vec<_> = (0..3).map(|seed| chain(&device, seed)).collect();
        let got: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..3)
                .map(|seed| {
                    scope.spawn({
                        let device = &device;
                        move || chain(device, seed)
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(want, got, "{}", device.name());
    }
}

#[test]
fn two_trainings_at_once_are_the_two_trainings() {
    for device in proof::devices() {
        let want = [train(&device, 5, 4), train(&device, 6, 4)];
        let got = thread::scope(|scope| {
            [5, 6]
                .map(|seed| {
                    scope.spawn({
                        let device = &device;
                        move || train(device, seed, 4)
                    })
                })
                .map(|t| t.join().unwrap())
        });
        assert_eq!(want, got, "{}", device.name());
    }
}

#[test]
fn a_capture_records_its_own_thread_only() {
    for device in proof::devices() {
        let x = proof::tensor(&device, [64], 1);
        let (inside, outside) = (Barrier::new(2), Barrier::new(2));
        let (y, capture) = thread::scope(|scope| {
            let other = scope.spawn(|| {
                inside.wait();
                let now = ops::scale(&x, 3.0).to_vec().unwrap(); // runs, and may be read, while the other thread records
                outside.wait();
                now
            });
            let recorded = device.capture(|| {
                let y = ops::scale(&x, 2.0);
                inside.wait();
                outside.wait();
                ops::add(&y, &x)
            });
            let want: Vec<f32> = x.to_vec().unwrap().iter().map(|v| 3.0 * v).collect();
            assert_eq!(other.join().unwrap(), want, "{}", device.name());
            recorded.unwrap()
        });
        assert_eq!(capture.len(), 2, "{}", device.name());
        // A capture may be replayed from any thread.
        thread::scope(|scope| scope.spawn(|| capture.replay().unwrap()).join().unwrap());
        let want: Vec<f32> = x.to_vec().unwrap().iter().map(|v| 2.0 * v + v).collect();
        assert_eq!(y.to_vec().unwrap(), want, "{}", device.name());
    }
}

/// What `f` gives; a panic if it hangs, where the test would.
fn in_time<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    let worker = thread::spawn(move || drop(send.send(f())));
    match receive.recv_timeout(Duration::from_secs(300)) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("threads wait for each other"),
        Err(mpsc::RecvTimeoutError::Disconnected) => std::panic::resume_unwind(worker.join().unwrap_err()),
        Ok(value) => value,
    }
}

/// Runs `f` on so many threads at once.
fn together(threads: usize, f: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        (0..threads).for_each(|i| {
            drop(scope.spawn({
                let f = &f;
                move || f(i)
            }))
        })
    });
}

#[test]
fn copies_to_and_fro_end_and_are_whole() {
    for device in proof::devices() {
        let [a, b] = [1.0, 2.0].map(|v| Tensor::full(&device, [4096], v));
        let ends = in_time(move || {
            together(32, |i| {
                for _ in 0..100 {
                    if i % 2 == 0 { ops::copy_into(&a, &b) } else { ops::copy_into(&b, &a) }
                }
            });
            [a, b].map(|t| t.to_vec().unwrap())
        });
        for end in ends {
            assert!(end.iter().all(|v| *v == end[0]), "mixed on {}: {:?}", device.name(), &end[..8]);
        }
    }
}

#[test]
fn a_capture_that_threads_share_is_replayed_as_a_whole_each_time() {
    for device in proof::devices() {
        let x = Tensor::zeros(&device, [64]);
        let (_, capture) = device.capture(|| ops::copy_into(&ops::add_scalar(&x, 1.0), &x)).unwrap();
        let sum = in_time(move || {
            together(8, |_| (0..50).for_each(|_| capture.replay().unwrap()));
            x.to_vec().unwrap()
        });
        assert_eq!(sum, [400.0; 64], "on {}", device.name());
    }
}

#[test]
fn an_evaluation_that_threads_share_sees_each_batch_whole() {
    for device in proof::devices() {
        let net = seq![Flatten, Linear::new(3)].build(&Init::seeded(&device, 0), [1, 4, 4]).unwrap();
        let step = EvalStep::captured(&net, &device, &StepOptions::new(2, [1, 4, 4])).unwrap();
        let batch = |i: usize| proof::values(32, i as u64);
        let alone: Vec<f64> = (0..4)
            .map(|i| {
                step.reset_metrics();
                step.run_on(&batch(i), &[0, 2]).unwrap();
                step.mean_loss().unwrap()
            })
            .collect();
        step.reset_metrics();
        let mean = in_time(move || {
            together(4, |i| (0..20).for_each(|_| step.run_on(&batch(i), &[0, 2]).unwrap()));
            step.mean_loss().unwrap()
        });
        let want = alone.iter().sum::<f64>() / 4.0;
        assert!((mean - want).abs() < 1e-5 * want, "{mean} is not {want} on {}", device.name());
    }
}

/// Fails to compile if one of these cannot be shared between threads.
#[test]
fn everything_public_is_send_and_sync() {
    use wgrad::{gpu_core, nn, train};
    fn shared<T: Send + Sync>() {}
    shared::<(Device, gpu_core::Gpu, gpu_core::AdapterInfo, Capture, Kernel, gpu_core::Specialised, Grid, Args<'static>)>();
    shared::<(Tensor, Shape, DType, gpu_core::MemoryStats, gpu_core::Error, proof::Case, proof::Launch, gpu_core::rng::Stream)>();
    shared::<(ops::Conv2dGeometry, ops::ConvTranspose2dGeometry, ops::Pool2dGeometry, ops::Augment, ops::DropoutKey)>();
    shared::<(Tape, Var, Gradients, Param, Init, Scheme, Sequential, Residual, AnyLayer, Net, Box<dyn Module>)>();
    shared::<(Conv2d, ConvTranspose2d, BatchNorm2d, Linear, Dropout, Dropout2d, Relu, Flatten, MaxPool2d, AvgPool2d)>();
    shared::<(Conv1d, ConvTranspose1d, MaxPool1d, AvgPool1d, AdaptiveAvgPool2d, AdaptiveMaxPool2d, GlobalMaxPool)>();
    shared::<(Upsample, PixelShuffle, PixelUnshuffle, ops::Upsample2dGeometry, ops::Divisor, ops::Padding<2>, Edges<2>, Extents<2>)>(
    );
    shared::<(Sgd, AdamW, Box<dyn Optimizer>, Schedule, TrainStep, EvalStep, StepOptions, nn::MemoryPlan, nn::StepError, Summary)>(
    );
    shared::<(ShapeError, nn::BuildError, Plan, Fill)>();
    shared::<(nn::Checkpoint, nn::CheckpointError, nn::Spec, nn::SpecError, nn::Slots, nn::Metrics, GlobalAvgPool)>();
    shared::<(Dataset, ImageSet, Source<'static>, train::loader::Feed, train::evaluate::Evaluator)>();
    shared::<(train::Error, data::DataError, train::settings::Config, train::model::Trained, train::run_folder::RunFolder)>();
}
