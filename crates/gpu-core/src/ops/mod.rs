//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another, except that the explicit
//! convolution is a matrix product.

mod accumulate;
mod activation;
mod adagrad;
mod adam;
mod arenas;
mod augment;
mod average;
mod batch_norm;
mod bias;
mod clip;
mod conv2d;
mod cross_entropy;
mod dropout;
mod elementwise;
mod fill;
mod global_pool;
mod lion;
mod matmul;
mod muon;
mod peak;
mod pool2d;
mod reduce;
mod rmsprop;
mod sgd;
#[cfg(test)]
mod tests;

pub use accumulate::accumulate;
pub use activation::{relu, relu_bwd_x};
pub use adagrad::{AdagradHyper, adagrad_step};
pub use adam::{AdamHyper, adamw_step, adamw_step_amsgrad};
pub use augment::{Augment, augment, gather_labels};
pub use average::{ema_step, exchange, lookahead_step};
pub use batch_norm::{BatchNorm, batch_norm, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd};
pub use bias::{add_bias, add_bias_bwd_b};
pub use clip::{clip_grad_norm, clip_grad_value, clip_with_norm, total_norm};
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
pub use lion::{LionHyper, lion_step};
pub use matmul::{matmul, matmul_ta, matmul_tb};
pub use muon::{MuonHyper, muon_combine, muon_momentum, muon_normalise, muon_step};
pub use peak::peak_multiply_add;
pub use pool2d::{Pool2dGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x};
pub use reduce::{mean, mean_axes, sum, sum_axes, sum_to};
pub use rmsprop::{RmspropHyper, rmsprop_step};
pub use sgd::{SgdHyper, sgd_step};

#[cfg(test)]
use crate::check::Misuse;
use crate::check::{Bench, Case};
use crate::kernel::Kernel;

/// Every kernel of the library.
pub fn kernels() -> Vec<&'static Kernel> {
    [
        accumulate::KERNELS,
        activation::KERNELS,
        adagrad::KERNELS,
        adam::KERNELS,
        augment::KERNELS,
        average::KERNELS,
        batch_norm::KERNELS,
        bias::KERNELS,
        clip::KERNELS,
        &conv2d::kernels(),
        cross_entropy::KERNELS,
        dropout::KERNELS,
        elementwise::KERNELS,
        fill::KERNELS,
        global_pool::KERNELS,
        lion::KERNELS,
        matmul::KERNELS,
        muon::KERNELS,
        peak::KERNELS,
        pool2d::KERNELS,
        reduce::KERNELS,
        rmsprop::KERNELS,
        sgd::KERNELS,
    ]
    .concat()
}

/// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
pub fn cases() -> Vec<Case> {
    let tables: [fn() -> Vec<Case>; 23] = [
        accumulate::cases,
        activation::cases,
        adagrad::cases,
        adam::cases,
        augment::cases,
        average::cases,
        batch_norm::cases,
        bias::cases,
        clip::cases,
        conv2d::cases,
        cross_entropy::cases,
        dropout::cases,
        elementwise::cases,
        fill::cases,
        global_pool::cases,
        lion::cases,
        matmul::cases,
        muon::cases,
        peak::cases,
        pool2d::cases,
        reduce::cases,
        rmsprop::cases,
        sgd::cases,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// What is timed: every operator at the sizes of real layers.
pub fn benches() -> Vec<Bench> {
    let tables: [fn() -> Vec<Bench>; 12] = [
        accumulate::benches,
        activation::benches,
        adagrad::benches,
        adam::benches,
        average::benches,
        clip::benches,
        elementwise::benches,
        lion::benches,
        muon::benches,
        peak::benches,
        rmsprop::benches,
        sgd::benches,
    ];
    tables.iter().flat_map(|table| table()).collect()
}

/// Wrong calls of every operator.
#[cfg(test)]
fn misuses() -> Vec<Misuse> {
    let tables: [fn() -> Vec<Misuse>; 12] = [
        accumulate::misuses,
        activation::misuses,
        adagrad::misuses,
        adam::misuses,
        average::misuses,
        clip::misuses,
        elementwise::misuses,
        lion::misuses,
        muon::misuses,
        peak::misuses,
        rmsprop::misuses,
        sgd::misuses,
    ];
    tables.iter().flat_map(|table| table()).collect()
}
