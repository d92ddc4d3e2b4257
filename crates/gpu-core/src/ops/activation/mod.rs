//! Functions of one element, and their derivatives.
//!
//! Two kernels serve all of them; which function it is stands in their header. A derivative is computed from the output `y` where
//! it can be, so that `x` need not be kept, and else from `x`. A NaN passes through all of them, as in PyTorch.

mod formulas;
mod functions;
mod table;
#[cfg(test)]
mod tests;

pub(super) use functions::KERNELS;
pub use functions::operators;
