//! The laws of the house over all operators.

use super::table::{Ran, TABLE};
use super::{benches, cases, wrong_calls};
use crate::{Case, Difference, gpu, magnitudes};
use gpu_core::ops::kernels;
use gpu_core::{DType, Device, KernelInfo, Tensor};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_kernel_equals_its_mirror_over_the_table() {
    let complaint = |Ran { case, gpu, .. }: &Ran| {
        let Difference { error, bound } = gpu.as_ref()?.difference;
        let ok = error <= bound;
        (!ok).then(|| format!("{} {}: the kernel is {error:e} from its mirror, {bound:e} is allowed", case.name, case.what))
    };
    let complaints: Vec<String> = TABLE.iter().filter_map(complaint).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_case_run_twice_gives_the_same_bits() {
    for Ran { case, again_on_cpu, gpu, .. } in TABLE.iter() {
        let again = gpu.as_ref().is_none_or(|gpu| gpu.again);
        assert!(*again_on_cpu && again, "{} {}: on the CPU {again_on_cpu}, on the GPU {again}", case.name, case.what);
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
    let launches = TABLE.iter().filter_map(|ran| ran.gpu.as_ref()).flat_map(|gpu| &gpu.launches);
    let launched: BTreeSet<&str> = launches.map(|launch| launch.kernel.name()).collect();
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
        let reference = case.reference(&device, &outputs).unwrap();
        let wrong = |change: fn(f32) -> f32| reference.hold(case.name, &changed(&outputs, change)).unwrap();
        let (scaled, unwritten) = (wrong(|v| 1.01 * v), wrong(|_| f32::from_bits(u32::MAX)));
        assert!(wrong(|v| v).ok(), "{} {}: not equal to itself", case.name, case.what);
        assert!(!scaled.ok(), "{} {}: a scaled mirror passes, {scaled:?}", case.name, case.what);
        assert!(!unwritten.ok(), "{} {}: an unwritten output passes", case.name, case.what);
    };
    cases().iter().for_each(control);
}
