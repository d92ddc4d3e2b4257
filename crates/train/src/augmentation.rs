//! What is done at random to the training images.

use crate::error::{Error, Result};

/// Random changes of the training images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Augmentation {
    /// Left and right swapped, every other time.
    pub flip: bool,
    /// Shifted by up to an eighth of the side, black coming in.
    pub crop: bool,
    /// A square of half the side blanked.
    pub cutout: bool,
}

impl Augmentation {
    /// The words of `list`; `auto` is none of them until it is `settled`.
    pub(crate) fn parse(list: &str, settled: bool) -> Result<Self> {
        let mut chosen = Self::default();
        if list == "none" || (list == "auto" && !settled) {
            return Ok(chosen);
        }
        for word in list.split([',', '+']).map(str::trim) {
            match word {
                "flip" => chosen.flip = true,
                "crop" => chosen.crop = true,
                "cutout" => chosen.cutout = true,
                other => {
                    return Error::setting(format!(
                        "--augment: there is no \"{other}\"; use auto, none, or several of flip,crop,cutout"
                    ));
                }
            }
        }
        Ok(chosen)
    }
}
