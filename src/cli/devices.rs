//! `wgrad devices`.

use super::answer::{Ending, Json, say, say_json};
use clap::Args;
use gpu_core::{AdapterInfo, AdapterKind, Device, adapters};
use serde_json::{Value, json};
use train::Result;

#[derive(Args)]
pub struct Flags {
    #[command(flatten)]
    json: Json,
}

fn kind(kind: AdapterKind) -> &'static str {
    match kind {
        AdapterKind::Discrete => "discrete GPU",
        AdapterKind::Integrated => "integrated GPU",
        AdapterKind::Other => "other GPU",
        AdapterKind::Software => "software driver",
    }
}

pub fn run(flags: &Flags) -> Result<Ending> {
    let found = adapters();
    let auto = Device::auto()?;
    if flags.json.json {
        let list: Vec<Value> = found.iter().map(describe).collect();
        say_json(&json!({ "auto": auto.name(), "adapters": list }))?;
        return Ok(Ending::Done);
    }
    for (place, adapter) in found.iter().enumerate() {
        show(place, adapter)?;
    }
    if found.is_empty() {
        say("no GPU adapter answers: --device gpu is not possible here")?;
    }
    say("CPU: always there; runs the mirrors of the kernels")?;
    say(&format!("auto takes: {}", auto.name()))?;
    Ok(Ending::Done)
}

fn describe(adapter: &AdapterInfo) -> Value {
    json!({
        "name": adapter.name,
        "kind": kind(adapter.kind),
        "backend": adapter.backend,
        "driver": adapter.driver,
        "pci_bus_id": adapter.pci_bus_id,
        "features": adapter.features,
        "limits": {
            "storage_buffers": adapter.max_storage_buffers,
            "workgroup_invocations": adapter.max_workgroup_invocations,
            "workgroup_bytes": adapter.max_workgroup_bytes,
            "workgroups": adapter.max_workgroups,
            "binding_bytes": adapter.max_binding_bytes,
            "immediate_bytes": adapter.max_immediate_bytes,
            "subgroup_lanes": adapter.subgroup_lanes,
            "matrix_tile": adapter.matrix_units.map(|units| units.tile),
        },
    })
}

fn show(place: usize, a: &AdapterInfo) -> Result<()> {
    say(&format!("{place}: {}", a.name))?;
    say(&format!("  kind      {} ({})", kind(a.kind), a.backend))?;
    say(&format!("  driver    {}", a.driver))?;
    if !a.pci_bus_id.is_empty() {
        say(&format!("  plugged   {}", a.pci_bus_id))?;
    }
    let features = if a.features.is_empty() { "none".to_owned() } else { a.features.join(", ") };
    say(&format!("  features  {features}"))?;
    say(&format!("  limits    largest tensor {} MiB, {} workgroups an axis,", a.max_binding_bytes >> 20, a.max_workgroups))?;
    say(&format!(
        "            workgroup {} invocations, {} KiB of memory,",
        a.max_workgroup_invocations,
        a.max_workgroup_bytes >> 10
    ))?;
    say(&format!("            {} buffers a kernel, {} bytes of immediates", a.max_storage_buffers, a.max_immediate_bytes))
}
