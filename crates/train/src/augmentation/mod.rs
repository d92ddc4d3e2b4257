//! What is done at random to the training images.

mod colour;
mod draw;
mod place;
#[cfg(test)]
mod tests;

pub(crate) use draw::own_share;
pub use draw::{Batch, draw};

use crate::error::{Error, Result};

/// Random changes of the training images. Where one of them takes a number, none leaves it out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Augmentation {
    /// Left and right swapped, every other time.
    pub flip: bool,
    /// Shifted by up to an eighth of the side, black coming in.
    pub crop: bool,
    /// A square of half the side blanked.
    pub cutout: bool,
    /// A part of the image instead of the whole, of at least this share of its area and 3:4 to 4:3 as wide as high (torchvision's
    /// `RandomResizedCrop`).
    pub resized_crop: Option<f64>,
    /// Turned by up to so many degrees either way.
    pub rotate: Option<f64>,
    /// Shifted by up to this share of the side, resized by up to as much, and sheared by up to as much.
    pub affine: Option<f64>,
    /// Brightness, contrast and saturation changed by factors of up to this away from 1, and the hue by up to a quarter of it of a turn
    /// (torchvision's `ColorJitter`; the hue is turned in YIQ).
    pub jitter: Option<f64>,
    /// With this probability, a rectangle of 2 to 33 % of the area blanked (random erasing, Zhong et al. 2017).
    pub erase: Option<f64>,
    /// Two changes of nine, with this magnitude of 30 (after RandAugment, Cubuk et al. 2019): shear, shift, turn, brightness, contrast,
    /// saturation, or none.
    pub randaugment: Option<f64>,
    /// Mixed with another image and its label, by a share drawn from Beta(a, a) for each batch (mixup, Zhang et al. 2017).
    pub mixup: Option<f64>,
    /// A rectangle of another image laid over it, with its share of the label, likewise (CutMix, Yun et al. 2019). With mixup too, each
    /// batch has one of them.
    pub cutmix: Option<f64>,
}

/// A word that takes a number: what it is without one, and what it may be.
struct Word {
    name: &'static str,
    usual: f64,
    most: f64,
    slot: fn(&mut Augmentation) -> &mut Option<f64>,
}

const WORDS: [Word; 8] = [
    Word { name: "resized-crop", usual: 0.08, most: 1.0, slot: |how| &mut how.resized_crop },
    Word { name: "rotate", usual: 15.0, most: 180.0, slot: |how| &mut how.rotate },
    Word { name: "affine", usual: 0.1, most: 0.5, slot: |how| &mut how.affine },
    Word { name: "jitter", usual: 0.4, most: 1.0, slot: |how| &mut how.jitter },
    Word { name: "erase", usual: 0.25, most: 1.0, slot: |how| &mut how.erase },
    Word { name: "randaugment", usual: 9.0, most: 30.0, slot: |how| &mut how.randaugment },
    Word { name: "mixup", usual: 0.2, most: 100.0, slot: |how| &mut how.mixup },
    Word { name: "cutmix", usual: 1.0, most: 100.0, slot: |how| &mut how.cutmix },
];

impl Augmentation {
    /// The words of `list`; `auto` is none of them until it is `settled`.
    pub(crate) fn parse(list: &str, settled: bool) -> Result<Self> {
        let mut chosen = Self::default();
        if list == "none" || (list == "auto" && !settled) {
            return Ok(chosen);
        }
        for word in list.split([',', '+']).map(str::trim) {
            chosen.take(word)?;
        }
        match () {
            () if chosen.crop && chosen.resized_crop.is_some() => {
                Error::setting("--augment: crop and resized-crop are one too many")
            }
            () if chosen.cutout && chosen.erase.is_some() => Error::setting("--augment: cutout and erase are one too many"),
            () => Ok(chosen),
        }
    }

    fn take(&mut self, word: &str) -> Result<()> {
        let (name, number) = word.split_once('=').map_or((word, None), |(name, number)| (name, Some(number)));
        match (name, number) {
            ("flip", None) => self.flip = true,
            ("crop", None) => self.crop = true,
            ("cutout", None) => self.cutout = true,
            ("flip" | "crop" | "cutout", Some(_)) => return Error::setting(format!("--augment: {name} takes no number")),
            _ => {
                let Some(Word { usual, most, slot, .. }) = WORDS.iter().find(|word| word.name == name) else {
                    let names = WORDS.map(|word| word.name).join(", ");
                    return Error::setting(format!(
                        "--augment: there is no \"{name}\"; use auto, none, or several of flip, crop, cutout, {names}"
                    ));
                };
                let value = number.map_or(Ok(*usual), str::parse::<f64>).ok().filter(|value| *value > 0.0 && value <= most);
                let Some(value) = value else {
                    return Error::setting(format!("--augment {word}: {name} takes a number above 0, at most {most}"));
                };
                *slot(self) = Some(value);
            }
        }
        Ok(())
    }

    /// Whether images are mixed with one another, and their labels with them.
    pub fn mixes(&self) -> bool {
        self.mixup.is_some() || self.cutmix.is_some()
    }

    /// Whether the host says what is done to each image; flips, crops and cut-outs alone are drawn by the kernel.
    pub(crate) fn is_drawn_by_the_host(&self) -> bool {
        let Self { flip, crop, cutout, .. } = *self;
        *self != Self { flip, crop, cutout, ..Self::default() }
    }
}
