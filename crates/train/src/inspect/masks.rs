//! What a network says of the pixels of some test images.

use super::png::{encoded, side_by_side};
use crate::data::ImageSet;
use crate::error::Result;
use crate::model::Trained;
use crate::predict::Segmenter;
use crate::segmentation::laid_over;
use gpu_core::Device;
use gpu_core::ops::Overlap;
use image::{Rgb, RgbImage};
use serde::{Deserialize, Serialize};

/// Images that are shown.
const SHOWN: usize = 12;

/// A test image with its mask and with what was said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShownMask {
    /// Its number in the set.
    pub image: usize,
    /// The file that it is from, below the folder of the set's pictures, where it has one of its own.
    pub file: Option<String>,
    /// The mean of the classes that are in it, or were seen in it, of intersection over union, 0 to 1; none where no pixel has a class.
    pub mean_iou: Option<f64>,
    /// The image, the same with its mask laid over it, and with what was said, from left to right: PNG in base64.
    pub png: String,
}

/// Of the first images of a set; none where the network tells no classes of pixels.
pub(super) fn of(trained: &Trained, set: &ImageSet, device: &Device) -> Result<Vec<ShownMask>> {
    let rows: Vec<u32> = (0..set.len().min(SHOWN) as u32).collect();
    if !trained.description.tells_pixels() || rows.is_empty() {
        return Ok(Vec::new());
    }
    let (mut images, mut masks) = (Vec::new(), Vec::new());
    set.read_pairs(&rows, &mut images, &mut masks)?;
    let shape = [set.channels(), set.height(), set.width()];
    let pictures: Vec<ImageSet> =
        images.chunks_exact(set.image_bytes()).map(|image| ImageSet::new(image.to_vec(), vec![0], shape)).collect();
    let step = Segmenter::new(trained, device, 1)?;
    let shown = |(row, (picture, mask)): (usize, (&ImageSet, &[u8]))| -> Result<ShownMask> {
        let said = step.masks(&[picture])?.concat();
        let file = set.file(row).map(|file| file.display().to_string());
        let overlaps = overlaps(&said, mask, trained.description.classes.len());
        let views = [None, Some(mask), Some(&said[..])].map(|mask| view(picture, mask));
        let mean_iou = Some(Overlap::mean_iou(&overlaps)).filter(|iou| iou.is_finite());
        Ok(ShownMask { image: row, file, mean_iou, png: encoded(&side_by_side(&views)) })
    };
    pictures.iter().zip(masks.chunks_exact(shape[1] * shape[2])).enumerate().map(shown).collect()
}

/// A picture with a mask laid over it.
fn view(picture: &ImageSet, mask: Option<&[u8]>) -> RgbImage {
    let (bytes, [height, width]) = (picture.image(0), [picture.height(), picture.width()]);
    let of_channel = |channel: usize| if picture.channels() == 3 { channel } else { 0 };
    RgbImage::from_fn(width as u32, height as u32, |x, y| {
        let at = y as usize * width + x as usize;
        let pixel = [0, 1, 2].map(|channel| bytes[of_channel(channel) * height * width + at]);
        Rgb(mask.map_or(pixel, |mask| laid_over(pixel, mask[at].into())))
    })
}

/// Of each class, over the pixels of one image.
fn overlaps(said: &[u8], mask: &[u8], classes: usize) -> Vec<Overlap> {
    let mut all = vec![Overlap::default(); classes];
    for (&said, &class) in said.iter().zip(mask).filter(|(_, class)| usize::from(**class) < classes) {
        all[usize::from(class)].labelled += 1;
        all[usize::from(said)].predicted += 1;
        all[usize::from(class)].both += u64::from(said == class);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_laid_over_and_what_has_no_class_is_as_it_is() {
        let picture = ImageSet::new(vec![100, 50], vec![0], [1, 1, 2]);
        assert_eq!(view(&picture, None).as_raw(), &[100, 100, 100, 50, 50, 50]);
        assert_eq!(view(&picture, Some(&[1, 255])).as_raw(), &[116, 40, 40, 50, 50, 50]);
        let found = overlaps(&[0, 1, 1, 0], &[0, 1, 0, 255], 2);
        assert_eq!(found.iter().map(Overlap::iou).collect::<Vec<_>>(), [Some(0.5), Some(0.5)]);
    }
}
