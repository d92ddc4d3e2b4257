//! What a network sees in pictures.

mod inputs;
mod jpeg;
mod photo;
mod predictor;

pub use inputs::pictures;
pub use photo::{read_image, read_images};
pub use predictor::{Guess, Predictor};

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::model::Description;

/// Refuses a data set whose classes are not those that a network was trained on.
///
/// # Errors
/// If their number differs.
pub fn same_classes(description: &Description, data: &Dataset) -> Result<()> {
    let (wanted, found) = (description.classes.len(), data.classes.len());
    match wanted == found {
        true => Ok(()),
        false => Error::setting(format!(
            "the checkpoint's network tells {wanted} classes ({}), {} has {found}; name the data set that it was trained on with --data",
            description.trained_on, data.name
        )),
    }
}
