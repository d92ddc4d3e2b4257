//! The tape: what was computed from what, so that the gradients can be computed backwards.
//!
//! An operator leaves a closure on the tape that turns the gradient of its output into those of its inputs. `backward` takes the
//! closures off from the end; what a closure kept is given back to the device's pool as soon as it is spent. Where two closures
//! name one input, the tape adds.

use crate::param::Param;
use crate::var::{Origin, Var};
use gpu_core::{Device, Shape, Tensor, ops};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Streams of random numbers from here on belong to the tapes; those below, to [`Init`](crate::Init).
const FIRST_STREAM: u32 = 1 << 31;

/// A recording of one forward pass. A variable on a tape is in training mode. Cloning a tape clones a handle.
///
/// ```
/// use gpu_core::{Device, Tensor};
/// use nn::Tape;
/// let x = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, -2.0, 3.0]);
/// let tape = Tape::new(&Device::Cpu);
/// let x = tape.variable(&x);
/// let gradients = x.mul(&x).sum().backward();
/// assert_eq!(gradients.of(&x).unwrap().to_vec()?, [2.0, -4.0, 6.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Tape {
    inner: Arc<Inner>,
}

struct Inner {
    device: Device,
    seed: u64,
    step: Option<Tensor>,
    streams: AtomicU32,
    pass: Pass,
    state: Mutex<State>,
}

/// What a tape is for.
#[derive(Clone, Copy)]
struct Pass {
    /// Whether closures are kept; else the parameters that were asked for are noted, and nothing else.
    keeps: bool,
    /// Whether a part of a pass is computed once more: running statistics have seen the batch.
    again: bool,
}

/// A forward pass as a user asks for it.
const WHOLE: Pass = Pass { keeps: true, again: false };

#[derive(Default)]
struct State {
    nodes: Vec<Node>,
    /// What the nodes were, which outlasts them.
    entries: Vec<Entry>,
    params: HashMap<u64, usize>,
    asked_for: Vec<Param>,
    spent: bool,
}

/// A node without what it computes: what a [`Graph`](crate::Graph) is made of.
#[derive(Clone)]
pub(crate) struct Entry {
    pub made: Made,
    pub shape: Shape,
    pub inputs: Vec<(Origin, Shape)>,
}

/// What made a node.
#[derive(Clone, Copy)]
pub(crate) enum Made {
    Variable,
    Parameter(u64),
    Operator(&'static str),
}

/// Turns the gradient of an output into those of the inputs; the flags say which inputs need one.
pub(crate) type Backward = Box<dyn FnOnce(&Tensor) -> Vec<Option<Tensor>> + Send>;

enum Node {
    Leaf,
    Derived { inputs: Vec<Option<usize>>, backward: Backward },
}

/// Where the random numbers of one layer come from.
pub(crate) struct Randomness {
    pub seed: u64,
    pub stream: u32,
    pub step: Tensor,
}

impl Tape {
    /// An empty tape; random layers draw from seed 0 at step 0. Inside a capture, take [`seeded`](Self::seeded).
    pub fn new(device: &Device) -> Self {
        Self::make(device, 0, None, FIRST_STREAM, WHOLE)
    }

    /// An empty tape whose random layers draw from `seed` at the step that `step` (u32, one element) holds when they run. Each
    /// random layer has a stream of its own, numbered in the order of the forward pass.
    ///
    /// # Panics
    /// If `step` is not one u32.
    #[track_caller]
    pub fn seeded(device: &Device, seed: u64, step: &Tensor) -> Self {
        assert!(
            step.len() == 1 && step.dtype() == gpu_core::DType::U32,
            "Tape: the step is one u32, not {} of shape {}",
            step.dtype(),
            step.shape()
        );
        Self::make(device, seed, Some(step.clone()), FIRST_STREAM, WHOLE)
    }

    fn make(device: &Device, seed: u64, step: Option<Tensor>, stream: u32, pass: Pass) -> Self {
        let (streams, state) = (AtomicU32::new(stream), Mutex::default());
        Self { inner: Arc::new(Inner { device: device.clone(), seed, step, streams, pass, state }) }
    }

    /// A tape for a part of this one's forward pass, whose random layers draw from `stream` on.
    fn part(&self, stream: u32, pass: Pass) -> Self {
        Self::make(self.device(), self.inner.seed, self.inner.step.clone(), stream, pass)
    }

    /// For a part of this one's forward pass whose activations are not kept.
    pub(crate) fn first_pass(&self) -> Self {
        self.part(self.inner.streams.load(Relaxed), Pass { keeps: false, ..self.inner.pass })
    }

    /// For the same part once more, now with its closures; this tape's own random layers go on after it.
    pub(crate) fn second_pass(&self, first: &Self) -> Self {
        let began = self.inner.streams.swap(first.inner.streams.load(Relaxed), Relaxed);
        self.part(began, Pass { keeps: true, again: true })
    }

    /// Whether closures are kept on it.
    pub(crate) fn keeps(&self) -> bool {
        self.inner.pass.keeps
    }

    /// Whether this is a repetition: running statistics have seen the batch.
    pub(crate) fn is_again(&self) -> bool {
        self.inner.pass.again
    }

    /// The parameters that were asked for, each once, in order; known where closures are not kept.
    pub(crate) fn params_asked_for(&self) -> Vec<Param> {
        self.inner.state.lock().asked_for.clone()
    }

    /// The device whose tensors it follows.
    pub fn device(&self) -> &Device {
        &self.inner.device
    }

    /// Data: on the tape, but no gradient is computed for it.
    pub fn input(&self, x: &Tensor) -> Var {
        Var::on(x.clone(), self.clone(), Origin::data())
    }

    /// A leaf whose gradient is wanted.
    #[track_caller]
    pub fn variable(&self, x: &Tensor) -> Var {
        let node = self.leaf(Made::Variable, x.shape());
        Var::on(x.clone(), self.clone(), Origin::Node(node))
    }

    /// A parameter: one leaf, however often it is used.
    #[track_caller]
    pub(crate) fn param(&self, param: &Param) -> Var {
        let value = param.value();
        if !param.is_trainable() {
            return Var::on(value, self.clone(), Origin::Buffer(param.id()));
        }
        if !self.keeps() {
            let asked_for = &mut self.inner.state.lock().asked_for;
            if asked_for.iter().all(|p| p.id() != param.id()) {
                asked_for.push(param.clone());
            }
            return self.input(&value);
        }
        let known = self.inner.state.lock().params.get(&param.id()).copied();
        let node = match known {
            Some(node) => node,
            None => {
                let node = self.leaf(Made::Parameter(param.id()), value.shape());
                self.inner.state.lock().params.insert(param.id(), node);
                node
            }
        };
        Var::on(value, self.clone(), Origin::Node(node))
    }

    #[track_caller]
    pub(crate) fn derive(&self, op: &'static str, shape: Shape, inputs: &[Var], backward: Backward) -> Origin {
        let node = Node::Derived { inputs: inputs.iter().map(Var::node).collect(), backward };
        let inputs = inputs.iter().map(|v| (v.origin(), v.shape())).collect();
        Origin::Node(self.push(node, Entry { made: Made::Operator(op), shape, inputs }))
    }

    #[track_caller]
    fn leaf(&self, made: Made, shape: Shape) -> usize {
        self.push(Node::Leaf, Entry { made, shape, inputs: Vec::new() })
    }

    #[track_caller]
    fn push(&self, node: Node, entry: Entry) -> usize {
        let mut state = self.inner.state.lock();
        assert!(!state.spent, "Tape: backward() was called on this tape already; begin a new one for the next forward pass");
        state.nodes.push(node);
        state.entries.push(entry);
        state.nodes.len() - 1
    }

    /// What was recorded, in order; there is no less of it after a backward pass.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.inner.state.lock().entries.clone()
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The next random layer's seed, stream and step.
    pub(crate) fn randomness(&self) -> Randomness {
        let step = self.inner.step.clone().unwrap_or_else(|| Tensor::from_slice(self.device(), [1], &[0u32]));
        Randomness { seed: self.inner.seed, stream: self.inner.streams.fetch_add(1, Relaxed), step }
    }

    /// Runs the closures backwards from node `from`.
    #[track_caller]
    pub(crate) fn backward(&self, from: usize, dy: Tensor) -> Gradients {
        let (nodes, params) = {
            let mut state = self.inner.state.lock();
            assert!(!state.spent, "backward: it was called on this tape already");
            state.spent = true;
            (std::mem::take(&mut state.nodes), std::mem::take(&mut state.params))
        };
        let mut gradients: Vec<Option<Tensor>> = vec![None; nodes.len()];
        gradients[from] = Some(dy);
        for (at, node) in nodes.into_iter().enumerate().rev() {
            let Node::Derived { inputs, backward } = node else { continue };
            let Some(dy) = gradients[at].take() else { continue };
            let of_inputs = backward(&dy);
            drop(dy);
            for (input, gradient) in inputs.into_iter().zip(of_inputs) {
                let (Some(input), Some(gradient)) = (input, gradient) else { continue };
                let slot = &mut gradients[input];
                *slot = Some(match slot.take() {
                    None => gradient,
                    Some(sum) => ops::add(&sum, &gradient),
                });
            }
        }
        Gradients { tape: self.clone(), of_nodes: gradients, params }
    }
}

/// The gradients of a loss with respect to the leaves of its tape.
pub struct Gradients {
    tape: Tape,
    of_nodes: Vec<Option<Tensor>>,
    params: HashMap<u64, usize>,
}

impl Gradients {
    /// The gradient of a [`Param`] or of a [`Tape::variable`]; `None` if the loss does not depend on it.
    pub fn of(&self, leaf: &impl Leaf) -> Option<&Tensor> {
        self.of_nodes.get(leaf.node_in(self)?)?.as_ref()
    }
}

/// What has a gradient.
pub trait Leaf {
    #[doc(hidden)]
    fn node_in(&self, gradients: &Gradients) -> Option<usize>;
}

impl Leaf for Param {
    fn node_in(&self, gradients: &Gradients) -> Option<usize> {
        gradients.params.get(&self.id()).copied()
    }
}

impl Leaf for Var {
    fn node_in(&self, gradients: &Gradients) -> Option<usize> {
        self.node_on(&gradients.tape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_core::check;
    use gpu_core::ops::Conv2dGeometry;

    const CPU: Device = Device::Cpu;

    /// A convolution's backward pass, with its input as data or as a variable.
    fn launched_backward(wanted: bool) -> usize {
        let (device, launches) = check::counted(&CPU);
        let tape = Tape::new(&device);
        let (x, w) = (check::tensor(&device, [1, 1, 4, 4], 1), tape.variable(&check::tensor(&device, [1, 1, 3, 3], 2)));
        let x = if wanted { tape.variable(&x) } else { tape.input(&x) };
        let loss = x.conv2d(&w, None, Conv2dGeometry::default()).sum();
        launches.take();
        let gradients = loss.backward();
        assert_eq!(gradients.of(&x).is_some(), wanted);
        launches.names().len()
    }

    #[test]
    fn no_gradient_is_computed_for_data() {
        assert!(launched_backward(false) < launched_backward(true));
    }

    #[test]
    fn closures_that_name_one_input_add_up() {
        let tape = Tape::new(&CPU);
        let x = tape.variable(&Tensor::full(&CPU, [2], 3.0));
        let y = x.add(&x).add(&x.mul(&x));
        assert_eq!(y.sum().backward().of(&x).unwrap().to_vec().unwrap(), [8.0, 8.0]);
    }

    #[test]
    fn a_parameter_used_twice_is_one_leaf() {
        let (tape, w) = (Tape::new(&CPU), Param::trainable(Tensor::full(&CPU, [1], 2.0)));
        let x = tape.input(&Tensor::full(&CPU, [1], 5.0));
        let y = x.mul(&w.var(&x)).mul(&w.var(&x));
        assert_eq!(y.backward().of(&w).unwrap().to_vec().unwrap(), [20.0]);
    }

    #[test]
    fn what_the_loss_does_not_depend_on_has_no_gradient() {
        let tape = Tape::new(&CPU);
        let [x, unused] = [0, 1].map(|_| tape.variable(&Tensor::full(&CPU, [1], 1.0)));
        let _y = unused.relu();
        let gradients = x.relu().backward();
        assert!(gradients.of(&unused).is_none() && gradients.of(&Param::buffer(Tensor::zeros(&CPU, [1]))).is_none());
    }

    #[test]
    fn a_buffer_gets_no_gradient() {
        let tape = Tape::new(&CPU);
        let x = tape.variable(&Tensor::full(&CPU, [1], 1.0));
        assert!(!Param::buffer(Tensor::zeros(&CPU, [1])).var(&x).needs_gradient());
    }

    #[test]
    #[should_panic(expected = "called on this tape already")]
    fn a_tape_is_spent_once() {
        let x = Tape::new(&CPU).variable(&Tensor::full(&CPU, [1], 1.0));
        x.backward();
        x.backward();
    }

    #[test]
    #[should_panic(expected = "different tapes")]
    fn two_tapes_do_not_mix() {
        let [a, b] = [0, 1].map(|_| Tape::new(&CPU).variable(&Tensor::full(&CPU, [1], 1.0)));
        let _ = a.add(&b);
    }

    #[test]
    #[should_panic(expected = "the loss has one element, not shape [2]")]
    fn a_loss_is_one_number() {
        Tape::new(&CPU).variable(&Tensor::zeros(&CPU, [2])).backward();
    }
}
