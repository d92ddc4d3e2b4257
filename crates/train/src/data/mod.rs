//! Images to train on: CIFAR-10, CIFAR-100 and MNIST from disk, or a set made by code.
//!
//! Pixels stay bytes here; a training step normalises them as `(x / 255 - mean[c]) / std[c]`.

pub mod builtin;

mod bits;
mod cifar;
mod error;
mod mnist;
mod shuffle;
mod stamp;

#[cfg(test)]
mod test_folder;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use error::DataError;
pub use shuffle::shuffled;
pub use stamp::Stamp;

/// Labelled images of one size, 8 bits a channel.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageSet {
    // Shared: a clone is for the thread that fetches batches ahead.
    images: Arc<Vec<u8>>,
    labels: Arc<Vec<u32>>,
    channels: usize,
    height: usize,
    width: usize,
}

impl ImageSet {
    /// `labels.len()` images, one after the other in `images`, each `[channels, height, width]`: planes, row by row.
    ///
    /// # Panics
    /// If `images` is not `labels.len() * channels * height * width` bytes.
    #[track_caller]
    pub fn new(images: Vec<u8>, labels: Vec<u32>, [channels, height, width]: [usize; 3]) -> Self {
        assert!(
            images.len() == labels.len() * channels * height * width,
            "ImageSet: {} bytes for {} images of {channels} x {height} x {width}",
            images.len(),
            labels.len()
        );
        Self { images: images.into(), labels: labels.into(), channels, height, width }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All pixels, `[n, c, h, w]`.
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// The pixels of image `i`, `[c, h, w]`.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len).
    pub fn image(&self, i: usize) -> &[u8] {
        let bytes = self.image_bytes();
        &self.images[i * bytes..][..bytes]
    }

    /// The class of each image, `[n]`.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The images at `rows`, in that order. Equivalent of `torch.utils.data.Subset`.
    ///
    /// # Panics
    /// If one of them is not below [`len`](Self::len).
    ///
    /// ```
    /// # use train::data::builtin;
    /// let test = builtin::generate(0, 20).test;
    /// let odd = test.select((1..20).step_by(2));
    /// assert_eq!((odd.len(), odd.image(3), odd.labels()[3]), (10, test.image(7), test.labels()[7]));
    /// ```
    #[track_caller]
    pub fn select(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        for i in rows {
            assert!(i < self.len(), "ImageSet: row {i} of {} images", self.len());
            images.extend_from_slice(self.image(i));
            labels.push(self.labels[i]);
        }
        Self::new(images, labels, [self.channels, self.height, self.width])
    }

    /// Planes of an image: 1 for grey, 3 for red, green and blue.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Rows of an image, in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns of an image, in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bytes of one image: `channels * height * width`.
    pub fn image_bytes(&self) -> usize {
        self.channels * self.height * self.width
    }
}

// By hand: a derived one would print every pixel.
impl fmt::Debug for ImageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageSet({} of {} x {} x {})", self.len(), self.channels, self.height, self.width)
    }
}

/// A training and a test set of the same classes and image size.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// What it is called, e.g. `CIFAR-10`.
    pub name: String,
    /// The images to learn from.
    pub train: ImageSet,
    /// The images to measure on.
    pub test: ImageSet,
    /// The name of each class; a label is an index into this list.
    pub classes: Vec<String>,
    /// Mean of `x / 255` over the training images, one number a channel.
    pub mean: Vec<f32>,
    /// Standard deviation of `x / 255` over the training images, one number a channel.
    pub std: Vec<f32>,
}

/// Where a data set lies below the folder its archive was unpacked into.
const SUBFOLDERS: [&str; 4] = ["cifar-10-batches-bin", "cifar-100-binary", "mnist", "MNIST/raw"];

/// Opens `"builtin"` (see [`builtin`]) or the data set in a directory, known by the names of its files: CIFAR-10 or
/// CIFAR-100 in the binary version, or MNIST idx files, plain or gzipped. The folder *above* `cifar-10-batches-bin`,
/// `cifar-100-binary`, `mnist` or `MNIST/raw` will do too. A directory that is itself called `builtin` is `./builtin`.
///
/// No checksums are compared, so re-encoded, shortened or relabelled copies are welcome.
///
/// # Errors
/// A [`DataError`] if the directory holds no data set or several, or if a file is missing, unreadable, not a whole number
/// of records, or labelled beyond its classes.
pub fn open(spec: &str) -> Result<Dataset, DataError> {
    if spec == "builtin" {
        return Ok(builtin::generate(builtin::TRAIN_IMAGES, builtin::TEST_IMAGES));
    }
    let root = Path::new(spec);
    if !root.is_dir() {
        return Err(DataError::NotADirectory { path: root.into() });
    }
    let mut found = formats_in(root);
    if found.is_empty() {
        found = SUBFOLDERS.iter().flat_map(|folder| formats_in(&root.join(folder))).collect();
    }
    match found.as_slice() {
        [] => Err(DataError::Unrecognised { path: root.into() }),
        [(Format::Cifar(layout), folder)] => layout.open(folder),
        [(Format::Mnist, folder)] => mnist::open(folder),
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
        Some(folder) => cifar::CIFAR100_COARSE.open(folder),
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

fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(path).map_err(|source| DataError::Read { path: path.into(), source })
}

#[cfg(test)]
mod tests {
    use super::test_folder::TestFolder;
    use super::*;

    #[test]
    fn an_image_is_its_slice_of_the_bytes() {
        let set = ImageSet::new((0..24).collect(), vec![7, 8], [3, 2, 2]);
        assert_eq!(set.image(1), (12..24).collect::<Vec<u8>>());
        assert_eq!((set.len(), set.image_bytes(), set.labels()), (2, 12, &[7, 8][..]));
        assert_eq!(format!("{set:?}"), "ImageSet(2 of 3 x 2 x 2)");
    }

    #[test]
    #[should_panic(expected = "row 2 of 2 images")]
    fn a_row_that_is_not_there_is_refused() {
        ImageSet::new(vec![0; 24], vec![7, 8], [3, 2, 2]).select([0, 2]);
    }

    #[test]
    #[should_panic(expected = "11 bytes for 1 images of 3 x 2 x 2")]
    fn a_set_whose_bytes_do_not_fit_its_shape_is_refused() {
        ImageSet::new(vec![0; 11], vec![0], [3, 2, 2]);
    }

    #[test]
    fn a_path_that_is_no_directory_says_so() {
        let folder = TestFolder::new();
        folder.write("cifar-10-binary.tar.gz", &[]);
        for name in ["nowhere", "cifar-10-binary.tar.gz"] {
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
