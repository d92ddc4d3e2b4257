//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another, except that the explicit
//! convolution is a matrix product.

mod activation;
mod adam;
mod augment;
mod batch_norm;
mod bias;
mod cast;
mod conv2d;
mod create;
mod cross_entropy;
mod dropout;
mod elementwise;
mod fill;
mod global_pool;
mod matmul;
mod peak;
mod pool2d;
mod random;
mod reduce;
mod sgd;
mod strided;
#[cfg(test)]
mod tests;

pub use activation::{relu, relu_bwd_x};
pub use adam::{AdamHyper, adamw_step};
pub use augment::{Augment, augment, gather_labels};
pub use batch_norm::{BatchNorm, batch_norm, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd};
pub use bias::{add_bias, add_bias_bwd_b};
pub use cast::cast;
pub use conv2d::{
    Conv2dGeometry, ConvAlgorithm, ConvTranspose2dGeometry, conv_transpose2d, conv_transpose2d_bwd_w, conv_transpose2d_bwd_x,
    conv2d, conv2d_bwd_w, conv2d_bwd_w_by, conv2d_bwd_x, conv2d_bwd_x_by, conv2d_by,
};
pub use cross_entropy::{
    accumulate_metrics, argmax, cross_entropy, cross_entropy_bwd, log_softmax, log_softmax_bwd_x, softmax, softmax_bwd_x,
};
pub use dropout::{DropoutKey, dropout, dropout_bwd_x, dropout_mask, dropout2d, dropout2d_bwd_x};
pub use elementwise::{add, add_scaled, copy_into, div, mul, scale, sub};
pub(crate) use fill::{fill_word, spoil};
pub use global_pool::{global_avg_pool, global_avg_pool_bwd_x};
pub use matmul::{matmul, matmul_ta, matmul_tb};
pub use peak::peak_multiply_add;
pub use pool2d::{Pool2dGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x};
pub use random::{bernoulli, normal, permutation, randint, uniform};
pub use reduce::{mean, mean_axes, sum, sum_axes, sum_to};
pub use sgd::{SgdHyper, sgd_step};
pub use strided::{
    PadMode, Slice, concat, expand, flip, narrow, pad, pad_bwd_x, permute, repeat, roll, select, slice, slice_bwd_x, stack,
    transpose,
};

#[cfg(test)]
use crate::check::Misuse;
use crate::check::{Bench, Case};
use crate::kernel::Kernel;

/// Every kernel of the library.
pub fn kernels() -> Vec<&'static Kernel> {
    [
        activation::KERNELS,
        adam::KERNELS,
        augment::KERNELS,
        batch_norm::KERNELS,
        bias::KERNELS,
        cast::KERNELS,
        &conv2d::kernels(),
        create::KERNELS,
        cross_entropy::KERNELS,
        dropout::KERNELS,
        elementwise::KERNELS,
        fill::KERNELS,
        global_pool::KERNELS,
        matmul::KERNELS,
        peak::KERNELS,
        pool2d::KERNELS,
        random::KERNELS,
        reduce::KERNELS,
        sgd::KERNELS,
        &strided::kernels(),
    ]
    .concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    let tables: &[fn() -> Vec<Case>] = &[
        activation::cases,
        adam::cases,
        augment::cases,
        batch_norm::cases,
        bias::cases,
        cast::cases,
        conv2d::cases,
        create::cases,
        cross_entropy::cases,
        dropout::cases,
        elementwise::cases,
        fill::cases,
        global_pool::cases,
        matmul::cases,
        peak::cases,
        pool2d::cases,
        random::cases,
        reduce::cases,
        sgd::cases,
        strided::cases,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// What is timed: every operator at the sizes of real layers.
pub fn benches() -> Vec<Bench> {
    let tables: &[fn() -> Vec<Bench>] = &[
        activation::benches,
        augment::benches,
        cast::benches,
        create::benches,
        elementwise::benches,
        fill::benches,
        peak::benches,
        random::benches,
        strided::benches,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// Wrong calls of every operator.
#[cfg(test)]
fn misuses() -> Vec<Misuse> {
    let tables: &[fn() -> Vec<Misuse>] = &[
        activation::misuses,
        augment::misuses,
        cast::misuses,
        create::misuses,
        elementwise::misuses,
        fill::misuses,
        peak::misuses,
        random::misuses,
        strided::misuses,
    ];
    tables.iter().flat_map(|table| table()).collect()
}
