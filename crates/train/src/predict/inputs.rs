//! Which pictures are meant: files, folders, and patterns that no shell has filled in.

use crate::error::{Error, Result};
use crate::photo::{KINDS, is_named_so};
use std::fs;
use std::path::{Path, PathBuf};

/// The files that `inputs` name: a folder stands for all pictures below it, a pattern such as `photos/*.png` for the files that
/// fit, both by name; any other path for itself, also where it cannot be read.
///
/// # Errors
/// If a folder cannot be read, or a folder or pattern stands for no file.
pub fn pictures(inputs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for input in inputs {
        if input.is_dir() {
            let before = files.len();
            below(input, &mut files)?;
            if files.len() == before {
                return Err(Error::content(input, format!("this folder holds no picture ({KINDS})")));
            }
        } else if let Some(pattern) = pattern(input) {
            files.extend(fitting(input, pattern)?);
        } else {
            files.push(input.clone());
        }
    }
    Ok(files)
}

/// A path as a pattern, if it is one and not the name of a file.
fn pattern(input: &Path) -> Option<&str> {
    let text = input.to_str().filter(|text| text.contains(['*', '?', '[']))?;
    (!input.exists()).then_some(text)
}

fn fitting(input: &Path, pattern: &str) -> Result<Vec<PathBuf>> {
    let found = glob::glob(pattern).map_err(|e| Error::content(input, format!("this is no pattern: {e}")))?;
    let files: Vec<PathBuf> = found.filter_map(|path| path.ok()).filter(|path| path.is_file()).collect();
    match files.is_empty() {
        false => Ok(files),
        true => Err(Error::content(input, "no file fits this pattern")),
    }
}

/// The pictures below a folder. Links to folders are not followed: they may lead in circles.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut entries = entries.map_err(Error::file("reading", folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().map_err(Error::file("reading", &path))?.is_dir() {
            below(&path, files)?;
        } else if is_named_so(&path) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_stand_for_their_pictures_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("photos/cat")).unwrap();
        fs::create_dir_all(path("empty")).unwrap();
        for name in ["photos/b.PNG", "photos/a.jpeg", "photos/notes.txt", "photos/cat/2.jpg", "photos/cat/10.jpg", "photos/[x].png"]
        {
            fs::write(path(name), "").unwrap();
        }
        let found = |inputs: &[&str]| {
            let inputs: Vec<PathBuf> = inputs.iter().map(|name| path(name)).collect();
            let files = pictures(&inputs).map_err(|e| e.to_string())?;
            Ok::<_, String>(
                files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>(),
            )
        };
        let all = ["photos/[x].png", "photos/a.jpeg", "photos/b.PNG", "photos/cat/10.jpg", "photos/cat/2.jpg"];
        assert_eq!(found(&["photos"]).unwrap(), all);
        assert_eq!(found(&["photos/cat/*.jpg", "nothing.png"]).unwrap(), ["photos/cat/10.jpg", "photos/cat/2.jpg", "nothing.png"]);
        assert_eq!(found(&["photos/**/1?.jpg"]).unwrap(), ["photos/cat/10.jpg"]);
        // What is there is no pattern.
        assert_eq!(found(&["photos/[x].png"]).unwrap(), ["photos/[x].png"]);
        for (input, wanted) in [("empty", "holds no picture"), ("photos/*.tif", "no file fits"), ("photos/***", "no pattern")] {
            let error = found(&[input]).unwrap_err();
            assert!(error.contains(input) && error.contains(wanted), "{error}");
        }
    }
}
