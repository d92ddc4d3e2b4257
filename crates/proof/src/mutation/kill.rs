//! What becomes of a mutant on the table of cases.

use super::{Mutant, MutantGpu};
use crate::ops::table::{OnGpu, Ran, TABLE, bits};
use gpu_core::{Device, KernelInfo, Result, ops};
use std::collections::BTreeMap;

/// A text of kernels, with the cases that launch any of them, the quickest first.
pub(super) struct Group {
    pub kernels: Vec<KernelInfo>,
    /// The constants with which one of them was launched.
    pub sample: String,
    pub cases: Vec<&'static Ran>,
}

impl Group {
    pub fn wgsl(&self) -> &'static str {
        self.kernels[0].wgsl()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// Outside its bound in some case.
    Killed,
    /// Other bits than the right kernel's in some case, within the bound in all.
    Survived,
    /// The same bits in every case.
    Same,
    /// It does not compile.
    Unborn,
}

/// The texts by their first kernels' names, with their cases; those that take long are left out.
pub(super) fn groups(device: &Device) -> BTreeMap<&'static str, Group> {
    let mut groups: BTreeMap<&'static str, Group> = BTreeMap::new();
    // What is put together of several files stands in the program once for each kernel.
    let mut first_of: BTreeMap<&'static str, &'static str> = BTreeMap::new();
    for kernel in ops::kernels().into_iter().filter(|kernel| kernel.runs_on(device)) {
        let name = first_of.entry(kernel.wgsl()).or_insert(kernel.name());
        let fresh = || Group { kernels: Vec::new(), sample: String::new(), cases: Vec::new() };
        groups.entry(name).or_insert_with(fresh).kernels.push(kernel);
    }
    for ran in TABLE.iter() {
        let Some(OnGpu { launches, reference, .. }) = &ran.gpu else { continue };
        for group in groups.values_mut() {
            let Some(launch) = launches.iter().find(|launch| launch.kernel.wgsl() == group.wgsl()) else { continue };
            group.sample = launch.source();
            if reference.is_some() {
                group.cases.push(ran);
            }
        }
    }
    for (name, group) in &mut groups {
        assert!(!group.cases.is_empty(), "all cases of {name} take long");
        group.cases.sort_by_key(|ran| ran.gpu.as_ref().map(|gpu| gpu.took));
    }
    groups
}

/// What the cases of the group say of it.
pub(super) fn fate(gpu: &MutantGpu, group: &Group, mutant: &Mutant) -> Result<Fate> {
    let wgsl = group.wgsl();
    if !compiles(&(group.sample[..group.sample.len() - wgsl.len()].to_owned() + &mutant.of(wgsl))) {
        return Ok(Fate::Unborn);
    }
    gpu.plant(wgsl, mutant);
    let mut fate = Fate::Same;
    for Ran { case, gpu: right, .. } in &group.cases {
        let Some(OnGpu { reference: Some(reference), bits: right, .. }) = right else { continue };
        let outputs = case.run(&gpu.device);
        if !reference.hold(case.name, &outputs)?.ok() {
            fate = Fate::Killed;
            break;
        }
        if bits(&outputs)? != *right {
            fate = Fate::Survived;
        }
    }
    gpu.restore();
    Ok(fate)
}

fn compiles(text: &str) -> bool {
    let Ok(module) = naga::front::wgsl::parse_str(text) else { return false };
    naga::valid::Validator::new(naga::valid::ValidationFlags::all(), naga::valid::Capabilities::all()).validate(&module).is_ok()
}
