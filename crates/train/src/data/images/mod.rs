//! Labelled images, in memory or read as they are asked for.

mod masks;
mod paired;

use super::error::DataError;
use super::label_sets::LabelSets;
use super::shelf::Shelf;
use masks::{Masks, read_shelved};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Labelled images of one size, 8 bits a channel.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageSet {
    images: Images,
    labels: Arc<Vec<u32>>,
    /// What the labels are the numbers of, where an image has several.
    sets: Option<Arc<LabelSets>>,
    /// The class of each pixel, where that is what is told.
    masks: Option<Masks>,
    /// Where each image came from, where each has a file of its own.
    files: Option<Arc<Vec<PathBuf>>>,
    channels: usize,
    height: usize,
    width: usize,
}

/// Where they are. Shared: a clone is for the thread that fetches batches ahead.
#[derive(Clone)]
enum Images {
    /// In memory.
    Held(Arc<Vec<u8>>),
    /// Pictures that are decoded when they are asked for, by their rows there.
    Shelved(Arc<Shelf>, Arc<Vec<u32>>),
}

impl PartialEq for Images {
    /// What does not lie in memory is the same where it is the same pictures of one opening.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Held(one), Self::Held(other)) => one == other,
            (Self::Shelved(one, rows), Self::Shelved(other, others)) => Arc::ptr_eq(one, other) && rows == others,
            _ => false,
        }
    }
}

impl Eq for Images {}

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
        Self {
            images: Images::Held(images.into()),
            labels: labels.into(),
            sets: None,
            masks: None,
            files: None,
            channels,
            height,
            width,
        }
    }

    /// The pictures at `rows` of a shelf, which do not lie in memory.
    pub(super) fn shelved(shelf: Arc<Shelf>, rows: Vec<u32>, labels: Vec<u32>, [channels, height, width]: [usize; 3]) -> Self {
        let shelf_is_masked = shelf.is_masked();
        Self {
            images: Images::Shelved(shelf, rows.into()),
            labels: labels.into(),
            sets: None,
            masks: shelf_is_masked.then_some(Masks::Shelved { of_two: false }),
            files: None,
            channels,
            height,
            width,
        }
    }

    /// No images, of this one's shape.
    pub(super) fn none(&self) -> Self {
        let masks = self.masks.as_ref().map(|_| Masks::Held(Arc::default()));
        Self { sets: self.sets.clone(), masks, ..Self::new(Vec::new(), Vec::new(), [self.channels, self.height, self.width]) }
    }

    /// With labels that are the numbers of sets of classes, where an image may have several.
    ///
    /// ```
    /// # use train::data::{ImageSet, LabelSets};
    /// let set = ImageSet::new(vec![7, 8], vec![1, 0], [1, 1, 1]).with_label_sets(LabelSets::new(vec![vec![0], vec![0, 2]], 3));
    /// assert_eq!((set.classes_of(0), set.classes_of(1)), (&[0, 2][..], &[0][..]));
    /// ```
    ///
    /// # Panics
    /// If there is no set of such a number.
    #[track_caller]
    pub fn with_label_sets(mut self, sets: LabelSets) -> Self {
        let past = self.labels.iter().find(|label| **label as usize >= sets.len());
        assert!(past.is_none(), "ImageSet: the label {} of {} sets of classes", past.unwrap_or(&0), sets.len());
        self.sets = Some(sets.into());
        self
    }

    /// The sets of classes that the labels are the numbers of; `None` where an image has one class, which is its label.
    pub fn label_sets(&self) -> Option<&LabelSets> {
        self.sets.as_deref()
    }

    /// The classes of image `i`: its label, or where an image may have several, those of its set.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len).
    #[track_caller]
    pub fn classes_of(&self, i: usize) -> &[u32] {
        match &self.sets {
            None => std::slice::from_ref(&self.labels[i]),
            Some(sets) => sets.of(self.labels[i]),
        }
    }

    /// With the file that each image is from.
    pub(crate) fn with_files(mut self, files: Vec<PathBuf>) -> Self {
        assert!(files.len() == self.len(), "ImageSet: {} files for {} images", files.len(), self.len());
        self.files = Some(files.into());
        self
    }

    /// The file of image `i`, below the folder of the set; `None` where many images lie in one file.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len).
    pub fn file(&self, i: usize) -> Option<&Path> {
        self.files.as_ref().map(|files| files[i].as_path())
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether the images lie in memory. Those of other sets are read by [`read_batch`](Self::read_batch) alone.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.images, Images::Held(_))
    }

    /// All pixels, `[n, c, h, w]`.
    ///
    /// # Panics
    /// If they do not lie in [memory](Self::is_in_memory).
    #[track_caller]
    pub fn images(&self) -> &[u8] {
        match &self.images {
            Images::Held(images) => images,
            Images::Shelved(..) => panic!("ImageSet: these images do not lie in memory; read_batch reads them"),
        }
    }

    /// The pixels of image `i`, `[c, h, w]`.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len), or the images do not lie in [memory](Self::is_in_memory).
    #[track_caller]
    pub fn image(&self, i: usize) -> &[u8] {
        let bytes = self.image_bytes();
        &self.images()[i * bytes..][..bytes]
    }

    /// Reads the images at `rows` into `into`, in the place of what is there: `[rows, c, h, w]`. Pictures that were not decoded yet are
    /// decoded now, on all cores.
    ///
    /// ```
    /// # use train::data::ImageSet;
    /// let (set, mut batch) = (ImageSet::new(vec![1, 2, 3, 4], vec![0, 1], [1, 1, 2]), Vec::new());
    /// set.read_batch(&[1, 0, 1], &mut batch)?;
    /// assert_eq!(batch, [3, 4, 1, 2, 3, 4]);
    /// # Ok::<(), train::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If a picture cannot be read.
    ///
    /// # Panics
    /// If one of them is not below [`len`](Self::len).
    #[track_caller]
    pub fn read_batch(&self, rows: &[u32], into: &mut Vec<u8>) -> Result<(), DataError> {
        into.clear();
        match &self.images {
            Images::Held(_) => rows.iter().for_each(|&i| into.extend_from_slice(self.image(i as usize))),
            Images::Shelved(..) if self.has_masks() => self.read_pairs(rows, into, &mut Vec::new())?,
            Images::Shelved(shelf, pictures) => read_shelved(shelf, pictures, rows, into)?,
        }
        Ok(())
    }

    /// Why pictures that were decoded cannot be kept any more, where they cannot: the next time they are decoded again.
    pub(crate) fn unkept(&self) -> Option<&str> {
        match &self.images {
            Images::Held(_) => None,
            Images::Shelved(shelf, _) => shelf.fault(),
        }
    }

    /// Shows `each` what tells the images and their masks from others: all pixels, or the names of their files and how long those are.
    pub(super) fn identify(&self, each: &mut dyn FnMut(&[u8])) {
        match &self.images {
            Images::Held(images) => {
                each(images);
                if let Some(Masks::Held(masks)) = &self.masks {
                    each(masks);
                }
            }
            Images::Shelved(shelf, rows) => {
                for (i, &row) in rows.iter().enumerate() {
                    each(self.file(i).map_or(&[], |file| file.as_os_str().as_encoded_bytes()));
                    let [image, mask] = shelf.file_bytes(row as usize);
                    each(&image.to_le_bytes());
                    if self.has_masks() {
                        each(&mask.to_le_bytes());
                    }
                }
            }
        }
    }

    /// The images at `rows` as values from 0 to 1, `[rows, c, h, w]`: a batch for a step of one's own. Equivalent of
    /// `torchvision.transforms.ToTensor`.
    ///
    /// ```
    /// # use train::data::ImageSet;
    /// let set = ImageSet::new(vec![0, 255, 51, 102], vec![0, 1], [1, 1, 2]);
    /// assert_eq!(set.floats(&[1, 0, 1]), [0.2, 0.4, 0.0, 1.0, 0.2, 0.4]);
    /// ```
    ///
    /// # Panics
    /// As [`image`](Self::image).
    #[track_caller]
    pub fn floats(&self, rows: &[u32]) -> Vec<f32> {
        rows.iter().flat_map(|&row| self.image(row as usize)).map(|&byte| f32::from(byte) / 255.0).collect()
    }

    /// The images at `rows` as a network sees them, `[rows, c, h, w]`: of each channel `(x / 255 - mean) / std`.
    ///
    /// # Errors
    /// As [`read_batch`](Self::read_batch).
    pub(crate) fn normalised(&self, rows: &[u32], mean: &[f32], std: &[f32]) -> Result<Vec<f32>, DataError> {
        let (plane, mut bytes) = (self.height * self.width, Vec::new());
        self.read_batch(rows, &mut bytes)?;
        let channels = bytes.into_iter().enumerate().map(|(at, byte)| (at / plane % self.channels, byte));
        Ok(channels.map(|(c, byte)| (f32::from(byte) / 255.0 - mean[c]) / std[c]).collect())
    }

    /// The class of each image, `[n]`; where an image may have several, the number of its [set](Self::label_sets) of classes.
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
        let rows: Vec<usize> = rows.into_iter().collect();
        if let Some(row) = rows.iter().find(|row| **row >= self.len()) {
            panic!("ImageSet: row {row} of {} images", self.len());
        }
        let images = match &self.images {
            Images::Held(_) => {
                let mut images = Vec::with_capacity(rows.len() * self.image_bytes());
                rows.iter().for_each(|&i| images.extend_from_slice(self.image(i)));
                Images::Held(images.into())
            }
            Images::Shelved(shelf, all) => Images::Shelved(shelf.clone(), picked(all, &rows)),
        };
        let masks = self.masks.as_ref().map(|masks| match masks {
            Masks::Held(_) => Masks::Held(Arc::new(rows.iter().flat_map(|&i| self.mask(i)).copied().collect())),
            shelved => shelved.clone(),
        });
        let (labels, files) = (picked(&self.labels, &rows), self.files.as_ref().map(|files| picked(files, &rows)));
        Self { images, labels, masks, files, sets: self.sets.clone(), ..*self }
    }

    /// Takes the images at `rows`, which ascend, out of the set; those that stay move up, without a copy of the whole.
    pub(super) fn take(&mut self, rows: &[usize]) -> Self {
        let (taken, bytes, pixels) = (self.select(rows.iter().copied()), self.image_bytes(), self.height * self.width);
        let mut leaving = rows.iter().peekable();
        let kept: Vec<usize> = (0..self.len()).filter(|i| leaving.next_if(|row| *row == i).is_none()).collect();
        match &mut self.images {
            Images::Held(images) => {
                move_up(Arc::make_mut(images), bytes, &kept);
            }
            Images::Shelved(_, all) => *all = picked(all, &kept),
        }
        if let Some(Masks::Held(masks)) = &mut self.masks {
            move_up(Arc::make_mut(masks), pixels, &kept);
        }
        self.labels = picked(&self.labels, &kept);
        self.files = self.files.take().map(|files| picked(&files, &kept));
        taken
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

/// Leaves the rows of so many bytes at `kept`, which ascend, without a copy of the whole.
fn move_up(all: &mut Vec<u8>, bytes: usize, kept: &[usize]) {
    kept.iter().enumerate().for_each(|(to, &i)| all.copy_within(i * bytes..(i + 1) * bytes, to * bytes));
    all.truncate(kept.len() * bytes);
}

/// Those at `rows`.
fn picked<T: Clone>(all: &[T], rows: &[usize]) -> Arc<Vec<T>> {
    Arc::new(rows.iter().map(|&i| all[i].clone()).collect())
}

// By hand: a derived one would print every pixel.
impl fmt::Debug for ImageSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageSet({} of {} x {} x {})", self.len(), self.channels, self.height, self.width)
    }
}

#[cfg(test)]
mod tests {
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
}
