//! Where work runs: the CPU or a GPU, at once or recorded, watched or not.

mod args;
mod array;
pub(crate) mod capture;
mod device;
mod host;
mod observer;
mod order;
mod place;
mod recording;
mod shortage;
mod widened;

pub use args::{Args, Mirror};
pub use array::Array;
pub(crate) use array::Storage;
pub use capture::Capture;
pub use device::Device;
pub(crate) use host::HostDispatch;
pub use observer::{Launched, Observed, Observer};
pub use place::Place;
pub use shortage::within_memory;
