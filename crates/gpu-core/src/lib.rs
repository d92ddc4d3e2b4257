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
mod base;
mod embed;
mod expect;
mod gpu;
mod kernel;
mod methods;
mod mirror;
#[cfg(feature = "ndarray")]
mod ndarray;
pub mod ops;
mod run;
mod tensor;
#[cfg(test)]
mod testing;
mod unchecked;
mod work;

pub use base::{DType, Element, Error, MAX_ELEMENTS, MAX_RANK, MemoryStats, Result, Shape, free_bytes, joined, rng};
pub use gpu::{
    AdapterInfo, AdapterKind, Constants, Gpu, KernelInfo, MatrixUnits, REWRITE_SLOT, Rewrite, Staging, adapters, choose_adapter,
    chosen_adapter,
};
pub use half::f16;
pub use kernel::{Grid, Kernel, MAX_TRIPS, Specialised};
pub use run::{Args, Array, Capture, Device, Launched, Mirror, Observed, Observer, Place, within_memory};
pub use tensor::Tensor;
/// The wgpu that the library is built with, for programs that share a device with it; see [`Device::from_wgpu`].
pub use wgpu;
