//! A GPU tensor library: devices, memory, and operators, each a WGSL kernel on wgpu with a CPU mirror.
//!
//! ```
//! use gpu_core::{Device, Tensor, ops};
//! # fn main() -> gpu_core::Result<()> {
//! let device = Device::Cpu; // Device::auto()? takes a GPU where there is one
//! let x = Tensor::from_slice(&device, [1, 1, 3, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
//! let w = Tensor::from_slice(&device, [1, 1, 2, 2], &[1.0f32, 0.0, 0.0, 1.0]);
//! let y = x.conv2d(&w, None, ops::Conv2dGeometry::default());
//! assert_eq!(y.to_vec()?, [6.0, 8.0, 12.0, 14.0]);
//! # Ok(())
//! # }
//! ```
//!
//! There are no gradients here, only the functions that compute them (`*_bwd_*`); the crate `nn` puts a tape above.

/// The text of a file in `shaders/`, which lies in this package so that it can be published.
macro_rules! wgsl {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file))
    };
}

mod arithmetic;
mod array;
mod budget;
mod capture;
mod device;
mod dtype;
mod embed;
mod error;
mod expect;
mod gpu;
mod host;
mod kernel;
mod launch;
mod methods;
mod mirror;
#[cfg(feature = "ndarray")]
mod ndarray;
mod observer;
pub mod ops;
mod place;
mod pool;
mod recording;
pub mod rng;
mod shape;
mod tensor;
#[cfg(test)]
mod testing;
mod unchecked;

pub use array::Array;
pub use capture::Capture;
pub use device::Device;
pub use dtype::{DType, Element};
pub use error::{Error, Result};
pub use gpu::{AdapterInfo, AdapterKind, Gpu, REWRITE_SLOT, Rewrite, adapters};
pub use half::f16;
pub use kernel::{Args, Constants, Grid, Kernel, KernelInfo, MAX_TRIPS, Mirror};
pub use launch::Specialised;
pub use observer::{Launched, Observed, Observer};
pub use place::Place;
pub use pool::MemoryStats;
pub use shape::{MAX_RANK, Shape};
pub use tensor::Tensor;
/// The wgpu that the library is built with, for programs that share a device with it; see [`Device::from_wgpu`].
pub use wgpu;
