//! Each kernel form by itself, for the proof and the bench: a device takes one form for a shape, another device may take another.
//! Users want the functions that choose one.

pub use super::conv::conv2d::forms::{Conv2dForm, conv2d, conv2d_bwd_w, conv2d_bwd_x, conv2d_fits, im2col};
pub use super::conv::conv2d::layout::Form as ProductForm;
pub use super::index::strided::axes::permute_by as permute;
pub use super::loss::cross_entropy::forms as cross_entropy;
pub use super::matmul::{Form as MatmulForm, matmul_by as matmul, plan::Transpose};
pub use super::norm::row_norm::forms as row_norm;
