//! The examples that are no studies: each runs and holds its own checks. The longest, `train_cnn`, is compiled.

use crate::common::list;
#[cfg(target_os = "linux")]
use crate::launcher::Launcher;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::Command;
use std::process::Output;

#[path = "../../examples/custom_kernel.rs"]
mod custom_kernel;
#[path = "../../examples/shared_device.rs"]
mod shared_device;
#[path = "../../examples/tensors.rs"]
mod tensors;

/// Those that train, and the steps after which each has learned enough for its own check.
const TRAINING: &[(&str, usize)] = &[("gan", 100), ("vae", 200), ("siamese", 200), ("unet_dice", 5), ("grad_cam", 60)];

#[test]
fn the_tensor_library_stands_alone() {
    tensors::main().unwrap();
}

#[test]
fn a_kernel_of_ones_own_equals_its_mirror() {
    custom_kernel::main().unwrap();
}

#[test]
fn a_device_is_shared_with_a_program_of_its_own() {
    if proof::gpu().is_some() {
        shared_device::main().unwrap();
    }
}

/// Runs an example on the CPU device, and what it said.
fn run(programs: &Path, name: &str, steps: usize, out: &Path) -> (Output, String) {
    let mut program = list::program(programs, name);
    let output = program.args(["--device", "cpu", "--steps", &steps.to_string(), "--out"]).arg(out).output().unwrap();
    let said = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat();
    (output, said)
}

#[test]
fn what_trains_has_learned_after_some_steps_and_says_so_if_it_has_not() {
    let names: Vec<&str> = TRAINING.iter().map(|(name, _)| *name).chain(["peers", "train_cnn"]).collect();
    let programs = list::build(&names).unwrap();
    #[cfg(target_os = "linux")]
    any_number_of_peers_says_the_same(&programs);
    for &(name, steps) in TRAINING {
        let out = tempfile::tempdir().unwrap();
        let (output, said) = run(&programs, name, steps, out.path());
        assert!(output.status.success(), "{name}: {said}");
        let (output, said) = run(&programs, name, 1, out.path());
        assert!(!output.status.success() && said.contains("it has not learned"), "{name} after one step: {said}");
    }
}

/// Started by itself, and by a launcher where there is one.
#[cfg(target_os = "linux")]
fn any_number_of_peers_says_the_same(programs: &Path) {
    let said = |program: &mut Command| {
        let output = program.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let alone = said(&mut list::program(programs, "peers"));
    assert!(alone.ends_with("\n") && alone.contains(" of 128 points, loss "), "{alone}");
    if let Some(mpi) = Launcher::open_mpi() {
        for processes in [2, 8] {
            assert_eq!(said(&mut mpi.of(processes, &list::program(programs, "peers"))), alone, "{processes} processes");
        }
    }
}

#[test]
fn examples_are_short() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            continue; // what the studies share, and their parts
        }
        let source = std::fs::read_to_string(&path).unwrap();
        // A study is a page or several, a training or another program two; what shows one thing of the library is shorter.
        let most = match () {
            () if source.contains("mod common;") => 400,
            () if source.contains("mod options;") || source.contains("use wgrad::gpu_core::wgpu;") => 90,
            () => 40,
        };
        let lines = source.lines().count();
        assert!(lines <= most, "{} has {lines} lines", path.display());
    }
}
