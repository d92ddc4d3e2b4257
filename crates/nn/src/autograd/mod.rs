//! Automatic differentiation: parameters, variables, the tape that records them, and the derivatives of all operators.
//!
//! `origin < param < parameters < labels < spans < statistics < pass < tape < gradients < var < leaf, product`, and on these the table of
//! derivatives: each file names only those before it.

mod derivatives;
mod freeze;
mod gradients;
mod graph;
pub(crate) mod labels;
mod leaf;
mod origin;
pub(crate) mod param;
pub(crate) mod parameters;
mod pass;
mod product;
pub(crate) mod spans;
pub(crate) mod statistics;
pub(crate) mod tape;
#[cfg(test)]
mod tests;
pub(crate) mod var;

pub use freeze::{UnknownKey, fits, freeze, unfreeze};
pub use gradients::{Gradients, Leaf};
pub use graph::{Graph, GraphNode};
pub use param::Param;
pub use parameters::{Parameters, join, parameter_count, parameters};
pub use pass::{Pass, Precision};
pub use tape::Tape;
pub use var::Var;
