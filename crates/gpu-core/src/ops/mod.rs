//! The operators. Each file is a kernel (or several), its mirror, and a function; none imports another, except that the explicit
//! convolution is a matrix product.

mod activation;
mod conv;
mod elementwise;
#[doc(hidden)]
pub mod forms;
mod index;
mod linalg;
mod loss;
mod matmul;
mod norm;
mod optim;
mod pool;
mod random;
mod reduce;
mod resample;
#[cfg(test)]
mod tests;

pub use activation::{
    elu, elu_bwd_x, gelu, gelu_bwd_x, gelu_tanh, gelu_tanh_bwd_x, hardsigmoid, hardsigmoid_bwd_x, hardswish, hardswish_bwd_x,
    leaky_relu, leaky_relu_bwd_x, mish, mish_bwd_x, relu, relu_bwd_x, relu6, relu6_bwd_x, selu, selu_bwd_x, sigmoid, sigmoid_bwd_x,
    silu, silu_bwd_x, softplus, softplus_bwd_x, tanh, tanh_bwd_x,
};
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
pub(crate) use elementwise::fill::{fill_word, spoil};
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
    CrossEntropy, accumulate_metrics, argmax, cross_entropy, cross_entropy_bwd, log_softmax, log_softmax_bwd_x, nll_loss,
    nll_loss_bwd, soft_cross_entropy, soft_cross_entropy_bwd_target, soft_cross_entropy_bwd_x, softmax, softmax_bwd_x,
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
pub use optim::adagrad::{AdagradHyper, adagrad_step};
pub use optim::adam::{AdamHyper, adamw_step, adamw_step_amsgrad};
pub use optim::average::{ema_step, exchange, lookahead_step};
pub use optim::clip::{clip_grad_norm, clip_grad_value, clip_with_norm, total_norm};
pub use optim::lion::{LionHyper, lion_step};
pub use optim::muon::{MuonHyper, muon_combine, muon_momentum, muon_normalise, muon_step};
pub use optim::rmsprop::{RmspropHyper, rmsprop_step};
pub use optim::sgd::{SgdHyper, sgd_step};
pub use pool::adaptive_pool2d::{adaptive_avg_pool2d, adaptive_avg_pool2d_bwd_x, adaptive_max_pool2d, adaptive_max_pool2d_bwd_x};
pub use pool::global_pool::{global_avg_pool, global_avg_pool_bwd_x};
pub use pool::pool2d::{
    Divisor, Pool1dGeometry, Pool2dGeometry, PoolGeometry, avg_pool2d, avg_pool2d_bwd_x, max_pool2d, max_pool2d_bwd_x,
};
pub use random::augment::{Augment, augment, gather_labels};
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

#[cfg(test)]
use crate::check::Misuse;
use crate::check::{Bench, Case};
use crate::kernel::Kernel;

/// The register. A family is a module with its kernels, the table of cases over which each is held against its mirror, the rows of
/// the benchmark, and wrong calls of its functions; those after the semicolon gather their kernels from several files.
macro_rules! families {
    ($($($family:ident)::+),*; $($($folder:ident)::+),*) => {
        /// Every kernel of the library.
        pub fn kernels() -> Vec<&'static Kernel> {
            [moved(), [$($($family)::+::KERNELS,)* $(&$($folder)::+::kernels()),*].concat()].concat()
        }

        /// The table of shapes over which every kernel is held against its mirror, by the tests and by `wgrad verify`.
        pub fn cases() -> Vec<Case> {
            [$($($family)::+::cases(),)* $($($folder)::+::cases()),*].into_iter().flatten().collect()
        }

        /// What is timed: every operator at the sizes of real layers.
        pub fn benches() -> Vec<Bench> {
            [$($($family)::+::benches(),)* $($($folder)::+::benches()),*].into_iter().flatten().collect()
        }

        /// Wrong calls of every operator; `linalg` has no kernels.
        #[cfg(test)]
        fn misuses() -> Vec<Misuse> {
            let lists = [$($($family)::+::misuses(),)* $($($folder)::+::misuses(),)* linalg::misuses()];
            lists.into_iter().flatten().collect()
        }
    };
}

/// Kernels of the families whose tables stand in the package `wgrad-proof`.
fn moved() -> Vec<&'static Kernel> {
    [
        activation::KERNELS,
        loss::cross_entropy::KERNELS,
        loss::pointwise::KERNELS,
        norm::batch_norm::KERNELS,
        norm::row_norm::KERNELS,
        optim::lion::KERNELS,
        pool::adaptive_pool2d::KERNELS,
        pool::global_pool::KERNELS,
        pool::pool2d::KERNELS,
        resample::pixel_shuffle::KERNELS,
        resample::upsample2d::KERNELS,
    ]
    .concat()
}

families! {
    elementwise::accumulate, optim::adagrad, optim::adam, random::augment, optim::average, elementwise::bias, elementwise::cast, optim::clip, elementwise::create, reduce::cumsum, random::dropout, elementwise::broadcast, elementwise::fill, index::gather, matmul, optim::muon, elementwise::peak, random::distribution, reduce::axes, optim::rmsprop, index::scatter, optim::sgd, index::sort, elementwise::unary;
    conv::conv2d, index::strided
}
