//! What becomes of the losses of single elements or rows.

/// How a loss is reduced: PyTorch's `reduction=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reduction {
    /// To the mean, a scalar.
    #[default]
    Mean,
    /// To the sum, a scalar.
    Sum,
    /// Not at all.
    None,
}
