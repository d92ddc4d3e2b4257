//! The law of imports: no two files of a crate import one another, directly or round about.
//!
//! What counts is what `use` lines bring and what paths from `crate` or `super` name, resolved to the file that defines it:
//! `use super::Conv2d` where `mod.rs` only says `pub use conv2d::Conv2d` is an import of `conv2d.rs`. A `pub use` whose name the file
//! does not use itself is an export, `mod name;` a declaration, and neither is an import. What is compiled for tests alone does not
//! count.

mod graph;
mod modules;
mod rooms;
mod tokens;

use graph::circles;
use std::fs;
use std::path::{Path, PathBuf};

/// The roots of all crates, relative to the repository.
fn roots() -> Vec<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(repository.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let folders = crates.chain([repository.to_path_buf()]).map(|folder| folder.join("src"));
    folders.flat_map(|src| ["lib.rs", "main.rs"].map(|root| src.join(root))).filter(|root| root.is_file()).collect()
}

#[test]
fn no_files_import_one_another() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let name = |file: &PathBuf| file.strip_prefix(repository).unwrap().to_string_lossy().replace('\\', "/");
    let mut told = String::new();
    for circle in roots().iter().flat_map(|root| circles(root)) {
        told += &format!("{} files import one another:\n", circle.files.len());
        circle.imports.iter().for_each(|(from, to)| told += &format!("  {} -> {}\n", name(from), name(to)));
    }
    assert!(told.is_empty(), "{told}");
}

/// The files, by name, of the circles in a crate of these sources.
fn found(sources: &[(&str, &str)]) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, source) in sources {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, source).unwrap();
    }
    let name = |file: &PathBuf| file.strip_prefix(folder.path()).unwrap().to_string_lossy().replace('\\', "/");
    circles(&folder.path().join("lib.rs")).iter().map(|circle| circle.files.iter().map(name).collect()).collect()
}

#[test]
fn a_planted_circle_is_found() {
    let root = ("lib.rs", "mod a; mod b; mod c; pub use a::A; pub use b::*;");
    let round_about = [root, ("a.rs", "use crate::{c::C}; pub struct A;"), ("b/mod.rs", "use super::A; pub enum B {}")];
    for import in ["pub fn f() { use crate::B; } pub trait C {}", "pub trait C { fn f(b: super::B); }"] {
        let planted = [&round_about[..], &[("c.rs", import)]].concat();
        assert_eq!(found(&planted), [["a.rs", "b/mod.rs", "c.rs"]], "{import}");
    }
    let cut = [&round_about[..], &[("c.rs", "pub trait C {} #[cfg(test)] mod tests { use crate::B; } // use crate::B;")]].concat();
    assert_eq!(found(&cut), Vec::<Vec<String>>::new());
}

#[test]
fn a_parent_that_uses_what_it_exports_is_in_a_circle_with_a_child_that_uses_the_parent() {
    let child = ("a.rs", "use super::Shared; pub struct A(Shared);");
    assert!(found(&[("lib.rs", "mod a; pub use a::A; pub struct Shared;"), child]).is_empty());
    let uses_it = ("lib.rs", "mod a; pub use a::A; pub struct Shared; pub fn f(a: A) {}");
    assert_eq!(found(&[uses_it, child]), [["a.rs", "lib.rs"]]);
}
