//! What the world can do to us. A wrong program panics instead.

use thiserror::Error;

/// The result of whatever depends on an adapter, its memory or its driver.
pub type Result<T> = std::result::Result<T, Error>;

/// A fault from outside the program; every message says what to do next, where there is something to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// No adapter of the wanted kind answers.
    #[error("no GPU adapter was found; install a graphics driver, or use the CPU device, which runs the same program")]
    NoAdapter,
    /// `WGRAD_ADAPTER`, or what stood in its place, names nothing that is there.
    #[error("no adapter's name contains \"{wanted}\", and none has it as its number; there are: {found}")]
    AdapterNotFound {
        /// The number or the part of a name that was asked for.
        wanted: String,
        /// The numbers and names of the adapters that answered.
        found: String,
    },
    /// A device name other than `auto`, `gpu` and `cpu`.
    #[error("there is no device \"{0}\"; use auto, gpu or cpu")]
    UnknownDevice(String),
    /// The adapter refused to open.
    #[error("the adapter could not be opened: {0}")]
    AdapterRefused(String),
    /// The adapter cannot run the kernels at all.
    #[error("the adapter \"{adapter}\" is too small: {what}; use another adapter or the CPU device")]
    AdapterTooSmall {
        /// The adapter's name.
        adapter: String,
        /// The limit that is missed.
        what: String,
    },
    /// A device of the program's own cannot run the kernels.
    #[error("the wgpu device on \"{adapter}\" is too small: {what}; request it with `Limits::default()` or more")]
    DeviceTooSmall {
        /// The name of its adapter.
        adapter: String,
        /// The limit that is missed.
        what: String,
    },
    /// One tensor is larger than the adapter can bind.
    #[error("a tensor of {bytes} bytes is over the {limit} bytes that this adapter can bind; use a smaller batch")]
    TensorTooLarge {
        /// Bytes asked for.
        bytes: u64,
        /// Bytes that one binding may hold.
        limit: u64,
    },
    /// The device's memory, or the budget kept for it, is spent.
    #[error("out of device memory: {asked} bytes more were asked for ({detail}); use a smaller batch or model")]
    OutOfMemory {
        /// Bytes asked for when it happened.
        asked: u64,
        /// What the driver, or the budget, says.
        detail: String,
    },
    /// `WGRAD_MEMORY_MIB` is no budget.
    #[error(
        "WGRAD_MEMORY_MIB is \"{}\"; a whole number of MiB is wanted, from 1 to {}; leave it out for no budget",
        found.escape_debug(), u64::MAX >> 20
    )]
    Budget {
        /// What it holds.
        found: String,
    },
    /// The driver rejected a command: a bug in a kernel or in this library.
    #[error("the GPU driver rejected a command: {0}")]
    Validation(String),
    /// The device is gone (unplugged, reset, or it ran over the driver's time limit).
    #[error("the GPU was lost: {0}; restart the program and resume from the last checkpoint")]
    DeviceLost(String),
    /// A WGSL source does not parse, validate, or compile.
    #[error("kernel {entry}: {message}")]
    Kernel {
        /// The entry point.
        entry: String,
        /// The compiler's own words.
        message: String,
    },
    /// A matrix without a Cholesky factor: data decides that, not the program.
    #[error(
        "{op}: the matrix is not positive definite: pivot {pivot} is {value}; add a multiple of the \
         identity, as ridge does, or look for dependent columns"
    )]
    NotPositiveDefinite {
        /// The operator.
        op: &'static str,
        /// The first row whose pivot is not positive.
        pivot: usize,
        /// That pivot.
        value: String,
    },
    /// A system of equations without one solution.
    #[error("{op}: the matrix is singular: column {column} depends on those before it; leave it out, or use ridge")]
    Singular {
        /// The operator.
        op: &'static str,
        /// The first such column.
        column: usize,
    },
    /// A read inside [`crate::Device::capture`].
    #[error("nothing can be read inside a capture, where nothing has run yet; read before or after it")]
    InsideCapture,
}
