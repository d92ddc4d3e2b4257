mod activation;

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
mod loss;
mod matmul;
mod peak;
mod pool2d;
mod random;
mod reduce;
mod reduction;
mod row_norm;
mod sgd;
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
pub use batch_norm::{BatchNorm, batch_norm, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd};
pub use bias::{add_bias, add_bias_bwd_b};
pub use cast::cast;
pub use conv2d::{
    Conv2dGeometry, ConvAlgorithm, ConvTranspose2dGeometry, conv_transpose2d, conv_transpose2d_bwd_w, conv_transpose2d_bwd_x,
    conv2d, conv2d_bwd_w, conv2d_bwd_w_by, conv2d_bwd_x, conv2d_bwd_x_by, conv2d_by,
};
pub use cross_entropy::{
    CrossEntropy, accumulate_metrics, argmax, cross_entropy, cross_entropy_bwd, log_softmax, log_softmax_bwd_x, nll_loss,
    nll_loss_bwd, soft_cross_entropy, soft_cross_entropy_bwd_target, soft_cross_entropy_bwd_x, softmax, softmax_bwd_x,
};
pub use dropout::{
    DropoutKey, alpha_dropout, alpha_dropout_bwd_x, bernoulli_keep, bernoulli_keep_bwd_x, dropout, dropout_bwd_x, dropout_mask,
    dropout2d, dropout2d_bwd_x, feature_alpha_dropout, feature_alpha_dropout_bwd_x, gaussian_noise, gaussian_noise_bwd_x,
};
pub use elementwise::{add, add_scaled, copy_into, div, mul, scale, sub};
pub(crate) use fill::{fill_word, spoil};
pub use global_pool::{global_avg_pool, global_avg_pool_bwd_x};
pub use loss::{PointwiseLoss, pointwise_loss, pointwise_loss_bwd_target, pointwise_loss_bwd_x};
pub use matmul::{matmul, matmul_ta, matmul_tb};
pub use pool2d::{Pool2dGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x};
pub use random::{bernoulli, normal, permutation, randint, uniform};
pub use reduce::{mean, mean_axes, sum, sum_axes, sum_to};
pub use reduction::Reduction;
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
        loss::KERNELS,
        matmul::KERNELS,
        peak::KERNELS,
        pool2d::KERNELS,
        random::KERNELS,
        reduce::KERNELS,
        row_norm::KERNELS,
        sgd::KERNELS,
        &strided::kernels(),
    ]
    .concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    let tables: [fn() -> Vec<Case>; 22] = [
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
        loss::cases,
        matmul::cases,
        peak::cases,
        pool2d::cases,
        random::cases,
        reduce::cases,
        row_norm::cases,
        sgd::cases,
        strided::cases,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// What is timed: every operator at the sizes of real layers.
pub fn benches() -> Vec<Bench> {
    let tables: [fn() -> Vec<Bench>; 13] = [
        activation::benches,
        batch_norm::benches,
        cast::benches,
        create::benches,
        cross_entropy::benches,
        dropout::benches,
        elementwise::benches,
        fill::benches,
        loss::benches,
        peak::benches,
        random::benches,
        row_norm::benches,
        strided::benches,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// Wrong calls of every operator.
#[cfg(test)]
fn misuses() -> Vec<Misuse> {
    let tables: [fn() -> Vec<Misuse>; 13] = [
        activation::misuses,
        batch_norm::misuses,
        cast::misuses,
        create::misuses,
        cross_entropy::misuses,
        dropout::misuses,
        elementwise::misuses,
        fill::misuses,
        loss::misuses,
        peak::misuses,
        random::misuses,
        row_norm::misuses,
        strided::misuses,
    ];
    tables.iter().flat_map(|table| table()).collect()
}
