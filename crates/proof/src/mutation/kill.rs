//! What becomes of a mutant on the table of cases.

use super::{Mutant, MutantGpu, PRELUDE, mutants};
use crate::ops::table::{OnGpu, Ran, TABLE, bits};
use gpu_core::{Device, KernelInfo, Result, ops};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::Range;

/// A text of kernels, or a function of [`PRELUDE`], with the cases that launch any of the kernels, the quickest first.
pub(super) struct Group {
    pub text: &'static str,
    /// Where in the text a mutant may lie: in what the cases run of it.
    pub parts: Vec<Range<usize>>,
    /// The whole text of one of the kernels, as it was launched.
    pub sample: String,
    pub cases: Vec<&'static Ran>,
}

impl Group {
    fn of(text: &'static str, parts: Vec<Range<usize>>) -> Self {
        Self { text, parts, sample: String::new(), cases: Vec::new() }
    }

    /// Takes a case in that launches one of its kernels.
    fn take(&mut self, ran: &'static Ran, is_mine: impl Fn(&KernelInfo) -> bool) {
        let Some(OnGpu { launches, reference, .. }) = &ran.gpu else { return };
        let Some(launch) = launches.iter().find(|launch| is_mine(&launch.kernel)) else { return };
        self.sample = launch.source();
        if reference.is_some() {
            self.cases.push(ran);
        }
    }

    pub fn mutants(&self) -> Vec<Mutant> {
        mutants(self.text).into_iter().filter(|mutant| self.parts.iter().any(|part| part.contains(&mutant.at.start))).collect()
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

/// The texts by their first kernels' names, and the functions of the prelude, with their cases; those that take long are left out.
pub(super) fn groups(device: &Device) -> BTreeMap<String, Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    // What is put together of several files stands in the program once for each kernel.
    let mut first_of: BTreeMap<&'static str, &'static str> = BTreeMap::new();
    for kernel in ops::kernels().into_iter().filter(|kernel| kernel.runs_on(device)) {
        let (text, name) = (kernel.wgsl(), *first_of.entry(kernel.wgsl()).or_insert(kernel.name()));
        if let Entry::Vacant(vacant) = groups.entry(name.to_owned()) {
            let group = vacant.insert(Group::of(text, reached(text)));
            TABLE.iter().for_each(|ran| group.take(ran, |kernel| kernel.wgsl() == text));
        }
    }
    for (name, part) in functions(PRELUDE) {
        let mut group = Group::of(PRELUDE, vec![part]);
        TABLE.iter().for_each(|ran| group.take(ran, |kernel| uses(kernel.wgsl(), name)));
        groups.insert(format!("prelude: {name}"), group);
    }
    for (name, group) in &mut groups {
        assert!(!group.cases.is_empty(), "no case launches {name}, or all of them take long");
        group.cases.sort_by_key(|ran| ran.gpu.as_ref().map(|gpu| gpu.took));
        // Over a thousand cases launch what calls `group_index`: of those of one operator the quickest three.
        if group.text == PRELUDE {
            let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
            group.cases.retain(|ran| {
                let count = taken.entry(ran.case.name).or_default();
                *count += 1;
                *count <= 3
            });
        }
    }
    groups
}

/// The functions of a text, and from where to where each stands.
fn functions(text: &'static str) -> Vec<(&'static str, Range<usize>)> {
    let starts: Vec<usize> = text.match_indices("\nfn ").map(|(at, _)| at + 1).collect();
    let ends = starts[1..].iter().copied().chain([text.len()]);
    let name = |at: usize| text[at + 3..].split('(').next().unwrap_or_default();
    starts.iter().zip(ends).map(|(&start, end)| (name(start), start..end)).collect()
}

/// The functions of a text that its kernels in the table call: files that stand together may have others, which are another text's.
fn reached(text: &'static str) -> Vec<Range<usize>> {
    let launches = TABLE.iter().filter_map(|ran| ran.gpu.as_ref()).flat_map(|gpu| &gpu.launches);
    let entries = launches.filter(|launch| launch.kernel.wgsl() == text).map(|launch| launch.kernel.name());
    let (functions, mut names) = (functions(text), entries.collect::<BTreeSet<_>>());
    loop {
        let (inside, outside): (Vec<_>, Vec<_>) = functions.iter().cloned().partition(|(name, _)| names.contains(name));
        let called = |name: &str| inside.iter().any(|(_, at)| text[at.clone()].contains(&format!("{name}(")));
        let more: Vec<&str> = outside.into_iter().map(|(name, _)| name).filter(|name| called(name)).collect();
        if more.is_empty() {
            return inside.into_iter().map(|(_, at)| at).collect();
        }
        names.extend(more);
    }
}

/// Whether a kernel's text calls a function of the prelude, or one of it that does.
fn uses(wgsl: &str, function: &str) -> bool {
    let calls = |text: &str| text.contains(&format!("{function}("));
    calls(wgsl) || functions(PRELUDE).into_iter().any(|(name, at)| name != function && calls(&PRELUDE[at]) && uses(wgsl, name))
}

/// What the cases of the group say of it.
pub(super) fn fate(gpu: &MutantGpu, group: &Group, mutant: &Mutant) -> Result<Fate> {
    if !compiles(&mutant.within(&group.sample, group.text)) {
        return Ok(Fate::Unborn);
    }
    gpu.plant(group.text, mutant);
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
