//! The tape: what was computed from what, so that the gradients can be computed backwards.
//!
//! An operator leaves a closure on the tape that turns the gradient of its output into those of its inputs. The backward pass takes
//! the closures off from the end; what a closure kept is given back to the device's pool as soon as it is spent.

use super::labels::LabelSlots;
use super::origin::{Entry, Made, Origin};
use super::param::Param;
use super::pass::{Pass, Precision};
use super::spans::Spans;
use super::statistics::Statistics;
use gpu_core::{Device, Shape, Tensor};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// Streams of random numbers from here on belong to the tapes; those below, to [`Init`](crate::Init).
const FIRST_STREAM: u32 = 1 << 31;

/// A recording of one forward pass, in training or evaluation mode: see [`Pass`]. Cloning a tape clones a handle.
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
    training: bool,
    /// Whether closures are kept.
    gradients: bool,
    precision: Precision,
    /// Whether a part of a pass is computed once more: running statistics have seen the batch.
    again: bool,
    seed: u64,
    /// Shared by the parts of one pass.
    step: Arc<OnceLock<Tensor>>,
    labels: LabelSlots,
    spans: Spans,
    statistics: Statistics,
    streams: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    nodes: Vec<Node>,
    /// What the nodes were, which outlasts them.
    entries: Vec<Entry>,
    params: HashMap<u64, usize>,
    used: Vec<Param>,
    known: HashSet<u64>,
    /// What layers gave that were asked to show it, by their numbers; none for those that have not run.
    shown: HashMap<usize, Option<(Tensor, Origin)>>,
    /// Nodes whose gradients outlast the backward pass.
    retained: HashSet<usize>,
    spent: bool,
}

/// Turns the gradient of an output into those of the inputs; the flags say which inputs need one.
pub(crate) type Backward = Box<dyn FnOnce(&Tensor, &[bool]) -> Vec<Option<Tensor>> + Send>;

pub(super) enum Node {
    Leaf,
    Derived { inputs: Vec<Option<usize>>, backward: Backward },
}

/// Where the random numbers of one layer come from.
pub(crate) struct Randomness {
    pub seed: u64,
    pub stream: u32,
    pub step: Tensor,
}

impl Pass {
    /// An empty tape for such a pass.
    pub fn tape(self) -> Tape {
        let Self { device, training, gradients, precision, seed, step, labels, spans, statistics } = self;
        let step = Arc::new(step.map_or_else(OnceLock::new, OnceLock::from));
        Tape::make(Inner {
            device,
            training,
            gradients,
            precision,
            again: false,
            seed,
            step,
            labels,
            spans,
            statistics,
            streams: AtomicU32::new(FIRST_STREAM),
            state: Mutex::default(),
        })
    }
}

impl Tape {
    fn make(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// An empty tape in training mode, with gradients. Its random layers draw numbers that no other tape draws: the first tape of a
    /// process that draws at all takes step 0 of seed 0, the second step 1, and so on. For chosen numbers, and inside a capture, see
    /// [`seeded`](Self::seeded).
    pub fn new(device: &Device) -> Self {
        Self::pass(device).tape()
    }

    /// An empty tape in evaluation mode, with gradients: for saliency maps, and for training behind frozen layers.
    ///
    /// ```
    /// use gpu_core::{Device, Tensor};
    /// use nn::{Dropout, Init, Layer, Linear, Tape, seq};
    /// let net = seq![Dropout::new(0.5), Linear::new(1)].build(&Init::seeded(&Device::Cpu, 0), [3])?;
    /// let x = Tape::evaluating(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [1, 3], 1.0));
    /// let saliency = net.forward(&x).sum().backward().of(&x).unwrap().to_vec()?;
    /// assert!(saliency.iter().all(|g| *g != 0.0), "nothing was dropped");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evaluating(device: &Device) -> Self {
        Self::pass(device).evaluate().tape()
    }

    /// The options of a tape; [`Pass::tape`] makes it.
    pub fn pass(device: &Device) -> Pass {
        Pass::new(device)
    }

    /// An empty tape in training mode whose random layers draw from `seed` at the step that `step` (u32, one element) holds when they
    /// run. Each random layer has a stream of its own, numbered in the order of the forward pass.
    ///
    /// # Panics
    /// If `step` is not one u32.
    #[track_caller]
    pub fn seeded(device: &Device, seed: u64, step: &Tensor) -> Self {
        Self::pass(device).seed(seed).step_in(step).tape()
    }

    /// A tape for a part of this one's pass, or for what follows it, whose random layers draw from `stream` on.
    fn part(&self, stream: u32, gradients: bool, again: bool) -> Self {
        let Inner { device, training, precision, seed, step, labels, spans, statistics, .. } = &*self.inner;
        Self::make(Inner {
            device: device.clone(),
            training: *training,
            gradients,
            precision: *precision,
            again,
            seed: *seed,
            step: step.clone(),
            labels: labels.clone(),
            spans: spans.clone(),
            statistics: statistics.clone(),
            streams: AtomicU32::new(stream),
            state: Mutex::default(),
        })
    }

    /// For what follows this pass once it is spent: other numbers are drawn.
    pub(crate) fn following(&self) -> Self {
        self.part(self.inner.streams.load(Relaxed), self.inner.gradients, self.inner.again)
    }

    /// For a part of this one's forward pass whose activations are not kept.
    pub(crate) fn first_pass(&self) -> Self {
        self.part(self.inner.streams.load(Relaxed), false, self.inner.again)
    }

    /// For the same part once more, now with its closures; this tape's own random layers go on after it.
    pub(crate) fn second_pass(&self, first: &Self) -> Self {
        let began = self.inner.streams.swap(first.inner.streams.load(Relaxed), Relaxed);
        self.part(began, true, true)
    }

    /// Whether layers are in training mode.
    pub fn is_training(&self) -> bool {
        self.inner.training
    }

    /// Whether gradients can be asked for.
    pub fn keeps_gradients(&self) -> bool {
        self.inner.gradients
    }

    /// What the factors of products are rounded to.
    pub fn precision(&self) -> Precision {
        self.inner.precision
    }

    /// Whether this is a repetition: running statistics have seen the batch.
    pub(crate) fn is_again(&self) -> bool {
        self.inner.again
    }

    /// Whether a backward pass has taken its closures.
    pub(crate) fn is_spent(&self) -> bool {
        self.inner.state.lock().spent
    }

    /// Whether random layers have drawn from it.
    pub(crate) fn has_drawn(&self) -> bool {
        self.inner.streams.load(Relaxed) != FIRST_STREAM
    }

    /// The labels that are filled from the host.
    pub(crate) fn labels(&self) -> &LabelSlots {
        &self.inner.labels
    }

    /// Which launches are which layer's.
    pub(crate) fn spans(&self) -> &Spans {
        &self.inner.spans
    }

    /// Where norms leave what they find in a part of a batch.
    pub(super) fn statistics(&self) -> &Statistics {
        &self.inner.statistics
    }

    /// The device whose tensors it follows.
    pub fn device(&self) -> &Device {
        &self.inner.device
    }

    /// Notes that a parameter takes part.
    pub(super) fn note(&self, param: &Param) {
        let mut state = self.inner.state.lock();
        if state.known.insert(param.id()) {
            state.used.push(param.clone());
        }
    }

    /// The parameters that take part, each once, in order.
    pub(crate) fn used(&self) -> Vec<Param> {
        self.inner.state.lock().used.clone()
    }

    /// Asks the layer of this number to show what it gives.
    pub(crate) fn ask(&self, layer: usize) {
        self.inner.state.lock().shown.entry(layer).or_default();
    }

    /// Whether the layer of this number was asked.
    pub(super) fn asks(&self, layer: usize) -> bool {
        self.inner.state.lock().shown.contains_key(&layer)
    }

    pub(super) fn show(&self, layer: usize, value: &Tensor, origin: Origin) {
        // Not a variable: it would keep the tape that keeps it.
        self.inner.state.lock().shown.insert(layer, Some((value.clone(), origin)));
    }

    pub(super) fn shown(&self, layer: usize) -> Option<(Tensor, Origin)> {
        self.inner.state.lock().shown.get(&layer).cloned().flatten()
    }

    /// Keeps the gradient of a node.
    pub(super) fn retain(&self, node: usize) {
        self.inner.state.lock().retained.insert(node);
    }

    pub(super) fn retained(&self) -> HashSet<usize> {
        self.inner.state.lock().retained.clone()
    }

    /// The leaf of a parameter: one, however often it is used.
    #[track_caller]
    pub(super) fn param_leaf(&self, param: &Param, shape: Shape) -> usize {
        let known = self.inner.state.lock().params.get(&param.id()).copied();
        known.unwrap_or_else(|| {
            let node = self.leaf(Made::Parameter(param.id()), shape);
            self.inner.state.lock().params.insert(param.id(), node);
            node
        })
    }

    #[track_caller]
    pub(super) fn leaf(&self, made: Made, shape: Shape) -> usize {
        self.push(Node::Leaf, Entry { made, shape, inputs: Vec::new(), layer: self.spans().layer() })
    }

    #[track_caller]
    pub(super) fn derive(&self, op: &'static str, shape: Shape, inputs: Vec<(Origin, Shape)>, backward: Backward) -> Origin {
        let node = Node::Derived { inputs: inputs.iter().map(|(origin, _)| origin.node()).collect(), backward };
        Origin::Node(self.push(node, Entry { made: Made::Operator(op), shape, inputs, layer: self.spans().layer() }))
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
    #[track_caller]
    pub(crate) fn randomness(&self) -> Randomness {
        let step = self.step();
        Randomness { seed: self.inner.seed, stream: self.inner.streams.fetch_add(1, Relaxed), step }
    }

    /// The step that random layers draw from: one of its own where none was chosen.
    #[track_caller]
    fn step(&self) -> Tensor {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if let Some(step) = self.inner.step.get() {
            return step.clone();
        }
        assert!(
            !self.device().is_capturing(),
            "Tape: random layers in a capture would draw the same numbers in every replay; record a Step, or use Tape::seeded"
        );
        self.inner.step.get_or_init(|| Tensor::from_slice(self.device(), [1], &[NEXT.fetch_add(1, Relaxed)])).clone()
    }

    /// Takes the closures and the leaves of the parameters off the tape.
    #[track_caller]
    pub(super) fn spend(&self) -> (Vec<Node>, HashMap<u64, usize>) {
        let mut state = self.inner.state.lock();
        assert!(!state.spent, "backward: it was called on this tape already");
        state.spent = true;
        (std::mem::take(&mut state.nodes), std::mem::take(&mut state.params))
    }
}
