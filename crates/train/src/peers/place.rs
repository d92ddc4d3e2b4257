//! Where a peer computes: in words that are equal where the bits are, and beside how many others.

use super::Peers;
use crate::error::{Error, Result};
use gpu_core::{AdapterInfo, AdapterKind, Device, adapters, choose_adapter, chosen_adapter};
use std::fs::read_to_string;
use std::num::NonZero;
use std::thread::available_parallelism;

/// The adapter and its driver, or the processor's instructions that the mirrors make use of.
pub fn place_of(device: &Device) -> String {
    match device {
        Device::Gpu(gpu) => format!("{} ({})", gpu.info().name, gpu.info().driver),
        cpu => format!("{} ({})", cpu.name(), instructions()),
    }
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> &'static str {
    match (is_x86_feature_detected!("avx512f"), is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        (true, _) => "x86-64 with AVX-512",
        (false, true) => "x86-64 with AVX2",
        _ => "x86-64",
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> &'static str {
    std::env::consts::ARCH
}

/// What tells this machine from others that are also called `host`; `WGRAD_MACHINE` says it for containers that share one and are to be
/// told apart.
fn machine(host: &str) -> String {
    let named = std::env::var("WGRAD_MACHINE").unwrap_or_default();
    let booted = read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    if named.is_empty() { format!("{host} {}", booted.trim()) } else { named }
}

/// Processors of the machine, those that this process may not use among them.
fn processors() -> Option<usize> {
    let ranges = read_to_string("/sys/devices/system/cpu/online").ok()?;
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(last.parse::<usize>().ok()? - first.parse::<usize>().ok()? + 1)
    };
    ranges.trim().split(',').map(count).sum()
}

/// Threads of each of `local` processes on a machine of so many processors, of which it may use `mine`.
fn threads(processors: usize, local: usize, mine: usize) -> usize {
    (processors / local).clamp(1, mine)
}

/// How many of them are GPUs: they come first.
fn hardware(adapters: &[AdapterInfo]) -> usize {
    adapters.iter().filter(|adapter| adapter.kind != AdapterKind::Software).count()
}

/// The place among `adapters` of the GPU of the process that is the `rank`-th of `local` on its machine; none where there is no hardware.
fn own_gpu(adapters: &[AdapterInfo], rank: usize, local: usize) -> Result<Option<usize>> {
    match hardware(adapters) {
        0 => Ok(None),
        gpus if local > gpus => Error::setting(format!(
            "{local} processes are on a machine of {gpus} {}: two on one would take turns; start fewer, or give --device cpu",
            if gpus == 1 { "GPU" } else { "GPUs" }
        )),
        _ => Ok(Some(rank)),
    }
}

/// A device on each of so many GPUs of this machine; software drivers count where `software`, and serve several.
///
/// # Errors
/// If there are fewer, or one cannot be opened.
pub fn gpus(number: usize, software: bool) -> Result<Vec<Device>> {
    let adapters = adapters();
    let hardware = hardware(&adapters);
    if hardware == 0 && software && !adapters.is_empty() {
        return (0..number).map(|_| Ok(Device::gpu()?)).collect();
    }
    if hardware < number {
        return Error::setting(format!("--gpus {number}: this machine has {hardware} (see wgrad devices)"));
    }
    (0..number).map(|place| Ok(Device::on_adapter(&format!("#{place}"))?)).collect()
}

impl Peers {
    /// The machine of this one.
    fn machine(&self) -> String {
        machine(self.engine.as_ref().map_or("here", |engine| engine.host()))
    }

    /// The machine of each.
    pub(super) fn machines(&self) -> Result<Vec<Vec<u8>>> {
        self.gather(self.machine().as_bytes())
    }

    /// Which of those on this machine this one is, and how many they are.
    ///
    /// # Errors
    /// If another one is gone.
    pub fn local(&self) -> Result<(usize, usize)> {
        let machines = self.machines()?;
        let mine = &machines[self.rank()];
        let local = |machines: &[Vec<u8>]| machines.iter().filter(|theirs| *theirs == mine).count();
        Ok((local(&machines[..self.rank()]), local(&machines)))
    }

    /// Takes this one's share of its machine, before anything is computed there: as many of its cores as the others on it have, and
    /// with `gpu` an adapter of its own, unless one was chosen. Of a process that is no thread of another's.
    ///
    /// # Errors
    /// If there are fewer GPUs than processes, for all; if another one is gone.
    pub fn settle(&self, gpu: bool) -> Result<()> {
        if self.is_alone() {
            return Ok(());
        }
        let (rank, local) = self.local()?;
        let mine = available_parallelism().map_or(1, NonZero::get);
        if std::env::var_os("RAYON_NUM_THREADS").is_none() {
            let threads = threads(processors().unwrap_or(mine), local, mine);
            // Where a pool is there already, a program has made its own.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        }
        let own = if gpu && chosen_adapter().is_none() { own_gpu(&adapters(), rank, local) } else { Ok(None) };
        if let Some(place) = self.agree(own)? {
            choose_adapter(format!("#{place}"));
        }
        Ok(())
    }

    /// Refuses two processes on one GPU, whose work would take turns.
    ///
    /// # Errors
    /// If there are two, for all.
    pub(crate) fn expect_own_gpu(&self, device: &Device) -> Result<()> {
        let id = match device {
            Device::Gpu(gpu) if gpu.info().kind != AdapterKind::Software => &gpu.info().pci_bus_id,
            _ => "",
        };
        let mine = if id.is_empty() { String::new() } else { format!("{id} of {}", self.machine()) };
        let all = self.gather(mine.as_bytes())?;
        let second = (0..all.len()).find(|&rank| !all[rank].is_empty() && all[..rank].contains(&all[rank]));
        let Some(second) = second else { return Ok(()) };
        let first = all.iter().position(|theirs| *theirs == all[second]).expect("it was found");
        self.agree(Error::setting(format!(
            "processes {first} and {second} are on one GPU ({}, {id}) and would take turns: leave --adapter and WGRAD_ADAPTER out",
            device.name()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_shared_out_and_a_launcher_that_binds_processes_is_obeyed() {
        assert_eq!([threads(64, 8, 64), threads(64, 8, 4), threads(2, 8, 2), threads(6, 4, 6)], [8, 4, 1, 1]);
        assert!(processors().is_none_or(|count| count >= available_parallelism().map_or(1, NonZero::get)));
    }

    #[test]
    fn all_threads_of_a_process_are_on_its_machine() {
        let places = super::super::tests::each(3, |peers| peers.local().unwrap());
        assert_eq!(places, [(0, 3), (1, 3), (2, 3)]);
    }

    #[test]
    fn a_process_has_a_gpu_of_its_own_or_none() {
        let of = |kinds: &[AdapterKind]| -> Vec<AdapterInfo> {
            let info = |kind: &AdapterKind| AdapterInfo {
                name: String::new(),
                backend: String::new(),
                driver: String::new(),
                kind: *kind,
                pci_bus_id: String::new(),
                max_storage_buffers: 8,
                max_workgroup_invocations: 256,
                max_workgroup_bytes: 16_384,
                max_workgroups: 65_535,
                max_binding_bytes: 1 << 27,
                max_immediate_bytes: 0,
                subgroup_lanes: 1,
                matrix_units: None,
                features: Vec::new(),
            };
            kinds.iter().map(info).collect()
        };
        let two = of(&[AdapterKind::Discrete, AdapterKind::Integrated, AdapterKind::Software]);
        assert_eq!([own_gpu(&two, 0, 2).unwrap(), own_gpu(&two, 1, 2).unwrap()], [Some(0), Some(1)]);
        assert_eq!(own_gpu(&of(&[AdapterKind::Software]), 3, 8).unwrap(), None);
        let refused = own_gpu(&two, 2, 3).unwrap_err().to_string();
        assert!(refused.starts_with("3 processes are on a machine of 2 GPUs"), "{refused}");
    }
}
