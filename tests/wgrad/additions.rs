//! What additions cost: the number of files that know one, counted on real ones.

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// The files of the packages, shaders among them, that have one of the words.
fn that_know(words: &[&str]) -> Vec<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    let mut all = Vec::new();
    files(&crates, &mut all);
    let knows = |path: &PathBuf| fs::read_to_string(path).is_ok_and(|text| words.iter().any(|word| text.contains(word)));
    let known = all.iter().filter(|path| knows(path));
    known.map(|path| path.strip_prefix(&crates).unwrap().display().to_string()).collect()
}

#[test]
fn an_addition_is_made_in_few_files() {
    let additions: [(&[&str], usize); 5] = [
        (&["softsign", "SOFTSIGN", "Softsign"], 6),
        (&["zero_pad2d", "ZeroPad2d"], 3),
        (&["reflection_pad2d", "ReflectionPad2d"], 3),
        (&["squeezenet", "SqueezeNet"], 3),
        (&["clip_value: f64"], 1),
    ];
    for (words, most) in additions {
        let found = that_know(words);
        assert!((1..=most).contains(&found.len()), "{}: {found:?}", words[0]);
    }
    // The control: an operator of its own costs more than a row of a table.
    assert!(that_know(&["pixel_shuffle"]).len() > 6);
}
