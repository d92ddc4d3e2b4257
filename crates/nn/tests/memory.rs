//! Memory does not grow from step to step, and a step over the budget is refused with the batch that fits. A process has one
//! account of its memory and one budget, so each test here runs in a process of its own.

use gpu_core::{DType, Device, Tensor};
use nn::{Init, Optimizer, Sgd, StepError, StepOptions, Tape, TrainStep, zoo};
use std::process::Command;

/// Runs the ignored test `name` of this file alone, under a budget.
fn alone(name: &str, mib: Option<u32>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]);
    if let Some(mib) = mib {
        command.env("WGRAD_MEMORY_MIB", mib.to_string());
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

fn step(device: &Device, batch: usize) -> Result<TrainStep, StepError> {
    let net = zoo::build("resnet20", &Init::seeded(device, 0), [3, 16, 16].into(), 10).unwrap();
    let sgd = Sgd::new(&net, 0.1);
    TrainStep::captured(&net, &sgd, &StepOptions::new(batch, [3, 16, 16]))
}

#[test]
fn memory_does_not_grow() {
    alone("steps_in_a_row", None);
}

#[test]
#[ignore = "run by memory_does_not_grow in a process of its own"]
fn steps_in_a_row() {
    for device in proof::devices() {
        let step = step(&device, 2).unwrap();
        let run = || {
            step.run_on(&vec![0.5; 2 * 3 * 16 * 16], &[1, 2]).unwrap();
            step.metrics().unwrap();
            device.memory()
        };
        let first = run();
        let (planned, taken) = (step.plan().peak_bytes, first.live + first.pooled);
        assert!(planned.abs_diff(taken) < 4096, "planned {planned}, measured {first:?}");
        for _ in 0..3 {
            assert_eq!(run(), first, "{}", device.name());
        }
    }
}

#[test]
fn what_lies_idle_has_a_bound() {
    alone("tensors_of_rising_size", None);
}

/// 1.15 GB if each is kept.
#[test]
#[ignore = "run by what_lies_idle_has_a_bound in a process of its own"]
fn tensors_of_rising_size() {
    for device in proof::devices() {
        for i in 1..=1500 {
            Tensor::zeros(&device, [i * 256]);
        }
        let memory = device.memory();
        let most = (32 << 20) + 1500 * 1024;
        assert!(memory.pooled <= 32 << 20 && memory.peak <= most, "{memory:?} on {}", device.name());
        // Steps that are not recorded ask for the same sizes in turn: after a few of them the device has what they take.
        let net = zoo::build("resnet20", &Init::seeded(&device, 0), [3, 32, 32].into(), 10).unwrap();
        let sgd = Sgd::new(&net, 0.1);
        let (x, labels) = (Tensor::full(&device, [24, 3, 32, 32], 0.5), Tensor::zeros_of(&device, [24], DType::U32));
        let step = || {
            let x = Tape::new(&device).input(&x);
            sgd.step(&net.forward(&x).cross_entropy(&labels, 0.0).backward());
            device.synchronize().unwrap();
            device.memory()
        };
        for _ in 0..6 {
            step();
        }
        let settled = step();
        assert!(settled.pooled > 32 << 20, "the step is too small to show anything: {settled:?}");
        assert_eq!([step(), step()], [settled; 2], "{}", device.name());
    }
}

#[test]
fn a_step_over_the_budget_names_the_batch_that_fits() {
    alone("a_budget_of_64_mib", Some(64));
}

#[test]
#[ignore = "run by a_step_over_the_budget_names_the_batch_that_fits in a process of its own"]
fn a_budget_of_64_mib() {
    for device in proof::devices() {
        let Err(StepError::TooLarge { fits, .. }) = step(&device, 5000).map(drop) else { panic!("5000 images fit into 64 MiB") };
        assert!((10..5000).contains(&fits), "{fits}");
        // What it names does fit, and twice that does not.
        let step_that_fits = step(&device, fits).unwrap();
        step_that_fits.run().unwrap();
        assert!(step_that_fits.plan().peak_bytes <= device.memory().limit);
        drop(step_that_fits);
        assert!(step(&device, 2 * fits).is_err());
        // A step that is kept takes its room from the next, used or not.
        let _half = step(&device, fits / 2).unwrap();
        let Err(StepError::TooLarge { fits: beside, .. }) = step(&device, fits).map(drop) else { panic!("both fit") };
        assert!(beside <= fits / 2 + 1, "{beside} beside {}", fits / 2);
        device.synchronize().unwrap();
    }
}
