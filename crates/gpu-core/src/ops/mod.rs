//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another, except that the explicit
//! convolution is a matrix product.
//!
//! An index that lies in a tensor is looked at when the work is done, too late to refuse it. One that is out of range has the same fate
//! on every device and reaches no other memory: what is read by it is NaN, or 0 among integers (a pixel, a label, a row of
//! [`one_hot`]); what is added or written by it goes nowhere. A label that is no class adds nothing to a loss and has a zero gradient.

mod activation;
mod conv;
mod elementwise;
mod index;
#[doc(hidden)]
pub mod internals;
mod linalg;
mod loss;
mod matmul;
mod norm;
mod optim;
mod pool;
mod random;
mod reduce;
mod resample;

pub use activation::operators::*;
pub use conv::conv2d::{
    Conv1dGeometry, Conv2dGeometry, ConvAlgorithm, ConvGeometry, ConvTranspose1dGeometry, ConvTranspose2dGeometry,
    ConvTransposeGeometry, Padding, conv_transpose2d, conv_transpose2d_bwd_w, conv_transpose2d_bwd_x, conv2d, conv2d_bwd_w,
    conv2d_bwd_w_by, conv2d_bwd_x, conv2d_bwd_x_by, conv2d_by,
};
pub use elementwise::accumulate::accumulate;
pub use elementwise::bias::{add_bias, add_bias_bwd_b};
pub use elementwise::broadcast::{
    add, add_scaled, amax_bwd_x, copy_into, div, div_bwd_b, eq, ge, gt, le, logical_and, logical_not, logical_or, logical_xor,
    logsumexp_bwd_x, lt, maximum, maximum_bwd_a, minimum, minimum_bwd_a, mul, ne, pow, pow_bwd_a, pow_bwd_b, scale, spread, sub,
    var_bwd_x, where_,
};
pub use elementwise::cast::cast;
pub use elementwise::join::join;
pub use elementwise::peak::peak_multiply_add;
pub use elementwise::unary::{
    abs, abs_bwd_x, add_scalar, ceil, clamp, clamp_bwd_x, cos, cos_bwd_x, erf, erf_bwd_x, exp, expm1, expm1_bwd_x, floor, isfinite,
    isinf, isnan, log, log1p, log1p_bwd_x, neg, pow_scalar, pow_scalar_bwd_x, reciprocal, reciprocal_bwd_x, round, rsqrt,
    rsqrt_bwd_x, scalar_pow, scalar_pow_bwd_x, sign, sin, sin_bwd_x, sqrt, sqrt_bwd_x, square, square_bwd_x, std_bwd_var, tan,
    tan_bwd_x,
};
pub use index::gather::{gather, index_select, one_hot};
pub use index::scatter::{gather_bwd_x, index_add, index_select_bwd_x, scatter_add};
pub use index::sort::{argsort, sort, sort_bwd_x, topk};
pub use index::strided::{
    PadMode, Slice, concat, expand, flip, narrow, pad, pad_bwd_x, permute, repeat, roll, select, slice, slice_bwd_x, stack,
    transpose,
};
pub use linalg::{Triangle, cholesky, lstsq, pinv, ridge, solve_spd, solve_triangular};
pub use loss::cross_entropy::{
    CrossEntropy, MetricSums, Overlap, accumulate_loss, accumulate_metrics, accumulate_overlaps, argmax, cross_entropy,
    cross_entropy_bwd, log_softmax, log_softmax_bwd_x, nll_loss, nll_loss_bwd, soft_cross_entropy, soft_cross_entropy_bwd_target,
    soft_cross_entropy_bwd_x, softmax, softmax_bwd_x,
};
pub use loss::pointwise::{PointwiseLoss, pointwise_loss, pointwise_loss_bwd_target, pointwise_loss_bwd_x};
pub use loss::reduction::Reduction;
pub use matmul::{matmul, matmul_ta, matmul_tb};
pub use norm::batch_norm::{
    BatchNorm, batch_norm, batch_norm_add_relu_bwd, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd, batch_norm_eval_relu,
    batch_norm_relu, batch_norm_relu_bwd, demean_norm, demean_norm_bwd, demean_norm_eval, demean_norm_eval_bwd,
};
pub use norm::row_norm::{
    RowNorm, RowStats, group_norm, group_norm_bwd_w, group_norm_bwd_x, instance_norm_running, layer_norm, layer_norm_bwd_w,
    layer_norm_bwd_x, rms_norm, rms_norm_bwd_w, rms_norm_bwd_x,
};
pub use optim::adadelta::{AdadeltaHyper, adadelta_step};
pub use optim::adagrad::{AdagradHyper, adagrad_step};
pub use optim::adam::{AdamHyper, adamw_step, adamw_step_amsgrad};
pub use optim::average::{ema_step, exchange, lookahead_step};
pub use optim::clip::{clip_grad_norm, clip_grad_value, clip_with_norm, total_norm};
pub use optim::lion::{LionHyper, lion_step};
pub use optim::loss_scale::{take_back, unscale};
pub use optim::muon::{MuonHyper, muon_combine, muon_momentum, muon_normalise, muon_step};
pub use optim::rmsprop::{RmspropHyper, rmsprop_step};
pub use optim::sgd::{SgdHyper, sgd_step};
pub use pool::adaptive_pool2d::{adaptive_avg_pool2d, adaptive_avg_pool2d_bwd_x, adaptive_max_pool2d, adaptive_max_pool2d_bwd_x};
pub use pool::global_pool::{global_avg_pool, global_avg_pool_bwd_x};
pub use pool::pool2d::{
    Divisor, Pool1dGeometry, Pool2dGeometry, PoolGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x,
};
pub use random::augment::{Augment, augment, augment_masks, gather_labels};
pub use random::distribution::{bernoulli, normal, permutation, randint, uniform};
pub use random::dropout::{
    DropoutKey, alpha_dropout, alpha_dropout_bwd_x, bernoulli_keep, bernoulli_keep_bwd_x, dropout, dropout_bwd_x, dropout_mask,
    dropout2d, dropout2d_bwd_x, feature_alpha_dropout, feature_alpha_dropout_bwd_x, gaussian_noise, gaussian_noise_bwd_x,
};
pub use reduce::axes::{
    all, all_axes, amax, amax_ties, amin, amin_ties, any, any_axes, argmax_all, argmax_axis, argmin_all, argmin_axis, logsumexp,
    mean, mean_axes, std, sum, sum_axes, sum_to, var,
};
pub use reduce::cumsum::{cumsum, cumsum_bwd_x};
pub use resample::pixel_shuffle::{pixel_shuffle, pixel_unshuffle};
pub use resample::upsample2d::{Interpolation, Resize, Upsample2dGeometry, upsample2d, upsample2d_bwd_x};
pub use resample::warp::{Warp, Window, warp, warp_masks};

use crate::kernel::{Kernel, KernelInfo};

/// The register: every kernel of the library. Cases, times and wrong calls of each stand in the package `wgrad-proof`, under the same
/// names.
pub fn kernels() -> Vec<KernelInfo> {
    let rooms: Vec<&'static Kernel> = [
        activation::KERNELS,
        &conv::conv2d::kernels(),
        elementwise::accumulate::KERNELS,
        elementwise::join::KERNELS,
        elementwise::bias::KERNELS,
        elementwise::broadcast::KERNELS,
        elementwise::cast::KERNELS,
        elementwise::create::KERNELS,
        elementwise::fill::KERNELS,
        elementwise::peak::KERNELS,
        elementwise::unary::KERNELS,
        index::gather::KERNELS,
        index::scatter::KERNELS,
        index::sort::KERNELS,
        &index::strided::kernels(),
        loss::cross_entropy::KERNELS,
        loss::pointwise::KERNELS,
        matmul::KERNELS,
        norm::batch_norm::KERNELS,
        norm::row_norm::KERNELS,
        optim::adadelta::KERNELS,
        optim::adagrad::KERNELS,
        optim::adam::KERNELS,
        optim::average::KERNELS,
        optim::clip::KERNELS,
        optim::lion::KERNELS,
        optim::loss_scale::KERNELS,
        optim::muon::KERNELS,
        optim::rmsprop::KERNELS,
        optim::sgd::KERNELS,
        pool::adaptive_pool2d::KERNELS,
        pool::global_pool::KERNELS,
        pool::pool2d::KERNELS,
        random::augment::KERNELS,
        random::distribution::KERNELS,
        random::dropout::KERNELS,
        reduce::axes::KERNELS,
        reduce::cumsum::KERNELS,
        resample::pixel_shuffle::KERNELS,
        resample::upsample2d::KERNELS,
        resample::warp::KERNELS,
    ]
    .concat();
    rooms.into_iter().map(Kernel::info).collect()
}
