//! What a verification came to: on the screen, as JSON, and as a report.

use super::answer::say;
use super::columns::cut;
use gpu_core::{AdapterInfo, Device};
use nn::checkpoint::write_atomically;
use proof::Row;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use train::{Error, Result};

pub struct Outcome<'a> {
    pub device: &'a Device,
    pub rows: &'a [Row],
    /// Golden cases of operators that are not known here.
    pub unknown: &'a [String],
}

impl Outcome<'_> {
    pub fn failed(&self) -> usize {
        self.rows.iter().filter(|row| !row.ok).count()
    }

    pub fn summary(&self) -> Value {
        json!({
            "passed": self.rows.len() - self.failed(),
            "failed": self.failed(),
            "unknown": self.unknown.len(),
            "rows": self.rows,
            "unknown_cases": self.unknown,
            "device": self.device.name(),
        })
    }

    /// Writes the summary with all that a maintainer asks for first.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut report = self.summary();
        report["wgrad"] = json!(env!("CARGO_PKG_VERSION"));
        report["system"] = json!(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
        report["command"] = json!(std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>());
        let settings =
            std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
        report["environment"] = json!(settings.filter(|(name, _)| name.starts_with("WGRAD_")).collect::<BTreeMap<_, _>>());
        report["adapter"] = match self.device {
            Device::Gpu(gpu) => adapter(gpu.info()),
            _ => Value::Null,
        };
        let text = serde_json::to_string_pretty(&report).expect("results are JSON");
        let written = write_atomically(path, |file| file.write_all(text.as_bytes()));
        written.map_err(|source| Error::File { doing: "writing", path: path.into(), source })
    }

    /// A line for each row that failed, or for `all`; after a bisection the first layer that is out of its bound.
    pub fn show(&self, all: bool, bisected: bool) -> Result<()> {
        self.rows.iter().filter(|row| all || !row.ok).try_for_each(show)?;
        self.unknown.iter().try_for_each(|case| say(&format!("unknown  {case}")))?;
        let (passed, failed) = (self.rows.len() - self.failed(), self.failed());
        say(&format!("{passed} passed, {failed} failed, {} unknown on {}", self.unknown.len(), self.device.name()))?;
        match self.rows.iter().find(|row| !row.ok).filter(|_| bisected) {
            Some(row) => say(&format!("the first that is out of its bound: {} ({})", row.name, row.what)),
            None => Ok(()),
        }
    }
}

fn adapter(info: &AdapterInfo) -> Value {
    json!({
        "name": info.name,
        "backend": info.backend,
        "driver": info.driver,
        "kind": format!("{:?}", info.kind),
        "max_storage_buffers": info.max_storage_buffers,
        "max_workgroup_invocations": info.max_workgroup_invocations,
        "max_workgroup_bytes": info.max_workgroup_bytes,
        "max_workgroups": info.max_workgroups,
        "max_binding_bytes": info.max_binding_bytes,
        "max_immediate_bytes": info.max_immediate_bytes,
        "subgroup_lanes": info.subgroup_lanes,
        "matrix_tile": info.matrix_units.map(|units| units.tile),
        "features": info.features,
    })
}

/// One line of at most 80 columns.
fn show(row: &Row) -> Result<()> {
    let mark = if row.ok { "ok    " } else { "FAILED" };
    let room = 80 - 7 - 1 - 24 - 2 - 19;
    say(&format!("{mark} {:<24} {:<room$} {:>9.2e} {:>9.2e}", cut(&row.name, 24), cut(&row.what, room), row.error, row.bound))
}
