//! Why a file is no picture.

use std::io;
use std::path::PathBuf;

/// What a decoded picture may take.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// The kinds of pictures, for messages.
pub const KINDS: &str = "PNG, JPEG, WebP, BMP or GIF";

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
    /// Its mask is none.
    #[error("its mask {}: {why}", path.display())]
    Mask {
        /// The file of the mask.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}
