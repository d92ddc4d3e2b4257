//! Where masks are kept, and how rows of a shelf are read, masks among them.

use crate::data::error::DataError;
use crate::data::shelf::Shelf;
use rayon::prelude::*;
use std::sync::Arc;

/// Where the masks are.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Masks {
    /// In memory, as the images: of each its rows and columns.
    Held(Arc<Vec<u8>>),
    /// Behind the images, which are shelved.
    Shelved {
        /// Whether a value of 255 is the class 1.
        of_two: bool,
    },
}

/// Reads the rows of a shelf, pictures that were not decoded yet on all cores.
pub(super) fn read_shelved(shelf: &Shelf, pictures: &[u32], rows: &[u32], into: &mut Vec<u8>) -> Result<(), DataError> {
    into.resize(rows.len() * shelf.row_bytes(), 0);
    let places = into.chunks_exact_mut(shelf.row_bytes()).zip(rows);
    let places = places.map(|(place, &i)| (pictures[i as usize] as usize, place));
    // Reads are short: to share them out would take longer.
    let missing = places.filter_map(|(row, place)| (!shelf.read_kept(row, place)).then_some((row, place)));
    let missing: Vec<(usize, &mut [u8])> = missing.collect();
    if missing.is_empty() {
        // Nobody is woken for nothing.
        return Ok(());
    }
    let read = missing.into_par_iter().map(|(row, place)| (row, shelf.decode(row, place)));
    // The first one in the order of the batch, whichever failed first.
    match read.collect::<Vec<_>>().into_iter().find(|(_, read)| read.is_err()) {
        Some((row, Err(why))) => {
            let message = format!("{why} (--skip-bad looks at all pictures first, and leaves such out)");
            Err(DataError::Pictures { path: shelf.path(row).into(), message })
        }
        _ => Ok(()),
    }
}
