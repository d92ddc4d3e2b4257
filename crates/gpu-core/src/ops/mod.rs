//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another, except that the explicit
//! convolution is a matrix product.

mod activation;
mod adam;
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
mod pool2d;
mod reduce;
mod sgd;
#[cfg(test)]
mod tests;
mod unary;

pub use activation::{relu, relu_bwd_x};
pub use adam::{AdamHyper, adamw_step};
pub use augment::{Augment, augment, gather_labels};
pub use batch_norm::{BatchNorm, batch_norm, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd};
pub use bias::{add_bias, add_bias_bwd_b};
pub use conv2d::{
    Conv2dGeometry, ConvAlgorithm, ConvTranspose2dGeometry, conv_transpose2d, conv_transpose2d_bwd_w, conv_transpose2d_bwd_x,
    conv2d, conv2d_bwd_w, conv2d_bwd_w_by, conv2d_bwd_x, conv2d_bwd_x_by, conv2d_by,
};
pub use cross_entropy::{
    accumulate_metrics, argmax, cross_entropy, cross_entropy_bwd, log_softmax, log_softmax_bwd_x, softmax, softmax_bwd_x,
};
pub use dropout::{DropoutKey, dropout, dropout_bwd_x, dropout_mask, dropout2d, dropout2d_bwd_x};
pub use elementwise::{
    add, add_scaled, amax_bwd_x, copy_into, div, div_bwd_b, eq, ge, gt, le, logical_and, logical_not, logical_or, logical_xor,
    logsumexp_bwd_x, lt, maximum, maximum_bwd_a, minimum, minimum_bwd_a, mul, ne, pow, pow_bwd_a, pow_bwd_b, scale, spread, sub,
    var_bwd_x, where_,
};
pub(crate) use fill::{fill_word, spoil};
pub use global_pool::{global_avg_pool, global_avg_pool_bwd_x};
pub use matmul::{matmul, matmul_ta, matmul_tb};
pub use pool2d::{Pool2dGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x};
pub use reduce::{
    all, all_axes, amax, amax_ties, amin, amin_ties, any, any_axes, argmax_all, argmax_axis, argmin_all, argmin_axis, logsumexp,
    mean, mean_axes, std, sum, sum_axes, sum_to, var,
};
pub use sgd::{SgdHyper, sgd_step};
pub use unary::{
    abs, abs_bwd_x, add_scalar, ceil, clamp, clamp_bwd_x, cos, cos_bwd_x, erf, erf_bwd_x, exp, expm1, expm1_bwd_x, floor, isfinite,
    isinf, isnan, log, log1p, log1p_bwd_x, neg, pow_scalar, pow_scalar_bwd_x, reciprocal, reciprocal_bwd_x, round, rsqrt,
    rsqrt_bwd_x, scalar_pow, scalar_pow_bwd_x, sign, sin, sin_bwd_x, sqrt, sqrt_bwd_x, square, square_bwd_x, std_bwd_var, tan,
    tan_bwd_x,
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
        &conv2d::kernels(),
        cross_entropy::KERNELS,
        dropout::KERNELS,
        elementwise::KERNELS,
        fill::KERNELS,
        global_pool::KERNELS,
        matmul::KERNELS,
        pool2d::KERNELS,
        reduce::KERNELS,
        sgd::KERNELS,
        unary::KERNELS,
    ]
    .concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    let tables: [fn() -> Vec<Case>; 16] = [
        activation::cases,
        adam::cases,
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
        pool2d::cases,
        reduce::cases,
        sgd::cases,
        unary::cases,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// What is timed: every operator at the sizes of real layers.
pub fn benches() -> Vec<Bench> {
    let tables: [fn() -> Vec<Bench>; 5] =
        [activation::benches, bias::benches, elementwise::benches, reduce::benches, unary::benches];
    tables.iter().flat_map(|table| table()).collect()
}

/// Wrong calls of every operator.
#[cfg(test)]
fn misuses() -> Vec<Misuse> {
    let tables: [fn() -> Vec<Misuse>; 5] =
        [activation::misuses, bias::misuses, elementwise::misuses, reduce::misuses, unary::misuses];
    tables.iter().flat_map(|table| table()).collect()
}
