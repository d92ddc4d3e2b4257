//! Pictures, read on all cores.

use super::walk::Picture;
use crate::data::error::DataError;
use crate::photo::{self, Reading};
use rayon::prelude::*;
use std::path::Path;

/// How a folder of pictures is opened.
pub struct Opening<'a> {
    /// Channels, rows and columns of every image.
    pub shape: [usize; 3],
    /// What is done to a picture besides.
    pub reading: Reading,
    /// Whether pictures that cannot be read are left out.
    pub skip_bad: bool,
    /// Where the images are kept for the next time.
    pub cache: Option<&'a Path>,
    /// Is called once for every picture that was read, with how many there are; from many threads.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

/// Pictures as bytes, one after the other.
pub(super) struct Decoded {
    pub images: Vec<u8>,
    /// Of each, why it could not be read; its bytes are then nothing.
    pub faults: Vec<Option<String>>,
}

/// Reads pictures, of `total` in all.
pub(super) fn decode(pictures: &[Picture], opening: &Opening<'_>, total: usize) -> Result<Decoded, DataError> {
    let bytes: usize = opening.shape.iter().product();
    let mut images = Vec::new();
    let room = images.try_reserve_exact(pictures.len() * bytes);
    room.map_err(|e| DataError::Pictures { path: "pictures".into(), message: format!("{e}: give a smaller --image-size") })?;
    images.resize(pictures.len() * bytes, 0);
    let read = |(place, picture): (&mut [u8], &Picture)| {
        let read = photo::read(&picture.path, opening.shape, &opening.reading);
        (opening.progress)(total);
        read.map(|planes| place.copy_from_slice(&planes)).err().map(|fault| fault.to_string())
    };
    let faults = images.par_chunks_exact_mut(bytes).zip(pictures).map(read).collect();
    Ok(Decoded { images, faults })
}
