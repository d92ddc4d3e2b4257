//! Kernels beneath the public functions, for the proof alone: any word, any sequence.

pub use super::elementwise::create::sequence;
pub use super::elementwise::fill::{fill_word, spoil};
