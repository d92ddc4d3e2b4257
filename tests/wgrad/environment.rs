//! What the environment variables change, and what they do not. Each setting is read when a device opens, so it needs a process of
//! its own: this binary again, with one test that is ignored otherwise.

use crate::training::train;
use std::process::Command;
use wgrad::gpu_core::Error;
use wgrad::nn::StepError;
use wgrad::prelude::*;

/// Runs the ignored test `name` with these variables; what it printed after `found: `.
#[track_caller]
pub fn child(name: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]).envs(variables.iter().copied());
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{variables:?}: {stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    let found = stdout.split("found: ").nth(1).unwrap_or_else(|| panic!("{name} did not run: {stdout}"));
    found.lines().next().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "a child of the tests below"]
fn bits_of_a_training() {
    let Some(gpu) = proof::gpu() else { return println!("found: none") };
    let trained = train(&gpu, 1, 3);
    let fold = |hash: u64, bits: u32| (hash ^ u64::from(bits)).wrapping_mul(0x0100_0000_01b3);
    println!("found: {:?} {:x}", trained.losses, trained.bits.into_iter().fold(0xcbf2_9ce4_8422_2325, fold));
}

#[test]
fn parameters_by_uniforms_or_immediates_and_checks_or_none_give_the_same_bits() {
    const NAME: &str = "environment::bits_of_a_training";
    let want = child(NAME, &[("WGRAD_CHECKED", "1")]);
    assert_eq!(want, child(NAME, &[("WGRAD_CHECKED", "0")]));
    assert_eq!(want, child(NAME, &[("WGRAD_CHECKED", "1"), ("WGRAD_IMMEDIATES", "0")]));
    assert_eq!(want, child(NAME, &[("WGRAD_CHECKED", "0"), ("WGRAD_IMMEDIATES", "0")]));
}

/// Eight storage buffers, 256 invocations, no immediates, no subgroups, no f16.
#[test]
fn training_runs_within_webgpus_default_limits() {
    const NAME: &str = "environment::bits_of_a_training";
    let (all, least) = (child(NAME, &[]), child(NAME, &[("WGRAD_LIMITS", "webgpu")]));
    // Losses to the digits in which sums of another order agree.
    let losses = |found: &str| {
        found.split(&['[', ']'][..]).nth(1).unwrap_or_default().split(", ").map(|v| v.parse::<f32>().unwrap()).collect::<Vec<_>>()
    };
    if all != "none" {
        let (all, least) = (losses(&all), losses(&least));
        assert!(
            all.len() == least.len() && all.iter().zip(&least).all(|(a, b)| (a - b).abs() <= 1e-4 * a.abs()),
            "{all:?} {least:?}"
        );
    }
}

const BUDGET_MIB: &str = "16";

#[test]
#[ignore = "a child of the test below"]
fn a_budget_is_kept() {
    for device in proof::devices() {
        assert_eq!(device.memory().limit, 16 << 20);
        let net = seq![Conv2d::new(16, 3).padding(1), Relu, Flatten, Linear::new(10)];
        let net = net.build(&Init::seeded(&device, 0), [3, 32, 32]).unwrap();
        let sgd = Sgd::new(&net, 0.1);
        let captured = |batch| TrainStep::captured(&net, &sgd, &StepOptions::new(batch, [3, 32, 32]));
        let Err(StepError::TooLarge { fits, .. }) = captured(512) else { panic!("a batch of 512 was accepted") };
        assert!(fits > 0, "nothing fits");
        let step = captured(fits).unwrap();
        step.run_on(&vec![0.5; step.x().len()], &vec![0; fits]).unwrap();
        assert!(step.loss().unwrap().is_finite());
        let memory = device.memory();
        assert!(memory.peak <= memory.limit, "{memory:?}");
    }
    if let Some(gpu) = proof::gpu() {
        let x = Tensor::zeros(&gpu, [8 << 20]);
        for _ in 0..2 {
            assert!(matches!(x.to_vec(), Err(Error::OutOfMemory { asked: 33_554_432, .. })), "{:?}", x.to_vec().err());
            assert!(matches!(ops::relu(&x).to_vec(), Err(Error::OutOfMemory { .. })));
        }
    }
    for device in proof::devices() {
        let asked = gpu_core::within_memory(|| Tensor::zeros(&device, [8 << 20]));
        assert!(matches!(asked, Err(Error::OutOfMemory { asked: 33_554_432, .. })), "{device:?}");
    }
    if let Ok(fresh) = Device::gpu() {
        assert!(gpu_core::within_memory(|| Tensor::zeros(&fresh, [8 << 20])).is_err());
        assert_eq!(Tensor::scalar(&fresh, 2.0).item(), Ok(2.0), "who waits for a refusal has a device without fault");
    }
    println!("found: all refused");
}

#[test]
fn what_is_over_the_budget_is_refused_and_what_is_said_to_fit_does() {
    assert_eq!(child("environment::a_budget_is_kept", &[("WGRAD_MEMORY_MIB", BUDGET_MIB)]), "all refused");
}

#[test]
#[ignore = "a child of the test below"]
fn no_adapter_is_found() {
    let refused = [Device::auto(), Device::gpu()].map(|d| d.unwrap_err().to_string());
    println!("found: {}", refused.join("; "));
}

#[test]
fn an_adapter_that_does_not_exist_is_named() {
    let found = child("environment::no_adapter_is_found", &[("WGRAD_ADAPTER", "abacus")]);
    assert_eq!(found.matches("no adapter's name contains \"abacus\"").count(), 2, "{found}");
}
