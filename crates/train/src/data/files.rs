//! The files of a data set by their names: in a folder, or in the archive that was downloaded.

use super::error::DataError;
use super::file::{most_bytes, read};
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub(super) enum Files {
    Folder(PathBuf),
    /// What was looked for in an archive, unpacked.
    Archive(PathBuf, BTreeMap<String, Vec<u8>>),
}

impl Files {
    /// Whether a path names an archive, whatever it holds.
    pub fn is_archive(path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        name.ends_with(".tar.gz") || name.ends_with(".tgz")
    }

    /// Those in an archive whose names, without their folders, are `wanted`.
    pub fn unpacked(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Self, DataError> {
        let broken = |source: io::Error| DataError::Archive { path: path.into(), source };
        let (packed, most) = (read(path)?, most_bytes());
        let (mut found, mut kept) = (BTreeMap::new(), 0u64);
        // What a header claims is not believed: no more is unpacked than may be.
        let mut archive = tar::Archive::new(MultiGzDecoder::new(&packed[..]).take(most));
        for entry in archive.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            let name = entry.path().map_err(broken)?.file_name().map(|name| name.to_string_lossy().into_owned());
            let Some(name) = name.filter(|name| entry.header().entry_type().is_file() && wanted(name)) else { continue };
            let claimed = entry.size();
            kept = kept.saturating_add(claimed);
            if kept > most {
                return Err(DataError::TooLarge { path: path.into(), claimed: claimed.into(), most });
            }
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(broken)?;
            if content.len() as u64 != claimed {
                return Err(broken(io::ErrorKind::UnexpectedEof.into()));
            }
            found.insert(name, content);
        }
        Ok(Self::Archive(path.into(), found))
    }

    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).exists(),
            Self::Archive(_, found) => found.contains_key(name),
        }
    }

    /// What messages call a file.
    pub fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Folder(path) | Self::Archive(path, _) => path.join(name),
        }
    }

    /// The bytes of a file that is there.
    pub fn read(&self, name: &str) -> Result<Cow<'_, [u8]>, DataError> {
        match self {
            Self::Folder(folder) => Ok(Cow::Owned(read(&folder.join(name))?)),
            Self::Archive(_, found) => Ok(Cow::Borrowed(&found[name])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::super::test_folder::TestFolder;
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    const BLOCK: usize = 512;

    fn entry(name: &str, kind: tar::EntryType, size: u64, content: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        let padding = content.len().next_multiple_of(BLOCK) - content.len();
        [&header.as_bytes()[..], content, &vec![0; padding]].concat()
    }

    fn file(name: &str, content: &[u8]) -> Vec<u8> {
        entry(name, tar::EntryType::Regular, content.len() as u64, content)
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// As the archive of CIFAR-10 is made: a folder, its files in no order, a page of the web, two empty blocks.
    fn cifar() -> Vec<u8> {
        let record = |label: u8| [vec![label], vec![10 * label; 3072]].concat();
        let batches = (1..=5).rev().map(|n| file(&format!("cifar-10-batches-bin/data_batch_{n}.bin"), &record(n)));
        let folder = entry("cifar-10-batches-bin/", tar::EntryType::Directory, 0, &[]);
        let names: Vec<u8> = (b'a'..=b'j').flat_map(|c| [c, b'\n']).collect();
        let rest = [
            file("cifar-10-batches-bin/readme.html", b"<html>"),
            file("cifar-10-batches-bin/batches.meta.txt", &names),
            file("cifar-10-batches-bin/test_batch.bin", &[record(7), record(8)].concat()),
            vec![0; 2 * BLOCK],
        ];
        [folder].into_iter().chain(batches).chain(rest).flatten().collect()
    }

    #[test]
    fn cifar_10_is_opened_as_it_was_downloaded() {
        let folder = TestFolder::new();
        folder.write("cifar-10-binary.tar.gz", &packed(&cifar()));
        let data = open(&folder.spec("cifar-10-binary.tar.gz")).unwrap();
        assert_eq!((data.name.as_str(), data.train.labels(), data.test.labels()), ("CIFAR-10", &[1, 2, 3, 4, 5][..], &[7, 8][..]));
        assert_eq!((data.train.image(2)[3071], data.test.image(1)[0], data.classes[9].as_str()), (30, 80, "j"));
    }

    #[test]
    fn an_archive_that_is_cut_short_altered_or_of_something_else_is_an_error() {
        let (folder, whole) = (TestFolder::new(), cifar());
        let fault = |bytes: &[u8]| {
            folder.write("a.tgz", bytes);
            open(&folder.spec("a.tgz")).unwrap_err()
        };
        let is_broken = |error: DataError| assert!(matches!(error, DataError::Archive { .. }), "{error}");
        // In a header, and in a file.
        [100, BLOCK + 1, 3 * BLOCK].into_iter().for_each(|cut| is_broken(fault(&packed(&whole[..cut]))));
        let gz = packed(&whole);
        is_broken(fault(&gz[..gz.len() / 2]));
        is_broken(fault(b"no gzip"));
        for at in [3, 130, 150, 156] {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            is_broken(fault(&packed(&altered)));
        }
        let claims = entry("test_batch.bin", tar::EntryType::Regular, 1 << 40, &[0; 700]);
        let error = fault(&packed(&claims));
        assert!(matches!(error, DataError::TooLarge { .. }), "{error}");
        // Between two files: what is missing has a name.
        let error = fault(&packed(&whole[..BLOCK + 4096]));
        assert!(matches!(error, DataError::MissingFile { .. }), "{error}");
        for other in [file("cifar-10-batches-py/data_batch_1", b"pickle"), Vec::new()] {
            let error = fault(&packed(&other));
            assert!(matches!(error, DataError::Unrecognised { .. }), "{error}");
        }
    }
}
