//! What can be wrong with data on disk, and what to do about it.

use std::io;
use std::path::PathBuf;

/// Why a data set could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The path given is absent or is a file.
    #[error(
        "{} is not a directory: name the folder that holds the unpacked data files, a table of pictures (.csv), or `builtin` for the set \
         made by code",
        path.display()
    )]
    NotADirectory {
        /// The path as given.
        path: PathBuf,
    },

    /// Neither the directory nor its well-known sub-folders hold a known format.
    #[error(
        "{} holds no data set known here: CIFAR-10 (data_batch_1.bin to data_batch_5.bin, test_batch.bin), CIFAR-100 (train.bin, \
         test.bin), MNIST (train- and t10k-images-idx3-ubyte, train- and t10k-labels-idx1-ubyte, plain or .gz) or pictures in class \
         folders (cat/1.jpg)",
        path.display()
    )]
    Unrecognised {
        /// The directory searched.
        path: PathBuf,
    },

    /// More than one data set lies under the directory.
    #[error("{} holds several data sets ({found}): name the folder of one of them", path.display())]
    Ambiguous {
        /// The directory searched.
        path: PathBuf,
        /// The data sets found, by name and place.
        found: String,
    },

    /// The format is known, one of its files is not there.
    #[error("{} is missing from the {format} files: unpack the whole archive into this folder", path.display())]
    MissingFile {
        /// Where the file should be.
        path: PathBuf,
        /// The format that asks for it.
        format: &'static str,
    },

    /// The operating system would not give the file.
    #[error("{} cannot be read ({source}): check that it is a file and that you may read it", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    /// The file is shorter or longer than its records.
    #[error(
        "{} is cut short or has bytes to spare: {found} bytes found, {expected} expected for {records} records; \
         fetch the file again",
        path.display()
    )]
    Size {
        /// The file.
        path: PathBuf,
        /// Bytes found, after decompression. Reading stops one byte past `expected`.
        found: u64,
        /// Bytes that `records` records take.
        expected: u128,
        /// Records the header claims, or, without a header, that the bytes found would begin.
        records: u64,
    },

    /// The file is whole but has no image in it.
    #[error("{} holds no images: fetch the file again", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },

    /// A label outside the classes of the data set.
    #[error(
        "{}: record {record} (counted from 0) has label {label}, but labels go from 0 to {}; \
         check that the file belongs to this data set, or fetch it again",
        path.display(),
        classes - 1
    )]
    Label {
        /// The file.
        path: PathBuf,
        /// Index of the record within the file.
        record: usize,
        /// The label found.
        label: u32,
        /// Number of classes.
        classes: usize,
    },

    /// The first four bytes are not those of the idx kind wanted.
    #[error(
        "{} begins with {found:#010x} where an idx file of this name begins with {expected:#010x}: \
         check that it was not renamed or left compressed, or fetch it again",
        path.display()
    )]
    Magic {
        /// The file.
        path: PathBuf,
        /// The big-endian word found.
        found: u32,
        /// The big-endian word wanted.
        expected: u32,
    },

    /// A header that claims more than any data set has.
    #[error("{} claims {claimed} bytes, at most {most} are read: fetch the file again", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes that its header claims.
        claimed: u128,
        /// Bytes that are read.
        most: u64,
    },

    /// A gzip stream that does not decompress.
    #[error("{} is not a whole gzip file ({source}): fetch it again", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    /// A packed tar file that is none, or not whole.
    #[error("{} is not a whole .tar.gz archive ({source}): fetch it again", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    /// As many labels as images are wanted.
    #[error(
        "{} has {labels} labels for the {images} images of {}: take both files from the same source",
        labels_path.display(),
        images_path.display()
    )]
    LabelCount {
        /// The file of images.
        images_path: PathBuf,
        /// The file of labels.
        labels_path: PathBuf,
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },

    /// Training and test images differ in size.
    #[error(
        "{}: training images are {} x {}, test images {} x {} (height x width); take both from the same source",
        path.display(), train[0], train[1], test[0], test[1]
    )]
    ImageSize {
        /// The directory.
        path: PathBuf,
        /// Height and width of the training images, in pixels.
        train: [usize; 2],
        /// Height and width of the test images, in pixels.
        test: [usize; 2],
    },

    /// A set of pictures, or a picture in it, that cannot be used.
    #[error("{}: {message}", path.display())]
    Pictures {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        message: String,
    },

    /// A table of pictures that cannot be used.
    #[error("{} line {line}: {message}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong in it, and what to do.
        message: String,
    },

    /// More images were to be held out than can be.
    #[error(
        "{wanted} of the {images} training images of {name} are to be held out: at most {most} can, so that each class keeps one"
    )]
    HoldOut {
        /// The data set.
        name: String,
        /// Images that were asked for.
        wanted: usize,
        /// Training images.
        images: usize,
        /// The most that leave an image of each class.
        most: usize,
    },

    /// The list of class names does not fit the labels.
    #[error("{} lists {found} class names where {expected} are expected: restore the file, or delete it", path.display())]
    ClassNames {
        /// The file of names, one a line.
        path: PathBuf,
        /// Names found.
        found: usize,
        /// Classes of the data set.
        expected: usize,
    },
}
