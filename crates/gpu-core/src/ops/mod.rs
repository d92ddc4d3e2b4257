//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another, except that the explicit
//! convolution is a matrix product.

mod accumulate;
mod activation;
mod adagrad;
mod adam;
mod adaptive_pool2d;
mod arenas;
mod augment;
mod average;
mod batch_norm;
mod bias;
mod cast;
mod clip;
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
mod lion;
mod loss;
mod matmul;
mod muon;
mod peak;
mod pixel_shuffle;
mod pool2d;
mod random;
mod reduce;
mod reduction;
mod rmsprop;
mod row_norm;
mod scatter;
mod sgd;
mod sort;
mod strided;
#[cfg(test)]
mod tests;
mod unary;
mod upsample2d;

pub use accumulate::accumulate;
pub use activation::{
    elu, elu_bwd_x, gelu, gelu_bwd_x, gelu_tanh, gelu_tanh_bwd_x, hardsigmoid, hardsigmoid_bwd_x, hardswish, hardswish_bwd_x,
    leaky_relu, leaky_relu_bwd_x, mish, mish_bwd_x, relu, relu_bwd_x, relu6, relu6_bwd_x, selu, selu_bwd_x, sigmoid, sigmoid_bwd_x,
    silu, silu_bwd_x, softplus, softplus_bwd_x, tanh, tanh_bwd_x,
};
pub use adagrad::{AdagradHyper, adagrad_step};
pub use adam::{AdamHyper, adamw_step, adamw_step_amsgrad};
pub use adaptive_pool2d::{adaptive_avg_pool2d, adaptive_avg_pool2d_bwd_x, adaptive_max_pool2d, adaptive_max_pool2d_bwd_x};
pub use augment::{Augment, augment, gather_labels};
pub use average::{ema_step, exchange, lookahead_step};
pub use batch_norm::{
    BatchNorm, batch_norm, batch_norm_add_relu_bwd, batch_norm_bwd, batch_norm_eval, batch_norm_eval_bwd, batch_norm_eval_relu,
    batch_norm_relu, batch_norm_relu_bwd, demean_norm, demean_norm_bwd, demean_norm_eval, demean_norm_eval_bwd,
};
pub use bias::{add_bias, add_bias_bwd_b};
pub use cast::cast;
pub use clip::{clip_grad_norm, clip_grad_value, clip_with_norm, total_norm};
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
pub use elementwise::{
    add, add_scaled, amax_bwd_x, copy_into, div, div_bwd_b, eq, ge, gt, le, logical_and, logical_not, logical_or, logical_xor,
    logsumexp_bwd_x, lt, maximum, maximum_bwd_a, minimum, minimum_bwd_a, mul, ne, pow, pow_bwd_a, pow_bwd_b, scale, spread, sub,
    var_bwd_x, where_,
};
pub(crate) use fill::{fill_word, spoil};
pub use gather::{gather, index_select, one_hot};
pub use global_pool::{global_avg_pool, global_avg_pool_bwd_x};
pub use linalg::{Triangle, cholesky, lstsq, pinv, ridge, solve_spd, solve_triangular};
pub use lion::{LionHyper, lion_step};
pub use loss::{PointwiseLoss, pointwise_loss, pointwise_loss_bwd_target, pointwise_loss_bwd_x};
pub use matmul::{matmul, matmul_ta, matmul_tb};
pub use muon::{MuonHyper, muon_combine, muon_momentum, muon_normalise, muon_step};
pub use peak::peak_multiply_add;
pub use pixel_shuffle::{pixel_shuffle, pixel_unshuffle};
pub use pool2d::{
    Divisor, Pool1dGeometry, Pool2dGeometry, PoolGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x,
};
pub use random::{bernoulli, normal, permutation, randint, uniform};
pub use reduce::{
    all, all_axes, amax, amax_ties, amin, amin_ties, any, any_axes, argmax_all, argmax_axis, argmin_all, argmin_axis, logsumexp,
    mean, mean_axes, std, sum, sum_axes, sum_to, var,
};
pub use reduction::Reduction;
pub use rmsprop::{RmspropHyper, rmsprop_step};
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
pub use unary::{
    abs, abs_bwd_x, add_scalar, ceil, clamp, clamp_bwd_x, cos, cos_bwd_x, erf, erf_bwd_x, exp, expm1, expm1_bwd_x, floor, isfinite,
    isinf, isnan, log, log1p, log1p_bwd_x, neg, pow_scalar, pow_scalar_bwd_x, reciprocal, reciprocal_bwd_x, round, rsqrt,
    rsqrt_bwd_x, scalar_pow, scalar_pow_bwd_x, sign, sin, sin_bwd_x, sqrt, sqrt_bwd_x, square, square_bwd_x, std_bwd_var, tan,
    tan_bwd_x,
};
pub use upsample2d::{Interpolation, Resize, Upsample2dGeometry, upsample2d, upsample2d_bwd_x};

#[cfg(test)]
use crate::check::Misuse;
use crate::check::{Bench, Case};
use crate::kernel::{Kernel, KernelInfo};

/// The register. A family is a module with its kernels, the table of cases over which each is held against its mirror, the rows of
/// the benchmark, and wrong calls of its functions; those after the semicolon gather their kernels from several files.
macro_rules! families {
    ($($family:ident),*; $($folder:ident),*) => {
        /// Every kernel of the library.
        pub fn kernels() -> Vec<KernelInfo> {
            let all: Vec<&Kernel> = [$($family::KERNELS,)* $(&$folder::kernels()),*].concat();
            all.into_iter().map(Kernel::info).collect()
        }

        /// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
        pub fn cases() -> Vec<Case> {
            [$($family::cases(),)* $($folder::cases()),*].into_iter().flatten().collect()
        }

        /// What is timed: every operator at the sizes of real layers.
        pub fn benches() -> Vec<Bench> {
            [$($family::benches(),)* $($folder::benches()),*].into_iter().flatten().collect()
        }

        /// Wrong calls of every operator; `linalg` has no kernels.
        #[cfg(test)]
        fn misuses() -> Vec<Misuse> {
            [$($family::misuses(),)* $($folder::misuses(),)* linalg::misuses()].into_iter().flatten().collect()
        }
    };
}

families! {
    accumulate, activation, adagrad, adam, adaptive_pool2d, augment, average, batch_norm, bias, cast, clip, create,
    cross_entropy, cumsum, dropout, elementwise, fill, gather, global_pool, lion, loss, matmul, muon, peak, pixel_shuffle,
    pool2d, random, reduce, rmsprop, row_norm, scatter, sgd, sort, unary, upsample2d;
    conv2d, strided
}
