//! What is done to one picture, and the words that the kernel reads it from.

use std::ops::Range;

/// A rectangle of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// The first row, and the one after the last.
    pub rows: [u32; 2],
    /// The first column, and the one after the last.
    pub columns: [u32; 2],
}

impl Window {
    fn words(self) -> [i32; 4] {
        [self.rows[0], self.rows[1], self.columns[0], self.columns[1]].map(|bound| bound as i32)
    }
}

/// How [`warp`](super::warp) makes one picture of a batch. The default leaves it as it is.
///
/// ```
/// # use gpu_core::ops::Warp;
/// // A picture of 32 columns from right to left.
/// let mirrored = Warp { source: [[0.0, 1.0, 0.0], [31.0, 0.0, -1.0]], ..Warp::default() };
/// assert_eq!(mirrored.words()[3..6], [31 << 16, 0, -1 << 16]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    /// Where the result's pixels come from, row first, then column: the place of its first pixel, in pixels of the source counted from
    /// the centre of the source's first, and how far that goes on from row to row and from column to column of the result. Kept in
    /// 65536ths, and meant for places up to 32,767 pixels away.
    pub source: [[f64; 3]; 2],
    /// What red, green and blue are made of: factors of red, green and blue, and what is added, where white is 1. Kept in 1024ths;
    /// factors are below 8 in size. Pictures of other than three channels take the first factor and summand for each.
    pub colour: [[f64; 4]; 3],
    /// What becomes the mean colour, which is 0 after normalisation.
    pub blank: Window,
    /// The place in the batch of the picture that is mixed in.
    pub partner: u32,
    /// How much of the picture itself is kept, from 0 to 1; the rest is its partner's. Kept in 65536ths.
    pub share: f64,
    /// Where nothing but its partner is seen.
    pub window: Window,
}

impl Default for Warp {
    fn default() -> Self {
        let unit = |i: usize| std::array::from_fn(|j| f64::from(u8::from(i == j)));
        Self {
            source: [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            colour: [0, 1, 2].map(unit),
            blank: Window::default(),
            partner: 0,
            share: 1.0,
            window: Window::default(),
        }
    }
}

impl Warp {
    /// How many words a picture has.
    pub const WORDS: usize = 28;

    /// What the kernel reads, each number rounded to what it is kept in.
    pub fn words(&self) -> [i32; Self::WORDS] {
        // Casts saturate: what is too far away is still outside the source.
        let fixed = |v: f64, one: f64| (v * one).round() as i32;
        let source = self.source.as_flattened().iter().map(|&v| fixed(v, 65_536.0));
        let colour = self.colour.as_flattened().iter().enumerate().map(|(i, &v)| match i % 4 {
            3 => fixed(v.clamp(-16.0, 16.0), f64::from(WHITE)),
            _ => fixed(v.clamp(-7.999, 7.999), 1024.0),
        });
        let mixing = [self.partner as i32, fixed(self.share.clamp(0.0, 1.0), 65_536.0)];
        let words = source.chain(colour).chain(self.blank.words()).chain(mixing).chain(self.window.words());
        let mut all = [0; Self::WORDS];
        all.iter_mut().zip(words).for_each(|(slot, word)| *slot = word);
        all
    }
}

// Where they lie among a picture's words, as in `warp.wgsl`; the source is before them.
pub(super) const COLOUR: Range<usize> = 6..18;
pub(super) const BLANK: Range<usize> = 18..22;
pub(super) const PARTNER: usize = 22;
pub(super) const SHARE: usize = 23;
pub(super) const WINDOW: Range<usize> = 24..28;

/// The brightest value of a channel, in 256ths of a byte.
pub(super) const WHITE: i32 = 255 << 8;
