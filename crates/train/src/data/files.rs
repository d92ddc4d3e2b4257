//! The files of a data set by their names: in a folder, or in the archive that was downloaded.
//!
//! An archive is a gzipped tar file (POSIX ustar). Read by ourselves, for it is a header of 512 bytes before each file, and a library
//! would be two crates more; names of over 100 characters, which have forms of their own, are not among those that are looked for.

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
        let packed = read(path)?;
        let mut archive = Archive { path, stream: MultiGzDecoder::new(&packed[..]), left: most_bytes() };
        let mut found = BTreeMap::new();
        while let Some(Header { name, size, is_file }) = archive.header()? {
            let is_wanted = is_file && wanted(&name);
            let content = archive.content(size, is_wanted)?;
            if is_wanted {
                found.insert(name, content);
            }
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

/// What stands before a file.
struct Header {
    /// Without its folders.
    name: String,
    size: u64,
    is_file: bool,
}

const BLOCK: usize = 512;

struct Archive<'a, R> {
    path: &'a Path,
    stream: R,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl<R: Read> Archive<'_, R> {
    /// The next header; none at the end.
    fn header(&mut self) -> Result<Option<Header>, DataError> {
        let block = self.content(BLOCK as u64, true)?;
        if block.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        // The sum of the header's bytes, with spaces in the place of the sum itself.
        let sum: u64 =
            block.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u64::from(byte) }).sum();
        let (Some(size), Some(told)) = (octal(&block[124..136]), octal(&block[148..156])) else { return Err(self.broken()) };
        if sum != told {
            return Err(self.broken());
        }
        let name = String::from_utf8_lossy(&block[..100]);
        let name = name.trim_end_matches('\0').rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Some(Header { name, size, is_file: matches!(block[156], 0 | b'0') }))
    }

    /// So many bytes, and what fills their last block; an empty list where they are not kept.
    fn content(&mut self, size: u64, is_kept: bool) -> Result<Vec<u8>, DataError> {
        let whole = size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64);
        if whole > self.left {
            return Err(DataError::TooLarge { path: self.path.into(), claimed: size.into(), most: most_bytes() });
        }
        self.left -= whole;
        let (mut kept, mut part) = (Vec::new(), self.stream.by_ref().take(whole));
        let read = if is_kept { part.read_to_end(&mut kept).map(|n| n as u64) } else { io::copy(&mut part, &mut io::sink()) };
        let found = read.map_err(|source| DataError::Gzip { path: self.path.into(), source })?;
        if found < whole {
            return Err(self.broken());
        }
        kept.truncate(size as usize);
        Ok(kept)
    }

    fn broken(&self) -> DataError {
        DataError::Archive { path: self.path.into() }
    }
}

/// A number in octal digits, with spaces before it and a space or a zero byte after it.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    u64::from_str_radix(digits, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::super::test_folder::TestFolder;
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
        let mut header = vec![0; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = kind;
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        let padding = content.len().next_multiple_of(BLOCK) - content.len();
        [&header[..], content, &vec![0; padding]].concat()
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// As the archive of CIFAR-10 is made: a folder, its files in no order, a page of the web, two empty blocks.
    fn cifar() -> Vec<u8> {
        let record = |label: u8| [vec![label], vec![10 * label; 3072]].concat();
        let batches = (1..=5).rev().map(|n| entry(&format!("cifar-10-batches-bin/data_batch_{n}.bin"), b'0', &record(n)));
        let folder = entry("cifar-10-batches-bin/", b'5', &[]);
        let names: Vec<u8> = (b'a'..=b'j').flat_map(|c| [c, b'\n']).collect();
        let rest = [
            entry("cifar-10-batches-bin/readme.html", b'0', b"<html>"),
            entry("cifar-10-batches-bin/batches.meta.txt", b'0', &names),
            entry("cifar-10-batches-bin/test_batch.bin", 0, &[record(7), record(8)].concat()),
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
        for cut in [0, 100, BLOCK + 1, 3 * BLOCK, whole.len() - 2 * BLOCK] {
            let error = fault(&packed(&whole[..cut]));
            assert!(matches!(error, DataError::Archive { .. }), "{cut}: {error}");
        }
        let gz = packed(&whole);
        assert!(matches!(fault(&gz[..gz.len() / 2]), DataError::Gzip { .. }));
        assert!(matches!(fault(b"no gzip"), DataError::Gzip { .. }));
        // Any byte of a header.
        for at in [3, 130, 150, 156] {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            assert!(matches!(fault(&packed(&altered)), DataError::Archive { .. }), "byte {at}");
        }
        let huge = entry("test_batch.bin", b'0', &[]);
        let mut claims = huge.clone();
        claims[124..135].copy_from_slice(b"77777777777");
        let sum: i64 = claims.iter().zip(&huge).map(|(a, b)| i64::from(*a) - i64::from(*b)).sum();
        let sum = octal(&huge[148..156]).unwrap() as i64 + sum;
        claims[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        let error = fault(&packed(&claims));
        assert!(matches!(error, DataError::TooLarge { .. } | DataError::Archive { .. }), "{error}");
        let other = [entry("cifar-10-batches-py/data_batch_1", b'0', b"pickle"), vec![0; 2 * BLOCK]].concat();
        let error = fault(&packed(&other));
        assert!(matches!(error, DataError::Unrecognised { .. }), "{error}");
    }
}
