//! Images with masks: of each pixel its class.

use super::masks::{Masks, read_shelved};
use super::{ImageSet, Images};
use crate::data::error::DataError;
use std::sync::Arc;

impl ImageSet {
    /// With a mask for each image, `[n, h, w]`: the class of each pixel, or 255 ([`nn::Loss::IGNORED`]) where it has none. Labels mean nothing
    /// then.
    ///
    /// ```
    /// # use train::data::ImageSet;
    /// let set = ImageSet::new(vec![7, 8, 9, 10], vec![0, 0], [1, 1, 2]).with_masks(vec![0, 1, 255, 0]);
    /// assert_eq!((set.has_masks(), set.mask(1)), (true, &[255, 0][..]));
    /// ```
    ///
    /// # Panics
    /// If there is not a byte for each pixel, or the images do not lie in [memory](Self::is_in_memory).
    #[track_caller]
    pub fn with_masks(self, masks: Vec<u8>) -> Self {
        let (pixels, n) = (self.height * self.width, self.len());
        assert!(masks.len() == n * pixels, "ImageSet: {} bytes of masks for {n} images of {pixels} pixels", masks.len());
        assert!(self.is_in_memory(), "ImageSet: masks in memory, and images that do not lie there");
        Self { masks: Some(Masks::Held(masks.into())), ..self }
    }

    /// With masks of two classes, whose values are 0 and 255.
    pub(in crate::data) fn with_masks_of_two(mut self) -> Self {
        match &mut self.masks {
            Some(Masks::Held(masks)) => Arc::make_mut(masks).iter_mut().for_each(|value| *value = (*value).min(1)),
            Some(Masks::Shelved { of_two }) => *of_two = true,
            None => {}
        }
        self
    }

    /// Whether each pixel has a class of its own.
    pub fn has_masks(&self) -> bool {
        self.masks.is_some()
    }

    /// All masks, `[n, h, w]`.
    ///
    /// # Panics
    /// If there are none in memory.
    #[track_caller]
    pub fn masks(&self) -> &[u8] {
        match &self.masks {
            Some(Masks::Held(masks)) => masks,
            _ => panic!("ImageSet: there are no masks in memory; read_pairs reads them"),
        }
    }

    /// The mask of image `i`, `[h, w]`.
    ///
    /// # Panics
    /// If `i` is not below [`len`](Self::len), or there are no masks in memory.
    #[track_caller]
    pub fn mask(&self, i: usize) -> &[u8] {
        let pixels = self.height * self.width;
        &self.masks()[i * pixels..][..pixels]
    }

    /// [`read_batch`](Self::read_batch) with the masks of the images, `[rows, h, w]`; none where they have none.
    ///
    /// ```
    /// # use train::data::ImageSet;
    /// let set = ImageSet::new(vec![7, 8, 9, 10], vec![0, 0], [1, 1, 2]).with_masks(vec![0, 1, 255, 0]);
    /// let (mut images, mut masks) = (Vec::new(), Vec::new());
    /// set.read_pairs(&[1], &mut images, &mut masks)?;
    /// assert_eq!((images, masks), (vec![9, 10], vec![255, 0]));
    /// # Ok::<(), train::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// As [`read_batch`](Self::read_batch), or if a mask cannot be read.
    ///
    /// # Panics
    /// As [`read_batch`](Self::read_batch).
    #[track_caller]
    pub fn read_pairs(&self, rows: &[u32], images: &mut Vec<u8>, masks: &mut Vec<u8>) -> Result<(), DataError> {
        masks.clear();
        let (Images::Shelved(shelf, pictures), Some(Masks::Shelved { of_two })) = (&self.images, &self.masks) else {
            if self.has_masks() {
                rows.iter().for_each(|&i| masks.extend_from_slice(self.mask(i as usize)));
            }
            return self.read_batch(rows, images);
        };
        let mut pairs = Vec::new();
        read_shelved(shelf, pictures, rows, &mut pairs)?;
        images.clear();
        for row in pairs.chunks_exact(shelf.row_bytes()) {
            let (image, mask, _) = shelf.parted(row);
            images.extend_from_slice(image);
            masks.extend(mask.iter().map(|&value| if *of_two { value.min(1) } else { value }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of one pixel each, which is their row; their masks are ten more.
    fn set() -> ImageSet {
        ImageSet::new((0..6).collect(), vec![0; 6], [1, 1, 1]).with_masks((10..16).collect())
    }

    #[test]
    fn masks_go_where_their_images_go() {
        let mut left = set();
        let taken = left.take(&[1, 4]);
        assert_eq!((taken.images(), taken.masks()), (&[1, 4][..], &[11, 14][..]));
        assert_eq!((left.images(), left.masks()), (&[0, 2, 3, 5][..], &[10, 12, 13, 15][..]));
        let some = left.select([3, 0]);
        assert_eq!((some.images(), some.mask(0)), (&[5, 0][..], &[15][..]));
        let (mut images, mut masks) = (vec![9], vec![9]);
        some.read_pairs(&[1, 0, 1], &mut images, &mut masks).unwrap();
        assert_eq!((images, masks), (vec![0, 5, 0], vec![10, 15, 10]));
        assert!(left.none().has_masks() && left.none().is_empty());
        assert_ne!(set(), set().select(0..6).with_masks(vec![0; 6]));
    }

    #[test]
    fn of_two_classes_the_second_is_255() {
        let set = ImageSet::new(vec![7; 4], vec![0], [1, 2, 2]).with_masks(vec![0, 255, 255, 0]);
        assert_eq!(set.with_masks_of_two().masks(), [0, 1, 1, 0]);
    }

    #[test]
    #[should_panic(expected = "5 bytes of masks for 6 images of 1 pixels")]
    fn masks_that_do_not_fit_are_refused() {
        let _ = set().with_masks(vec![0; 5]);
    }
}
