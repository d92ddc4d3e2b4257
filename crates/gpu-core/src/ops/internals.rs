//! What lies beneath the public functions, for the proof and the bench alone: each form of a kernel by itself, where a device takes one
//! form for a shape and another device another, and kernels that users have no use for.

pub use super::conv::conv2d::forms::{Conv2dForm, conv2d, conv2d_bwd_w, conv2d_bwd_x, conv2d_fits, im2col};
pub use super::conv::conv2d::half::Form as HalfForm;
pub use super::conv::conv2d::layout::Form as ProductForm;
pub use super::elementwise::create::sequence;
pub use super::elementwise::fill::{fill_word, spoil};
pub use super::index::strided::axes::permute_by as permute;
pub use super::loss::cross_entropy::forms as cross_entropy;
pub use super::matmul::{Form as MatmulForm, matmul_by as matmul, plan::Transpose};
pub use super::norm::row_norm::forms as row_norm;
pub use super::pool::pool2d::forms as pool2d;
