//! Images of a set as small PNG pictures in base64: what a page has inline.

use crate::data::ImageSet;
use crate::error::Result;
use image::codecs::png::{CompressionType, FilterType as Rows, PngEncoder};
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageEncoder, Rgb, RgbImage};

/// Pixels of the longer side of a picture; larger ones are made smaller.
pub(super) const SIDE: u32 = 96;

/// Columns between pictures beside one another.
const GAP: u32 = 4;

/// Pictures of one size beside one another, each made smaller where it is large.
pub(super) fn side_by_side(pictures: &[RgbImage]) -> RgbImage {
    let small: Vec<RgbImage> = pictures.iter().map(|picture| smaller(picture.clone())).collect();
    let [width, height] = small.first().map_or([0, 0], |first| [first.width(), first.height()]);
    let mut all = RgbImage::from_pixel(small.len() as u32 * (width + GAP) - GAP, height, Rgb([255; 3]));
    for (i, picture) in small.iter().enumerate() {
        image::imageops::replace(&mut all, picture, i64::from(width + GAP) * i as i64, 0);
    }
    all
}

/// An image of a set, in grey where it has not three channels.
pub(super) fn picture(set: &ImageSet, image: usize) -> Result<RgbImage> {
    let (mut bytes, [height, width]) = (Vec::new(), [set.height(), set.width()]);
    set.read_batch(&[image as u32], &mut bytes)?;
    let of_channel = |channel: usize| if set.channels() == 3 { channel } else { 0 };
    let picture = RgbImage::from_fn(width as u32, height as u32, |x, y| {
        Rgb([0, 1, 2].map(|channel| bytes[(of_channel(channel) * height + y as usize) * width + x as usize]))
    });
    Ok(smaller(picture))
}

fn smaller(picture: RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let longer = width.max(height);
    if longer <= SIDE {
        return picture;
    }
    let side = |pixels: u32| (pixels * SIDE / longer).max(1);
    resize(&picture, side(width), side(height), FilterType::CatmullRom)
}

/// A picture as PNG in base64.
pub(super) fn encoded(picture: &RgbImage) -> String {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, Rows::Adaptive);
    let written = encoder.write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8);
    written.expect("a list takes all bytes");
    base64(&bytes)
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let three = [0, 1, 2].map(|i| u32::from(part.get(i).copied().unwrap_or(0)));
        let bits = three[0] << 16 | three[1] << 8 | three[2];
        for digit in 0..4 {
            let is_padding = digit > part.len();
            text.push(if is_padding { '=' } else { DIGITS[(bits >> (18 - 6 * digit)) as usize & 63] as char });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_standard() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
        for (text, want) in cases {
            assert_eq!(base64(text.as_bytes()), want);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }

    #[test]
    fn planes_become_colours_and_large_pictures_small() {
        let colour = ImageSet::new(vec![10, 20, 30, 40, 50, 60], vec![0], [3, 1, 2]);
        assert_eq!(picture(&colour, 0).unwrap().as_raw(), &[10, 30, 50, 20, 40, 60]);
        let grey = ImageSet::new(vec![7, 9], vec![0], [1, 1, 2]);
        assert_eq!(picture(&grey, 0).unwrap().as_raw(), &[7, 7, 7, 9, 9, 9]);
        let wide = picture(&ImageSet::new(vec![80; 3 * 150 * 300], vec![0], [3, 150, 300]), 0).unwrap();
        assert_eq!((wide.dimensions(), wide.get_pixel(50, 20).0), ((96, 48), [80; 3]));
    }

    /// With 46 of them, two megabytes of a page at most.
    #[test]
    fn the_noisiest_picture_takes_less_than_40_kilobytes() {
        let noise = gpu_core::rng::Stream::new(1, 0, 0);
        let bytes = (0..3 * 96 * 96).map(|i| noise.block(i)[0] as u8).collect();
        let text = encoded(&picture(&ImageSet::new(bytes, vec![0], [3, 96, 96]), 0).unwrap());
        assert!((36_000..40_000).contains(&text.len()), "{}", text.len());
    }
}
