//! The law for documentation: what an operator, a method of `Var` or a layer says of itself.

use std::fs;
use std::path::{Path, PathBuf};

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// A public item: its name, its documentation, and whether it is `#[track_caller]`.
struct Item {
    name: String,
    docs: String,
    panics: bool,
}

/// The items of a source whose line begins with `keyword`, at this indentation.
fn items(source: &str, keyword: &str) -> Vec<Item> {
    let (mut docs, mut panics, mut found) = (String::new(), false, Vec::new());
    for line in source.lines() {
        let text = line.trim_start();
        if let Some(doc) = text.strip_prefix("///") {
            docs += doc;
            docs.push('\n');
        } else if text.starts_with("#[") {
            panics |= text == "#[track_caller]";
        } else {
            if let Some(rest) = line.strip_prefix(keyword) {
                let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
                found.push(Item { name, docs: docs.clone(), panics });
            }
            docs.clear();
            panics = false;
        }
    }
    found
}

/// What each item of `folder` lacks.
fn lacking(folder: &str, keyword: &str, complaint: fn(&Item) -> Vec<&'static str>) -> (usize, Vec<String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut count, mut lacking) = (0, Vec::new());
    // `forms.rs` has what proof and bench alone call.
    let is_public = |path: &&PathBuf| {
        !path.components().any(|c| c.as_os_str().to_string_lossy().starts_with("tests")) && !path.ends_with("forms.rs")
    };
    for path in rust_files(&folder).iter().filter(is_public) {
        for item in items(&fs::read_to_string(path).unwrap(), keyword) {
            count += 1;
            let file = path.strip_prefix(&folder).unwrap().display();
            lacking.extend(complaint(&item).iter().map(|what| format!("{file}: {} has no {what}", item.name)));
        }
    }
    (count, lacking)
}

fn unless(has: bool, what: &'static str) -> Option<&'static str> {
    (!has).then_some(what)
}

/// A paper, PyTorch's or NumPy's equivalent, or, for a gradient, a link to the function that it is of.
fn names_its_source(item: &Item) -> bool {
    let is_gradient = item.name.contains("_bwd") && item.docs.contains("[`");
    is_gradient || ["torch", "PyTorch", "NumPy", "et al."].iter().any(|source| item.docs.contains(source))
}

/// Whether `ops` exports a function of this name.
fn is_operator(name: &str) -> bool {
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/gpu-core/src/ops/mod.rs")).unwrap();
    source
        .split("pub use ")
        .skip(1)
        .any(|list| list.split(';').next().unwrap().split([':', '{', '}', ',']).any(|word| word.trim() == name))
}

#[test]
fn every_operator_names_its_source_its_panics_and_shows_an_example() {
    assert!(is_operator("conv2d") && is_operator("cast") && !is_operator("kernels"));
    let (count, lacking) = lacking("crates/gpu-core/src/ops", "pub fn ", |item| {
        if !is_operator(&item.name) {
            return Vec::new();
        }
        [
            unless(item.docs.contains("```"), "example"),
            unless(!item.panics || item.docs.contains("# Panics"), "\"# Panics\""),
            unless(names_its_source(item), "source (its PyTorch equivalent or a paper)"),
        ]
        .into_iter()
        .flatten()
        .collect()
    });
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    assert!(count > 60, "{count} operators were found");
}

#[test]
fn every_method_of_var_names_its_source_and_its_panics() {
    let (count, lacking) = lacking("crates/nn/src/autograd/derivatives", "    pub fn ", |item| {
        let source = unless(names_its_source(item), "source (its PyTorch equivalent or a paper)");
        let panics = unless(!item.panics || item.docs.contains("# Panics"), "\"# Panics\"");
        source.into_iter().chain(panics).collect()
    });
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    assert!(count > 20, "{count} methods were found");
}

#[test]
fn every_layer_names_its_source() {
    let (count, lacking) = lacking("crates/nn/src/layers", "pub struct ", |item| {
        unless(names_its_source(item), "source (its PyTorch equivalent or a paper)").into_iter().collect()
    });
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    assert!(count > 10, "{count} layers were found");
}
