//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another.

mod fill;
mod matmul;
#[cfg(test)]
mod tests;

pub(crate) use fill::{fill_word, spoil};
pub use matmul::{matmul, matmul_ta, matmul_tb};

use crate::check::Case;
use crate::kernel::Kernel;

/// Every kernel of the library.
pub fn kernels() -> Vec<&'static Kernel> {
    [fill::KERNELS, matmul::KERNELS].concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    [fill::cases(), matmul::cases()].into_iter().flatten().collect()
}
