//! The law for every kernel, read from its WGSL as it is launched: at most 8 storage buffers, 256 invocations and 16 KiB of
//! workgroup memory, which every adapter has; inputs `read`, outputs `read_write`; parameters that lie as Rust lays them.

use naga::valid::{Capabilities, GlobalUse, ValidationFlags, Validator};
use naga::{AddressSpace, GlobalVariable, Module, StorageAccess, TypeInner};
use std::collections::BTreeMap;
use std::fs;
use wgrad::gpu_core::check::{self, Launch};
use wgrad::prelude::*;

const STORAGE_BUFFERS: usize = 8;
const INVOCATIONS: u32 = 256;
const WORKGROUP_BYTES: u32 = 16 << 10;
const PARAMS_BYTES: usize = 128;

/// Every kernel with every set of constants that the table of shapes asks for, on every device.
fn launches() -> Vec<Launch> {
    let mut all = BTreeMap::new();
    for device in check::devices() {
        for case in ops::cases() {
            for launch in check::launches(|| case.run(&device)).1 {
                all.insert((launch.kernel.name(), launch.constants.clone(), launch.params_bytes), launch);
            }
        }
        device.synchronize().unwrap();
    }
    all.into_values().collect()
}

/// All that breaks the law in one launch.
fn breaches(launch: &Launch) -> Result<Vec<String>, String> {
    let source = launch.source();
    let module = naga::front::wgsl::parse_str(&source).map_err(|e| e.emit_to_string(&source))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module);
    let info = info.map_err(|e| e.emit_to_string(&source))?;
    let position = module.entry_points.iter().position(|e| e.name == launch.kernel.name()).ok_or("has no such entry point")?;
    let (entry, uses) = (&module.entry_points[position], info.get_entry_point(position));
    let used: Vec<(&GlobalVariable, GlobalUse)> =
        module.global_variables.iter().map(|(handle, global)| (global, uses[handle])).filter(|(_, u)| !u.is_empty()).collect();

    let mut found = Vec::new();
    found.extend(over("invocations", entry.workgroup_size.iter().product(), INVOCATIONS));
    let shared = used.iter().filter(|(global, _)| global.space == AddressSpace::WorkGroup);
    let shared_bytes = shared.map(|(global, _)| size(&module, global).next_multiple_of(16)).sum();
    found.extend(over("bytes of workgroup memory", shared_bytes, WORKGROUP_BYTES));
    found.extend(storage_breaches(&used));
    let params = used.iter().find(|(global, _)| global.space == AddressSpace::Immediate);
    if let Some((params, _)) = params {
        found.extend(params_breaches(&module, params, launch.params_bytes));
    }
    Ok(found)
}

fn over<T: PartialOrd + std::fmt::Display>(what: &str, found: T, limit: T) -> Option<String> {
    (found > limit).then(|| format!("{found} {what}, over {limit}"))
}

fn size(module: &Module, global: &GlobalVariable) -> u32 {
    module.types[global.ty].inner.size(module.to_ctx())
}

fn storage_breaches(used: &[(&GlobalVariable, GlobalUse)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut slots = BTreeMap::new();
    for (global, uses) in used {
        let AddressSpace::Storage { access } = global.space else { continue };
        let name = global.name.as_deref().unwrap_or("?");
        let Some(binding) = &global.binding else {
            found.push(format!("{name} has no slot"));
            continue;
        };
        if binding.group != 0 {
            found.push(format!("{name} lies in group {}", binding.group));
        }
        let writable = access.contains(StorageAccess::STORE);
        if writable && !uses.contains(GlobalUse::WRITE) && !uses.contains(GlobalUse::ATOMIC) {
            found.push(format!("{name} is an output (read_write) that the kernel does not write"));
        }
        if slots.insert(binding.binding, writable).is_some() {
            found.push(format!("{name} shares slot {} with another name", binding.binding));
        }
    }
    let last_input = slots.iter().filter(|(_, writable)| !**writable).map(|(slot, _)| *slot).max();
    let first_output = slots.iter().filter(|(_, writable)| **writable).map(|(slot, _)| *slot).min();
    match (last_input, first_output) {
        (_, None) => found.push("no output".to_owned()),
        (Some(input), Some(output)) if input > output => found.push(format!("input slot {input} comes after output slot {output}")),
        _ => {}
    }
    found.extend(over("storage buffers", slots.len(), STORAGE_BUFFERS));
    found
}

fn params_breaches(module: &Module, params: &GlobalVariable, passed: usize) -> Vec<String> {
    let TypeInner::Struct { members, span } = &module.types[params.ty].inner else {
        return vec!["Params is not a struct".to_owned()];
    };
    let (mut found, bytes) = (Vec::new(), *span as usize);
    for member in members {
        // Vectors and arrays would be aligned otherwise than in Rust.
        if !matches!(module.types[member.ty].inner, TypeInner::Scalar(scalar) if scalar.width == 4) {
            found.push(format!("Params.{} is not a u32, i32 or f32", member.name.as_deref().unwrap_or("?")));
        }
    }
    found.extend(over("bytes of parameters", bytes, PARAMS_BYTES));
    if bytes != passed {
        found.push(format!("Params are {bytes} bytes, the launch passes {passed}"));
    }
    found
}

#[test]
fn every_kernel_stays_within_what_every_adapter_has() {
    let launches = launches();
    let mut broken: Vec<String> = Vec::new();
    for launch in &launches {
        let found = breaches(launch).unwrap_or_else(|e| vec![e]);
        broken.extend(found.iter().map(|what| format!("{} {:?}: {what}", launch.kernel.name(), launch.constants)));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));

    // Nothing in shaders/ escapes: each file is the source of a kernel that was launched.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let launched = launches.iter().any(|l| l.source().contains(&text));
        assert!(launched, "no case launches a kernel of {}", path.display());
    }
}

fn nothing(_: &mut Args<'_>) {}

#[test]
fn a_kernel_that_breaks_the_law_is_noticed() {
    const WGSL: &str = "
        struct Params { size: vec2<u32>, len: u32 }
        var<workgroup> tile: array<f32, 4097>;
        @group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @group(0) @binding(1) var<storage, read> x: array<f32>;
        @group(0) @binding(2) var<storage, read_write> kept: array<f32>;
        @compute @workgroup_size(16, 32) fn greedy(@builtin(local_invocation_index) i: u32) {
            tile[i] = x[i] + kept[i];
            workgroupBarrier();
            y[i] = tile[params.len];
        }";
    static GREEDY: Kernel = Kernel::new(WGSL, "greedy", nothing);
    let found = breaches(&Launch { kernel: &GREEDY, constants: vec![], params_bytes: 12, count: 1, bytes: 0 }).unwrap();
    let wanted = [
        "512 invocations, over 256",
        "16400 bytes of workgroup memory, over 16384",
        "kept is an output (read_write) that the kernel does not write",
        "input slot 1 comes after output slot 0",
        "Params.size is not a u32, i32 or f32",
        "Params are 16 bytes, the launch passes 12",
    ];
    assert_eq!(found, wanted);
}
