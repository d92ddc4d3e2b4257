//! The proof of the kernels: each operator's cases, what is timed of it, and wrong calls, under the operator's name.
//!
//! ```
//! use gpu_core::Device;
//! let case = &proof::cases()[0];
//! assert!(case.compare(&Device::Cpu)?.ok(), "{} {}", case.name, case.what); // of course: against itself
//! # Ok::<(), gpu_core::Error>(())
//! ```

mod around;
mod bench;
mod bound;
mod case;
mod error;
mod forms;

pub mod golden;
mod gradcheck;
mod gradient;
mod indices;
mod inputs;
mod launches;
mod misuse;
#[cfg(test)]
mod mutation;
mod normalised;
mod observers;
pub mod ops;
mod out_of_range;
mod panics;
mod parameters;
mod row;
#[cfg(feature = "texts")]
pub mod texts;
pub mod verify;

pub(crate) use around::around;
pub use bench::Bench;
pub use bound::{Bound, Difference, difference, floats};
pub use case::Case;
pub use error::{Error, Result};
pub use forms::forms;
pub use gradcheck::gradcheck;
pub use gradient::{difference_quotients, gradients, relative_error};
pub(crate) use indices::indices;
pub(crate) use inputs::tensor_of;
pub use inputs::{devices, gpu, half_tensor, input_integers, input_values, integers, tensor, values};
pub use launches::{Launch, Launches, counted};
pub use misuse::Misuse;
pub(crate) use misuse::misuse;
pub(crate) use normalised::normalised_terms;
pub use observers::{faulty, magnitudes, poisoned};
pub use ops::{benches, cases, wrong_calls};
pub use out_of_range::CountingGpu;
pub(crate) use parameters::flat_parameters;
pub use row::Row;
