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
mod cumsum;
mod dropout;
mod elementwise;
mod fill;
mod gather;
mod global_pool;
mod linalg;
mod loss;
mod matmul;
mod peak;
mod pool2d;
mod random;
mod reduce;
mod reduction;
mod row_norm;
mod scatter;
mod sgd;
mod sort;
mod strided;
#[cfg(test)]
mod tests;

pub use activation::{
    elu, elu_bwd_x, gelu, gelu_bwd_x, gelu_tanh, gelu_tanh_bwd_x, hardsigmoid, hardsigmoid_bwd_x, hardswish, hardswish_bwd_x,
    leaky_relu, leaky_relu_bwd_x, mish, mish_bwd_x, relu, relu_bwd_x, relu6, relu6_bwd_x, selu, selu_bwd_x, sigmoid, sigmoid_bwd_x,
    silu, silu_bwd_x, softplus, softplus_bwd_x, tanh, tanh_bwd_x,
};
pub use adam::{AdamHyper, adamw_step};
pub use augment::{Augment, augment, gather_labels};
pub use batch_norm::{
    BatchNorm, batch_norm, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd, demean_norm, demean_norm_bwd, demean_norm_eval,
    demean_norm_eval_bwd,
};
pub use bias::{add_bias, add_bias_bwd_b};
pub use cast::cast;
pub use conv2d::{
    Conv1dGeometry, Conv2dGeometry, ConvAlgorithm, ConvGeometry, ConvTranspose1dGeometry, ConvTranspose2dGeometry,
    ConvTransposeGeometry, Padding, conv_transpose2d, conv_transpose2d_bwd_w, conv_transpose2d_bwd_x, conv2d, conv2d_bwd_w,
    conv2d_bwd_w_by, conv2d_bwd_x, conv2d_bwd_x_by, conv2d_by,
};
pub use cross_entropy::{
    CrossEntropy, accumulate_metrics, argmax, cross_entropy, cross_entropy_bwd, log_softmax, log_softmax_bwd_x, nll_loss,
    nll_loss_bwd, soft_cross_entropy, soft_cross_entropy_bwd_target, soft_cross_entropy_bwd_x, softmax, softmax_bwd_x,
};
pub use cumsum::{cumsum, cumsum_bwd_x};
pub use dropout::{
    DropoutKey, alpha_dropout, alpha_dropout_bwd_x, bernoulli_keep, bernoulli_keep_bwd_x, dropout, dropout_bwd_x, dropout_mask,
    dropout2d, dropout2d_bwd_x, feature_alpha_dropout, feature_alpha_dropout_bwd_x, gaussian_noise, gaussian_noise_bwd_x,
};
pub use elementwise::{add, add_scaled, copy_into, div, mul, scale, sub};
pub(crate) use fill::{fill_word, spoil};
pub use gather::{gather, index_select, one_hot};
pub use global_pool::{global_avg_pool, global_avg_pool_bwd_x};
pub use linalg::{Triangle, cholesky, lstsq, ridge, solve_spd, solve_triangular};
pub use loss::{PointwiseLoss, pointwise_loss, pointwise_loss_bwd_target, pointwise_loss_bwd_x};
pub use matmul::{matmul, matmul_ta, matmul_tb};
pub use peak::peak_multiply_add;
pub use pool2d::{
    Divisor, Pool1dGeometry, Pool2dGeometry, PoolGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x,
};
pub use random::{bernoulli, normal, permutation, randint, uniform};
pub use reduce::{mean, mean_axes, sum, sum_axes, sum_to};
pub use reduction::Reduction;
pub use row_norm::{
    RowNorm, RowStats, group_norm, group_norm_bwd_w, group_norm_bwd_x, instance_norm_running, layer_norm, layer_norm_bwd_w,
    layer_norm_bwd_x, rms_norm, rms_norm_bwd_w, rms_norm_bwd_x,
};
pub use scatter::{gather_bwd_x, index_add, index_select_bwd_x, scatter_add};
pub use sgd::{SgdHyper, sgd_step};
pub use sort::{argsort, sort, sort_bwd_x, topk};
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
        cumsum::KERNELS,
        dropout::KERNELS,
        elementwise::KERNELS,
        fill::KERNELS,
        gather::KERNELS,
        global_pool::KERNELS,
        loss::KERNELS,
        matmul::KERNELS,
        peak::KERNELS,
        pool2d::KERNELS,
        random::KERNELS,
        reduce::KERNELS,
        row_norm::KERNELS,
        scatter::KERNELS,
        sgd::KERNELS,
        sort::KERNELS,
        &strided::kernels(),
    ]
    .concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    let tables: [fn() -> Vec<Case>; 26] = [
        activation::cases,
        adam::cases,
        augment::cases,
        batch_norm::cases,
        bias::cases,
        cast::cases,
        conv2d::cases,
        create::cases,
        cross_entropy::cases,
        cumsum::cases,
        dropout::cases,
        elementwise::cases,
        fill::cases,
        gather::cases,
        global_pool::cases,
        loss::cases,
        matmul::cases,
        peak::cases,
        pool2d::cases,
        random::cases,
        reduce::cases,
        row_norm::cases,
        scatter::cases,
        sgd::cases,
        sort::cases,
        strided::cases,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// What is timed: every operator at the sizes of real layers.
pub fn benches() -> Vec<Bench> {
    let tables: [fn() -> Vec<Bench>; 21] = [
        activation::benches,
        batch_norm::benches,
        cast::benches,
        conv2d::benches,
        create::benches,
        cross_entropy::benches,
        cumsum::benches,
        dropout::benches,
        elementwise::benches,
        fill::benches,
        gather::benches,
        global_pool::benches,
        loss::benches,
        matmul::benches,
        peak::benches,
        pool2d::benches,
        random::benches,
        row_norm::benches,
        scatter::benches,
        sort::benches,
        strided::benches,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// Wrong calls of every operator.
#[cfg(test)]
fn misuses() -> Vec<Misuse> {
    let tables: [fn() -> Vec<Misuse>; 21] = [
        activation::misuses,
        batch_norm::misuses,
        cast::misuses,
        conv2d::misuses,
        create::misuses,
        cross_entropy::misuses,
        cumsum::misuses,
        dropout::misuses,
        elementwise::misuses,
        fill::misuses,
        gather::misuses,
        global_pool::misuses,
        loss::misuses,
        matmul::misuses,
        peak::misuses,
        pool2d::misuses,
        random::misuses,
        row_norm::misuses,
        scatter::misuses,
        sort::misuses,
        strided::misuses,
    ];
    tables.iter().flat_map(|table| table()).collect()
}
