//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another.

mod cross_entropy;
mod fill;
#[cfg(test)]
mod tests;

pub use cross_entropy::{
    accumulate_metrics, argmax, cross_entropy, cross_entropy_bwd, log_softmax, log_softmax_bwd_x, softmax, softmax_bwd_x,
};
pub(crate) use fill::{fill_word, spoil};

use crate::check::Case;
use crate::kernel::Kernel;

/// Every kernel of the library.
pub fn kernels() -> Vec<&'static Kernel> {
    [fill::KERNELS, cross_entropy::KERNELS].concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    [fill::cases(), cross_entropy::cases()].into_iter().flatten().collect()
}
