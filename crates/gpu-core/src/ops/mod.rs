//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another.

mod adam;
mod augment;
mod cross_entropy;
mod dropout;
mod fill;
mod sgd;
#[cfg(test)]
mod tests;

pub use adam::{AdamHyper, adamw_step};
pub use augment::{Augment, augment, gather_labels};
pub use cross_entropy::{
    accumulate_metrics, argmax, cross_entropy, cross_entropy_bwd, log_softmax, log_softmax_bwd_x, softmax, softmax_bwd_x,
};
pub use dropout::{DropoutKey, dropout, dropout_bwd_x, dropout_mask, dropout2d, dropout2d_bwd_x};
pub(crate) use fill::{fill_word, spoil};
pub use sgd::{SgdHyper, sgd_step};

use crate::check::Case;
use crate::kernel::Kernel;

/// Every kernel of the library.
pub fn kernels() -> Vec<&'static Kernel> {
    [fill::KERNELS, cross_entropy::KERNELS, dropout::KERNELS, sgd::KERNELS, adam::KERNELS, augment::KERNELS].concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    [fill::cases(), cross_entropy::cases(), dropout::cases(), sgd::cases(), adam::cases(), augment::cases()]
        .into_iter()
        .flatten()
        .collect()
}
