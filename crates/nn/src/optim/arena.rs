//! One flat tensor for all parameters of a network, one for their gradients.

use crate::module::{Module, parameters};
use crate::param::Param;
use crate::tape::Gradients;
use gpu_core::{Device, Tensor, ops};
use std::collections::HashSet;
use std::ops::Range;

/// Views begin at multiples of 64 elements: 256 bytes, which adapters ask for.
const ALIGN: usize = 64;

/// The trainable parameters of a network. Matrices and filters come first, then biases and the like, so that each kind is one range.
pub(super) struct Arena {
    slots: Vec<Slot>,
    values: Tensor,
    gradients: Tensor,
    /// Where biases, gammas and betas begin.
    vectors_at: usize,
}

struct Slot {
    key: String,
    param: Param,
    offset: usize,
}

impl Arena {
    /// Moves the parameters of `net`.
    #[track_caller]
    pub fn of(net: &dyn Module) -> Self {
        let mut seen = HashSet::new();
        let all = parameters(net).into_iter().filter(|(_, p)| p.is_trainable() && seen.insert(p.id()));
        let (matrices, vectors): (Vec<_>, Vec<_>) = all.partition(|(_, p)| p.shape().rank() > 1);
        let (mut end, mut vectors_at) = (0, 0);
        let mut slots = Vec::new();
        let count = matrices.len();
        for (key, param) in matrices.into_iter().chain(vectors) {
            let offset = end;
            end += param.shape().len().next_multiple_of(ALIGN);
            slots.push(Slot { key, param, offset });
            if slots.len() == count {
                vectors_at = end;
            }
        }
        let Some(first) = slots.first() else { panic!("optimizer: the network has no trainable parameter") };
        let device = first.param.value().device().clone();
        let [values, gradients] = [0, 1].map(|_| Tensor::zeros(&device, [end]));
        let arena = Self { slots, values, gradients, vectors_at };
        for slot in &arena.slots {
            let home = arena.view(&arena.values, slot);
            ops::copy_into(&slot.param.value(), &home);
            slot.param.rehome(home);
        }
        arena
    }

    fn view(&self, of: &Tensor, slot: &Slot) -> Tensor {
        of.view(slot.offset, slot.param.shape())
    }

    pub fn device(&self) -> &Device {
        self.values.device()
    }

    /// A tensor as long as the arena, all zero: a moment.
    pub fn moment(&self) -> Tensor {
        Tensor::zeros(self.device(), self.values.shape())
    }

    /// The views of a moment with the parameters' keys.
    pub fn views<'a>(&'a self, moment: &'a Tensor) -> impl Iterator<Item = (&'a str, Tensor)> + 'a {
        self.slots.iter().map(move |slot| (slot.key.as_str(), self.view(moment, slot)))
    }

    /// Matrices and filters; and the rest.
    pub fn kinds(&self) -> [Range<usize>; 2] {
        [0..self.vectors_at, self.vectors_at..self.values.len()]
    }

    /// Parameters and gradients of a range, whose ends are ends of slots.
    pub fn range(&self, range: &Range<usize>) -> [Tensor; 2] {
        [&self.values, &self.gradients].map(|t| t.view(range.start, [range.len()]))
    }

    /// Whether the parameters still lie here.
    #[track_caller]
    pub fn expect_home(&self) {
        for Slot { key, param, .. } in &self.slots {
            let here = param.value().shares_storage(&self.values);
            assert!(here, "optimizer: {key} was moved by an optimizer made later for the same network; use that one");
        }
    }

    /// Copies the gradients of a backward pass to their slots.
    pub fn gather(&self, gradients: &Gradients) {
        for slot in &self.slots {
            let home = self.view(&self.gradients, slot);
            match gradients.of(&slot.param) {
                Some(gradient) => ops::copy_into(gradient, &home),
                None => home.fill(0.0),
            }
        }
    }
}
