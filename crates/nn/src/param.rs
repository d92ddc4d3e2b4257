//! What a layer owns: weights that are learned, and buffers that are only kept.

use crate::var::Var;
use gpu_core::{Shape, Tensor};
use parking_lot::RwLock;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A named tensor of a module; cloning it clones a handle. Optimisers move parameters into one arena, so ask for
/// [`value`](Self::value) again after making one.
#[derive(Clone)]
pub struct Param {
    inner: Arc<Inner>,
}

struct Inner {
    id: u64,
    trainable: bool,
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
        Self { inner: Arc::new(Inner { id: NEXT.fetch_add(1, Relaxed), trainable, value: RwLock::new(value) }) }
    }

    /// Distinguishes it from every other parameter of the process.
    pub(crate) fn id(&self) -> u64 {
        self.inner.id
    }

    /// Whether it is learned.
    pub fn is_trainable(&self) -> bool {
        self.inner.trainable
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

    /// The parameter as an operand for `x`: on its tape, or a constant if it has none.
    #[track_caller]
    pub fn var(&self, x: &Var) -> Var {
        match x.tape() {
            Some(tape) => tape.param(self),
            None => Var::constant(&self.value()),
        }
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
