//! What the closure of a step works with while it is recorded.

use super::input::{Input, find};
use crate::autograd::{Param, Tape, Var};
use crate::optim::Optimizer;
use gpu_core::{DType, Shape, Tensor, ops};
use std::cell::RefCell;
use std::sync::Arc;

/// The pass that a [`Step`](super::Step) records: its inputs on a tape, updates, and what can be read after a run.
pub struct StepPass<'a> {
    inputs: &'a [Input],
    /// Parts of a batch, which share an update.
    parts: u32,
    state: RefCell<Recorded>,
}

/// What a pass leaves behind.
pub(super) struct Recorded {
    /// One, and one more after each backward pass; the last is the present one.
    tapes: Vec<Tape>,
    pub outputs: Vec<(String, Tensor)>,
    pub optimizers: Vec<Arc<dyn Optimizer>>,
    /// What a part of a batch leaves to be joined with others: the gradients of each optimiser.
    pub sums: Vec<Tensor>,
}

impl Recorded {
    /// The parameters that take part.
    pub fn params(&self) -> Vec<Param> {
        let mut params: Vec<Param> = Vec::new();
        for param in self.tapes.iter().flat_map(Tape::used) {
            if params.iter().all(|known| known.id() != param.id()) {
                params.push(param);
            }
        }
        params
    }

    /// Whether random numbers were drawn.
    pub fn draws(&self) -> bool {
        self.tapes.iter().any(Tape::has_drawn)
    }
}

impl<'a> StepPass<'a> {
    pub(super) fn new(inputs: &'a [Input], parts: u32, tape: Tape) -> Self {
        let state = Recorded { tapes: vec![tape], outputs: Vec::new(), optimizers: Vec::new(), sums: Vec::new() };
        Self { inputs, parts, state: RefCell::new(state) }
    }

    /// What there is of the pass once the norms have left `statistics` as blocks, which are shared as gradients are.
    pub(super) fn finish(self, statistics: &[Tensor]) -> Recorded {
        let mut recorded = self.state.into_inner();
        recorded.sums.extend(statistics.iter().map(|block| {
            let sum = Tensor::empty(block.device(), block.shape());
            ops::accumulate(block, &sum, 1.0 / self.parts as f32, 0.0);
            sum
        }));
        recorded
    }

    /// The tape of the pass. After an [`update`](Self::update) it is another: variables of the one before cannot be used any more,
    /// and inputs are asked for again.
    pub fn tape(&self) -> Tape {
        let tapes = &mut self.state.borrow_mut().tapes;
        let last = tapes.last().expect("a pass has a tape").clone();
        if !last.is_spent() {
            return last;
        }
        let next = last.following();
        tapes.push(next.clone());
        next
    }

    /// The input called `name`, as data.
    ///
    /// # Panics
    /// If there is none, or it holds labels.
    #[track_caller]
    pub fn input(&self, name: &str) -> Var {
        self.tape().input(self.numbers(name))
    }

    /// The input called `name`, as a leaf whose gradient is wanted: for saliency maps.
    ///
    /// # Panics
    /// As [`input`](Self::input).
    #[track_caller]
    pub fn variable(&self, name: &str) -> Var {
        self.tape().variable(self.numbers(name))
    }

    /// The labels called `name`.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn labels(&self, name: &str) -> &Tensor {
        let slot = find(self.inputs, name);
        assert!(slot.dtype() == DType::U32, "step: the input \"{name}\" holds {}; take it by input(\"{name}\")", slot.dtype());
        slot
    }

    #[track_caller]
    fn numbers(&self, name: &str) -> &Tensor {
        let slot = find(self.inputs, name);
        assert!(slot.dtype() == DType::F32, "step: the input \"{name}\" holds {}; take it by labels(\"{name}\")", slot.dtype());
        slot
    }

    /// Normal numbers of mean 0 and deviation 1, others in every run. Equivalent of `torch.randn`.
    #[track_caller]
    pub fn normal(&self, shape: impl Into<Shape>) -> Var {
        self.tape().normal(shape)
    }

    /// The backward pass of `loss` to the parameters of `optimizer` alone, and their update. What only other networks' gradients would
    /// need is not computed: a generator learns through a discriminator that stays as it is.
    ///
    /// Where the step [accumulates](super::StepBuilder::accumulate), the update comes after the last of its runs.
    ///
    /// # Panics
    /// If the loss has more elements than one or depends on no parameter of the optimiser, or the optimiser has its update in this step
    /// already.
    #[track_caller]
    pub fn update(&self, optimizer: &dyn Optimizer, loss: &Var) {
        let params = optimizer.params();
        let gradients = optimizer.scaled(loss).backward_to_ids(&params.iter().map(Param::id).collect());
        let depends = params.iter().any(|param| gradients.of(param).is_some());
        assert!(depends, "update: the loss depends on no parameter of this optimizer");
        let state = &mut *self.state.borrow_mut();
        let first = state.optimizers.iter().all(|known| known.id() != optimizer.id());
        assert!(first, "update: this optimizer has its update in this step already; add the losses, or record two steps");
        match self.parts {
            1 => {
                optimizer.gather(&gradients, 1.0);
                optimizer.update();
            }
            parts => state.sums.push(optimizer.gathered(&gradients, 1.0 / parts as f32)),
        }
        state.optimizers.push(optimizer.handle());
    }

    /// Keeps `value` to be read after a run as `name`: see [`Step::value`](super::Step::value) and [`Step::values`](super::Step::values).
    ///
    /// # Panics
    /// If another value has this name.
    #[track_caller]
    pub fn output(&self, name: impl Into<String>, value: &Var) {
        let (name, outputs) = (name.into(), &mut self.state.borrow_mut().outputs);
        assert!(outputs.iter().all(|(known, _)| *known != name), "step: two outputs are called \"{name}\"");
        outputs.push((name, value.value().clone()));
    }
}
