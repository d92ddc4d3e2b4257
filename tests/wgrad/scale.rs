//! What a step costs, counted: memory, launches, bytes and operations, and how each grows with the batch. No clocks.

use crate::environment::child;
use wgrad::gpu_core::Shape;
use wgrad::nn::{Summary, zoo};
use wgrad::prelude::*;

const INPUT: [usize; 3] = [3, 32, 32];

/// What `f` makes of a recorded step of small-cnn.
fn with_step<R>(device: &Device, batch: usize, f: impl FnOnce(&TrainStep) -> R) -> R {
    let net = zoo::build("small-cnn", &Init::seeded(device, 0), INPUT.into(), 10).unwrap();
    let sgd = Sgd::new(&net, 0.01).momentum(0.9).weight_decay(5e-4);
    f(&TrainStep::captured(&net, &sgd, &StepOptions::new(batch, INPUT)).unwrap())
}

#[test]
#[ignore = "a child of the test below"]
fn memory_of_a_run() {
    for device in proof::devices() {
        with_step(&device, 64, |step| {
            let plan = *step.plan();
            let (x, labels) = (proof::values(step.x().len(), 1), vec![3; 64]);
            for _ in 0..4 {
                step.run_on(&x, &labels).unwrap();
                step.metrics().unwrap();
            }
            device.trim();
            let memory = device.memory();
            assert_eq!(memory.live + memory.pooled, plan.peak_bytes, "{}: in use after four steps", device.name());
            assert_eq!(memory.peak, plan.peak_bytes, "{}: at the peak", device.name());
            assert!(plan.step_bytes > 64 * 32 * 32 * 32 * 4, "{plan:?}");
        });
    }
    println!("found: all");
}

/// In a process of its own: tests beside it would be counted too.
#[test]
fn a_run_takes_the_bytes_of_its_plan_to_the_last() {
    assert_eq!(child("scale::memory_of_a_run", &[]), "all");
}

/// What a call panics with.
fn told<R>(call: impl FnOnce() -> R) -> String {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
        Ok(_) => String::new(),
        Err(panic) => *panic.downcast().unwrap(),
    }
}

/// In release builds the products wrapped: the first shape had two elements, and the last batch none.
#[test]
fn a_size_beyond_counting_is_refused_before_anything_is_made() {
    let wraps = [3, 6_148_914_691_236_517_206];
    for device in proof::devices() {
        let four = Tensor::from_slice(&device, [4], &[1.0f32; 4]);
        let messages = [
            (told(|| Tensor::from_slice(&device, wraps, &[1.0f32; 2])), "Shape: [3, 6148914691236517206] has more elements than"),
            (told(|| Tensor::zeros(&device, wraps)), "Shape: [3, 6148914691236517206] has more elements than"),
            (told(|| four.reshape(wraps)), "Shape: [3, 6148914691236517206] has more elements than"),
            (told(|| four.view(usize::MAX, [1])), "view: [1] at 18446744073709551615 reaches past the end of [4]"),
            (
                told(|| Tensor::empty_of(&device, [65_536, 65_536], DType::U8)),
                "Tensor: [65536, 65536] has 4294967296 elements; kernels number 4294967295 at most",
            ),
        ];
        for (got, want) in messages {
            assert!(got.starts_with(want), "{got}");
        }
        for batch in [1 << 30, usize::MAX / 64, usize::MAX] {
            let net = zoo::build("small-cnn", &Init::seeded(&device, 0), INPUT.into(), 10).unwrap();
            let step = TrainStep::captured(&net, &Sgd::new(&net, 0.1), &StepOptions::new(batch, INPUT));
            let error = step.map(drop).unwrap_err().to_string();
            assert!(error.contains("the input"), "{error}");
        }
        device.synchronize().unwrap();
    }
}

/// From 32 images on: the sum of fewer has one stage less.
#[test]
fn launches_of_a_step_do_not_depend_on_the_batch() {
    for device in proof::devices() {
        let launches = [32, 64, 128, 256].map(|batch| with_step(&device, batch, TrainStep::dispatches));
        assert!(launches[0] > 20 && launches.iter().all(|&n| n == launches[0]), "{}: {launches:?}", device.name());
    }
}

/// The step from one batch to twice as many images costs half as much as the next doubling, within `share`.
#[track_caller]
fn assert_linear(what: &str, [a, b, c]: [u64; 3], share: f64) {
    let (first, second) = ((b - a) as f64, (c - b) as f64);
    assert!((second / (2.0 * first) - 1.0).abs() <= share, "{what}: {a}, {b}, {c}");
    // And most of it is the images': no fixed cost hides the growth.
    assert!(second > 0.5 * b as f64 * (1.0 - share), "{what}: {a}, {b}, {c}");
}

#[test]
fn bytes_of_a_step_grow_linearly_with_the_batch() {
    for device in proof::devices() {
        let bytes = |batch| {
            let (device, launches) = proof::counted(&device);
            with_step(&device, batch, |_| ());
            launches.take().iter().map(|l| l.bytes).sum()
        };
        assert_linear(&format!("bytes moved on {}", device.name()), [32, 64, 128].map(bytes), 0.02);
        let memory = |batch| with_step(&device, batch, |step| step.plan().step_bytes);
        assert_linear(&format!("bytes owned on {}", device.name()), [32, 64, 128].map(memory), 0.02);
    }
}

#[test]
fn operations_of_a_step_grow_linearly_with_the_batch() {
    for model in ["small-cnn", "resnet20", "mobilenet"] {
        let net = zoo::build(model, &Init::seeded(&Device::Cpu, 0), INPUT.into(), 10).unwrap();
        let work = |n: usize| Summary::of(&net, Shape::from([n, 3, 32, 32])).unwrap().multiply_adds;
        assert!(work(1) > 1_000_000);
        assert_eq!([2, 7, 128].map(work), [2, 7, 128].map(|n| n as u64 * work(1)), "{model}");
    }
}
