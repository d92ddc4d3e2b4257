//! A picture of whatever size and kind as a network takes it.

use super::jpeg;
use crate::data::ImageSet;
use crate::error::{Error, Result};
use crate::file;
use crate::model::Description;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Rgb, RgbImage};
use nn::checkpoint::read_plain;
use rayon::prelude::*;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// What a decoded picture may take.
const MOST_BYTES: u64 = 1 << 30;

/// A PNG or JPEG file as the bytes that the network takes: turned as its camera was held, stretched to the network's size, and grey if
/// that has one channel. What is transparent lies on white, as on a page.
///
/// # Errors
/// If the file cannot be read or decoded, or was cut short.
pub fn read_image(path: &Path, description: &Description) -> Result<ImageSet> {
    let bytes = read_plain(path, file::PICTURE).map_err(Error::file("reading", path))?;
    if jpeg::is_cut_short(&bytes) {
        return Err(Error::content(path, "this JPEG image was cut short; fetch it again"));
    }
    let picture =
        decode(&bytes).map_err(|e| Error::content(path, format!("this is not a PNG or JPEG image that can be read: {e}")))?;
    let input = description.input()?;
    let (channels, height, width) = (input.dim(0), input.dim(1), input.dim(2));
    // White comes in before the size changes: afterwards what a transparent pixel hides would bleed over its edge.
    let picture = on_white(picture).resize_exact(width as u32, height as u32, FilterType::CatmullRom);
    let pixels = picture.to_rgb8();
    let planes = match channels {
        1 => pixels.pixels().map(grey).collect(),
        3 => (0..3).flat_map(|c| pixels.pixels().map(move |pixel| pixel.0[c])).collect(),
        n => return Err(Error::content(path, format!("the network takes {n} channels, a picture has 1 or 3"))),
    };
    Ok(ImageSet::new(planes, vec![0], [channels, height, width]))
}

/// The same for several files, on all cores.
pub fn read_images(paths: &[PathBuf], description: &Description) -> Vec<Result<ImageSet>> {
    paths.par_iter().map(|path| read_image(path, description)).collect()
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

fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let pixels = picture.into_rgba8();
    let over = |pixel: &image::Rgba<u8>| {
        let [r, g, b, a] = pixel.0.map(u32::from);
        Rgb([r, g, b].map(|colour| ((colour * a + 255 * (255 - a) + 127) / 255) as u8))
    };
    let (width, height) = pixels.dimensions();
    RgbImage::from_fn(width, height, |x, y| over(pixels.get_pixel(x, y))).into()
}

/// Luma of Rec. 601, as `PIL.Image.convert("L")` has it: 0.299 R + 0.587 G + 0.114 B.
fn grey(pixel: &Rgb<u8>) -> u8 {
    let [r, g, b] = pixel.0.map(u32::from);
    ((19_595 * r + 38_470 * g + 7_471 * b + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Rgba, RgbaImage};

    fn description(channels: usize, height: usize, width: usize) -> Description {
        Description {
            model: "m".to_owned(),
            spec: format!(r#"{{"input":[{channels},{height},{width}],"layers":[{{"type":"flatten"}}]}}"#),
            trained_on: "d".to_owned(),
            classes: Vec::new(),
            mean: vec![0.0; channels],
            std: vec![1.0; channels],
        }
    }

    fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
        encoded(&picture.into(), ImageFormat::Png)
    }

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn read(bytes: &[u8], [c, h, w]: [usize; 3]) -> Result<Vec<u8>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Ok(read_image(file.path(), &description(c, h, w))?.images().to_vec())
    }

    /// From `PIL.Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0))`.
    #[test]
    fn colours_become_grey_as_in_pil() {
        let colours = [([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29), ([255; 3], 255), ([10, 200, 30], 124)];
        for (colour, want) in colours {
            assert_eq!(read(&png(RgbImage::from_pixel(1, 1, Rgb(colour))), [1, 1, 1]).unwrap(), [want], "{colour:?}");
        }
    }

    #[test]
    fn what_is_transparent_is_white_and_does_not_bleed() {
        // Red that nobody sees beside black that everybody does.
        let pixel = |x: u32, _: u32| if x < 4 { Rgba([255, 0, 0, 0]) } else { Rgba([0, 0, 0, 255]) };
        let planes = read(&png(RgbaImage::from_fn(8, 8, pixel)), [3, 3, 3]).unwrap();
        let (red, rest) = planes.split_at(9);
        assert!(rest.chunks(9).all(|plane| plane == red), "no colour: {planes:?}");
        assert_eq!((red[0], red[2]), (255, 0));
        assert_eq!(read(&png(RgbaImage::from_pixel(1, 1, Rgba([0, 0, 200, 128]))), [3, 1, 1]).unwrap(), [127, 127, 227]);
        // An alpha of one changes nothing.
        let colour = |x: u32, y: u32| [(40 * x) as u8, (30 * y) as u8, 77];
        let opaque = RgbaImage::from_fn(6, 5, |x, y| Rgba([colour(x, y)[0], colour(x, y)[1], 77, 255]));
        let plain = RgbImage::from_fn(6, 5, |x, y| Rgb(colour(x, y)));
        assert_eq!(read(&png(opaque), [3, 4, 3]).unwrap(), read(&png(plain), [3, 4, 3]).unwrap());
    }

    /// A JPEG with the EXIF segment of an orientation behind its first marker.
    fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let tiff = [&b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation, 0, 0, 0, 0, 0, 0]].concat();
        let segment = [&b"Exif\0\0"[..], &tiff].concat();
        let length = (segment.len() as u16 + 2).to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, &segment, &jpeg[2..]].concat()
    }

    #[test]
    fn a_picture_is_turned_as_its_camera_was_held() {
        // White above, black below.
        let picture: DynamicImage = RgbImage::from_fn(16, 16, |_, y| if y < 8 { Rgb([255; 3]) } else { Rgb([0; 3]) }).into();
        let bytes = encoded(&picture, ImageFormat::Jpeg);
        let corners = |orientation: u8| {
            let planes = read(&turned(&bytes, orientation), [1, 2, 2]).unwrap();
            planes.iter().map(|&v| u8::from(v > 127)).collect::<Vec<u8>>()
        };
        for (orientation, want) in [(1, [1, 1, 0, 0]), (3, [0, 0, 1, 1]), (6, [0, 1, 0, 1]), (8, [1, 0, 1, 0])] {
            assert_eq!(corners(orientation), want, "orientation {orientation}");
        }
    }

    #[test]
    fn a_jpeg_that_was_cut_short_is_refused() {
        let picture: DynamicImage = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * y) as u8, x as u8 * 4, y as u8 * 4])).into();
        let bytes = turned(&encoded(&picture, ImageFormat::Jpeg), 1);
        read(&bytes, [3, 8, 8]).unwrap();
        read(&[&bytes[..], b"behind its end"].concat(), [3, 8, 8]).unwrap();
        for cut in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 2] {
            let error = read(&bytes[..cut], [3, 8, 8]).unwrap_err().to_string();
            assert!(error.contains("cut short"), "{cut}: {error}");
        }
    }
}
