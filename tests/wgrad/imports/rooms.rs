//! The rooms of gpu-core, from the ground up: none imports one above it, and wgpu is spoken in one alone.

use super::graph::imports;
use super::tokens::tokens;
use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. What stands in no room (`tensor`, `kernel`, `ops`, ...) stands above.
const ROOMS: &[&str] = &["base", "gpu", "run"];

/// How high a file stands.
fn height(file: &Path) -> usize {
    let first = file.components().next().unwrap();
    ROOMS.iter().position(|room| first.as_os_str() == *room).unwrap_or(ROOMS.len())
}

/// The imports that lead upward.
fn upward(root: &Path) -> Vec<[PathBuf; 2]> {
    imports(root).into_iter().filter(|[from, to]| height(from) < height(to)).collect()
}

/// Whether a source says `wgpu::`.
fn knows_wgpu(source: &str) -> bool {
    tokens(source).windows(2).any(|pair| pair == ["wgpu", "::"])
}

/// Whether a source asks what a device is.
fn asks_for_the_device(source: &str) -> bool {
    let questions = ["is_gpu", "place", "prefers_registers", "subgroup_lanes", "matrix_units"];
    tokens(source).windows(2).any(|pair| pair[0] == "." && questions.contains(&&*pair[1]))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|e| e == "rs")).collect()
}

#[test]
fn no_room_imports_one_above_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/gpu-core/src/lib.rs");
    assert!(ROOMS.iter().all(|room| root.with_file_name(room).is_dir()));
    assert_eq!(upward(&root), Vec::<[PathBuf; 2]>::new());
}

#[test]
fn wgpu_is_written_in_one_room_and_at_the_door_for_other_programs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/gpu-core/src");
    let knowing = sources(&folder).into_iter().filter(|file| knows_wgpu(&fs::read_to_string(file).unwrap()));
    let outside: Vec<PathBuf> = knowing.filter(|file| !file.starts_with(folder.join("gpu"))).collect();
    // Where programs with a wgpu device of their own come in.
    assert_eq!(outside, [folder.join("embed.rs")]);
    assert!(knows_wgpu("fn f(device: &wgpu::Device) {}") && !knows_wgpu("// wgpu::Device"));
}

#[test]
fn no_operator_asks_what_a_device_is() {
    let asking = |file: &PathBuf| asks_for_the_device(&fs::read_to_string(file).unwrap());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/gpu-core/src");
    assert_eq!(sources(&folder.join("ops")).into_iter().filter(asking).collect::<Vec<_>>(), Vec::<PathBuf>::new());
    assert!(asking(&folder.join("work.rs")));
}

#[test]
fn an_import_that_leads_upward_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lib.rs");
    fs::write(&root, "mod base; mod run;").unwrap();
    fs::create_dir(folder.path().join("base")).unwrap();
    fs::create_dir(folder.path().join("run")).unwrap();
    fs::write(folder.path().join("base/mod.rs"), "use crate::run::Device; pub struct Shape;").unwrap();
    fs::write(folder.path().join("run/mod.rs"), "use crate::base::Shape; pub struct Device;").unwrap();
    assert_eq!(upward(&root), [["base/mod.rs", "run/mod.rs"].map(PathBuf::from)]);
}
