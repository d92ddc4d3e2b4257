//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another.

mod conv2d;
mod fill;
mod matmul;
#[cfg(test)]
mod tests;

pub(crate) use fill::{fill_word, spoil};
pub use conv2d::{
    Conv2dGeometry, ConvAlgorithm, ConvTranspose2dGeometry, conv_transpose2d, conv_transpose2d_bwd_w, conv_transpose2d_bwd_x, conv2d,
    conv2d_bwd_w, conv2d_bwd_w_by, conv2d_bwd_x, conv2d_bwd_x_by, conv2d_by,
};
pub use matmul::{matmul, matmul_ta, matmul_tb};

use crate::check::Case;
use crate::kernel::Kernel;

/// Every kernel of the library.
pub fn kernels() -> Vec<&'static Kernel> {
    [fill::KERNELS, matmul::KERNELS, &conv2d::kernels()].concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    [fill::cases(), matmul::cases(), conv2d::cases()].into_iter().flatten().collect()
}
