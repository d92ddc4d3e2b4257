//! What needs no device: shapes, element types, random numbers, errors, and memory lent by size, whoever makes it.

mod dtype;
mod error;
mod idle;
mod joined;
mod machine;
mod pool;
pub mod rng;
mod shape;

pub use dtype::{DType, Element};
pub use error::{Error, Result};
pub use joined::joined;
pub(crate) use machine::budget;
pub use machine::free_bytes;
pub use pool::MemoryStats;
pub(crate) use pool::{ALIGN, Lent, Memory, Pool};
pub use shape::{MAX_ELEMENTS, MAX_RANK, Shape};
