//! How tensors and parameters come on a tape.

use super::origin::{Made, Origin};
use super::param::Param;
use super::tape::Tape;
use super::var::Var;
use gpu_core::ops::{self, DropoutKey};
use gpu_core::{Shape, Tensor};

impl Tape {
    /// Data: on the tape, but no gradient is computed for it.
    pub fn input(&self, x: &Tensor) -> Var {
        Var::on(x.clone(), self.clone(), Origin::data())
    }

    /// A leaf whose gradient is wanted; data, where the tape keeps no gradients.
    #[track_caller]
    pub fn variable(&self, x: &Tensor) -> Var {
        if !self.keeps_gradients() {
            return self.input(x);
        }
        let node = self.leaf(Made::Variable, x.shape());
        Var::on(x.clone(), self.clone(), Origin::Node(node))
    }

    /// Normal numbers of mean 0 and deviation 1, as data: the next of the tape's random numbers, in evaluation mode too. Equivalent of
    /// `torch.randn`.
    ///
    /// ```
    /// # use gpu_core::Device;
    /// # use nn::Tape;
    /// let tape = Tape::new(&Device::Cpu);
    /// let [first, second] = [0; 2].map(|_| tape.normal([2, 100]));
    /// assert_ne!(first.value().to_vec()?, second.value().to_vec()?);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    ///
    /// # Panics
    /// Inside a capture, unless the tape's step was chosen.
    #[track_caller]
    pub fn normal(&self, shape: impl Into<Shape>) -> Var {
        let random = self.randomness();
        let key = DropoutKey { seed: random.seed, stream: random.stream };
        self.input(&ops::normal(shape, 0.0, 1.0, key, &random.step))
    }

    /// A parameter: one leaf, however often it is used.
    #[track_caller]
    fn param(&self, param: &Param) -> Var {
        self.note(param);
        let value = param.value();
        let origin = match param.is_learned() {
            false => Origin::Buffer(param.id()),
            true if self.keeps_gradients() => Origin::Node(self.param_leaf(param, value.shape())),
            true => Origin::data(),
        };
        Var::on(value, self.clone(), origin)
    }
}

impl Param {
    /// Whether a gradient is computed for it.
    pub(crate) fn is_learned(&self) -> bool {
        self.is_trainable() && !self.is_frozen()
    }

    /// Whether a pass of `x` brings this buffer up to date: in training mode, unless it is frozen. A norm that finds `false` uses its
    /// running statistics as they are.
    pub fn is_updated_by(&self, x: &Var) -> bool {
        if let Some(tape) = x.tape() {
            // A captured step must know that this was asked.
            tape.note(self);
        }
        x.is_training() && !self.is_frozen()
    }

    /// What a norm that [brings this buffer up to date](Self::is_updated_by) for `x` moves, and by how much: the buffer by `momentum`, or
    /// in a pass of a part of a batch, which sees only that, a zero of its own by 1. The buffer is then moved once, by the mean of the parts.
    pub(crate) fn moved_by(&self, x: &Var, momentum: f32) -> (Tensor, f32) {
        let slot = x.tape().and_then(|tape| tape.statistics().slot(self, momentum, tape.is_again()));
        slot.map_or_else(|| (self.value(), momentum), |slot| (slot, 1.0))
    }

    /// The parameter as an operand for `x`: on its tape, or a constant if it has none.
    #[track_caller]
    pub fn var(&self, x: &Var) -> Var {
        match x.tape() {
            Some(tape) => tape.param(self),
            None => Var::constant(&self.value()),
        }
    }
}

impl Var {
    /// The same value, whose gradient can be asked for after the backward pass, as that of a leaf can; where no gradient would flow to it,
    /// it becomes a leaf. Equivalent of `torch.Tensor.retain_grad`.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// # use nn::Tape;
    /// let x = Tape::new(&Device::Cpu).variable(&Tensor::full(&Device::Cpu, [1], 3.0));
    /// let square = (&x * &x).retain_gradient();
    /// let gradients = (&square * 2.0).backward();
    /// assert_eq!(gradients.of(&square).unwrap().to_vec()?, [2.0]);
    /// assert_eq!(gradients.of(&x).unwrap().to_vec()?, [12.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    ///
    /// # Panics
    /// If it is on no tape, or on one that keeps no gradients.
    #[track_caller]
    pub fn retain_gradient(&self) -> Self {
        let tape = self.tape().filter(|tape| tape.keeps_gradients());
        let Some(tape) = tape else { panic!("retain_gradient: the variable is on no tape that keeps gradients") };
        match self.node() {
            Some(node) => {
                tape.retain(node);
                self.clone()
            }
            None => tape.variable(self.stored()),
        }
    }

    /// What the layer of this number gives: shown, with its gradient, if the tape asks for it.
    #[track_caller]
    pub(crate) fn shown_by(self, layer: usize) -> Self {
        let Some(tape) = self.tape().filter(|tape| tape.asks(layer)).cloned() else { return self };
        let y = if tape.keeps_gradients() { self.retain_gradient() } else { self };
        tape.show(layer, y.value(), y.origin());
        y
    }
}

impl Tape {
    /// What the layer of this number gave, if it was asked to show it and has run.
    pub(crate) fn shown_var(&self, layer: usize) -> Option<Var> {
        self.shown(layer).map(|(value, origin)| Var::on(value, self.clone(), origin))
    }
}
