//! Whether a JPEG file is whole: decoders fill up one that was cut short, and say nothing.

/// What a JPEG file begins with.
const START: [u8; 2] = [0xff, 0xd8];

/// Whether these are the bytes of a JPEG file without its end. Segments are passed over by their lengths, for a thumbnail in one of them
/// has an end of its own.
pub(super) fn is_cut_short(bytes: &[u8]) -> bool {
    let mut at = START.len();
    while let Some(&[first, second]) = bytes.get(at..at + 2).and_then(|pair| pair.first_chunk()) {
        at += match (first, second) {
            (0xff, 0xd9) => return false,
            // Bytes that fill up, then markers without a segment and a byte of 255 among the coefficients.
            (0xff, 0xff) => 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => 2,
            (0xff, _) => 2 + bytes.get(at + 2..at + 4).map_or(0, |n| usize::from(n[0]) << 8 | usize::from(n[1])),
            _ => 1,
        };
    }
    bytes.starts_with(&START)
}
