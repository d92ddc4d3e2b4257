//! The studies of `examples/`: each runs on both devices in its shortest form, holds its own checks and writes what it says, and each
//! has its section in `docs/studies.md`.

#[path = "../../examples/common/list.rs"]
mod list;

use list::STUDIES;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use wgrad::gpu_core::check;

/// The folder of the studies' programs, built once for all tests.
fn programs() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| list::build().unwrap())
}

/// Runs a study with `--quick`; what it wrote.
#[track_caller]
fn run(name: &str, device: &str, out: &Path) -> Vec<PathBuf> {
    let mut program = list::program(programs(), name);
    let output = program.args(["--quick", "--device", device, "--out"]).arg(out).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "{name} on {device}: {said}");
    assert!(said.contains("ok  "), "{name} on {device} checked nothing: {said}");
    let wide: Vec<&str> = said.lines().filter(|line| line.starts_with("  ") && line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{name}: tables wider than 80 columns: {wide:?}");
    fs::read_dir(out.join(name)).unwrap().map(|file| file.unwrap().path()).collect()
}

/// A page, a table and a picture, and nothing in them that is not a number but was to be drawn.
fn is_complete(name: &str, files: &[PathBuf]) {
    let contents = |extension: &str| -> Vec<String> {
        let found = files.iter().filter(|path| path.extension().is_some_and(|e| e == extension));
        found.map(|path| fs::read_to_string(path).unwrap()).collect()
    };
    let [pages, tables, pictures] = ["html", "csv", "svg"].map(contents);
    assert!(pages.len() == 1 && !tables.is_empty() && !pictures.is_empty(), "{name} wrote {files:?}");
    assert!(tables.iter().all(|table| table.lines().count() > 1), "{name} has an empty table");
    for picture in pictures {
        assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"), "{name}: {picture:.80}");
        assert!(!picture.contains("NaN"), "{name} draws NaN");
    }
}

fn succeed_on(device: &str) {
    let out = tempfile::tempdir().unwrap();
    for name in STUDIES {
        is_complete(name, &run(name, device, out.path()));
    }
}

#[test]
fn the_studies_succeed_on_the_cpu() {
    succeed_on("cpu");
}

#[test]
fn the_studies_succeed_on_a_gpu() {
    if check::gpu().is_some() {
        succeed_on("gpu");
    }
}

#[test]
fn a_study_is_listed_and_has_its_section_with_a_short_snippet_and_a_picture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in fs::read_dir(root.join("examples")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let is_study = path.is_file() && fs::read_to_string(&path).unwrap().contains("Study::begin(");
        assert_eq!(
            is_study,
            STUDIES.contains(&name.as_str()),
            "{name}: a study is in examples/common/list.rs, and nothing else is"
        );
    }
    let docs = fs::read_to_string(root.join("docs/studies.md")).unwrap();
    for name in STUDIES {
        let section = docs.split("\n## ").find(|s| s.lines().next().is_some_and(|head| head.ends_with(&format!("(`{name}`)"))));
        let section = section.unwrap_or_else(|| panic!("docs/studies.md has no section that ends in (`{name}`)"));
        let snippet = section.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap_or_default();
        let shown = snippet.lines().filter(|line| !line.starts_with("# ")).count();
        assert!((1..=15).contains(&shown), "{name}: a snippet of {shown} lines");
        let picture = section.split("](studies/").nth(1).and_then(|rest| rest.split(')').next());
        let picture = picture.unwrap_or_else(|| panic!("{name}: no picture of docs/studies/ in its section"));
        assert!(root.join("docs/studies").join(picture).is_file(), "docs/studies/{picture} is not there");
    }
}
