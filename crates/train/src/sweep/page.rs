//! A sweep as a page: its runs as lines over parallel axes, and as a table.

use super::plan::{Method, Plan};
use super::trial::Trial;
use super::values::Values;
use crate::error::Result;
use crate::page::frame::Frame;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Serialize)]
struct Shown<'a> {
    name: String,
    method: &'static str,
    /// How many runs there will be.
    runs: u64,
    axes: Vec<Value>,
    trials: &'a [Trial],
}

/// Writes the page of these runs, the best first.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(plan: &Plan, folder: &Path, trials: &[Trial], to: &Path) -> Result<()> {
    let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let axis = |(key, values): &(String, Values)| match values.list() {
        // Each at a place of its own, as they stand in the file.
        Some(list) => json!({ "key": key, "list": list }),
        None => json!({ "key": key, "ends": values.given(), "log": values.is_log() }),
    };
    let rungs = plan.rungs();
    let mut axes: Vec<Value> = plan.search.iter().map(axis).collect();
    if rungs.len() > 1 {
        axes.push(json!({ "key": "epochs", "list": rungs.iter().map(|rung| rung.epochs).collect::<Vec<_>>() }));
    }
    let method = match plan.method {
        Method::Grid => "grid",
        Method::Random => "random",
        Method::Halving { .. } => "halving",
    };
    let data = Shown { name, method, runs: plan.runs(), axes, trials };
    let title = format!("Sweep {}", data.name);
    Frame { title: &title, body: include_str!("page.html"), script: include_str!("page.js"), data: &data }.write(to)
}
