//! What the gradient of a normalisation adds up.

use gpu_core::Tensor;
use gpu_core::ops::{abs, add, layer_norm, mul, scale, sum_axes};

/// `rstd (|dy| + mean|dy| + |x'| mean|dy x'|)` for each element of the rows of x, where x' are normalised rows and `dy` has been
/// multiplied by gamma: of a row of two values nothing is left of the gradient itself.
pub(crate) fn normalised_terms(x: &Tensor, dy: &Tensor, row: usize) -> Tensor {
    let (rows, dy) = ([x.shape().len() / row.max(1), row], abs(dy));
    let normed = layer_norm(&x.reshape(rows), [row], None, None, 1e-5);
    let (dy, x) = (dy.reshape(rows), abs(&normed.y));
    let mean = |of: &Tensor| scale(&sum_axes(of, &[1], true), 1.0 / row.max(1) as f32);
    let sum = add(&add(&dy, &mean(&dy)), &mul(&x, &mean(&mul(&dy, &x))));
    mul(&sum, &normed.stats.rstd.reshape([rows[0], 1]))
}
