//! Images in memory.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Labelled images of one size, 8 bits a channel.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageSet {
    // Shared: a clone is for the thread that fetches batches ahead.
    images: Arc<Vec<u8>>,
    labels: Arc<Vec<u32>>,
    /// Where each image came from, where each has a file of its own.
    files: Option<Arc<Vec<PathBuf>>>,
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
        Self { images: images.into(), labels: labels.into(), files: None, channels, height, width }
    }

    /// No images, of this one's shape.
    pub(super) fn none(&self) -> Self {
        Self::new(Vec::new(), Vec::new(), [self.channels, self.height, self.width])
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
    /// If one of them is not below [`len`](Self::len).
    pub fn floats(&self, rows: &[u32]) -> Vec<f32> {
        rows.iter().flat_map(|&row| self.image(row as usize)).map(|&byte| f32::from(byte) / 255.0).collect()
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
        let (mut images, mut labels, mut files) = (Vec::new(), Vec::new(), Vec::new());
        for i in rows {
            assert!(i < self.len(), "ImageSet: row {i} of {} images", self.len());
            images.extend_from_slice(self.image(i));
            labels.push(self.labels[i]);
            files.extend(self.file(i).map(Path::to_path_buf));
        }
        let selected = Self::new(images, labels, [self.channels, self.height, self.width]);
        if self.files.is_some() { selected.with_files(files) } else { selected }
    }

    /// Takes the images at `rows`, which ascend, out of the set; those that stay move up, without a copy of the whole.
    pub(super) fn take(&mut self, rows: &[usize]) -> Self {
        let (taken, bytes) = (self.select(rows.iter().copied()), self.image_bytes());
        let (images, labels) = (Arc::make_mut(&mut self.images), Arc::make_mut(&mut self.labels));
        let (mut leaving, mut kept) = (rows.iter().peekable(), Vec::new());
        for i in 0..labels.len() {
            if leaving.next_if(|row| **row == i).is_none() {
                images.copy_within(i * bytes..(i + 1) * bytes, kept.len() * bytes);
                labels[kept.len()] = labels[i];
                kept.push(i);
            }
        }
        images.truncate(kept.len() * bytes);
        labels.truncate(kept.len());
        self.files = self.files.take().map(|files| kept.iter().map(|&i| files[i].clone()).collect::<Vec<_>>().into());
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
