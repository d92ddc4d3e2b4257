//! MNIST and its look-alikes: idx files, plain or gzipped.
//!
//! An idx file is big-endian: the magic word `0x0000_08dd` (unsigned bytes, `dd` dimensions), one 32-bit size per
//! dimension, then the bytes. Images are `[n, h, w]`, labels `[n]`. The sizes are claims of a stranger: no memory is set
//! aside for them, and no more is decompressed than they announce.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::dataset::Dataset;
use super::error::DataError;
use super::file::{most_bytes, read};
use super::images::ImageSet;

pub const NAME: &str = "MNIST";
/// Classes of MNIST, and the fewest of its look-alikes.
const CLASSES: usize = 10;

/// Whether any of the four files is there: an incomplete set is then named as such when opened.
pub fn is_in(folder: &Path) -> bool {
    ["train", "t10k"]
        .iter()
        .any(|split| find(folder, &format!("{split}-images"), 3).or_else(|| find(folder, &format!("{split}-labels"), 1)).is_some())
}

pub fn open(folder: &Path) -> Result<Dataset, DataError> {
    let (train, train_labels) = read_split(folder, "train")?;
    let (test, test_labels) = read_split(folder, "t10k")?;
    let classes = classes_of(&train);
    expect_below(classes, &train, train_labels)?;
    expect_below(classes, &test, test_labels)?;
    let size = |set: &ImageSet| [set.height(), set.width()];
    if size(&train) != size(&test) {
        return Err(DataError::ImageSize { path: folder.into(), train: size(&train), test: size(&test) });
    }
    Ok(Dataset::new(NAME, (0..classes).map(|digit| digit.to_string()).collect(), train, test))
}

/// The classes of these labels: ten, or more where the labels go on without a gap, from 0 or, as the letters of EMNIST, from 1.
fn classes_of(train: &ImageSet) -> usize {
    let mut is_there = [false; 256];
    train.labels().iter().for_each(|&label| is_there[label as usize] = true);
    let classes = is_there.iter().rposition(|&is| is).map_or(0, |last| last + 1);
    // One label that is far from the others is damage.
    if classes > CLASSES && is_there[1..classes].iter().all(|&is| is) { classes } else { CLASSES }
}

fn expect_below(classes: usize, set: &ImageSet, path: PathBuf) -> Result<(), DataError> {
    match set.labels().iter().position(|&label| label as usize >= classes) {
        None => Ok(()),
        Some(record) => Err(DataError::Label { path, record, label: set.labels()[record], classes }),
    }
}

/// The images, and the file of their labels.
fn read_split(folder: &Path, split: &str) -> Result<(ImageSet, PathBuf), DataError> {
    let (images_path, ([n, h, w], images)) = read_file(folder, &format!("{split}-images"))?;
    if images.is_empty() {
        return Err(DataError::Empty { path: images_path });
    }
    let (labels_path, ([label_count], labels)) = read_file(folder, &format!("{split}-labels"))?;
    if n != label_count {
        return Err(DataError::LabelCount { images_path, labels_path, images: n, labels: label_count });
    }
    Ok((ImageSet::new(images, labels.into_iter().map(u32::from).collect(), [1, h, w]), labels_path))
}

type Idx<const RANK: usize> = ([usize; RANK], Vec<u8>);

fn read_file<const RANK: usize>(folder: &Path, stem: &str) -> Result<(PathBuf, Idx<RANK>), DataError> {
    let path = find(folder, stem, RANK)
        .ok_or_else(|| DataError::MissingFile { path: folder.join(format!("{stem}-idx{RANK}-ubyte")), format: NAME })?;
    let bytes = read(&path)?;
    let idx = if path.extension().is_some_and(|extension| extension == "gz") {
        parse(&path, MultiGzDecoder::new(&bytes[..]))?
    } else {
        parse(&path, &bytes[..])?
    };
    Ok((path, idx))
}

/// The file of this stem under any of its usual names; unpacking with some tools turns the last hyphen into a dot.
fn find(folder: &Path, stem: &str, rank: usize) -> Option<PathBuf> {
    ["-", "."]
        .iter()
        .flat_map(|joint| ["", ".gz"].map(|packed| folder.join(format!("{stem}{joint}idx{rank}-ubyte{packed}"))))
        .find(|path| path.exists())
}

/// The sizes and bytes of an idx file of `RANK` dimensions; `path` is for errors only.
fn parse<const RANK: usize>(path: &Path, mut source: impl Read) -> Result<Idx<RANK>, DataError> {
    // What lies on disk was read already, so what fails here is decompression.
    let gzip = |source: io::Error| DataError::Gzip { path: path.into(), source };
    let size = |found: usize, expected: u128, records: u32| DataError::Size {
        path: path.into(),
        found: found as u64,
        expected,
        records: records.into(),
    };

    let header_bytes = 4 + 4 * RANK;
    let mut header = Vec::new();
    source.by_ref().take(header_bytes as u64).read_to_end(&mut header).map_err(gzip)?;
    let words: Vec<u32> = header.as_chunks().0.iter().map(|&word| u32::from_be_bytes(word)).collect();
    let magic = 0x0800 | RANK as u32;
    if let Some(&found) = words.first().filter(|&&found| found != magic) {
        return Err(DataError::Magic { path: path.into(), found, expected: magic });
    }
    if header.len() < header_bytes {
        return Err(size(header.len(), header_bytes as u128, 0));
    }

    let dims = &words[1..];
    let claimed: u128 = dims.iter().map(|&dim| u128::from(dim)).product();
    let most = most_bytes();
    // One byte more than claimed, to see what is left over.
    let limit = u64::try_from(claimed).unwrap_or(most).min(most) + 1;
    let mut values = Vec::new();
    source.take(limit).read_to_end(&mut values).map_err(gzip)?;
    if values.len() as u64 > most {
        return Err(DataError::TooLarge { path: path.into(), claimed, most });
    }
    if values.len() as u128 != claimed {
        return Err(size(header_bytes + values.len(), header_bytes as u128 + claimed, dims[0]));
    }
    Ok((std::array::from_fn(|axis| dims[axis] as usize), values))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::super::open;
    use super::super::test_folder::{TestFolder, real_data};
    use super::*;

    fn idx(magic: u32, dims: &[u32], values: &[u8]) -> Vec<u8> {
        let header = [&[magic], dims].concat();
        header.into_iter().flat_map(u32::to_be_bytes).chain(values.iter().copied()).collect()
    }

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn parse_images(bytes: &[u8]) -> Result<Idx<3>, DataError> {
        parse(Path::new("some-images"), bytes)
    }

    fn parse_packed(bytes: &[u8]) -> Result<Idx<3>, DataError> {
        parse(Path::new("some-images.gz"), MultiGzDecoder::new(bytes))
    }

    /// Two 1 x 3 training images labelled 4 and 9, one test image labelled 0; `below` ends in a slash or is empty.
    fn write_mnist(folder: &TestFolder, below: &str, joint: &str, packed: bool) {
        let ending = if packed { ".gz" } else { "" };
        let pack = |bytes: Vec<u8>| if packed { gz(&bytes) } else { bytes };
        for (split, n, labels) in [("train", 2, &[4, 9][..]), ("t10k", 1, &[0])] {
            let pixels: Vec<u8> = (0..3 * n as u8).collect();
            let images = pack(idx(0x803, &[n, 1, 3], &pixels));
            folder.write(&format!("{below}{split}-images{joint}idx3-ubyte{ending}"), &images);
            folder.write(&format!("{below}{split}-labels{joint}idx1-ubyte{ending}"), &pack(idx(0x801, &[n], labels)));
        }
    }

    #[test]
    fn an_idx_file_is_its_sizes_and_its_bytes() {
        let file = idx(0x803, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let expected = ([2, 1, 3], vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(parse_images(&file).unwrap(), expected);
        assert_eq!(parse_packed(&gz(&file)).unwrap(), expected);
    }

    #[test]
    fn a_file_that_is_not_idx_says_what_it_begins_with() {
        let error = parse_images(&idx(0x801, &[2], &[1, 2])).unwrap_err().to_string();
        assert!(error.contains("begins with 0x00000801") && error.contains("with 0x00000803"), "{error}");
    }

    #[test]
    fn a_file_of_another_length_than_it_claims_is_refused() {
        let file = idx(0x803, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let long = [&file[..], &[7, 8, 9]].concat();
        let cases: [(&[u8], &str); 4] = [
            (&[], "0 bytes found, 16 expected for 0 records"),
            (&file[..9], "9 bytes found, 16 expected for 0 records"),
            (&file[..20], "20 bytes found, 22 expected for 2 records"),
            (&long, "23 bytes found, 22 expected for 2 records"),
        ];
        for (bytes, words) in cases {
            for result in [parse_images(bytes), parse_packed(&gz(bytes))] {
                let error = result.unwrap_err().to_string();
                assert!(error.contains(words), "{error}");
            }
        }
    }

    #[test]
    fn a_header_that_claims_the_world_costs_nothing() {
        let file = idx(0x803, &[u32::MAX; 3], &[0; 10]);
        for result in [parse_images(&file), parse_packed(&gz(&file))] {
            let error = result.unwrap_err().to_string();
            assert!(error.contains("26 bytes found, 79228162458924105385300197391 expected"), "{error}");
        }
    }

    #[test]
    fn gzip_is_not_unpacked_beyond_the_claim() {
        let bomb = gz(&idx(0x803, &[1, 1, 1], &vec![0; 1 << 24]));
        let error = parse_packed(&bomb).unwrap_err();
        assert!(matches!(error, DataError::Size { found: 18, expected: 17, records: 1, .. }), "{error}");
    }

    #[test]
    fn a_corrupt_gzip_file_says_so() {
        let file = gz(&idx(0x803, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]));
        for bytes in [&file[..file.len() - 9], &file[..5], b"not gzip at all"] {
            let error = parse_packed(bytes).unwrap_err();
            assert!(matches!(error, DataError::Gzip { .. }), "{error}");
            assert!(error.to_string().contains("some-images.gz is not a whole gzip file"), "{error}");
        }
    }

    #[test]
    fn a_directory_opens_under_each_of_the_usual_names() {
        for below in ["", "mnist/", "MNIST/raw/"] {
            for (joint, packed) in [("-", false), ("-", true), (".", false), (".", true)] {
                let folder = TestFolder::new();
                write_mnist(&folder, below, joint, packed);
                let set = open(&folder.spec("")).unwrap();
                assert_eq!((set.name.as_str(), set.classes[9].as_str()), ("MNIST", "9"));
                assert_eq!((set.train.labels(), set.test.labels()), (&[4, 9][..], &[0][..]));
                assert_eq!(set.train.image(1), [3, 4, 5]);
            }
        }
    }

    /// What `open` says once one file of a good directory is replaced, or removed where there are no bytes.
    fn error_with(file: &str, bytes: Option<Vec<u8>>) -> DataError {
        let folder = TestFolder::new();
        write_mnist(&folder, "", "-", false);
        match bytes {
            Some(bytes) => folder.write(file, &bytes),
            None => std::fs::remove_file(folder.spec(file)).unwrap(),
        }
        open(&folder.spec("")).unwrap_err()
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = error_with("t10k-labels-idx1-ubyte", None);
        assert!(matches!(error, DataError::MissingFile { .. }), "{error}");
        assert!(error.to_string().contains("t10k-labels-idx1-ubyte is missing from the MNIST files"), "{error}");
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused() {
        let error = error_with("t10k-images-idx3-ubyte", Some(idx(0x803, &[1, 2, 3], &[0; 6])));
        assert!(error.to_string().contains("training images are 1 x 3, test images 2 x 3"), "{error}");
        let error = error_with("train-labels-idx1-ubyte", Some(idx(0x801, &[3], &[0; 3])));
        assert!(error.to_string().contains("train-labels-idx1-ubyte has 3 labels for the 2 images"), "{error}");
    }

    #[test]
    fn a_label_beyond_the_digits_is_placed() {
        let error = error_with("train-labels-idx1-ubyte", Some(idx(0x801, &[2], &[9, 10])));
        assert!(error.to_string().contains("record 1 (counted from 0) has label 10"), "{error}");
    }

    /// The letters of EMNIST are labelled 1 to 26, its balanced set 0 to 46.
    #[test]
    fn a_look_alike_has_as_many_classes_as_its_labels() {
        let of = |train: Vec<u8>, test: u8| {
            let folder = TestFolder::new();
            let n = train.len() as u32;
            folder.write("train-images-idx3-ubyte", &idx(0x803, &[n, 1, 1], &vec![7; train.len()]));
            folder.write("train-labels-idx1-ubyte", &idx(0x801, &[n], &train));
            folder.write("t10k-images-idx3-ubyte", &idx(0x803, &[1, 1, 1], &[9]));
            folder.write("t10k-labels-idx1-ubyte", &idx(0x801, &[1], &[test]));
            open(&folder.spec(""))
        };
        let letters = of((1..=26).rev().collect(), 26).unwrap();
        assert_eq!((letters.classes.len(), letters.classes[26].as_str(), letters.test.labels()), (27, "26", &[26][..]));
        assert_eq!(of((0..=46).collect(), 0).unwrap().classes.len(), 47);
        assert_eq!(of(vec![3, 1], 9).unwrap().classes.len(), 10);
        for (train, test) in [((0..=8).chain([26]).collect(), 0), ((1..=26).collect(), 27), (vec![9], 10)] {
            let error = of(train, test).unwrap_err();
            assert!(matches!(error, DataError::Label { .. }), "{error}");
        }
    }

    #[test]
    fn a_set_of_no_images_is_refused() {
        for dims in [[0, 28, 28], [2, 0, 28]] {
            let error = error_with("train-images-idx3-ubyte", Some(idx(0x803, &dims, &[])));
            assert!(matches!(error, DataError::Empty { .. }), "{error}");
        }
    }

    #[test]
    fn the_real_mnist_is_whole() {
        let Some(path) = real_data("mnist") else { return };
        let set = open(&path).unwrap();
        assert_eq!((set.train.len(), set.test.len()), (60_000, 10_000));
        assert_eq!((set.train.height(), set.train.width()), (28, 28));
        assert_eq!(set.train.labels()[..5], [5, 0, 4, 1, 9]);
        // As torchvision's users write them; the bits of training depend on them.
        assert_eq!((&set.mean[..], &set.std[..]), (&[0.1307f32][..], &[0.3081f32][..]));
    }

    /// From `torchvision.datasets.FashionMNIST`: `x = train.data / 255; x.mean(), x.std()`.
    #[test]
    fn a_look_alike_is_normalised_by_its_own_figures() {
        let Some(path) = real_data("fashion-mnist") else { return };
        let set = open(&path).unwrap();
        assert_eq!((&set.mean[..], &set.std[..]), (&[0.2860f32][..], &[0.3530f32][..]));
    }
}
