//! What becomes of a mutant on the table of cases.

use super::{Mutant, MutantGpu};
use crate::case::Reference;
use crate::{Case, cases, counted};
use gpu_core::{Device, KernelInfo, Result, Tensor, ops};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// A case that takes longer is left out where a text has others: the largest shapes are for indices that no mutant gets wrong only there.
const LONG: Duration = Duration::from_millis(300);

/// What the right kernels made of a case.
pub(super) struct Original {
    case: Case,
    reference: Reference,
    bits: u64,
    took: Duration,
}

/// A text of kernels, with the cases that launch any of them, the quickest first.
pub(super) struct Group {
    pub kernels: Vec<KernelInfo>,
    /// The constants with which one of them was launched.
    pub sample: String,
    pub cases: Vec<usize>,
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

/// The texts by their first kernels' names, and the cases with what they are held against.
pub(super) fn groups(device: &Device) -> Result<(BTreeMap<&'static str, Group>, Vec<Original>)> {
    let (mut groups, mut originals): (BTreeMap<&'static str, Group>, Vec<Original>) = Default::default();
    // What is put together of several files stands in the program once for each kernel.
    let mut first_of: BTreeMap<&'static str, &'static str> = BTreeMap::new();
    for kernel in ops::kernels().into_iter().filter(|kernel| kernel.runs_on(device)) {
        let name = first_of.entry(kernel.wgsl()).or_insert(kernel.name());
        let fresh = || Group { kernels: Vec::new(), sample: String::new(), cases: Vec::new() };
        groups.entry(name).or_insert_with(fresh).kernels.push(kernel);
    }
    for case in cases() {
        let (counted, launches) = counted(device);
        // The first run compiles.
        let outputs = case.run(&counted);
        let launches = launches.take();
        let mut of: Vec<&mut Group> = Vec::new();
        for group in groups.values_mut() {
            if let Some(launch) = launches.iter().find(|launch| launch.kernel.wgsl() == group.wgsl()) {
                group.sample = launch.source();
                of.push(group);
            }
        }
        let began = Instant::now();
        let bits = bits(&case.run(device))?;
        let took = began.elapsed();
        if took > LONG && of.iter().all(|group| !group.cases.is_empty()) {
            continue;
        }
        let reference = case.reference_on(&Device::Cpu)?;
        assert!(reference.hold(case.name, &outputs)?.ok(), "{} {}: wrong before anything was planted", case.name, case.what);
        of.into_iter().for_each(|group| group.cases.push(originals.len()));
        originals.push(Original { case, reference, bits, took });
    }
    groups.values_mut().for_each(|group| group.cases.sort_by_key(|&i| originals[i].took));
    Ok((groups, originals))
}

/// What the cases of the group say of it.
pub(super) fn fate(gpu: &MutantGpu, group: &Group, originals: &[Original], mutant: &Mutant) -> Result<Fate> {
    let wgsl = group.wgsl();
    if !compiles(&(group.sample[..group.sample.len() - wgsl.len()].to_owned() + &mutant.of(wgsl))) {
        return Ok(Fate::Unborn);
    }
    gpu.plant(wgsl, mutant);
    let mut fate = Fate::Same;
    for &i in &group.cases {
        let original = &originals[i];
        let outputs = original.case.run(&gpu.device);
        if !original.reference.hold(original.case.name, &outputs)?.ok() {
            fate = Fate::Killed;
            break;
        }
        if bits(&outputs)? != original.bits {
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

/// A hash of the bits of all outputs.
fn bits(outputs: &[Tensor]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for output in outputs {
        crate::floats(output)?.iter().for_each(|v| v.to_bits().hash(&mut hasher));
    }
    Ok(hasher.finish())
}
