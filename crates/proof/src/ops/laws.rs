//! The laws of the house over all operators.

use super::{benches, cases, wrong_calls};
use crate::{Case, Difference, counted, devices, floats, gpu, magnitudes};
use gpu_core::ops::kernels;
use gpu_core::{DType, Device, KernelInfo, Tensor};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

/// A case that ran on the test GPU: how far it was from the mirrors, and the kernels that it launched there.
struct Held {
    case: String,
    difference: Difference,
    launched: BTreeSet<&'static str>,
}

/// The whole table, run once for all laws that look at it; nothing where there is no GPU.
static TABLE: LazyLock<Vec<Held>> = LazyLock::new(|| {
    let Some(device) = gpu() else { return Vec::new() };
    let hold = |case: Case| {
        let (counted, launches) = counted(&device);
        let difference = case.compare(&counted);
        let launched = launches.names();
        let case = format!("{} {}", case.name, case.what);
        Held { difference: difference.unwrap_or_else(|e| panic!("{case}: {e}")), case, launched }
    };
    cases().into_iter().map(hold).collect()
});

#[test]
fn every_kernel_equals_its_mirror_over_the_table() {
    let Some(_) = gpu() else { return };
    assert_eq!(TABLE.len(), cases().len());
    for Held { case, difference, .. } in TABLE.iter() {
        let Difference { error, bound } = difference;
        assert!(difference.ok(), "{case}: the kernel is {error:e} from its mirror, {bound:e} is allowed");
    }
}

/// The names after `@compute` in a WGSL source.
fn entry_points(wgsl: &str) -> Vec<String> {
    let after = wgsl.split("@compute").skip(1);
    after.filter_map(|text| text.split_once("fn ")?.1.split_once('(').map(|(name, _)| name.trim().to_owned())).collect()
}

#[test]
fn every_entry_point_in_shaders_has_one_kernel_and_the_reverse() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gpu-core/shaders");
    let files = std::fs::read_dir(folder).unwrap().map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap());
    let mut written: Vec<String> = files.flat_map(|text| entry_points(&text)).collect();
    let mut known: Vec<String> = kernels().iter().map(|k| k.name().to_owned()).collect();
    written.sort();
    known.sort();
    assert_eq!(written, known);
    assert!(known.len() > 40, "the registry has shrunk to {}", known.len());
}

/// The kernels that this adapter has the subgroups for.
fn runnable(device: &Device) -> impl Iterator<Item = KernelInfo> {
    kernels().into_iter().filter(|kernel| kernel.runs_on(device))
}

#[test]
fn every_kernel_stands_in_the_table() {
    let Some(device) = gpu() else { return };
    let launched: BTreeSet<&str> = TABLE.iter().flat_map(|held| held.launched.iter().copied()).collect();
    let missing: Vec<&str> = runnable(&device).map(|k| k.name()).filter(|name| !launched.contains(name)).collect();
    assert!(missing.is_empty(), "no case of the table launches {missing:?}");
}

#[test]
fn every_kernel_is_timed() {
    let Some(device) = gpu() else { return };
    let mut timed = BTreeSet::new();
    for bench in benches() {
        let (_, launches) = bench.capture(&device).unwrap_or_else(|e| panic!("{} {}: {e}", bench.name, bench.what));
        timed.extend(launches.iter().map(|l| l.kernel.name()));
    }
    // What proves the house rather than serves its users.
    timed.insert("spoil");
    let missing: Vec<&str> = runnable(&device).map(|k| k.name()).filter(|name| !timed.contains(name)).collect();
    assert!(missing.is_empty(), "no row of the benchmark launches {missing:?}");
}

macro_rules! names {
    ($(
        $(#[$doc:meta])*
        $name:ident($($arg:ident = $usual:literal),*), $bwd:ident(from $kept:ident $(if $when:expr)?) $rest:tt
    )*) => {
        [$(stringify!($name), stringify!($bwd)),*]
    };
}

/// The functions that `ops` makes public, read from its source and from the table of activations.
fn operators() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gpu-core/src/ops/mod.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let exports = source.split("pub use ").skip(1).filter_map(|text| text.split_once(';').map(|(list, _)| list));
    let names = exports.flat_map(|list| list.rsplit("::").next().unwrap_or("").split(['{', '}', ',']));
    let names = names.map(str::trim).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    names.chain(gpu_core::activation_table!(names)).map(str::to_owned).collect()
}

#[test]
fn every_wrong_call_panics_at_its_line_with_the_operator_and_the_shapes() {
    let Some(device) = gpu() else { return };
    let rows = wrong_calls();
    let complaints: Vec<String> = rows.iter().filter_map(|row| row.complaint(&device)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    let covered: BTreeSet<&str> = rows.iter().map(|row| row.op).collect();
    let missing: Vec<String> = operators().into_iter().filter(|op| !covered.contains(op.as_str())).collect();
    assert!(missing.is_empty(), "no wrong call is tried of {missing:?}");
    assert!(operators().len() > 50, "the list of operators has shrunk to {}", operators().len());
}

/// Copies of tensors, with what `change` makes of each float; other types as they are.
fn changed(tensors: &[Tensor], change: impl Fn(f32) -> f32) -> Vec<Tensor> {
    let copy = |t: &Tensor| match t.dtype() {
        DType::F32 => {
            let values: Vec<f32> = t.to_vec().unwrap().into_iter().map(&change).collect();
            Tensor::from_slice(&Device::Cpu, t.shape(), &values)
        }
        _ => t.clone(),
    };
    tensors.iter().map(copy).collect()
}

/// Every bound is tight enough that a mirror scaled by a percent is noticed, and so is an output that was never written. The inputs
/// are positive: a long sum that cancels may be off by more than a percent.
#[test]
fn a_scaled_mirror_and_an_unwritten_output_are_noticed_in_every_case() {
    let device = magnitudes(&Device::Cpu);
    let control = |case: &Case| {
        let outputs = case.run(&device);
        let is_zero = |t: &Tensor| t.dtype() != DType::F32 || t.to_vec().unwrap().iter().all(|&v| v == 0.0 || !v.is_finite());
        if outputs.iter().all(is_zero) {
            return;
        }
        let reference = case.reference_on(&device).unwrap();
        let wrong = |change: fn(f32) -> f32| reference.hold(case.name, &changed(&outputs, change)).unwrap();
        let (scaled, unwritten) = (wrong(|v| 1.01 * v), wrong(|_| f32::from_bits(u32::MAX)));
        assert!(wrong(|v| v).ok(), "{} {}: not equal to itself", case.name, case.what);
        assert!(!scaled.ok(), "{} {}: a scaled mirror passes, {scaled:?}", case.name, case.what);
        assert!(!unwritten.ok(), "{} {}: an unwritten output passes", case.name, case.what);
    };
    cases().iter().for_each(control);
}

#[test]
fn a_case_run_twice_gives_the_same_bits() {
    for device in devices() {
        for case in cases() {
            let bits = || -> Vec<Vec<u32>> {
                let words = |t: &Tensor| floats(t).unwrap().iter().map(|v| v.to_bits()).collect();
                case.run(&device).iter().map(words).collect()
            };
            assert_eq!(bits(), bits(), "{} {} on {}", case.name, case.what, device.name());
        }
    }
}
