//! The inputs that fuzzing has found, and those that it began with, once more: no panic.

// What the fuzz targets call.
#[path = "../../fuzz/readers.rs"]
mod readers;

use std::path::Path;

#[test]
fn no_reader_panics_at_what_fuzzing_has_found() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, read) in readers::ALL {
        let files: Vec<_> = std::fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() >= 3, "{name}: {} inputs", files.len());
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let ended = std::panic::catch_unwind(|| read(&bytes));
            assert!(ended.is_ok(), "{} panics in {name}", file.display());
        }
    }
}
