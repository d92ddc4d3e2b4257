//! What a layer has at hand while it computes.

use super::{Net, Params, Role, Then};
use crate::autograd::Var;
use gpu_core::{Shape, Tensor};
use std::cell::Cell;

impl<'a> Params<'a> {
    pub(super) fn new(net: &'a Net, x: &'a Var, then: Then<'a>) -> Self {
        Self { net, x, then: Cell::new(Some(then)) }
    }

    /// The parameter `name` as an operand: on the tape of the layer's input, if that has one.
    ///
    /// # Panics
    /// If the plan asked for no such parameter.
    #[track_caller]
    pub fn var(&self, name: &str) -> Var {
        self.net.param(name).var(self.x)
    }

    /// The parameter `name`, if there is one: `None` for a bias that was switched off, and for what is a constant instead.
    #[track_caller]
    pub fn optional(&self, name: &str) -> Option<Var> {
        let held = self.net.held.iter().find(|held| held.name == name && held.role == Role::Trained)?;
        Some(held.param.var(self.x))
    }

    /// The values of the parameter or buffer `name`.
    ///
    /// # Panics
    /// As [`var`](Self::var).
    #[track_caller]
    pub fn value(&self, name: &str) -> Tensor {
        self.net.param(name).value()
    }

    /// Whether this pass brings the buffer `name` up to date: in training mode, unless it is frozen. A norm that finds `false` uses its
    /// running statistics as they are.
    ///
    /// # Panics
    /// As [`var`](Self::var).
    #[track_caller]
    pub fn updates(&self, name: &str) -> bool {
        self.net.param(name).is_updated_by(self.x)
    }

    /// What a norm that [brings the buffer `name` up to date](Self::updates) moves towards what it finds in the batch, and by how much: the
    /// buffer, by `momentum`. Where a step computes a batch in parts ([`StepBuilder::accumulate`](crate::StepBuilder::accumulate)) it is a
    /// tensor of zeros by 1, and the buffer is moved once all parts are there, by their mean.
    ///
    /// # Panics
    /// As [`var`](Self::var).
    #[track_caller]
    pub fn moved(&self, name: &str, momentum: f32) -> (Tensor, f32) {
        self.net.param(name).moved_by(self.x, momentum)
    }

    /// The shape of the parameter or buffer `name`.
    ///
    /// # Panics
    /// As [`var`](Self::var).
    #[track_caller]
    pub fn shape(&self, name: &str) -> Shape {
        self.net.param(name).shape()
    }

    /// The layer inside this one that is called `name`.
    ///
    /// # Panics
    /// If the plan has no such child.
    #[track_caller]
    pub fn child(&self, name: &str) -> &'a Net {
        match self.net.names.iter().position(|own| own == name) {
            Some(at) => &self.net.children[at],
            None => panic!("{}: its plan has no child `{name}`", self.net.layer.kind()),
        }
    }

    /// The layers inside this one, in the plan's order.
    pub fn children(&self) -> &'a [Net] {
        &self.net.children
    }

    /// Takes upon itself what follows the layer, if `can` says so.
    pub(crate) fn take_then(&self, can: impl FnOnce(Then<'a>) -> bool) -> Option<Then<'a>> {
        let then = self.then.get().filter(|then| can(*then))?;
        self.then.set(None);
        Some(then)
    }

    /// What nobody has taken.
    pub(super) fn left(self) -> Then<'a> {
        self.then.get().unwrap_or_default()
    }
}
