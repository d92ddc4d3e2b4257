//! What a listing of machine code says about speed.

use std::collections::BTreeMap;

/// A kernel as machine code.
#[derive(Debug, Default)]
pub struct Listing {
    /// Vector registers.
    pub registers: u64,
    /// Registers that went to memory.
    pub spills: u64,
    /// Waves that a SIMD holds at once.
    pub waves: u64,
    /// Multiply-adds, and all instructions, of the basic block with the most multiply-adds. Reads of workgroup memory
    /// are counted by 16 bytes, however the driver cuts them: Mesa 26 reads 8 bytes twice where 22.3 read 16.
    pub hot: [usize; 2],
    /// Reads of workgroup memory in that block, by instruction.
    pub hot_reads: BTreeMap<String, usize>,
    /// Accesses to buffers by instruction: `load_dwordx4` and so on.
    pub accesses: BTreeMap<String, usize>,
}

impl Listing {
    /// From what RADV says of a kernel: statistics, then the machine code.
    pub fn parse(text: &str) -> Option<Self> {
        let statistic = |name: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.split_whitespace().next());
            found.and_then(|value| value.parse::<u64>().ok())
        };
        let mut listing = Self {
            registers: statistic("VGPRs")?,
            spills: statistic("Spilled VGPRs")? + statistic("Spilled SGPRs")?,
            waves: statistic("Subgroups per SIMD")?,
            ..Self::default()
        };
        let code = text.rsplit_once("machine code:")?.1;
        for block in blocks(code) {
            let multiply_adds =
                block.iter().filter(|op| op.contains("fma") || op.contains("v_mad_f") || op.contains("v_mac_f")).count();
            if multiply_adds > listing.hot[0] {
                let reads = block.iter().filter(|op| op.starts_with("ds_read") || op.starts_with("ds_load"));
                listing.hot_reads = count(reads.copied());
                let halves = ["ds_read_b64", "ds_load_b64"].map(|op| listing.hot_reads.get(op).copied().unwrap_or_default());
                listing.hot = [multiply_adds, block.len() - halves.iter().sum::<usize>() / 2];
            }
            for (access, times) in count(block.iter().filter_map(|op| op.strip_prefix("buffer_").or(op.strip_prefix("global_")))) {
                *listing.accesses.entry(access).or_default() += times;
            }
        }
        Some(listing)
    }

    /// Accesses of a kind (`load` or `store`) that move 16 bytes, and all others.
    pub fn wide_and_other(&self, kind: &str) -> [usize; 2] {
        let of_kind = self.accesses.iter().filter(|(name, _)| name.starts_with(kind));
        let (wide, other): (Vec<_>, Vec<_>) = of_kind.partition(|(name, _)| name.ends_with("dwordx4") || name.ends_with("b128"));
        [wide, other].map(|accesses| accesses.iter().map(|(_, times)| *times).sum())
    }
}

fn count<'a>(ops: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    ops.for_each(|op| *counts.entry(op.to_owned()).or_default() += 1);
    counts
}

/// The instructions of each basic block.
fn blocks(code: &str) -> Vec<Vec<&str>> {
    let mut blocks = vec![Vec::new()];
    for line in code.lines().map(str::trim) {
        let op = line.split_whitespace().next().unwrap_or_default();
        if op.starts_with("BB") && op.ends_with(':') {
            blocks.push(Vec::new());
        } else if ["v_", "s_", "ds_", "buffer_", "global_", "flat_", "scratch_"].iter().any(|family| op.starts_with(family)) {
            blocks.last_mut().expect("there is a first one").push(op);
        }
    }
    blocks
}
