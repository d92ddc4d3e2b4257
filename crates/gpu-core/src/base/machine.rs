//! The memory that there is: the budget that somebody set, and what the machine has free.

use super::error::{Error, Result};

/// The variable that sets the budget, in MiB.
const BUDGET: &str = "WGRAD_MEMORY_MIB";

/// The budget of a device in bytes, as `WGRAD_MEMORY_MIB` sets it: drivers do not tell how much there is, and some never say that it is
/// spent. `u64::MAX` where it is not set.
///
/// # Errors
/// If the variable holds anything but a whole number of MiB from 1 on.
pub(crate) fn budget() -> Result<u64> {
    let Some(text) = std::env::var_os(BUDGET).filter(|text| !text.is_empty()) else { return Ok(u64::MAX) };
    let mib = text.to_str().and_then(|text| text.parse::<u64>().ok());
    let bytes = mib.filter(|&mib| mib > 0).and_then(|mib| mib.checked_mul(1 << 20));
    bytes.ok_or_else(|| Error::Budget { found: text.to_string_lossy().into_owned() })
}

/// Bytes of memory that the system can give without swapping; `u64::MAX` where it does not tell: all but Linux. A budget of a device is
/// another thing: see [`Device::available_bytes`](crate::Device::available_bytes).
pub fn free_bytes() -> u64 {
    let free = || {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()?.checked_mul(1 << 10)
    };
    free().unwrap_or(u64::MAX)
}
