//! Every form of every kernel, compiled for cards of two makers: a table of what they need.
//!
//! `scripts/drivers/run` runs it, with the newest Mesa: `WGRAD_SURVEY` names the file that the table is written to.

use super::null_device::{ADA, Card, GFX1201, NAVI31, TURING, listings};
use proof::Launch;
use std::collections::BTreeMap;
use std::env;
use std::fmt::{self, Display, Formatter};
use std::time::Instant;

const CARDS: [(&str, Card); 4] = [("navi31", NAVI31), ("gfx1201", GFX1201), ("Turing", TURING), ("Ada", ADA)];

/// What a kernel needs of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needs {
    registers: u64,
    /// Waves of a SIMD, or warps of a multiprocessor, that run at once.
    at_once: u64,
    /// Registers that went to memory.
    spills: u64,
    /// Bytes of memory that an invocation has for itself: spills, and arrays that are indexed at run time.
    own_bytes: u64,
}

impl Needs {
    /// From the statistics of RADV or of NVK; none of a kernel that the driver refuses.
    fn parse(text: &str) -> Option<Self> {
        let statistics: BTreeMap<&str, u64> = text
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter_map(|(name, value)| Some((name, value.parse().ok()?)))
            .collect();
        let of = |amd: &[&str], nvidia: &str| match amd.iter().map(|name| statistics.get(name).copied()).sum() {
            None => statistics.get(nvidia).copied(),
            sum => sum,
        };
        Some(Self {
            registers: of(&["VGPRs"], "Number of GPRs")?,
            at_once: of(&["Subgroups per SIMD"], "Max warps/SM")?,
            spills: of(&["Spilled VGPRs", "Spilled SGPRs"], "Spills to memory")?,
            own_bytes: of(&["Scratch size"], "SLM size")?,
        })
    }

    /// The most that either needs.
    fn or(self, other: Self) -> Self {
        Self {
            registers: self.registers.max(other.registers),
            at_once: self.at_once.min(other.at_once),
            spills: self.spills.max(other.spills),
            own_bytes: self.own_bytes.max(other.own_bytes),
        }
    }
}

impl Display for Needs {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.registers, self.at_once)?;
        if self.spills > 0 {
            write!(f, ", {} spilled", self.spills)?;
        }
        if self.own_bytes > 0 {
            write!(f, ", {} bytes", self.own_bytes)?;
        }
        Ok(())
    }
}

/// The worst of each kernel's forms, and the forms that the card's driver refuses.
fn survey<'a>(forms: &'a [Launch], listings: &[String]) -> (BTreeMap<&'a str, Needs>, Vec<String>) {
    let (mut worst, mut refused) = (BTreeMap::<&str, Needs>::new(), Vec::new());
    for (form, text) in forms.iter().zip(listings) {
        let name = form.kernel.name();
        match Needs::parse(text) {
            Some(needs) => drop(worst.entry(name).and_modify(|known| *known = known.or(needs)).or_insert(needs)),
            None => refused.push(format!("{name} {:?}: {text}", form.constants)),
        }
    }
    (worst, refused)
}

#[test]
#[ignore = "some minutes, for `scripts/drivers/run`"]
fn every_form_for_every_card() {
    let forms = proof::forms().unwrap();
    let mut kernels: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    forms.iter().for_each(|form| kernels.entry(form.kernel.name()).or_default().0 += 1);
    let mut all_refused = Vec::new();
    for (name, card) in CARDS {
        let began = Instant::now();
        let Some(listings) = listings(card, &forms) else { return };
        let (worst, refused) = survey(&forms, &listings);
        println!("{name}\t{} passed, {} failed\t{}", forms.len() - refused.len(), refused.len(), began.elapsed().as_secs());
        for (kernel, (_, cells)) in &mut kernels {
            cells.push(worst.get(kernel).map_or_else(|| "refused".to_owned(), Needs::to_string));
        }
        all_refused.extend(refused.iter().map(|why| format!("{name}: {why}")));
    }
    let mut table = format!("| kernel | forms | {} |\n", CARDS.map(|(name, _)| name).join(" | "));
    table += &format!("| --- | ---: |{}\n", " --- |".repeat(CARDS.len()));
    for (kernel, (count, cells)) in &kernels {
        table += &format!("| `{kernel}` | {count} | {} |\n", cells.join(" | "));
    }
    if let Some(file) = env::var_os("WGRAD_SURVEY") {
        std::fs::write(file, table).unwrap();
    }
    assert!(all_refused.is_empty(), "{}", all_refused.join("\n"));
}

#[test]
fn the_worst_of_a_kernels_forms_is_told() {
    let amd = "matmul\nSGPRs: 108\nVGPRs: 96\nSpilled SGPRs: 1\nSpilled VGPRs: 2\nScratch size: 0\nSubgroups per SIMD: 10\n";
    let nvidia = "matmul\nMax warps/SM: 8\nSpills to memory: 0\nNumber of GPRs: 64\nSLM size: 16\n";
    let needs = Needs { registers: 96, at_once: 10, spills: 3, own_bytes: 0 };
    assert_eq!(Needs::parse(amd), Some(needs));
    assert_eq!(needs.or(Needs::parse(nvidia).unwrap()).to_string(), "96 / 8, 3 spilled, 16 bytes");
    assert_eq!(Needs::parse("matmul\nrefused: ERROR_UNKNOWN\nVGPRs: 96\n"), None);
}
