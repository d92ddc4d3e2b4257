//! The proof of the kernels: each operator's cases, what is timed of it, and wrong calls, under the operator's name.
//!
//! ```
//! use gpu_core::Device;
//! let case = &proof::cases()[0];
//! assert!(case.compare(&Device::Cpu)?.ok(), "{} {}", case.name, case.what); // of course: against itself
//! # Ok::<(), gpu_core::Error>(())
//! ```

mod around;
mod flat;
mod indices;
pub mod ops;

pub(crate) use around::around;
pub(crate) use flat::flat_parameters;
pub use gpu_core::check::*;
pub(crate) use indices::indices;
pub use ops::{benches, cases, wrong_calls};
