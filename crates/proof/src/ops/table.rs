//! The whole table, run once for all tests that look at it.

use super::cases;
use crate::case::Reference;
use crate::launches::Launch;
use crate::{Case, Difference, counted, floats, gpu};
use gpu_core::{Device, Result, Tensor};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// A case that ran.
pub(crate) struct Ran {
    pub case: Case,
    /// Whether a second run of the mirrors gave the same bits.
    pub again_on_cpu: bool,
    /// What the CPU device would launch on a GPU.
    pub on_cpu: Vec<Launch>,
    /// None without a GPU.
    pub gpu: Option<OnGpu>,
}

/// A case on the test GPU.
pub(crate) struct OnGpu {
    /// How far it was from the mirrors.
    pub difference: Difference,
    pub launches: Vec<Launch>,
    /// Of all outputs, hashed.
    pub bits: u64,
    /// Whether a second run gave the same.
    pub again: bool,
    /// The second run: the first compiles.
    pub took: Duration,
    /// What the mirrors computed; none of what takes too long for others to run it again.
    pub reference: Option<Reference>,
}

/// What takes longer is for indices that only the largest shapes have.
const LONG: Duration = Duration::from_millis(300);

pub(crate) static TABLE: LazyLock<Vec<Ran>> = LazyLock::new(|| {
    let gpu = gpu();
    let ran = |case: Case| {
        let name = format!("{} {}", case.name, case.what);
        run(case, gpu.as_ref()).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    cases().into_iter().map(ran).collect()
});

fn run(case: Case, gpu: Option<&Device>) -> Result<Ran> {
    let (cpu, on_cpu) = counted(&Device::Cpu);
    let want = case.run(&Device::Cpu);
    let again_on_cpu = bits(&want)? == bits(&case.run(&cpu))?;
    let on_cpu = on_cpu.take();
    let Some(gpu) = gpu else { return Ok(Ran { case, again_on_cpu, on_cpu, gpu: None }) };
    let reference = case.reference(&Device::Cpu, &want)?;
    let (counted, launches) = counted(gpu);
    let got = case.run(&counted);
    let launches = launches.take();
    let (difference, first) = (reference.hold(case.name, &got)?, bits(&got)?);
    let began = Instant::now();
    let again = bits(&case.run(gpu))? == first;
    let took = began.elapsed();
    let reference = (took <= LONG).then_some(reference);
    Ok(Ran { case, again_on_cpu, on_cpu, gpu: Some(OnGpu { difference, launches, bits: first, again, took, reference }) })
}

/// A hash of the bits of all outputs.
pub(crate) fn bits(outputs: &[Tensor]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for output in outputs {
        floats(output)?.iter().for_each(|v| v.to_bits().hash(&mut hasher));
    }
    Ok(hasher.finish())
}
