//! What a network says of pixels: how far that is right, class by class, and masks as pictures.

use crate::error::{Error, Result};
use gpu_core::ops::Overlap;
use nn::Loss;
use nn::checkpoint::write_atomically;
use png::{BitDepth, ColorType, Encoder};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;

/// How far the pixels of a class were told rightly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassRow {
    /// The class's name.
    pub class: String,
    /// Pixels of the class.
    pub pixels: u64,
    /// Pixels that were taken for it, of those that have a class.
    pub predicted: u64,
    /// Pixels of it that were taken for it.
    pub both: u64,
    /// Intersection over union, `both / (pixels + predicted - both)`, 0 to 1; none where there is nothing of either.
    pub iou: Option<f64>,
}

/// A row for each class.
///
/// ```
/// # use gpu_core::ops::Overlap;
/// # use train::segmentation::by_class;
/// let rows = by_class(&["sky".into()], &[Overlap { both: 3, predicted: 4, labelled: 5 }]);
/// assert_eq!((rows[0].pixels, rows[0].iou), (5, Some(0.5)));
/// ```
pub fn by_class(classes: &[String], overlaps: &[Overlap]) -> Vec<ClassRow> {
    let row = |(class, overlap): (&String, &Overlap)| {
        let &Overlap { both, predicted, labelled } = overlap;
        ClassRow { class: class.clone(), pixels: labelled, predicted, both, iou: overlap.iou() }
    };
    classes.iter().zip(overlaps).map(row).collect()
}

/// Writes a row for each class to a CSV file.
///
/// # Errors
/// If the file cannot be written; an older one is then as it was.
pub fn write_by_class(path: &Path, classes: &[String], overlaps: &[Overlap]) -> Result<()> {
    let mut table = csv::Writer::from_writer(Vec::new());
    by_class(classes, overlaps).into_iter().try_for_each(|row| table.serialize(row)).expect("a list takes all bytes");
    let bytes = table.into_inner().expect("a list takes all bytes");
    write_atomically(path, |file| file.write_all(&bytes)).map_err(Error::file("writing", path))
}

/// The rows in the bytes of such a file; none if they are something else.
pub(crate) fn read_by_class(bytes: &[u8]) -> std::result::Result<Option<Vec<ClassRow>>, csv::Error> {
    let mut reader = csv::Reader::from_reader(bytes);
    match reader.headers()?.iter().eq(["class", "pixels", "predicted", "both", "iou"]) {
        true => reader.deserialize().collect::<std::result::Result<_, _>>().map(Some),
        false => Ok(None),
    }
}

/// The colour of a class, as Pascal VOC has it: the bits of its number, three by three, from the highest bit of each channel down. Class 0 is
/// black.
///
/// ```
/// # use train::segmentation::colour;
/// assert_eq!([0, 1, 2, 15].map(colour), [[0, 0, 0], [128, 0, 0], [0, 128, 0], [192, 128, 128]]);
/// ```
pub fn colour(class: u8) -> [u8; 3] {
    let class = u32::from(class);
    [0, 1, 2].map(|channel| (0..3).fold(0, |value, bit| value | (class >> (3 * bit + channel) & 1) << (7 - bit)) as u8)
}

/// A pixel's colour with that of its class laid over it; where it has none ([`Loss::IGNORED`]), its own.
///
/// ```
/// # use train::segmentation::laid_over;
/// assert_eq!((laid_over([100; 3], 1), laid_over([100; 3], 255)), ([116, 40, 40], [100; 3]));
/// ```
pub fn laid_over(pixel: [u8; 3], class: u32) -> [u8; 3] {
    match u8::try_from(class) {
        Ok(class) if u32::from(class) != Loss::IGNORED => {
            let over = colour(class);
            [0, 1, 2].map(|c| ((2 * u16::from(pixel[c]) + 3 * u16::from(over[c])) / 5) as u8)
        }
        _ => pixel,
    }
}

/// Writes a mask of so many rows and columns as a PNG file whose values are the numbers of the classes; its palette shows them as
/// [`colour`] does. It can be learned from.
///
/// ```
/// # use train::segmentation::write_mask;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("mask.png");
/// write_mask(&path, &[0, 1, 1, 255], [2, 2])?;
/// # Ok::<(), train::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be written; an older one is then as it was.
///
/// # Panics
/// If there is not a value for each pixel.
#[track_caller]
pub fn write_mask(path: &Path, values: &[u8], [height, width]: [usize; 2]) -> Result<()> {
    assert!(values.len() == height * width, "write_mask: {} values for {height} x {width} pixels", values.len());
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_palette((0..=u8::MAX).flat_map(colour).collect::<Vec<u8>>());
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(values));
    written.map_err(|e| Error::content(path, format!("the mask cannot be written: {e}")))?;
    write_atomically(path, |file| file.write_all(&bytes)).map_err(Error::file("writing", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_as_it_was_written_and_others_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.csv");
        let overlaps = [Overlap { both: 1, predicted: 2, labelled: 3 }, Overlap::default()];
        let classes = ["a,b".to_owned(), "c".to_owned()];
        write_by_class(&path, &classes, &overlaps).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes).lines().next(), Some("class,pixels,predicted,both,iou"));
        let rows = read_by_class(&bytes).unwrap().unwrap();
        assert_eq!(rows, by_class(&classes, &overlaps));
        assert_eq!((rows[0].iou, rows[1].iou), (Some(0.25), None));
        assert_eq!(read_by_class(b"image,label\n1,2\n").unwrap(), None);
    }

    #[test]
    fn a_mask_is_a_picture_of_its_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        write_mask(&path, &[0, 1, 2, 254, 255, 7], [2, 3]).unwrap();
        let shown = image::open(&path).unwrap().to_rgb8();
        assert_eq!((shown.dimensions(), shown.get_pixel(1, 0).0), ((3, 2), [128, 0, 0]));
        assert_eq!((laid_over([100; 3], 255), laid_over([100; 3], 1)), ([100; 3], [116, 40, 40]));
    }
}
