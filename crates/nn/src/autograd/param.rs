//! What a layer owns: weights that are learned, and buffers that are only kept.

use gpu_core::{Shape, Tensor};
use parking_lot::RwLock;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Views begin at multiples of 64 elements: 256 bytes, which adapters ask for.
pub(crate) const ALIGN: usize = 64;

/// A named tensor of a module; cloning it clones a handle. Optimisers move parameters into one arena, so ask for
/// [`value`](Self::value) again after making one.
#[derive(Clone)]
pub struct Param {
    inner: Arc<Inner>,
}

struct Inner {
    id: u64,
    trainable: bool,
    frozen: AtomicBool,
    value: RwLock<Tensor>,
}

impl Param {
    /// Weights, to be learned.
    pub fn trainable(value: Tensor) -> Self {
        Self::make(value, true)
    }

    /// A buffer: saved with the model, untouched by optimisers.
    pub fn buffer(value: Tensor) -> Self {
        Self::make(value, false)
    }

    fn make(value: Tensor, trainable: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (id, frozen, value) = (NEXT.fetch_add(1, Relaxed), AtomicBool::new(false), RwLock::new(value));
        Self { inner: Arc::new(Inner { id, trainable, frozen, value }) }
    }

    /// Distinguishes it from every other parameter of the process.
    pub(crate) fn id(&self) -> u64 {
        self.inner.id
    }

    /// Whether it is learned, once it is not [frozen](Self::is_frozen).
    pub fn is_trainable(&self) -> bool {
        self.inner.trainable
    }

    /// Whether training leaves it as it is: weights get no gradient, and a norm whose running statistics are frozen uses these and
    /// does not change them. See [`freeze`](crate::freeze).
    pub fn is_frozen(&self) -> bool {
        self.inner.frozen.load(Relaxed)
    }

    /// Freezes it, or lets training change it again. Equivalent of `requires_grad_(not frozen)`.
    pub fn set_frozen(&self, frozen: bool) {
        self.inner.frozen.store(frozen, Relaxed);
    }

    /// Its tensor.
    pub fn value(&self) -> Tensor {
        self.inner.value.read().clone()
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.inner.value.read().shape()
    }

    /// Overwrites its values where they lie.
    ///
    /// # Panics
    /// If the number of values differs.
    #[track_caller]
    pub fn set(&self, values: &[f32]) {
        self.value().write(values);
    }

    /// Moves it to `home`, which holds its values.
    pub(crate) fn rehome(&self, home: Tensor) {
        *self.inner.value.write() = home;
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Param({:?})", self.value())
    }
}
