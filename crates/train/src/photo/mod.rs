//! A picture of whatever size and kind as the bytes that a network takes: the one way in which pictures are read, to learn from and to
//! be told about.

mod fault;
mod jpeg;
mod mask;
mod reading;

pub use fault::{KINDS, PhotoError};
pub(crate) use mask::ValueSet;
pub use reading::{Background, Fit, Reading};

use crate::file;
use fault::MOST_BYTES;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Rgb, RgbImage};
use mask::Mask;
use nn::checkpoint::read_plain;
use std::io::Cursor;
use std::path::Path;

/// The ends of their names, in small letters.
const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

/// Whether a file has the name of a picture.
pub fn is_named_so(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// The picture in a file as planes of bytes, `[channels, height, width]`: turned as its camera was held, brought to that size, and
/// grey if there is one channel. Of an animation it is the first picture.
///
/// # Errors
/// If the file cannot be read or decoded, or was cut short.
pub fn read(path: &Path, shape: [usize; 3], how: &Reading) -> Result<Vec<u8>, PhotoError> {
    let picture = whole(path, how)?;
    let part = part((picture.width(), picture.height()), shape, how);
    planes(&picture, part, shape)
}

/// The same with the mask of the picture, a PNG file of one channel whose values are classes: behind the planes of the picture the mask,
/// `[height, width]`, brought to that size with it, and the [values](ValueSet) that its file has.
///
/// # Errors
/// As [`read`] for either file, or if the mask has not the size of the picture as its camera was held.
pub(crate) fn read_with_mask(path: &Path, mask: &Path, shape: [usize; 3], how: &Reading) -> Result<Vec<u8>, PhotoError> {
    let (picture, found) = (whole(path, how)?, Mask::read(mask)?);
    let size = [picture.width() as usize, picture.height() as usize];
    if size != [found.width, found.height] {
        let ([w, h], [mask_w, mask_h]) = (size, [found.width, found.height]);
        let why = format!("it has {mask_w} x {mask_h} pixels, and its picture, as its camera was held, {w} x {h}");
        return Err(PhotoError::Mask { path: mask.into(), why });
    }
    let part = part((picture.width(), picture.height()), shape, how);
    let mut row = planes(&picture, part, shape)?;
    row.extend(found.resized(part.map(|n| n as usize), [shape[1], shape[2]]));
    row.extend(found.values().bytes());
    Ok(row)
}

/// The width and height of the picture in a file, as its camera was held, and what of it becomes an image of `shape`: its left and upper
/// edge, width and height.
///
/// # Errors
/// If the file cannot be read, or its head cannot be decoded.
pub(crate) fn seen_of(path: &Path, shape: [usize; 3], how: &Reading) -> Result<([usize; 2], [usize; 4]), PhotoError> {
    let bytes = read_plain(path, file::PICTURE).map_err(PhotoError::Read)?;
    let size = size(&bytes).map_err(PhotoError::Decode)?;
    let part = part(size, shape, how);
    Ok(([size.0 as usize, size.1 as usize], part.map(|n| n as usize)))
}

/// Width and height, as its camera was held.
fn size(bytes: &[u8]) -> image::ImageResult<(u32, u32)> {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?.into_decoder()?;
    let (width, height) = decoder.dimensions();
    match decoder.orientation()? {
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH => Ok((height, width)),
        _ => Ok((width, height)),
    }
}

/// The picture in a file, as its camera was held and without transparency.
fn whole(path: &Path, how: &Reading) -> Result<DynamicImage, PhotoError> {
    let bytes = read_plain(path, file::PICTURE).map_err(PhotoError::Read)?;
    if jpeg::is_cut_short(&bytes) {
        return Err(PhotoError::CutShort);
    }
    // The ground comes in before the size changes: afterwards what a transparent pixel hides would bleed over its edge.
    let picture = on_ground(decode(&bytes).map_err(PhotoError::Decode)?, how.background);
    match picture.width() == 0 || picture.height() == 0 {
        true => Err(PhotoError::Nothing),
        false => Ok(picture),
    }
}

/// What of a picture of this width and height is taken for an image of `shape`: the corner, width and height.
fn part(size: (u32, u32), [_, height, width]: [usize; 3], how: &Reading) -> [u32; 4] {
    match how.fit {
        Fit::Crop => middle(size, height as u32, width as u32),
        Fit::Stretch => [0, 0, size.0, size.1],
    }
}

/// A part of a picture as planes of bytes.
fn planes(
    picture: &DynamicImage,
    [left, top, w, h]: [u32; 4],
    [channels, height, width]: [usize; 3],
) -> Result<Vec<u8>, PhotoError> {
    let is_all = [w, h] == [picture.width(), picture.height()];
    let cut = (!is_all).then(|| picture.crop_imm(left, top, w, h));
    let pixels = cut.as_ref().unwrap_or(picture).resize_exact(width as u32, height as u32, FilterType::CatmullRom).to_rgb8();
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
fn middle(size: (u32, u32), height: u32, width: u32) -> [u32; 4] {
    let (have_w, have_h) = (u64::from(size.0), u64::from(size.1));
    let (want_w, want_h) = (u64::from(width), u64::from(height));
    // One of the two sides stays whole.
    let w = have_w.min((have_h * want_w + want_h / 2) / want_h).max(1);
    let h = have_h.min((have_w * want_h + want_w / 2) / want_w).max(1);
    [((have_w - w) / 2) as u32, ((have_h - h) / 2) as u32, w as u32, h as u32]
}

/// Luma of Rec. 601, as `PIL.Image.convert("L")` has it: 0.299 R + 0.587 G + 0.114 B.
fn grey(pixel: &Rgb<u8>) -> u8 {
    let [r, g, b] = pixel.0.map(u32::from);
    ((19_595 * r + 38_470 * g + 7_471 * b + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests;
