//! The short examples run; the long one is compiled by `cargo test --all-targets`.

#[path = "../../examples/custom_kernel.rs"]
mod custom_kernel;
#[path = "../../examples/tensors.rs"]
mod tensors;

#[test]
fn the_tensor_library_stands_alone() {
    tensors::main().unwrap();
}

#[test]
fn a_kernel_of_ones_own_equals_its_mirror() {
    custom_kernel::main().unwrap();
}

#[test]
fn examples_are_short() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            continue; // what the studies share, and their parts
        }
        let source = std::fs::read_to_string(&path).unwrap();
        // A study is a page or several; what shows one thing is shorter.
        let (lines, most) = (source.lines().count(), if source.contains("mod common;") { 400 } else { 40 });
        assert!(lines <= most, "{} has {lines} lines", path.display());
    }
}
