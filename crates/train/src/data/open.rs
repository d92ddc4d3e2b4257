//! Data sets in a folder, known by the names of their files.

use super::dataset::Dataset;
use super::error::DataError;
use super::files::Files;
use super::folder::{self, Opened, Opening};
use super::{builtin, cifar, mnist};
use std::path::{Path, PathBuf};

/// Where a data set lies below the folder its archive was unpacked into.
const SUBFOLDERS: [&str; 4] = ["cifar-10-batches-bin", "cifar-100-binary", "mnist", "MNIST/raw"];

/// Rows and columns of images that pictures become where nobody asks for others.
pub const SIDE: usize = 64;

/// Opens `"builtin"` (see [`builtin`]) or the data set in a directory, known by the names of its files: CIFAR-10 or
/// CIFAR-100 in the binary version, or MNIST idx files, plain or gzipped; or pictures in class folders (`cat/1.jpg`, also below
/// `train/`, `val/` and `test/`), which become images of 64 x 64 in three channels, as do those of a table (a CSV file with the columns
/// `path`, below its folder, and `label`; and `split` with train, val or test, or none) and those in `images/` whose masks lie in `masks/`
/// beside it. The folder *above* `cifar-10-batches-bin`,
/// `cifar-100-binary`, `mnist` or `MNIST/raw` will do too, and so will `cifar-10-binary.tar.gz` or `cifar-100-binary.tar.gz`. A directory
/// that is itself called `builtin` is `./builtin`.
///
/// No checksums are compared, so re-encoded, shortened or relabelled copies are welcome.
///
/// # Errors
/// A [`DataError`] if the directory holds no data set or several, or if a file is missing, unreadable, not a whole number
/// of records, or labelled beyond its classes.
pub fn open(spec: &str) -> Result<Dataset, DataError> {
    Ok(open_as(spec, &Opening::of([3, SIDE, SIDE]))?.data)
}

/// The same, and how pictures become images: see [`Opening`].
///
/// # Errors
/// As [`open`].
pub fn open_as(spec: &str, opening: &Opening<'_>) -> Result<Opened, DataError> {
    if spec == builtin::NAME {
        return Ok(builtin::whole().into());
    }
    let root = Path::new(spec);
    if root.is_file() && Files::is_archive(root) {
        return Ok(cifar::Layout::open_archive(root)?.into());
    }
    if folder::is_table(root) {
        return folder::open_table(root, opening);
    }
    if !root.is_dir() {
        return Err(DataError::NotADirectory { path: root.into() });
    }
    let mut found = formats_in(root);
    if found.is_empty() {
        found = SUBFOLDERS.iter().flat_map(|folder| formats_in(&root.join(folder))).collect();
    }
    match found.as_slice() {
        [] if folder::is_in(root) => folder::open(root, opening),
        [] => Err(DataError::Unrecognised { path: root.into() }),
        [(Format::Cifar(layout), folder)] => Ok(layout.open(&Files::Folder(folder.clone()))?.into()),
        [(Format::Mnist, folder)] => Ok(mnist::open(folder)?.into()),
        several => {
            let places: Vec<_> =
                several.iter().map(|(format, folder)| format!("{} in {}", format.name(), folder.display())).collect();
            Err(DataError::Ambiguous { path: root.into(), found: places.join(", ") })
        }
    }
}

/// Opens CIFAR-100, in a directory or the one below it, with its 20 superclasses for classes: its files have two labels an image, and
/// [`open`] takes the finer one.
///
/// # Errors
/// As [`open`]; a directory without CIFAR-100 holds no data set here.
pub fn open_coarse(spec: &str) -> Result<Dataset, DataError> {
    let root = Path::new(spec);
    if !root.is_dir() {
        return Err(DataError::NotADirectory { path: root.into() });
    }
    let folders = [root.to_path_buf(), root.join("cifar-100-binary")];
    match folders.iter().find(|folder| cifar::CIFAR100_COARSE.is_in(folder)) {
        Some(folder) => cifar::CIFAR100_COARSE.open(&Files::Folder(folder.clone())),
        None => Err(DataError::Unrecognised { path: root.into() }),
    }
}

#[derive(Clone, Copy)]
enum Format {
    Cifar(&'static cifar::Layout),
    Mnist,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Cifar(layout) => layout.name,
            Self::Mnist => mnist::NAME,
        }
    }

    fn is_in(self, folder: &Path) -> bool {
        match self {
            Self::Cifar(layout) => layout.is_in(folder),
            Self::Mnist => mnist::is_in(folder),
        }
    }
}

fn formats_in(folder: &Path) -> Vec<(Format, PathBuf)> {
    [Format::Cifar(&cifar::CIFAR10), Format::Cifar(&cifar::CIFAR100), Format::Mnist]
        .into_iter()
        .filter(|format| format.is_in(folder))
        .map(|format| (format, folder.to_path_buf()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::test_folder::TestFolder;
    use super::*;

    #[test]
    fn a_path_that_is_no_directory_says_so() {
        let folder = TestFolder::new();
        folder.write("train.bin", &[]);
        for name in ["nowhere", "train.bin", "cifar-10-binary.tar.gz"] {
            let error = open(&folder.spec(name)).unwrap_err();
            assert!(matches!(error, DataError::NotADirectory { .. }), "{error}");
            assert!(error.to_string().contains("`builtin`"), "{error}");
        }
    }

    #[test]
    fn a_directory_without_a_data_set_is_told_every_format() {
        let error = open(&TestFolder::new().spec("")).unwrap_err();
        assert!(matches!(error, DataError::Unrecognised { .. }), "{error}");
        for name in ["CIFAR-10", "CIFAR-100", "MNIST", "test_batch.bin", "train.bin", "t10k-labels-idx1-ubyte"] {
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn two_data_sets_below_one_directory_must_be_told_apart() {
        let folder = TestFolder::new();
        folder.write("cifar-10-batches-bin/test_batch.bin", &[]);
        folder.write("mnist/train-images-idx3-ubyte.gz", &[]);
        let error = open(&folder.spec("")).unwrap_err();
        assert!(matches!(error, DataError::Ambiguous { .. }), "{error}");
        assert!(error.to_string().contains("CIFAR-10 in "), "{error}");
        assert!(error.to_string().contains("MNIST in "), "{error}");
    }
}
