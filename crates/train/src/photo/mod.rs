//! A picture of whatever size and kind as the bytes that a network takes: the one way in which pictures are read, to learn from and to
//! be told about.

mod jpeg;
mod reading;

pub use reading::{Background, Fit, Reading};

use crate::file;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Rgb, RgbImage};
use nn::checkpoint::read_plain;
use std::io::{self, Cursor};
use std::path::Path;

/// What a decoded picture may take.
const MOST_BYTES: u64 = 1 << 30;

/// The kinds of pictures, for messages.
pub const KINDS: &str = "PNG, JPEG, WebP, BMP or GIF";

/// The ends of their names, in small letters.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

/// Whether a file has the name of a picture.
pub fn is_named_so(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Why a file is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// The operating system would not give it.
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
    /// It ends too soon.
    #[error("this JPEG image was cut short; fetch it again")]
    CutShort,
    /// It is something else, or damaged.
    #[error("this is not a {KINDS} image that can be read: {0}")]
    Decode(#[source] image::ImageError),
    /// There is no pixel in it.
    #[error("this image has no pixels")]
    Nothing,
    /// Pictures are grey or in colour.
    #[error("the network takes {0} channels, a picture has 1 or 3")]
    Channels(usize),
}

/// The picture in a file as planes of bytes, `[channels, height, width]`: turned as its camera was held, brought to that size, and
/// grey if there is one channel. Of an animation it is the first picture.
///
/// # Errors
/// If the file cannot be read or decoded, or was cut short.
pub fn read(path: &Path, [channels, height, width]: [usize; 3], how: &Reading) -> Result<Vec<u8>, PhotoError> {
    let bytes = read_plain(path, file::PICTURE).map_err(PhotoError::Read)?;
    if jpeg::is_cut_short(&bytes) {
        return Err(PhotoError::CutShort);
    }
    // The ground comes in before the size changes: afterwards what a transparent pixel hides would bleed over its edge.
    let mut picture = on_ground(decode(&bytes).map_err(PhotoError::Decode)?, how.background);
    if picture.width() == 0 || picture.height() == 0 {
        return Err(PhotoError::Nothing);
    }
    if how.fit == Fit::Crop {
        picture = middle(&picture, height as u32, width as u32);
    }
    let pixels = picture.resize_exact(width as u32, height as u32, FilterType::CatmullRom).to_rgb8();
    match channels {
        1 => Ok(pixels.pixels().map(grey).collect()),
        3 => Ok((0..3).flat_map(|c| pixels.pixels().map(move |pixel| pixel.0[c])).collect()),
        n => Err(PhotoError::Channels(n)),
    }
}

fn decode(bytes: &[u8]) -> image::ImageResult<DynamicImage> {
    let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?.into_decoder()?;
    if decoder.total_bytes() > MOST_BYTES {
        return Err(image::ImageError::Limits(image::error::LimitError::from_kind(
            image::error::LimitErrorKind::InsufficientMemory,
        )));
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn on_ground(picture: DynamicImage, Background(ground): Background) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let pixels = picture.into_rgba8();
    let over = |pixel: &image::Rgba<u8>| {
        let alpha = u32::from(pixel.0[3]);
        Rgb([0, 1, 2].map(|c| ((u32::from(pixel.0[c]) * alpha + u32::from(ground[c]) * (255 - alpha) + 127) / 255) as u8))
    };
    let (width, height) = pixels.dimensions();
    RgbImage::from_fn(width, height, |x, y| over(pixels.get_pixel(x, y))).into()
}

/// The largest part of the shape of `height` x `width`, from the middle.
fn middle(picture: &DynamicImage, height: u32, width: u32) -> DynamicImage {
    let (have_w, have_h) = (u64::from(picture.width()), u64::from(picture.height()));
    let (want_w, want_h) = (u64::from(width), u64::from(height));
    // One of the two sides stays whole.
    let w = have_w.min((have_h * want_w + want_h / 2) / want_h).max(1);
    let h = have_h.min((have_w * want_h + want_w / 2) / want_w).max(1);
    picture.crop_imm(((have_w - w) / 2) as u32, ((have_h - h) / 2) as u32, w as u32, h as u32)
}

/// Luma of Rec. 601, as `PIL.Image.convert("L")` has it: 0.299 R + 0.587 G + 0.114 B.
fn grey(pixel: &Rgb<u8>) -> u8 {
    let [r, g, b] = pixel.0.map(u32::from);
    ((19_595 * r + 38_470 * g + 7_471 * b + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests;
