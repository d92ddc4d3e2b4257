//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another.

mod activation;
mod batch_norm;
mod bias;
mod elementwise;
mod fill;
mod global_pool;
mod pool2d;
mod reduce;
#[cfg(test)]
mod tests;

pub use activation::{relu, relu_bwd_x};
pub use batch_norm::{BatchNorm, batch_norm, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd};
pub use bias::{add_bias, add_bias_bwd_b};
pub use elementwise::{add, add_scaled, copy_into, div, mul, scale, sub};
pub(crate) use fill::{fill_word, spoil};
pub use global_pool::{global_avg_pool, global_avg_pool_bwd_x};
pub use pool2d::{Pool2dGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x};
pub use reduce::{mean, mean_axes, sum, sum_axes, sum_to};

use crate::check::Case;
use crate::kernel::Kernel;

/// Every kernel of the library.
pub fn kernels() -> Vec<&'static Kernel> {
    [activation::KERNELS, batch_norm::KERNELS, bias::KERNELS, elementwise::KERNELS, fill::KERNELS, global_pool::KERNELS, pool2d::KERNELS, reduce::KERNELS].concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    [activation::cases(), batch_norm::cases(), bias::cases(), elementwise::cases(), fill::cases(), global_pool::cases(), pool2d::cases(), reduce::cases()].into_iter().flatten().collect()
}
