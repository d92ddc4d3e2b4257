//! A tensor with a history.

use crate::tape::{Gradients, Tape};
use gpu_core::{Device, Shape, Tensor};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A tensor that knows the tape it is recorded on, if it is on one.
///
/// On a tape it is in training mode: dropout drops, batch normalisation uses the batch. A [`constant`](Self::constant) is in
/// evaluation mode, and what is computed from constants alone leaves no trace and holds no memory.
#[derive(Clone)]
pub struct Var {
    value: Tensor,
    tape: Option<Tape>,
    origin: Origin,
}

/// Where a variable comes from: what a gradient and a drawing go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A node of its tape: a gradient flows to it.
    Node(usize),
    /// A parameter that is not learned, by its number.
    Buffer(u64),
    /// Other data, told from all else by a number.
    Data(u64),
    /// It stands for an operand that was not given.
    Absent,
}

impl Origin {
    /// Of data that nothing else is.
    pub fn data() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self::Data(NEXT.fetch_add(1, Relaxed))
    }
}

impl Var {
    /// A value without a tape: evaluation mode.
    pub fn constant(value: &Tensor) -> Self {
        Self { value: value.clone(), tape: None, origin: Origin::data() }
    }

    pub(crate) fn on(value: Tensor, tape: Tape, origin: Origin) -> Self {
        Self { value, tape: Some(tape), origin }
    }

    /// `operand`, or a constant in its place: no gradient is asked for it, and no drawing shows it.
    pub(crate) fn or_absent(&self, operand: Option<&Self>) -> Self {
        operand.cloned().unwrap_or_else(|| Self { value: self.value.clone(), tape: None, origin: Origin::Absent })
    }

    /// Its value.
    pub fn value(&self) -> &Tensor {
        &self.value
    }
    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.value.shape()
    }
    /// Where it lies.
    pub fn device(&self) -> &Device {
        self.value.device()
    }
    /// Whether it is on a tape.
    pub fn is_training(&self) -> bool {
        self.tape.is_some()
    }
    /// Whether a gradient will flow to it.
    pub fn needs_gradient(&self) -> bool {
        self.node().is_some()
    }
    /// The tape it is on.
    pub fn tape(&self) -> Option<&Tape> {
        self.tape.as_ref()
    }

    /// The value of a variable of one element; waits for it.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If it has more elements than one.
    #[track_caller]
    pub fn item(&self) -> gpu_core::Result<f32> {
        self.value.item()
    }

    /// The gradients of this variable, a loss of one element, with respect to all leaves of its tape. The tape is spent.
    ///
    /// # Panics
    /// If it has more elements than one, depends on no leaf, or the tape is spent.
    #[track_caller]
    pub fn backward(&self) -> Gradients {
        assert!(self.value.len() == 1, "backward: the loss has one element, not shape {}; sum() or mean() it", self.shape());
        let (Some(tape), Some(node)) = (&self.tape, self.node()) else {
            panic!("backward: nothing that this value was computed from wants a gradient (begin with tape.input and parameters)")
        };
        tape.backward(node, Tensor::full(self.device(), self.shape(), 1.0))
    }

    /// The output `y` of the operator `op` with its derivative: `backward` gets `dy` and, for each input, whether its gradient is needed,
    /// and returns the inputs' gradients. With no input that needs one, it is dropped at once with all that it keeps.
    ///
    /// ```
    /// use gpu_core::{Device, Tensor, ops};
    /// use nn::{Tape, Var};
    /// fn cube(x: &Var) -> Var {
    ///     let kept = x.value().clone();
    ///     let square = ops::mul(&kept, &kept);
    ///     let y = ops::mul(&square, &kept);
    ///     Var::derived("cube", y, [x], move |dy, _| [Some(ops::mul(dy, &ops::scale(&square, 3.0)))])
    /// }
    /// let x = Tape::new(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [1], 2.0));
    /// assert_eq!(cube(&x).backward().of(&x).unwrap().to_vec()?, [12.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    ///
    /// The name is for people: panics begin with it, and a [`Graph`](crate::Graph) shows it.
    ///
    /// # Panics
    /// If the inputs are on different tapes.
    #[track_caller]
    pub fn derived<const N: usize>(
        op: &'static str,
        y: Tensor,
        inputs: [&Self; N],
        backward: impl FnOnce(&Tensor, [bool; N]) -> [Option<Tensor>; N] + Send + 'static,
    ) -> Self {
        let inputs = inputs.map(Self::clone);
        Self::derived_from(op, y, &inputs, move |dy, needs| {
            let needs = std::array::from_fn(|i| needs[i]);
            Vec::from(backward(dy, needs))
        })
    }

    /// [`derived`](Self::derived) for any number of inputs: `backward` returns as many gradients.
    ///
    /// # Panics
    /// If the inputs are on different tapes.
    #[track_caller]
    pub fn derived_from(
        op: &'static str,
        y: Tensor,
        inputs: &[Self],
        backward: impl FnOnce(&Tensor, &[bool]) -> Vec<Option<Tensor>> + Send + 'static,
    ) -> Self {
        let mut tapes = inputs.iter().filter_map(|v| v.tape.as_ref());
        let Some(tape) = tapes.next().cloned() else { return Self::constant(&y) };
        assert!(tapes.all(|t| t.is(&tape)), "{op}: the inputs are on different tapes");
        let needs: Vec<bool> = inputs.iter().map(Self::needs_gradient).collect();
        let origin = match needs.contains(&true) {
            true => tape.derive(op, y.shape(), inputs, Box::new(move |dy: &Tensor| backward(dy, &needs))),
            false => Origin::data(),
        };
        Self { value: y, tape: Some(tape), origin }
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn node(&self) -> Option<usize> {
        if let Origin::Node(node) = self.origin { Some(node) } else { None }
    }

    pub(crate) fn node_on(&self, tape: &Tape) -> Option<usize> {
        self.tape.as_ref().filter(|t| t.is(tape)).and(self.node())
    }
}

impl fmt::Debug for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.needs_gradient() { "with gradient" } else { "constant" };
        write!(f, "Var({:?}, {mode})", self.value)
    }
}
