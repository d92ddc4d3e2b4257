//! A plan over the memory is refused before anything is run.

use crate::error::Result;
use gpu_core::Device;
use nn::{MemoryPlan, Module, Optimizer, StepError, StepOptions};

/// Below so many images a step fits into any machine that this runs on, and the prediction would cost more than it saves.
const SMALL: usize = 512;

/// The CPU device has no limit of its own: the machine's free memory is one, where the system tells it.
pub(super) fn refuse_too_large(
    net: &dyn Module,
    optimizer: &dyn Optimizer,
    options: &StepOptions,
    batch: usize,
    device: &Device,
) -> Result<()> {
    let Some(free) = free_bytes().filter(|_| !device.is_gpu() && batch > SMALL) else { return Ok(()) };
    let plan = MemoryPlan::predict(net, optimizer, options)?;
    if plan.peak_bytes <= free {
        return Ok(());
    }
    let fits = (batch as u128 * u128::from(free) / u128::from(plan.peak_bytes)) as usize;
    Err(StepError::TooLarge { batch, needed_bytes: plan.peak_bytes, available_bytes: free, fits }.into())
}

/// What the system could give without swapping; Linux only.
fn free_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib << 10)
}
