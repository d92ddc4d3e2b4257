use super::*;
use image::{ImageFormat, Rgba, RgbaImage};

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    encoded(&picture.into(), ImageFormat::Png)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn read_as(bytes: &[u8], shape: [usize; 3], how: &Reading) -> Result<Vec<u8>, PhotoError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    super::read(file.path(), shape, how)
}

fn read(bytes: &[u8], shape: [usize; 3]) -> Result<Vec<u8>, PhotoError> {
    read_as(bytes, shape, &Reading::default())
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

#[test]
fn a_crop_is_the_middle_and_a_stretch_is_all() {
    // Red, green and blue beside one another, each 8 x 8.
    let colours = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];
    let bytes = png(RgbImage::from_fn(24, 8, |x, _| Rgb(colours[x as usize / 8])));
    let crop = Reading { fit: Fit::Crop, ..Reading::default() };
    let green = [vec![0; 16], vec![255; 16], vec![0; 16]].concat();
    assert_eq!(read_as(&bytes, [3, 4, 4], &crop).unwrap(), green);
    // Stretched, each colour is still there, mixed with its neighbour at the edge.
    let all = read(&bytes, [3, 1, 3]).unwrap();
    all.iter().enumerate().for_each(|(i, &value)| assert_eq!(value > 200, i % 4 == 0, "{all:?}"));
    let upright = png(RgbImage::from_fn(8, 24, |_, y| Rgb(colours[y as usize / 8])));
    assert_eq!(read_as(&upright, [3, 4, 4], &crop).unwrap(), green);
    // Of the same shape there is nothing to cut off, and of a strip there is still a pixel.
    assert_eq!(read_as(&bytes, [3, 4, 12], &crop).unwrap(), read(&bytes, [3, 4, 12]).unwrap());
    read_as(&png(RgbImage::new(1, 500)), [3, 64, 64], &crop).unwrap();
}

#[test]
fn what_is_transparent_lies_on_the_colour_that_was_asked_for() {
    let ground = |text: &str| Reading { background: text.parse().unwrap(), ..Reading::default() };
    let bytes = png(RgbaImage::from_pixel(1, 1, Rgba([0, 0, 200, 128])));
    assert_eq!(read_as(&bytes, [3, 1, 1], &ground("black")).unwrap(), [0, 0, 100]);
    assert_eq!(read_as(&bytes, [3, 1, 1], &ground("#ff8000")).unwrap(), [127, 64, 100]);
}

/// The same picture in every kind that is read, and each of them cut short.
#[test]
fn every_kind_is_read_and_none_of_them_cut_short() {
    let picture: DynamicImage = RgbImage::from_fn(48, 40, |x, y| Rgb([x as u8 * 5, y as u8 * 6, 90])).into();
    let planes = |bytes: &[u8]| read(bytes, [3, 8, 8]);
    let want = planes(&encoded(&picture, ImageFormat::Png)).unwrap();
    for (format, most) in
        [(ImageFormat::Png, 0), (ImageFormat::Bmp, 0), (ImageFormat::WebP, 0), (ImageFormat::Jpeg, 12), (ImageFormat::Gif, 24)]
    {
        // GIF is made of pictures with alpha.
        let bytes = encoded(&if format == ImageFormat::Gif { picture.to_rgba8().into() } else { picture.clone() }, format);
        let got = planes(&bytes).unwrap();
        let worst = want.iter().zip(&got).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= most, "{format:?}: {worst}");
        for cut in [0, 1, bytes.len() / 3, bytes.len() / 2, bytes.len() * 9 / 10] {
            assert!(planes(&bytes[..cut]).is_err(), "{format:?} of {cut} bytes of {}", bytes.len());
        }
    }
    // 16 bits are rounded once, 8 bits were before too.
    let deep = planes(&png(DynamicImage::ImageRgb16(picture.to_rgb16()))).unwrap();
    assert!(deep.iter().zip(&want).all(|(a, b)| a.abs_diff(*b) <= 1), "{deep:?}");
    let grey = planes(&png(picture.to_luma8())).unwrap();
    assert!(grey[..64] == grey[64..128] && grey[..64] == grey[128..]);
}
