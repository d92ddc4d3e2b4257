//! The laws of the house over all operators.

use super::{cases, kernels};
use crate::check;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_kernel_equals_its_mirror_over_the_table() {
    check::hold(&cases());
}

/// The names after `@compute` in a WGSL source.
fn entry_points(wgsl: &str) -> Vec<String> {
    let after = wgsl.split("@compute").skip(1);
    after.filter_map(|text| text.split_once("fn ")?.1.split_once('(').map(|(name, _)| name.trim().to_owned())).collect()
}

#[test]
fn every_entry_point_in_shaders_has_one_kernel_and_the_reverse() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shaders");
    let files = std::fs::read_dir(folder).unwrap().map(|f| std::fs::read_to_string(f.unwrap().path()).unwrap());
    let mut written: Vec<String> = files.flat_map(|text| entry_points(&text)).collect();
    let mut known: Vec<String> = kernels().iter().map(|k| k.name().to_owned()).collect();
    written.sort();
    known.sort();
    assert_eq!(written, known);
    assert!(known.len() > 40, "the registry has shrunk to {}", known.len());
}

#[test]
fn every_kernel_stands_in_the_table() {
    let Some(device) = check::gpu() else { return };
    let mut launched = BTreeSet::new();
    for case in cases() {
        launched.extend(check::launched(|| case.run(&device)).1);
    }
    let missing: Vec<&str> = kernels().iter().map(|k| k.name()).filter(|name| !launched.contains(name)).collect();
    assert!(missing.is_empty(), "no case of the table launches {missing:?}");
}

#[test]
fn a_case_run_twice_gives_the_same_bits() {
    for device in check::devices() {
        for case in cases() {
            let bits = || -> Vec<Vec<u32>> {
                let outputs = case.run(&device);
                let words = |t: &crate::Tensor| match t.dtype() {
                    crate::DType::F32 => t.to_vec().unwrap().iter().map(|v| v.to_bits()).collect(),
                    crate::DType::U32 => t.read::<u32>().unwrap(),
                    crate::DType::U8 => t.read::<u8>().unwrap().iter().map(|&v| u32::from(v)).collect(),
                };
                outputs.iter().map(words).collect()
            };
            assert_eq!(bits(), bits(), "{} {} on {}", case.name, case.what, device.name());
        }
    }
}
