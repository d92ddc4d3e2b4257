//! The mask of a picture: of which class each of its pixels is.
//!
//! It is a PNG file of one channel. Its values, which are grey values or places in a palette, are taken as they are: what they stand for is
//! known from all masks of a set together.

use super::fault::{MOST_BYTES, PhotoError};
use crate::file;
use nn::checkpoint::read_plain;
use png::{BitDepth, ColorType, Decoder, Limits, Transformations};
use std::io::Cursor;
use std::path::Path;

/// A mask, row by row.
pub(super) struct Mask {
    pub width: usize,
    pub height: usize,
    values: Vec<u8>,
}

impl Mask {
    pub fn read(path: &Path) -> Result<Self, PhotoError> {
        let wrong = |why: String| PhotoError::Mask { path: path.into(), why };
        let bytes = read_plain(path, file::PICTURE).map_err(|e| wrong(format!("it cannot be read: {e}")))?;
        Self::decode(&bytes).map_err(wrong)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let broken = |e: png::DecodingError| format!("this is not a PNG image that can be read: {e}");
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MOST_BYTES as usize });
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(broken)?;
        let info = reader.info();
        let bits = match (info.color_type, info.bit_depth) {
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::One) => 1,
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Two) => 2,
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Four) => 4,
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Eight) => 8,
            (ColorType::Grayscale, BitDepth::Sixteen) => {
                return Err("it has 16 bits a pixel, and numbers of classes have 8: save it with 8".to_owned());
            }
            _ => return Err("it is in colour, and a mask is grey or has a palette: save the numbers of the classes".to_owned()),
        };
        let size = reader.output_buffer_size().filter(|size| *size as u64 <= MOST_BYTES);
        let mut packed = vec![0; size.ok_or("it is too large")?];
        let frame = reader.next_frame(&mut packed).map_err(broken)?;
        let (width, height) = (frame.width as usize, frame.height as usize);
        let each = 8 / bits;
        let value = |row: &[u8], x: usize| row[x / each] >> (8 - bits - bits * (x % each)) & (0xff >> (8 - bits));
        let rows = packed.chunks_exact(frame.line_size.max(1)).take(height);
        let values = rows.flat_map(|row| (0..width).map(move |x| value(row, x))).collect();
        Ok(Self { width, height, values })
    }

    /// A part of it, from a corner on, brought to a size: each pixel is the one that lies there, since nothing lies between two classes.
    pub fn resized(&self, [left, top, w, h]: [usize; 4], [height, width]: [usize; 2]) -> impl Iterator<Item = u8> {
        let at = |i: usize, part: usize, of: usize| (2 * i + 1) * part / (2 * of);
        let row = move |y: usize| (top + at(y, h, height)) * self.width + left;
        (0..height).flat_map(move |y| (0..width).map(move |x| self.values[row(y) + at(x, w, width)]))
    }

    /// The values that it has.
    pub fn values(&self) -> ValueSet {
        let mut set = ValueSet::default();
        self.values.iter().for_each(|&value| set.add(value));
        set
    }
}

/// Some of the values of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValueSet([u8; Self::BYTES]);

impl ValueSet {
    /// What it takes, a bit each.
    pub const BYTES: usize = 32;

    /// From its [`bytes`](Self::bytes).
    pub fn of(bytes: &[u8]) -> Self {
        Self(bytes.try_into().expect("as many bytes as a set has"))
    }

    /// What it is kept as.
    pub fn bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    /// Takes a value in.
    pub fn add(&mut self, value: u8) {
        self.0[usize::from(value / 8)] |= 1 << (value % 8);
    }

    /// Whether a value is in it.
    pub fn has(self, value: u8) -> bool {
        self.0[usize::from(value / 8)] >> (value % 8) & 1 == 1
    }

    /// With all that another one has.
    pub fn with(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] | other.0[i]))
    }

    /// Its values, from the smallest on.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = u8> {
        (0..=u8::MAX).filter(move |value| self.has(*value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use png::Encoder;

    fn encoded(colour: ColorType, depth: BitDepth, [width, height]: [u32; 2], bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, width, height);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == ColorType::Indexed {
            encoder.set_palette(vec![77; 3 * 16]);
        }
        encoder.write_header().unwrap().write_image_data(bytes).unwrap();
        file
    }

    /// Three columns, two rows: in the narrow kinds the rest of a row's byte is nothing.
    #[test]
    fn values_are_taken_as_they_are_whatever_their_width() {
        for colour in [ColorType::Grayscale, ColorType::Indexed] {
            for (depth, bytes, want) in [
                (BitDepth::One, &[0b1010_0000, 0b0110_0000][..], [1, 0, 1, 0, 1, 1]),
                (BitDepth::Two, &[0b1101_1000, 0b0010_0100], [3, 1, 2, 0, 2, 1]),
                (BitDepth::Four, &[0x5f, 0x30, 0x01, 0xe0], [5, 15, 3, 0, 1, 14]),
                (BitDepth::Eight, &[5, 15, 3, 0, 1, 14], [5, 15, 3, 0, 1, 14]),
            ] {
                let mask = Mask::decode(&encoded(colour, depth, [3, 2], bytes)).unwrap();
                assert_eq!((mask.width, mask.height, &mask.values[..]), (3, 2, &want[..]), "{colour:?} {depth:?}");
                assert_eq!(mask.values().iter().collect::<Vec<u8>>(), {
                    let mut values = want.to_vec();
                    values.sort_unstable();
                    values.dedup();
                    values
                });
            }
        }
    }

    #[test]
    fn what_holds_no_numbers_of_classes_is_refused() {
        let cases = [
            (encoded(ColorType::Rgb, BitDepth::Eight, [1, 1], &[1, 2, 3]), "it is in colour"),
            (encoded(ColorType::GrayscaleAlpha, BitDepth::Eight, [1, 1], &[1, 2]), "it is in colour"),
            (encoded(ColorType::Grayscale, BitDepth::Sixteen, [1, 1], &[0, 2]), "16 bits"),
            (b"no picture".to_vec(), "not a PNG image"),
        ];
        for (bytes, wanted) in cases {
            let error = Mask::decode(&bytes).err().unwrap();
            assert!(error.contains(wanted), "{error}");
        }
        let whole = encoded(ColorType::Grayscale, BitDepth::Eight, [9, 9], &(0..81).collect::<Vec<u8>>());
        (20..whole.len() - 12).step_by(7).for_each(|cut| assert!(Mask::decode(&whole[..cut]).is_err(), "{cut}"));
    }

    #[test]
    fn a_mask_is_resized_to_pixels_that_it_has() {
        let mask = Mask { width: 4, height: 2, values: (0..8).collect() };
        let of = |part, size| mask.resized(part, size).collect::<Vec<u8>>();
        assert_eq!(of([0, 0, 4, 2], [2, 4]), mask.values);
        assert_eq!(of([0, 0, 4, 2], [1, 2]), [5, 7]);
        assert_eq!(of([1, 0, 2, 2], [2, 4]), [1, 1, 2, 2, 5, 5, 6, 6]);
        // As PIL: Image.fromarray(numpy.arange(8, dtype="uint8").reshape(2, 4)).resize((3, 3), Image.NEAREST).
        assert_eq!(of([0, 0, 4, 2], [3, 3]), [0, 2, 3, 4, 6, 7, 4, 6, 7]);
    }
}
