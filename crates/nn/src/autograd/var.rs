//! A tensor with a history.

use super::gradients::{Gradients, Leaf};
use super::origin::{Made, Origin};
use super::parameters::{Parameters, parameters};
use super::tape::{Backward, Tape};
use gpu_core::{DType, Device, Shape, Tensor, ops};
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A tensor that knows the tape it is recorded on, if it is on one.
///
/// The tape says whether layers are in training mode (dropout drops, batch norms use the batch) and whether gradients are kept. A
/// [`constant`](Self::constant) is on no tape: it is in evaluation mode, and what is computed from constants alone holds no memory.
#[derive(Clone)]
pub struct Var {
    /// Its value, which a pass of mixed precision may hold in f16.
    stored: Tensor,
    /// That in f32, once somebody asks.
    wide: Arc<OnceLock<Tensor>>,
    tape: Option<Tape>,
    origin: Origin,
}

impl Var {
    /// A value without a tape: evaluation mode.
    pub fn constant(value: &Tensor) -> Self {
        Self::of(value.clone(), None, Origin::data())
    }

    pub(crate) fn on(value: Tensor, tape: Tape, origin: Origin) -> Self {
        Self::of(value, Some(tape), origin)
    }

    fn of(stored: Tensor, tape: Option<Tape>, origin: Origin) -> Self {
        Self { stored, wide: Arc::default(), tape, origin }
    }

    /// `operand`, or a constant in its place: no gradient is asked for it, and no drawing shows it.
    pub(crate) fn or_absent(&self, operand: Option<&Self>) -> Self {
        operand.cloned().unwrap_or_else(|| Self::of(self.stored.clone(), None, Origin::Absent))
    }

    /// Its value, in f32 where a pass of [mixed precision](crate::Precision) holds it in f16.
    pub fn value(&self) -> &Tensor {
        match self.stored.dtype() {
            DType::F16 => self.wide.get_or_init(|| ops::cast(&self.stored, DType::F32)),
            _ => &self.stored,
        }
    }

    /// Its value as it is held: in f32, or in f16.
    pub(crate) fn stored(&self) -> &Tensor {
        &self.stored
    }
    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.stored.shape()
    }
    /// Where it lies.
    pub fn device(&self) -> &Device {
        self.stored.device()
    }
    /// Whether layers are in training mode for it: it is on a tape that is.
    pub fn is_training(&self) -> bool {
        self.tape.as_ref().is_some_and(Tape::is_training)
    }
    /// Whether a gradient will flow to it.
    pub fn needs_gradient(&self) -> bool {
        self.node().is_some()
    }
    /// The tape it is on.
    pub fn tape(&self) -> Option<&Tape> {
        self.tape.as_ref()
    }

    /// The same value as data: on the same tape, but no gradient flows through it. Equivalent of `torch.Tensor.detach`.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// # use nn::Tape;
    /// let x = Tape::new(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [1], 3.0));
    /// let y = x.mul(&x.detach());
    /// assert_eq!(y.backward().of(&x).unwrap().to_vec()?, [3.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    pub fn detach(&self) -> Self {
        Self { origin: Origin::data(), ..self.clone() }
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
        self.value().item()
    }

    /// [`item`](Self::item) without blocking the calling thread.
    ///
    /// # Errors
    /// The device's first fault.
    ///
    /// # Panics
    /// If it has more elements than one, at once.
    #[track_caller]
    pub fn item_async(&self) -> impl Future<Output = gpu_core::Result<f32>> + Send {
        self.value().item_async()
    }

    /// The gradients of this variable, a loss of one element, with respect to all leaves of its tape. The tape is spent. Equivalent of
    /// `torch.Tensor.backward`.
    ///
    /// # Panics
    /// If it has more elements than one, depends on no leaf, or the tape is spent.
    #[track_caller]
    pub fn backward(&self) -> Gradients {
        self.backward_where(&|made| !matches!(made, Made::Operator(_)))
    }

    /// The gradients with respect to the parameters of `net` alone; the kernels that only others need are not run. Equivalent of
    /// `torch.autograd.grad(loss, net.parameters())`.
    ///
    /// ```
    /// use gpu_core::{Device, Tensor};
    /// use nn::{Init, Layer, Linear, Net, Tape};
    /// let cx = Init::seeded(&Device::Cpu, 0);
    /// let (generator, critic) = (Linear::new(2).build(&cx, [2])?, Linear::new(1).build(&cx, [2])?);
    /// let noise = Tape::new(&Device::Cpu).input(&Tensor::full(&Device::Cpu, [1, 2], 1.0));
    /// let loss = critic.forward(&generator.forward(&noise)).sum();
    /// let gradients = loss.backward_to(&generator);
    /// let has = |net: &Net| nn::parameters(net).iter().all(|(_, p)| gradients.of(p).is_some());
    /// assert!(has(&generator) && !has(&critic));
    /// # Ok::<(), nn::BuildError>(())
    /// ```
    ///
    /// # Panics
    /// As [`backward`](Self::backward).
    #[track_caller]
    pub fn backward_to(&self, net: &dyn Parameters) -> Gradients {
        let ids = parameters(net).iter().map(|(_, p)| p.id()).collect();
        self.backward_to_ids(&ids)
    }

    /// The same, for the parameters of these numbers.
    #[track_caller]
    pub(crate) fn backward_to_ids(&self, ids: &HashSet<u64>) -> Gradients {
        self.backward_where(&|made| matches!(made, Made::Parameter(id) if ids.contains(&id)))
    }

    #[track_caller]
    fn backward_where(&self, wanted: &dyn Fn(Made) -> bool) -> Gradients {
        assert!(self.stored.len() == 1, "backward: the loss has one element, not shape {}; sum() or mean() it", self.shape());
        let (Some(tape), Some(node)) = (&self.tape, self.node()) else {
            panic!("backward: nothing that this value was computed from wants a gradient (begin with tape.input and parameters)")
        };
        tape.backward(node, Tensor::full(self.device(), self.shape(), 1.0), wanted)
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
        Self::derived_by(op, y, inputs, Box::new(backward))
    }

    /// Through a pointer, so that there is one copy of it.
    #[track_caller]
    fn derived_by(op: &'static str, y: Tensor, inputs: &[Self], backward: Backward) -> Self {
        let mut tapes = inputs.iter().filter_map(|v| v.tape.as_ref());
        let Some(tape) = tapes.next().cloned() else { return Self::constant(&y) };
        assert!(tapes.all(|t| t.is(&tape)), "{op}: the inputs are on different tapes");
        let origin = match inputs.iter().any(Self::needs_gradient) {
            true => tape.derive(op, y.shape(), inputs.iter().map(|v| (v.origin, v.shape())).collect(), backward),
            false => Origin::data(),
        };
        Self::of(y, Some(tape), origin)
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    pub(crate) fn node(&self) -> Option<usize> {
        self.origin.node()
    }

    pub(crate) fn node_on(&self, tape: &Tape) -> Option<usize> {
        self.tape.as_ref().filter(|t| t.is(tape)).and(self.node())
    }
}

impl Leaf for Var {
    fn node_in(&self, gradients: &Gradients) -> Option<usize> {
        self.node_on(&gradients.tape)
    }
}

impl fmt::Debug for Var {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = if self.needs_gradient() { "with gradient" } else { "constant" };
        write!(f, "Var({:?}, {mode})", self.stored)
    }
}
