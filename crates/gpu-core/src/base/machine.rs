//! The memory that there is: the budget that somebody set, and what the machine has free.

use super::error::{Error, Result};
use std::fs::read_to_string;
use std::path::Path;

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

/// Bytes of memory that this process can still be given without swapping: what the machine has free, or what a container or `ulimit -v`
/// leaves of less. `u64::MAX` where the system does not tell: all but Linux. A budget of a device is another thing: see
/// [`Device::available_bytes`](crate::Device::available_bytes).
pub fn free_bytes() -> u64 {
    let machine = kib("/proc/meminfo", "MemAvailable:");
    [machine, container_bytes(), address_space_bytes()].into_iter().flatten().min().unwrap_or(u64::MAX)
}

/// What the limit of the process's group leaves: that of cgroup 2, or of 1, whichever the system has.
fn container_bytes() -> Option<u64> {
    let groups = read_to_string("/proc/self/cgroup").ok()?;
    let left = groups.lines().filter_map(|line| {
        let (controllers, group) = line.split_once(':')?.1.split_once(':')?;
        match controllers.split(',').any(|c| c == "memory") {
            true => group_bytes(
                "/sys/fs/cgroup/memory",
                group,
                ["memory.limit_in_bytes", "memory.usage_in_bytes"],
                "total_inactive_file",
            ),
            false if controllers.is_empty() => {
                group_bytes("/sys/fs/cgroup", group, ["memory.max", "memory.current"], "inactive_file")
            }
            false => None,
        }
    });
    left.min()
}

/// What a group's limit leaves; the pages of files in it are given up where memory is short.
fn group_bytes(root: &str, group: &str, [most, used]: [&str; 2], files: &str) -> Option<u64> {
    // A container may see its own group as the root, under the name that it has outside.
    let folders = [Path::new(root).join(group.trim_matches('/')), root.into()];
    let folder = folders.into_iter().find(|folder| folder.join(most).is_file())?;
    // A group without a limit says `max`.
    let number = |name: &str| read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let (most, used) = (number(most)?, number(used)?);
    let files = value(&read_to_string(folder.join("memory.stat")).unwrap_or_default(), files).unwrap_or(0);
    Some(most.saturating_sub(used.saturating_sub(files)))
}

/// What the limit of the address space leaves.
fn address_space_bytes() -> Option<u64> {
    let limits = read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    // It is `unlimited` where there is none.
    let most = line.split_whitespace().next()?.parse::<u64>().ok()?;
    Some(most.saturating_sub(kib("/proc/self/status", "VmSize:")?))
}

fn kib(file: &str, name: &str) -> Option<u64> {
    value(&read_to_string(file).ok()?, name)?.checked_mul(1 << 10)
}

/// The number behind `name` at the beginning of a line.
fn value(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(|c: char| c.is_whitespace()))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_by_its_name_alone() {
        let text = "MemTotal:       100 kB\nMemAvailable:    42 kB\ninactive_file 7\ninactive_files 8\n";
        assert_eq!(
            [value(text, "MemAvailable:"), value(text, "inactive_file"), value(text, "inactive")],
            [Some(42), Some(7), None]
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_machine_has_some_memory_and_no_more_than_it_has() {
        let total = kib("/proc/meminfo", "MemTotal:").unwrap();
        assert!((1..=total).contains(&free_bytes()), "{} of {total}", free_bytes());
    }
}
