//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another, except that the explicit
//! convolution is a matrix product.

mod activation;
mod adam;
mod adaptive_pool2d;
mod augment;
mod batch_norm;
mod bias;
mod conv2d;
mod cross_entropy;
mod dropout;
mod elementwise;
mod fill;
mod global_pool;
mod matmul;
mod pixel_shuffle;
mod pool2d;
mod reduce;
mod sgd;
#[cfg(test)]
mod tests;
mod upsample2d;

pub use activation::{relu, relu_bwd_x};
pub use adam::{AdamHyper, adamw_step};
pub use adaptive_pool2d::{adaptive_avg_pool2d, adaptive_avg_pool2d_bwd_x, adaptive_max_pool2d, adaptive_max_pool2d_bwd_x};
pub use augment::{Augment, augment, gather_labels};
pub use batch_norm::{BatchNorm, batch_norm, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd};
pub use bias::{add_bias, add_bias_bwd_b};
pub use conv2d::{
    Conv1dGeometry, Conv2dGeometry, ConvAlgorithm, ConvGeometry, ConvTranspose1dGeometry, ConvTranspose2dGeometry,
    ConvTransposeGeometry, Padding, conv_transpose2d, conv_transpose2d_bwd_w, conv_transpose2d_bwd_x, conv2d, conv2d_bwd_w,
    conv2d_bwd_w_by, conv2d_bwd_x, conv2d_bwd_x_by, conv2d_by,
};
pub use cross_entropy::{
    accumulate_metrics, argmax, cross_entropy, cross_entropy_bwd, log_softmax, log_softmax_bwd_x, softmax, softmax_bwd_x,
};
pub use dropout::{DropoutKey, dropout, dropout_bwd_x, dropout_mask, dropout2d, dropout2d_bwd_x};
pub use elementwise::{add, add_scaled, copy_into, div, mul, scale, sub};
pub(crate) use fill::{fill_word, spoil};
pub use global_pool::{global_avg_pool, global_avg_pool_bwd_x};
pub use matmul::{matmul, matmul_ta, matmul_tb};
pub use pixel_shuffle::{pixel_shuffle, pixel_unshuffle};
pub use pool2d::{
    Divisor, Pool1dGeometry, Pool2dGeometry, PoolGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x,
};
pub use reduce::{mean, mean_axes, sum, sum_axes, sum_to};
pub use sgd::{SgdHyper, sgd_step};
pub use upsample2d::{Interpolation, Resize, Upsample2dGeometry, upsample2d, upsample2d_bwd_x};

#[cfg(test)]
use crate::check::Misuse;
use crate::check::{Bench, Case};
use crate::kernel::Kernel;

/// Every kernel of the library.
pub fn kernels() -> Vec<&'static Kernel> {
    [
        activation::KERNELS,
        adam::KERNELS,
        adaptive_pool2d::KERNELS,
        augment::KERNELS,
        batch_norm::KERNELS,
        bias::KERNELS,
        &conv2d::kernels(),
        cross_entropy::KERNELS,
        dropout::KERNELS,
        elementwise::KERNELS,
        fill::KERNELS,
        global_pool::KERNELS,
        matmul::KERNELS,
        pixel_shuffle::KERNELS,
        pool2d::KERNELS,
        reduce::KERNELS,
        sgd::KERNELS,
        upsample2d::KERNELS,
    ]
    .concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    let tables: [fn() -> Vec<Case>; 18] = [
        activation::cases,
        adam::cases,
        adaptive_pool2d::cases,
        augment::cases,
        batch_norm::cases,
        bias::cases,
        conv2d::cases,
        cross_entropy::cases,
        dropout::cases,
        elementwise::cases,
        fill::cases,
        global_pool::cases,
        matmul::cases,
        pixel_shuffle::cases,
        pool2d::cases,
        reduce::cases,
        sgd::cases,
        upsample2d::cases,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// What is timed: every operator at the sizes of real layers.
pub fn benches() -> Vec<Bench> {
    let tables: [fn() -> Vec<Bench>; 8] = [
        activation::benches,
        adaptive_pool2d::benches,
        conv2d::benches,
        elementwise::benches,
        global_pool::benches,
        pixel_shuffle::benches,
        pool2d::benches,
        upsample2d::benches,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// Wrong calls of every operator.
#[cfg(test)]
fn misuses() -> Vec<Misuse> {
    let tables: [fn() -> Vec<Misuse>; 8] = [
        activation::misuses,
        adaptive_pool2d::misuses,
        conv2d::misuses,
        elementwise::misuses,
        global_pool::misuses,
        pixel_shuffle::misuses,
        pool2d::misuses,
        upsample2d::misuses,
    ];
    tables.iter().flat_map(|table| table()).collect()
}
