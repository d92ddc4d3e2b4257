//! CIFAR-10 and CIFAR-100, binary version.
//!
//! A file is records without a header: the label bytes, then 1,024 bytes each of red, green and blue, row by row.
//! CIFAR-10 has one label byte; CIFAR-100 a coarse one (of 20 superclasses), then the fine one.

use std::path::Path;

use super::dataset::Dataset;
use super::error::DataError;
use super::files::Files;
use super::images::ImageSet;
use crate::photo::Reading;

const SHAPE: [usize; 3] = [3, 32, 32];
const IMAGE_BYTES: usize = 3 * 32 * 32;

/// What sets the two data sets apart.
pub struct Layout {
    pub name: &'static str,
    /// Bytes before the pixels, and which of them is the class.
    label_bytes: usize,
    label_at: usize,
    classes: usize,
    train_files: &'static [&'static str],
    test_file: &'static str,
    /// One class name a line; may be absent.
    names_file: &'static str,
    mean: [f32; 3],
    std: [f32; 3],
}

pub const CIFAR10: Layout = Layout {
    name: "CIFAR-10",
    label_bytes: 1,
    label_at: 0,
    classes: 10,
    train_files: &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
    test_file: "test_batch.bin",
    names_file: "batches.meta.txt",
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.2470, 0.2435, 0.2616],
};

pub const CIFAR100: Layout = Layout {
    name: "CIFAR-100",
    label_bytes: 2,
    label_at: 1,
    classes: 100,
    train_files: &["train.bin"],
    test_file: "test.bin",
    names_file: "fine_label_names.txt",
    mean: [0.5071, 0.4865, 0.4409],
    std: [0.2673, 0.2564, 0.2762],
};

/// The same images by their superclasses.
pub const CIFAR100_COARSE: Layout =
    Layout { name: "CIFAR-100 by superclass", label_at: 0, classes: 20, names_file: "coarse_label_names.txt", ..CIFAR100 };

impl Layout {
    /// Whether any of the record files is there: an incomplete set is then named as such when opened.
    pub fn is_in(&self, folder: &Path) -> bool {
        self.records().any(|file| folder.join(file).is_file())
    }

    fn records(&self) -> impl Iterator<Item = &'static str> {
        self.train_files.iter().copied().chain([self.test_file])
    }

    /// From the archive of either data set.
    pub fn open_archive(path: &Path) -> Result<Dataset, DataError> {
        let wants = |layout: &Self, name: &str| name == layout.names_file || layout.records().any(|file| file == name);
        let files = Files::unpacked(path, |name| [&CIFAR10, &CIFAR100].iter().any(|layout| wants(layout, name)))?;
        let found = [&CIFAR10, &CIFAR100].into_iter().find(|layout| layout.records().any(|file| files.has(file)));
        found.ok_or_else(|| DataError::Unrecognised { path: path.into() })?.open(&files)
    }

    pub fn open(&self, files: &Files) -> Result<Dataset, DataError> {
        let train = self.read_images(files, self.train_files)?;
        Ok(Dataset {
            name: self.name.to_owned(),
            val: train.none(),
            train,
            test: self.read_images(files, &[self.test_file])?,
            classes: self.read_classes(files)?,
            mean: self.mean.to_vec(),
            std: self.std.to_vec(),
            reading: Reading::default(),
        })
    }

    fn read_images(&self, files: &Files, names: &[&str]) -> Result<ImageSet, DataError> {
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        for name in names {
            let path = files.path(name);
            if !files.has(name) {
                return Err(DataError::MissingFile { path, format: self.name });
            }
            self.parse(&path, &files.read(name)?, &mut images, &mut labels)?;
        }
        Ok(ImageSet::new(images, labels, SHAPE))
    }

    /// Appends the records in `bytes`; `path` is for errors only.
    fn parse(&self, path: &Path, bytes: &[u8], images: &mut Vec<u8>, labels: &mut Vec<u32>) -> Result<(), DataError> {
        let record_bytes = self.label_bytes + IMAGE_BYTES;
        if bytes.is_empty() {
            return Err(DataError::Empty { path: path.into() });
        }
        if !bytes.len().is_multiple_of(record_bytes) {
            let records = bytes.len().div_ceil(record_bytes);
            return Err(DataError::Size {
                path: path.into(),
                found: bytes.len() as u64,
                expected: (records * record_bytes) as u128,
                records: records as u64,
            });
        }
        images.reserve(bytes.len() / record_bytes * IMAGE_BYTES);
        for (record, content) in bytes.chunks_exact(record_bytes).enumerate() {
            let (label, pixels) = content.split_at(self.label_bytes);
            let label = u32::from(label[self.label_at]);
            if label as usize >= self.classes {
                return Err(DataError::Label { path: path.into(), record, label, classes: self.classes });
            }
            labels.push(label);
            images.extend_from_slice(pixels);
        }
        Ok(())
    }

    /// The names that are listed, or `class 0`, `class 1`, ... where there is no list.
    fn read_classes(&self, files: &Files) -> Result<Vec<String>, DataError> {
        if !files.has(self.names_file) {
            return Ok((0..self.classes).map(|class| format!("class {class}")).collect());
        }
        let text = files.read(self.names_file)?;
        let text = String::from_utf8_lossy(&text);
        let names: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if names.len() != self.classes {
            return Err(DataError::ClassNames { path: files.path(self.names_file), found: names.len(), expected: self.classes });
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_folder::{TestFolder, real_data};
    use super::super::{open, open_coarse};
    use super::*;

    /// A record whose pixels count up from `first`, plane after plane.
    fn record(label: &[u8], first: u8) -> Vec<u8> {
        label.iter().copied().chain((0..IMAGE_BYTES).map(|i| first.wrapping_add(i as u8))).collect()
    }

    fn parse(layout: &Layout, bytes: &[u8]) -> Result<ImageSet, DataError> {
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        layout.parse(Path::new("batch.bin"), bytes, &mut images, &mut labels)?;
        Ok(ImageSet::new(images, labels, SHAPE))
    }

    #[test]
    fn a_record_is_its_label_and_three_planes() {
        let set = parse(&CIFAR10, &[record(&[3], 0), record(&[9], 100)].concat()).unwrap();
        assert_eq!(set.labels(), [3, 9]);
        assert_eq!(set.image(0), &record(&[], 0)[..]);
        assert_eq!(set.image(1), &record(&[], 100)[..]);
    }

    #[test]
    fn cifar_100_has_two_labels_an_image() {
        let folder = TestFolder::new();
        let fine = |i: usize| (i * 37 % 100) as u8;
        let coarse = |i: usize| (i % 20) as u8;
        let file = |count: usize| (0..count).flat_map(|i| record(&[coarse(i), fine(i)], i as u8)).collect::<Vec<u8>>();
        folder.write("cifar-100-binary/train.bin", &file(120));
        folder.write("cifar-100-binary/test.bin", &file(7));
        for below in ["", "cifar-100-binary"] {
            let (by_class, by_superclass) = (open(&folder.spec(below)).unwrap(), open_coarse(&folder.spec(below)).unwrap());
            assert_eq!((by_class.name.as_str(), by_class.classes.len()), ("CIFAR-100", 100));
            assert_eq!((by_superclass.name.as_str(), by_superclass.classes.len()), ("CIFAR-100 by superclass", 20));
            for (a, b, count) in [(&by_class.train, &by_superclass.train, 120), (&by_class.test, &by_superclass.test, 7)] {
                assert_eq!(a.labels(), (0..count).map(|i| u32::from(fine(i))).collect::<Vec<_>>());
                assert_eq!(b.labels(), (0..count).map(|i| u32::from(coarse(i))).collect::<Vec<_>>());
                assert_eq!(a.images(), b.images());
                assert_eq!(a.image(5), &record(&[], 5)[..]);
            }
        }
    }

    #[test]
    fn only_cifar_100_has_superclasses() {
        let folder = TestFolder::new();
        write_cifar10(&folder, "");
        let error = open_coarse(&folder.spec("")).unwrap_err();
        assert!(matches!(error, DataError::Unrecognised { .. }), "{error}");
        assert!(matches!(open_coarse("builtin").unwrap_err(), DataError::NotADirectory { .. }));
    }

    #[test]
    fn a_file_of_broken_records_says_how_many_bytes_were_expected() {
        let whole = [record(&[3], 0), record(&[9], 100)].concat();
        let long = [&whole[..], &[0]].concat();
        let cases: [(&[u8], &str); 3] = [
            (&whole[..6145], "6145 bytes found, 6146 expected for 2 records"),
            (&whole[..1], "1 bytes found, 3073 expected for 1 records"),
            (&long, "6147 bytes found, 9219 expected for 3 records"),
        ];
        for (bytes, words) in cases {
            let error = parse(&CIFAR10, bytes).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("batch.bin"), "{error}");
        }
        assert!(matches!(parse(&CIFAR10, &[]), Err(DataError::Empty { .. })));
    }

    #[test]
    fn a_label_beyond_the_classes_is_placed() {
        let error = parse(&CIFAR10, &[record(&[9], 0), record(&[10], 0)].concat()).unwrap_err().to_string();
        assert!(error.contains("batch.bin: record 1 (counted from 0) has label 10, but labels go from 0 to 9"), "{error}");
        for (layout, label) in [(&CIFAR100, [0, 100]), (&CIFAR100_COARSE, [20, 0])] {
            let error = parse(layout, &record(&label, 0)).unwrap_err().to_string();
            assert!(error.contains(&format!("record 0 (counted from 0) has label {}", label[0].max(label[1]))), "{error}");
        }
    }

    /// Five training records labelled 0 to 4, one test record labelled 5.
    fn write_cifar10(folder: &TestFolder, below: &str) {
        for (label, file) in CIFAR10.train_files.iter().chain([&CIFAR10.test_file]).enumerate() {
            folder.write(&format!("{below}{file}"), &record(&[label as u8], 0));
        }
    }

    #[test]
    fn a_directory_opens_in_the_order_of_its_batches() {
        for below in ["", "cifar-10-batches-bin/"] {
            let folder = TestFolder::new();
            write_cifar10(&folder, below);
            let set = open(&folder.spec("")).unwrap();
            assert_eq!((set.name.as_str(), set.train.labels(), set.test.labels()), ("CIFAR-10", &[0, 1, 2, 3, 4][..], &[5][..]));
            assert_eq!((set.classes.len(), set.classes[9].as_str()), (10, "class 9"));
        }
    }

    #[test]
    fn class_names_come_from_the_list_or_not_at_all() {
        let folder = TestFolder::new();
        let names: Vec<String> = (0..100).map(|class| format!("thing_{class}")).collect();
        folder.write("cifar-100-binary/train.bin", &record(&[0, 7], 0));
        folder.write("cifar-100-binary/test.bin", &record(&[0, 8], 0));
        folder.write("cifar-100-binary/fine_label_names.txt", (names.join("\r\n") + "\n\n").as_bytes());
        assert_eq!(open(&folder.spec("")).unwrap().classes, names);

        let names: Vec<String> = (0..20).map(|class| format!("kind_{class}")).collect();
        folder.write("cifar-100-binary/coarse_label_names.txt", names.join("\n").as_bytes());
        assert_eq!(open_coarse(&folder.spec("")).unwrap().classes, names);

        folder.write("cifar-100-binary/fine_label_names.txt", b"apple\nbaby\n");
        let error = open(&folder.spec("")).unwrap_err().to_string();
        assert!(error.contains("fine_label_names.txt lists 2 class names where 100 are expected"), "{error}");
    }

    #[test]
    fn a_missing_batch_is_named() {
        let folder = TestFolder::new();
        write_cifar10(&folder, "");
        std::fs::remove_file(folder.spec("data_batch_4.bin")).unwrap();
        let error = open(&folder.spec("")).unwrap_err();
        assert!(matches!(error, DataError::MissingFile { .. }), "{error}");
        assert!(error.to_string().contains("data_batch_4.bin is missing from the CIFAR-10 files"), "{error}");
    }

    #[test]
    fn a_batch_that_cannot_be_read_is_named() {
        let folder = TestFolder::new();
        write_cifar10(&folder, "");
        std::fs::remove_file(folder.spec("data_batch_4.bin")).unwrap();
        std::fs::create_dir(folder.spec("data_batch_4.bin")).unwrap();
        let error = open(&folder.spec("")).unwrap_err();
        assert!(matches!(error, DataError::Read { .. }), "{error}");
    }

    #[test]
    fn the_real_cifar_10_is_whole_and_balanced() {
        let Some(path) = real_data("cifar-10-batches-bin") else { return };
        let set = open(&path).unwrap();
        assert_eq!((set.train.len(), set.test.len()), (50_000, 10_000));
        assert_eq!(set.classes[..3], ["airplane", "automobile", "bird"]);
        for class in 0..10 {
            let count = |set: &ImageSet| set.labels().iter().filter(|&&label| label == class).count();
            assert_eq!((count(&set.train), count(&set.test)), (5000, 1000));
        }
        let mean = set.train.images().chunks_exact(1024).step_by(3).flatten().map(|&x| u64::from(x)).sum::<u64>() as f64
            / (50_000.0 * 1024.0 * 255.0);
        assert!((mean - f64::from(set.mean[0])).abs() < 1e-4, "red mean {mean}");
    }
}
