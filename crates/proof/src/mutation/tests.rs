//! Every mutant that changes a result is noticed.

use super::roundings::ROUNDINGS;
use super::{Fate, Group, Mutant, MutantGpu, groups, kill, mutants};
use crate::gpu;
use gpu_core::{Args, Device, Grid, Kernel, MAX_TRIPS, Tensor, ops};
use std::collections::BTreeMap;

/// Of each text, where not all are asked for.
const SAMPLE: usize = 2;

/// Whether the driver ends a loop that does not end by itself: some mutants' do not.
fn ends_loops(device: &Device) -> bool {
    fn none(_: &mut Args<'_>) {}
    const WGSL: &str = "
        @group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32>;
        @compute @workgroup_size(1) fn count() { for (var i = 0u; i < x[0]; i++) { y[0] += 1u; } }";
    static KERNEL: Kernel = Kernel::new(WGSL, "count", none);
    let (x, y) = (Tensor::from_slice(device, [1], &[100_000u32]), Tensor::from_slice(device, [1], &[0u32]));
    KERNEL.launch((), &[&x], &[&y], Grid::linear(1, 1));
    y.read::<u32>().unwrap()[0] <= MAX_TRIPS as u32
}

/// A few, of as many kinds of slips as there are; which ones differs from text to text.
fn sample(all: Vec<Mutant>, count: usize, text: usize) -> Vec<Mutant> {
    let mut by_slip: BTreeMap<&str, Vec<Mutant>> = BTreeMap::new();
    all.into_iter().for_each(|mutant| by_slip.entry(mutant.slip).or_default().push(mutant));
    let mut slips: Vec<Vec<Mutant>> = by_slip.into_values().collect();
    let mut chosen = Vec::new();
    for i in text..text + count {
        let turn = i % slips.len().max(1);
        let Some(of) = slips.get_mut(turn).filter(|of| !of.is_empty()) else { continue };
        chosen.push(of.remove((7919 * i) % of.len()));
    }
    chosen
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<Fate, usize>,
    survivors: Vec<String>,
    same: Vec<String>,
}

/// Mutants that have a device in common: it keeps what it has compiled, 40 MB for one of a matrix product.
const DEVICE: usize = 24;

fn tally(group: &Group, chosen: &[Mutant]) -> Tally {
    let mut tally = Tally::default();
    let mut gpu = MutantGpu::open().unwrap();
    for (i, mutant) in chosen.iter().filter(|mutant| !is_rounding(mutant, group)).enumerate() {
        if i % DEVICE == DEVICE - 1 {
            gpu = MutantGpu::open().unwrap();
        }
        let fate = kill::fate(&gpu, group, mutant).unwrap_or_else(|e| panic!("{}: {e}", mutant.describe(group.text)));
        *tally.counts.entry(fate).or_default() += 1;
        match fate {
            Fate::Survived => tally.survivors.push(mutant.describe(group.text)),
            Fate::Same => tally.same.push(mutant.describe(group.text)),
            Fate::Killed | Fate::Unborn => {}
        }
    }
    tally
}

/// Whether a mutant stands among [`ROUNDINGS`].
fn is_rounding(mutant: &Mutant, group: &Group) -> bool {
    roundings_of(group.text).any(|slip| mutant.describe(group.text).contains(slip))
}

fn roundings_of(text: &str) -> impl Iterator<Item = &'static str> {
    ROUNDINGS.iter().filter(move |(kernel, ..)| text.contains(&format!("fn {kernel}("))).map(|&(_, slip, _)| slip)
}

#[test]
fn every_rounding_is_a_mutant_of_its_text() {
    for (kernel, slip, _) in ROUNDINGS {
        let text =
            ops::kernels().into_iter().find(|info| info.name() == kernel).unwrap_or_else(|| panic!("no kernel {kernel}")).wgsl();
        let found = mutants(text).iter().filter(|mutant| mutant.describe(text).contains(slip)).count();
        assert_eq!(found, 1, "{kernel}: {slip}");
    }
}

/// `WGRAD_MUTANTS` is how many of each text, or `all` of them; `WGRAD_MUTANTS_OF` names texts by parts of their first kernels' names,
/// with commas between.
#[test]
fn every_mutant_that_changes_a_result_is_noticed() {
    let Some(device) = gpu() else { return };
    if !ends_loops(&device) {
        return eprintln!("skipped: on {} a mutant's loop may never end", device.name());
    }
    let count = match std::env::var("WGRAD_MUTANTS").as_deref() {
        Ok("all") => usize::MAX,
        Ok(count) => count.parse().expect("WGRAD_MUTANTS is a number or \"all\""),
        Err(_) => SAMPLE,
    };
    let only = std::env::var("WGRAD_MUTANTS_OF").unwrap_or_default();
    let is_wanted = |name: &str| only.split(',').any(|part| name.contains(part));
    let groups = groups(&device);
    let mut survivors = Vec::new();
    println!("{:<24} {:>8} {:>8} {:>8} {:>8}", "kernels of", "killed", "survived", "same", "unborn");
    for (i, (name, group)) in groups.iter().enumerate().filter(|(_, (name, _))| is_wanted(name)) {
        let found = group.mutants();
        let chosen = if found.len() <= count { found } else { sample(found, count, i) };
        let tally = tally(group, &chosen);
        let count = |fate| tally.counts.get(&fate).copied().unwrap_or(0);
        println!(
            "{name:<24} {:>8} {:>8} {:>8} {:>8}",
            count(Fate::Killed),
            count(Fate::Survived),
            count(Fate::Same),
            count(Fate::Unborn)
        );
        tally.same.iter().for_each(|line| println!("    same {line}"));
        tally.survivors.iter().for_each(|line| println!("    SURVIVED {line}"));
        survivors.extend(tally.survivors.into_iter().map(|line| format!("{name}: {line}")));
    }
    assert!(survivors.is_empty(), "{} mutants change a result and pass:\n{}", survivors.len(), survivors.join("\n"));
}

/// Whoever changes nothing gives the same bits: what is rewritten is compiled like any other text.
#[test]
fn a_mutant_that_is_the_same_changes_no_bit() {
    let Some(device) = gpu() else { return };
    let (mutants, groups) = (MutantGpu::open().unwrap(), groups(&device));
    for (name, group) in groups.iter().step_by(5) {
        let nothing = Mutant { slip: "none", at: 0..0, instead: String::new() };
        assert_eq!(kill::fate(&mutants, group, &nothing).unwrap(), Fate::Same, "{name}");
    }
}

#[test]
fn mutants_are_made_of_functions_alone() {
    let text = "struct Params { a: u32, b: u32, c: f32 }
        @compute @workgroup_size(64) fn f(@builtin(global_invocation_id) id: vec3<u32>) {
            for (var i = 0u; i < params.a; i += 1u) { y[i * 2u] += 1.5; } // i < 7u
            workgroupBarrier();
        }";
    let found: Vec<String> = mutants(text).iter().map(|mutant| mutant.describe(text)).collect();
    let want = [
        "off by one: for (var i = [0u => 1u]; i < params.a; i += 1u) { y[i * 2u] += 1.5; } // i < 7u",
        "one step more: for (var i = 0u; i [< => <=] params.a; i += 1u) { y[i * 2u] += 1.5; } // i < 7u",
        "other parameter: for (var i = 0u; i < params.[a => b]; i += 1u) { y[i * 2u] += 1.5; } // i < 7u",
        "sum for product: for (var i = 0u; i < params.a; i += 1u) { y[i [* => +] 2u] += 1.5; } // i < 7u",
        "off by one: for (var i = 0u; i < params.a; i += 1u) { y[i * [2u => 3u]] += 1.5; } // i < 7u",
        "lost sum: for (var i = 0u; i < params.a; i += 1u) { y[i * 2u] [+= => =] 1.5; } // i < 7u",
        "off by one: for (var i = 0u; i < params.a; i += 1u) { y[i * 2u] += [1.5 => 2.5]; } // i < 7u",
        "missing barrier: [workgroupBarrier() => ];",
    ];
    assert_eq!(found, want);
}
