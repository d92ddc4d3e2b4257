//! What optimisers share: the arena, the moments, the step count, and the figures on the device.

use super::arena::Arena;
use super::averages::Averages;
use super::group::{ParamGroup, Which, settings};
use super::loss_scaling::LossScaling;
use super::rule::{Figures, Moment, Rule, Stretch};
use crate::autograd::param::ALIGN;
use crate::autograd::{Gradients, Param};
use crate::state_dict::{Array, Mismatch};
use gpu_core::{Shape, Tensor, ops};
use std::collections::BTreeMap;

/// The state of an optimiser.
pub(super) struct State<R> {
    pub rule: R,
    pub lr: f32,
    pub weight_decay: f32,
    pub steps: u32,
    pub maximize: bool,
    pub clip_value: Option<f32>,
    /// The largest norm, and where the norm of the last step lies.
    pub clip_norm: Option<(f32, Tensor)>,
    pub loss_scaling: Option<LossScaling>,
    pub averages: Averages,
    params: Vec<(String, Param)>,
    groups: Vec<(Which, ParamGroup)>,
    arena: Arena,
    moments: Vec<(Moment, Tensor)>,
    /// A block of [`ALIGN`] for each segment, of which eight are used, and one for each average.
    hyper: Tensor,
    written: Vec<f32>,
}

/// Blocks of the figures behind those of the segments.
const EMA: usize = 0;
const LOOKAHEAD: usize = 1;
const EXTRA: usize = 2;

/// The key of the loss scale in the state.
const LOSS_SCALE: &str = "loss_scale";

/// 2^32: what the largest counts are as floats.
const MOST_STEPS: f32 = 4_294_967_296.0;

impl<R: Rule> State<R> {
    #[track_caller]
    pub fn new(params: Vec<(String, Param)>, lr: f32, rule: R) -> Self {
        let arena = Arena::of(&params, |key, shape| (rule.class(key, shape), ParamGroup::default()));
        let hyper = Tensor::zeros(arena.device(), [(arena.segments.len() + EXTRA) * ALIGN]);
        let mut state = Self {
            rule,
            lr,
            weight_decay: 0.0,
            steps: 0,
            maximize: false,
            clip_value: None,
            clip_norm: None,
            loss_scaling: None,
            averages: Averages::default(),
            params,
            groups: Vec::new(),
            arena,
            moments: Vec::new(),
            hyper,
            written: Vec::new(),
        };
        state.make_moments();
        state
    }

    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    pub fn params(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().map(|(_, param)| param)
    }

    /// Refuses a choice of parameters that has none.
    #[track_caller]
    pub fn expect_some(&self, what: &str, which: impl Fn(&str, Shape) -> bool) {
        let keys = || self.params.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>().join(", ");
        let some = self.params.iter().any(|(key, param)| which(key, param.shape()));
        assert!(some, "{what}: it picks no parameter of the network; there are: {}", keys());
    }

    /// What changes what is kept, or where, comes before the first step: a captured step knows one place for everything.
    #[track_caller]
    pub fn expect_fresh(&self, what: &str) {
        assert!(self.steps == 0, "optimizer: {what} after {} steps; set it when the optimizer is made", self.steps);
    }

    #[track_caller]
    pub fn add_group(&mut self, which: Which, group: ParamGroup) {
        self.expect_fresh("a group was added");
        self.groups.push((which, group));
        self.lay_out();
    }

    /// Orders the parameters anew.
    #[track_caller]
    pub fn lay_out(&mut self) {
        self.expect_fresh("the parameters were ordered anew");
        self.arena.expect_home();
        let Self { rule, groups, .. } = self;
        self.arena = Arena::of(&self.params, |key, shape| (rule.class(key, shape), settings(groups, key, shape)));
        self.hyper = Tensor::zeros(self.arena.device(), [(self.arena.segments.len() + EXTRA) * ALIGN]);
        self.written.clear();
        self.moments.clear();
        self.make_moments();
        self.averages.make(&self.arena.values);
    }

    /// Makes the moments that the rule asks for, where they are not there.
    #[track_caller]
    pub fn make_moments(&mut self) {
        let wanted = self.rule.moments();
        if wanted.iter().eq(self.moments.iter().map(|(moment, _)| moment)) {
            return;
        }
        self.expect_fresh("what it keeps was changed");
        let tensor = |m: &Moment| Tensor::full(self.arena.device(), [self.arena.range_of(m.class).len()], m.initial);
        self.moments = wanted.into_iter().map(|m| (m, tensor(&m))).collect();
    }

    fn block(&self, number: usize, shape: impl Into<Shape>) -> Tensor {
        self.hyper.view(number * ALIGN, shape)
    }

    /// Counts a step and writes its figures.
    #[track_caller]
    pub fn begin_step(&mut self) {
        self.arena.expect_home();
        self.averages.begin_step(self.steps, &self.arena.values);
        self.steps = self.steps.saturating_add(1);
        let mut figures = vec![0.0; self.hyper.len()];
        for (segment, block) in self.arena.segments.iter().zip(figures.chunks_exact_mut(ALIGN)) {
            let (lr, weight_decay) = (segment.group.rate(self.lr), segment.group.decay(self.weight_decay));
            let at = Figures { lr, weight_decay, step: self.steps.into(), class: segment.class };
            block[..8].copy_from_slice(&self.rule.hyper(at));
        }
        let extra = &mut figures[self.arena.segments.len() * ALIGN..];
        (extra[EMA * ALIGN], extra[LOOKAHEAD * ALIGN]) = self.averages.figures(self.steps);
        if self.written != figures {
            self.hyper.write(&figures);
            self.written = figures;
        }
    }

    #[track_caller]
    pub fn gather(&mut self, gradients: &Gradients, share: f32) {
        let all = self.arena.gradients.clone();
        self.gather_in(&all, gradients, share);
    }

    #[track_caller]
    pub fn gathered(&mut self, gradients: &Gradients, share: f32) -> Tensor {
        let all = Tensor::empty(self.arena.device(), self.arena.gradients.shape());
        // What lies between two parameters is added up with them.
        all.fill(0.0);
        self.gather_in(&all, gradients, share);
        all
    }

    #[track_caller]
    fn gather_in(&mut self, all: &Tensor, gradients: &Gradients, share: f32) {
        self.arena.expect_home();
        self.arena.gather(all, gradients, if self.maximize { -share } else { share });
    }

    /// The kernels of a step, from the gradients in their slots.
    #[track_caller]
    pub fn update(&self) {
        self.arena.expect_home();
        let gradients = &self.arena.gradients;
        let moved = [&self.arena.values].into_iter().chain(self.moments.iter().map(|(_, tensor)| tensor));
        let before = self.loss_scaling.as_ref().map(|scaling| scaling.begin(gradients, moved));
        if let Some((most, last)) = &self.clip_norm {
            let norm = ops::total_norm(&[gradients]);
            ops::clip_with_norm(&[gradients], &norm, *most);
            ops::copy_into(&norm, last);
        }
        if let Some(limit) = self.clip_value {
            ops::clip_grad_value(&[gradients], limit);
        }
        let segments = self.arena.segments.iter().enumerate();
        let pieces =
            segments.flat_map(|(number, segment)| self.arena.moved_in(segment).into_iter().map(move |piece| (number, piece)));
        for (number, segment) in pieces.filter(|(_, piece)| !piece.range.is_empty()) {
            let (start, len) = (segment.range.start, segment.range.len());
            let mine = self.moments.iter().filter(|(m, _)| m.class.is_none_or(|c| c == segment.class));
            self.rule.launch(&Stretch {
                class: segment.class,
                params: self.arena.values.view(start, [len]),
                grads: gradients.view(start, [len]),
                moments: mine.map(|(m, t)| t.view(start - self.arena.range_of(m.class).start, [len])).collect(),
                hyper: &self.block(number, [8]),
                shapes: self.arena.shapes(&segment),
            });
        }
        if let Some(before) = before {
            before.end();
        }
        let far = |extra: usize| self.block(self.arena.segments.len() + extra, [1]);
        self.averages.update(&self.arena.values, &far(EMA), &far(LOOKAHEAD));
    }

    pub fn state(&self) -> Vec<(String, Tensor)> {
        let moments = self.moments.iter().map(|(m, t)| (m.name, t, m.class));
        let averages = self.averages.tensors().map(|(name, t)| (name, t, None));
        let mut named: Vec<(String, Tensor)> = moments
            .chain(averages)
            .flat_map(|(name, t, class)| self.arena.views(t, class).map(move |(key, view)| (format!("{name}.{key}"), view)))
            .collect();
        named.extend(self.loss_scaling.iter().map(|scaling| (LOSS_SCALE.to_owned(), scaling.state().clone())));
        // As in PyTorch, the count is a float; a checkpoint has it exactly as well, see `count_exactly`.
        named.push(("step".to_owned(), Tensor::scalar(self.arena.device(), self.steps as f32)));
        named
    }

    pub fn load_state(&mut self, state: &BTreeMap<String, Array>) -> Result<(), Mismatch> {
        let wanted = self.state();
        Mismatch::between(wanted.iter().map(|(key, t)| (key.as_str(), t.shape())), state, |_| false)?;
        let steps = state["step"].values[0];
        if !(0.0..=MOST_STEPS).contains(&steps) || steps.fract() != 0.0 {
            let wrong = format!("step ({steps:?} in the file, a count from 0 to 2^32 wanted)");
            return Err(Mismatch { misshapen: vec![wrong], ..Mismatch::default() });
        }
        if let (Some(_), Some(scale)) = (&self.loss_scaling, state.get(LOSS_SCALE)) {
            LossScaling::check(&scale.values).map_err(|wrong| Mismatch { misshapen: vec![wrong], ..Mismatch::default() })?;
        }
        for (key, tensor) in &wanted {
            if key != "step" {
                tensor.write(&state[key].values);
            }
        }
        self.steps = steps as u32;
        Ok(())
    }

    /// Takes the count that the float of [`load_state`](Self::load_state) stands for: from 2^24 on it is one of several.
    pub fn count_exactly(&mut self, steps: u32) {
        if steps as f32 == self.steps as f32 {
            self.steps = steps;
        }
    }
}
