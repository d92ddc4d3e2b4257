//! Tint, the compiler of Chromium's WebGPU, takes every kernel. It refuses some of what naga lets pass: a barrier that not every
//! invocation of a workgroup reaches, above all.

use super::shaders::forms;
use serde_json::{Value, json};
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// The folder with Dawn for Node, which holds Tint: the one that `WGRAD_NODE` names, or the one that `scripts/test` fills under the
/// target folder.
fn folder() -> Option<PathBuf> {
    // This test is a program in its folder `debug/deps`.
    let program = env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    let folder = env::var_os("WGRAD_NODE").map_or_else(|| target.join("node"), PathBuf::from);
    if folder.join("node_modules/webgpu").is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} has no node_modules/webgpu; see WGRAD_NODE", folder.display());
    None
}

/// What Tint has against each of these kernels, which are given by their entry points and whole texts.
fn refusals(folder: &Path, kernels: &[(&str, String)]) -> Vec<Option<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops/tint.mjs");
    let mut command = Command::new("node");
    let mut node = command.arg(script).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut questions, answers) = (node.stdin.take().unwrap(), BufReader::new(node.stdout.take().unwrap()));
    let said: Vec<Value> = thread::scope(|scope| {
        // It may end before it has read all: then answers are missing.
        scope.spawn(move || {
            kernels.iter().try_for_each(|(entry, text)| writeln!(questions, "{}", json!({ "entry": entry, "text": text })))
        });
        answers.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
    });
    assert!(node.wait().unwrap().success());
    assert_eq!(said.len(), kernels.len(), "Tint has not answered for every kernel");
    said.iter().map(|answer| answer.as_str().map(str::to_owned)).collect()
}

#[test]
fn tint_takes_every_kernel() {
    let Some(folder) = folder() else { return };
    // The web has no matrix units.
    let forms: Vec<_> = forms().into_iter().filter(|form| !form.kernel.has_matrix_units()).collect();
    let kernels: Vec<_> = forms.iter().map(|form| (form.kernel.name(), form.portable_source())).collect();
    let refused = refusals(&folder, &kernels);
    let refused: Vec<String> = forms
        .iter()
        .zip(refused)
        .filter_map(|(form, why)| Some(format!("{} {:?}: {}", form.kernel.name(), form.constants, why?)))
        .collect();
    assert!(refused.is_empty(), "{} of {}:\n{}", refused.len(), forms.len(), refused.join("\n"));
}

#[test]
fn tint_refuses_a_barrier_that_some_may_miss_and_a_wrong_type() {
    let Some(folder) = folder() else { return };
    let kernel = |body: &str| {
        let text = format!(
            "@group(0) @binding(0) var<storage, read_write> y: array<f32>;
             @compute @workgroup_size(64) fn planted(@builtin(local_invocation_index) i: u32) {{ {body} }}"
        );
        ("planted", text)
    };
    let planted = [
        kernel("workgroupBarrier(); y[i] = 1.0;"),
        kernel("if i < 32u { workgroupBarrier(); } y[i] = 1.0;"),
        kernel("y[i] = i;"),
        ("absent", kernel("y[i] = 1.0;").1),
    ];
    // naga takes the second: its validator does not ask who reaches a barrier.
    naga::front::wgsl::parse_str(&planted[1].1).unwrap();
    let [right, missed, wrong, absent] = <[_; 4]>::try_from(refusals(&folder, &planted)).unwrap();
    assert_eq!(right, None);
    for (why, word) in [(missed, "uniform control flow"), (wrong, "cannot assign"), (absent, "absent")] {
        assert!(why.as_ref().is_some_and(|why| why.contains(word)), "{why:?}");
    }
}
