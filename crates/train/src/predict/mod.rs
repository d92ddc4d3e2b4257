//! What a network sees in pictures.

mod inputs;
mod predictor;
mod segmenter;

pub use inputs::pictures;
pub use predictor::{Guess, Predictor};
pub use segmenter::Segmenter;

use crate::data::{Dataset, ImageSet};
use crate::error::{Error, Result};
use crate::model::Description;
use crate::photo::{self, PhotoError};
use nn::Loss;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// A picture as the network takes it: brought to its size in the way in which those were that it learned from, and grey if it has one
/// channel; see [`photo::read`].
///
/// # Errors
/// If the file cannot be read or decoded, or was cut short.
pub fn read_image(path: &Path, description: &Description) -> Result<ImageSet> {
    let input = description.input()?;
    let shape = [0, 1, 2].map(|axis| input.dim(axis));
    let planes = photo::read(path, shape, &description.reading).map_err(|error| match error {
        PhotoError::Read(source) => Error::file("reading", path)(source),
        other => Error::content(path, other.to_string()),
    })?;
    Ok(ImageSet::new(planes, vec![0], shape))
}

/// The mask of a picture that a network was shown, `[height, width]` of the size that it takes, at the size of the picture in the file as its
/// camera was held: the mask, its rows and its columns. What the network was not shown, since the picture has another shape, has no class.
///
/// # Errors
/// As [`read_image`].
pub fn to_size_of(path: &Path, mask: &[u8], description: &Description) -> Result<(Vec<u8>, [usize; 2])> {
    let input = description.input()?;
    let shape = [0, 1, 2].map(|axis| input.dim(axis));
    let ([width, height], [left, top, w, h]) =
        photo::seen_of(path, shape, &description.reading).map_err(|error| Error::content(path, error.to_string()))?;
    let value = |y: usize, x: usize| match (y.checked_sub(top), x.checked_sub(left)) {
        (Some(y), Some(x)) if y < h && x < w => {
            mask[(2 * y + 1) * shape[1] / (2 * h) * shape[2] + (2 * x + 1) * shape[2] / (2 * w)]
        }
        _ => Loss::IGNORED as u8,
    };
    let values = (0..height).flat_map(|y| (0..width).map(move |x| (y, x))).map(|(y, x)| value(y, x)).collect();
    Ok((values, [height, width]))
}

/// [`read_image`] for several files, on all cores.
pub fn read_images(paths: &[PathBuf], description: &Description) -> Vec<Result<ImageSet>> {
    paths.par_iter().map(|path| read_image(path, description)).collect()
}

/// Refuses a data set whose classes are not those that a network was trained on.
///
/// # Errors
/// If their number differs, or of pictures the names, or if an image may have several in one alone.
pub fn same_classes(description: &Description, data: &Dataset) -> Result<()> {
    let (wanted, found) = (description.classes.len(), data.classes.len());
    // Pictures have classes whose names mean something; other sets may have none at all.
    let is_other = data.has_files() && description.classes != data.classes;
    if description.multi_label != data.is_multi_label() {
        let (taught, here) = if description.multi_label { ("several labels", "one") } else { ("one label", "several") };
        return Error::setting(format!(
            "the checkpoint's network was taught {taught} an image; those of {} have {here}",
            data.name
        ));
    }
    if description.of_pixels != data.has_masks() {
        let (taught, here) =
            if description.of_pixels { ("the classes of pixels", "no masks") } else { ("the classes of images", "masks") };
        return Error::setting(format!("the checkpoint's network was taught {taught}; those of {} have {here}", data.name));
    }
    match wanted == found {
        true if is_other => Error::setting(format!(
            "the checkpoint's network tells {}; the classes of {} are {}",
            description.classes.join(", "),
            data.name,
            data.classes.join(", ")
        )),
        true => Ok(()),
        false => Error::setting(format!(
            "the checkpoint's network tells {wanted} classes ({}), {} has {found}; name the data set that it was trained on with --data",
            description.trained_on, data.name
        )),
    }
}
