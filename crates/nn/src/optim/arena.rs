//! One flat tensor for all parameters of a network, one for their gradients.

use super::group::ParamGroup;
use crate::autograd::param::ALIGN;
use crate::autograd::{Gradients, Param, Parameters, parameters};
use gpu_core::{Device, Shape, Tensor, ops};
use std::collections::HashSet;
use std::ops::Range;

/// The learned parameters of a network. Those of one class and one group are neighbours, so that each such kind is one range;
/// within it, so are those of one shape.
pub(super) struct Arena {
    slots: Vec<Slot>,
    pub segments: Vec<Segment>,
    pub values: Tensor,
    pub gradients: Tensor,
}

struct Slot {
    key: String,
    param: Param,
    offset: usize,
    /// Whether the loss of the last backward pass depends on it.
    has_gradient: bool,
}

/// Neighbours that one kernel updates with one set of figures.
pub(super) struct Segment {
    pub class: usize,
    pub group: ParamGroup,
    /// In elements of the arena.
    pub range: Range<usize>,
    slots: Range<usize>,
}

/// The parameters that are trainable and not frozen, each once, in the network's order.
pub(super) fn learned(net: &dyn Parameters) -> Vec<(String, Param)> {
    let mut seen = HashSet::new();
    parameters(net).into_iter().filter(|(_, p)| p.is_learned() && seen.insert(p.id())).collect()
}

/// Values with the place at which each first came.
fn numbered<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<usize> {
    let mut known = Vec::new();
    let number = |v: T| {
        known.iter().position(|k| *k == v).unwrap_or_else(|| {
            known.push(v);
            known.len() - 1
        })
    };
    values.map(number).collect()
}

impl Arena {
    /// Moves the `params`; `assign` says of which class and group one is.
    #[track_caller]
    pub fn of(params: &[(String, Param)], assign: impl Fn(&str, Shape) -> (usize, ParamGroup)) -> Self {
        let Some((_, first)) = params.first() else {
            panic!("optimizer: the network has no trainable parameter that is not frozen")
        };
        let device = first.value().device().clone();
        let kinds: Vec<(usize, ParamGroup)> = params.iter().map(|(key, p)| assign(key, p.shape())).collect();
        let (of_kind, of_shape) = (numbered(kinds.iter()), numbered(params.iter().map(|(_, p)| p.shape())));
        let mut order: Vec<usize> = (0..params.len()).collect();
        order.sort_by_key(|&i| (kinds[i].0, of_kind[i], of_shape[i], i));
        let (mut slots, mut segments): (Vec<Slot>, Vec<Segment>) = Default::default();
        let mut end = 0;
        for (at, i) in order.into_iter().enumerate() {
            let ((key, param), (class, group), offset) = (params[i].clone(), kinds[i], end);
            end += param.shape().len().next_multiple_of(ALIGN);
            slots.push(Slot { key, param, offset, has_gradient: false });
            match segments.last_mut() {
                Some(last) if (last.class, last.group) == (class, group) => (last.range.end, last.slots.end) = (end, at + 1),
                _ => segments.push(Segment { class, group, range: offset..end, slots: at..at + 1 }),
            }
        }
        let [values, gradients] = [0, 1].map(|_| Tensor::zeros(&device, [end]));
        for Slot { param, offset, .. } in &slots {
            let home = values.view(*offset, param.shape());
            ops::copy_into(&param.value(), &home);
            param.rehome(home);
        }
        Self { slots, segments, values, gradients }
    }

    pub fn device(&self) -> &Device {
        self.values.device()
    }

    /// Where the parameters of a class lie, or all.
    pub fn range_of(&self, class: Option<usize>) -> Range<usize> {
        let mine = || self.segments.iter().filter(|s| class.is_none_or(|c| c == s.class));
        let start = mine().map(|s| s.range.start).min().unwrap_or(0);
        start..mine().map(|s| s.range.end).max().unwrap_or(start)
    }

    /// The views of a tensor that covers a class, or all, with the parameters' keys.
    pub fn views<'a>(&'a self, of: &'a Tensor, class: Option<usize>) -> impl Iterator<Item = (&'a str, Tensor)> + 'a {
        let start = self.range_of(class).start;
        let mine = self.segments.iter().filter(move |s| class.is_none_or(|c| c == s.class));
        let slots = mine.flat_map(|s| &self.slots[s.slots.clone()]);
        slots.map(move |slot| (slot.key.as_str(), of.view(slot.offset - start, slot.param.shape())))
    }

    /// A segment without what was frozen since and what has no gradient, which nothing moves, as in PyTorch: its runs of the others.
    pub fn moved_in(&self, segment: &Segment) -> Vec<Segment> {
        let mut pieces: Vec<Segment> = Vec::new();
        let is_moved = |slot: &Slot| slot.has_gradient && !slot.param.is_frozen();
        for at in segment.slots.clone().filter(|&at| is_moved(&self.slots[at])) {
            let start = self.slots[at].offset;
            let end = start + self.slots[at].param.shape().len().next_multiple_of(ALIGN);
            match pieces.last_mut() {
                Some(last) if last.slots.end == at => (last.range.end, last.slots.end) = (end, at + 1),
                _ => pieces.push(Segment { range: start..end, slots: at..at + 1, ..*segment }),
            }
        }
        pieces
    }

    /// Where in a segment each parameter begins, and its shape.
    pub fn shapes(&self, segment: &Segment) -> Vec<(usize, Shape)> {
        self.slots[segment.slots.clone()].iter().map(|s| (s.offset - segment.range.start, s.param.shape())).collect()
    }

    /// Whether the parameters still lie here.
    #[track_caller]
    pub fn expect_home(&self) {
        for Slot { key, param, .. } in &self.slots {
            let here = param.value().shares_storage(&self.values);
            assert!(here, "optimizer: {key} was moved by an optimizer made later for the same network; use that one");
        }
    }

    /// Brings the gradients of a backward pass, times `scale`, to their slots in `all`.
    pub fn gather(&mut self, all: &Tensor, gradients: &Gradients, scale: f32) {
        for slot in &mut self.slots {
            let home = all.view(slot.offset, slot.param.shape());
            let gradient = gradients.of(&slot.param);
            slot.has_gradient = gradient.is_some();
            match gradient {
                Some(gradient) => ops::accumulate(gradient, &home, scale, 0.0),
                None => home.fill(0.0),
            }
        }
    }
}
