//! An optimiser from a rule: what a user sets, and the handle.

use super::arena::learned;
use super::group::ParamGroup;
use super::loss_scaling::LossScaling;
use super::optimizer::Optimizer;
use super::rule::Rule;
use super::state::State;
use super::update::Update;
use crate::autograd::{Gradients, Param, Parameters, Var};
use crate::state_dict::{Array, Mismatch};
use gpu_core::{Device, Shape, Tensor, ops};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An optimiser that updates all parameters of a network by one [`Rule`]: [`Sgd`](super::Sgd), [`AdamW`](super::AdamW) and all
/// the others. Cloning it clones a handle.
///
/// ```
/// use gpu_core::Device;
/// use nn::{AdamW, BatchNorm2d, Conv2d, Init, Layer, seq};
/// let net = seq![Conv2d::new(8, 3), BatchNorm2d::new()].build(&Init::seeded(&Device::Cpu, 0), [3, 8, 8])?;
/// let adam = AdamW::new(&net, 1e-3)
///     .weight_decay(0.05)
///     .decay_weights_only()
///     .group(|key, _| key.starts_with("0."), |g| g.lr_factor(0.1)) // a slower first layer
///     .clip_norm(1.0)
///     .ema(0.999);
/// # let _ = adam;
/// # Ok::<(), nn::BuildError>(())
/// ```
pub struct RuleOptimizer<R> {
    inner: Arc<Inner<R>>,
}

struct Inner<R> {
    device: Device,
    state: Mutex<State<R>>,
}

impl<R> Clone for RuleOptimizer<R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

impl<R: Rule> RuleOptimizer<R> {
    /// For the parameters of `net` that are trainable and not frozen, which move into one tensor; no weight decay.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn of_rule(net: &dyn Parameters, lr: f32, rule: R) -> Self {
        let state = State::new(learned(net), lr, rule);
        Self { inner: Arc::new(Inner { device: state.arena().device().clone(), state: Mutex::new(state) }) }
    }

    /// Changes the rule. What is kept may change with it before the first step.
    #[track_caller]
    pub(super) fn with(self, change: impl FnOnce(&mut R)) -> Self {
        let mut state = self.inner.state.lock();
        change(&mut state.rule);
        state.make_moments();
        drop(state);
        self
    }

    /// Changes the rule, and with it perhaps the order of the parameters.
    #[track_caller]
    pub(super) fn with_order(self, change: impl FnOnce(&mut R)) -> Self {
        let mut state = self.inner.state.lock();
        change(&mut state.rule);
        state.lay_out();
        drop(state);
        self
    }

    fn set(self, change: impl FnOnce(&mut State<R>)) -> Self {
        change(&mut self.inner.state.lock());
        self
    }

    /// Draws the weights to zero, by the optimiser's way; 0 at first.
    pub fn weight_decay(self, weight_decay: f32) -> Self {
        self.set(|state| state.weight_decay = weight_decay)
    }

    /// Other settings for the parameters that `which` picks by key and shape. A parameter may be in several groups: the settings of
    /// all hold, and where two differ, those of the later one.
    ///
    /// # Panics
    /// If `which` picks none, with the keys that there are. After the first step: the parameters are ordered so that each group is one
    /// range.
    ///
    /// ```
    /// # use gpu_core::Device;
    /// # use nn::{Init, Layer, Linear, Sgd};
    /// # let net = Linear::new(1).build(&Init::seeded(&Device::Cpu, 0), [3]).unwrap();
    /// let sgd = Sgd::new(&net, 0.1).group(|_, shape| shape.rank() <= 1, |g| g.lr_factor(2.0).weight_decay(0.0));
    /// # let _ = sgd;
    /// ```
    #[track_caller]
    pub fn group(
        self,
        which: impl Fn(&str, Shape) -> bool + Send + Sync + 'static,
        settings: impl FnOnce(ParamGroup) -> ParamGroup,
    ) -> Self {
        self.inner.state.lock().expect_some("group", &which);
        self.with_group(which, settings)
    }

    /// A group that may have no members.
    #[track_caller]
    fn with_group(
        self,
        which: impl Fn(&str, Shape) -> bool + Send + Sync + 'static,
        settings: impl FnOnce(ParamGroup) -> ParamGroup,
    ) -> Self {
        self.inner.state.lock().add_group(Arc::new(which), settings(ParamGroup::default()));
        self
    }

    /// No weight decay for biases and normalisations.
    ///
    /// # Panics
    /// After the first step.
    #[track_caller]
    pub fn decay_weights_only(self) -> Self {
        self.with_group(|_, shape| shape.rank() <= 1, |g| g.weight_decay(0.0))
    }

    /// Climbs instead of descending. Equivalent of `maximize=True`.
    pub fn maximize(self, maximize: bool) -> Self {
        self.set(|state| state.maximize = maximize)
    }

    /// Scales the gradients of a step so that the norm of all together is at most `most`. Equivalent of
    /// `torch.nn.utils.clip_grad_norm_`; nothing is read back for it.
    ///
    /// # Panics
    /// If `most` is negative or not finite.
    #[track_caller]
    pub fn clip_norm(self, most: f32) -> Self {
        assert!(most.is_finite() && most >= 0.0, "clip_norm: {most} is not a number of 0 or more");
        let norm = Tensor::zeros(self.device(), Shape::SCALAR);
        self.set(|state| state.clip_norm = Some((most, norm)))
    }

    /// Limits each element of the gradients to `-limit..=limit`, after [`clip_norm`](Self::clip_norm). Equivalent of
    /// `torch.nn.utils.clip_grad_value_`.
    ///
    /// # Panics
    /// If `limit` is negative or not finite.
    #[track_caller]
    pub fn clip_value(self, limit: f32) -> Self {
        assert!(limit.is_finite() && limit >= 0.0, "clip_value: {limit} is not a number of 0 or more");
        self.set(|state| state.clip_value = Some(limit))
    }

    /// The norm of the last step's gradients before they were clipped, as a scalar on the device; where
    /// [`clip_norm`](Self::clip_norm) is set.
    pub fn grad_norm(&self) -> Option<Tensor> {
        self.inner.state.lock().clip_norm.as_ref().map(|(_, norm)| norm.clone())
    }

    /// Multiplies the loss by a power of two, `initial` at first, and divides the gradients by it again: small gradients do not become zero
    /// where they are rounded to f16. Where a gradient is not finite the scale was too large: it is halved, and the step is taken back,
    /// though it is counted. After `growth_interval` steps without, it is doubled. It is kept within 1 and 2^24; what is not finite at 1 is
    /// not taken back. Micikevicius et al., "Mixed precision training", 2018; equivalent of `torch.amp.GradScaler`, whose defaults are
    /// 65536 and 2000, but that the host need not know.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// # use nn::{Init, Layer, Linear, Optimizer, Precision, Sgd, Tape};
    /// # let net = Linear::new(1).build(&Init::seeded(&Device::Cpu, 0), [3]).unwrap();
    /// let sgd = Sgd::new(&net, 0.1).loss_scaling(65536.0, 2000);
    /// let x = Tensor::full(&Device::Cpu, [1, 3], 1e-3);
    /// let tape = Tape::pass(&Device::Cpu).precision(Precision::Mixed).tape();
    /// let loss = net.forward(&tape.input(&x)).square().mean();
    /// sgd.step(&sgd.scaled(&loss).backward());
    /// assert_eq!(sgd.loss_scale().unwrap().to_vec()?, [65536.0, 1.0, 0.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    ///
    /// # Panics
    /// If `initial` is not a power of two from 1 to 2^24, `growth_interval` is 0 or above 2^24, or after the first step.
    #[track_caller]
    pub fn loss_scaling(self, initial: f32, growth_interval: u32) -> Self {
        assert!(LossScaling::may_be(initial), "loss_scaling: {initial} is not a power of two from 1 to 2^24");
        assert!((1..=1 << 24).contains(&growth_interval), "loss_scaling: an interval of {growth_interval} is not in 1..=2^24");
        let scaling = LossScaling::new(self.device(), initial, growth_interval);
        let mut state = self.inner.state.lock();
        state.expect_fresh("a loss scale was added");
        state.loss_scaling = Some(scaling);
        drop(state);
        self
    }

    /// Keeps a moving average of the weights: `ema = decay * ema + (1 - decay) * w` after each step, a copy after the first. See
    /// [`with_average`](super::with_average). Equivalent of `torch.optim.swa_utils.AveragedModel` with `get_ema_multi_avg_fn`; the
    /// buffers stay the network's own, as there.
    ///
    /// # Panics
    /// If `decay` is not in 0..1, or after the first step.
    #[track_caller]
    pub fn ema(self, decay: f32) -> Self {
        assert!((0.0..1.0).contains(&decay), "ema: a decay of {decay} is not in 0..1");
        let mut state = self.inner.state.lock();
        state.expect_fresh("an average was added");
        let values = state.arena().values.clone();
        state.averages.set_ema(decay, &values);
        drop(state);
        self
    }

    /// Lookahead: at every `every`-th step, weights that move slowly go the part `alpha` of the way to these, and these begin there
    /// again (Zhang et al., 2019; 5 or 10, and 0.5 or 0.8, are the paper's). The moments stay as they are.
    ///
    /// # Panics
    /// If `every` is 0 or `alpha` not in 0..=1, or after the first step.
    #[track_caller]
    pub fn lookahead(self, every: u32, alpha: f32) -> Self {
        assert!(
            every > 0 && (0.0..=1.0).contains(&alpha),
            "lookahead: every {every} steps by {alpha}; 1 or more and 0..=1 are wanted"
        );
        let mut state = self.inner.state.lock();
        state.expect_fresh("an average was added");
        let values = state.arena().values.clone();
        state.averages.set_lookahead(every, alpha, &values);
        drop(state);
        self
    }
}

impl<R: Rule> Update for RuleOptimizer<R> {
    fn id(&self) -> usize {
        Arc::as_ptr(&self.inner) as usize
    }
    fn params(&self) -> Vec<Param> {
        self.inner.state.lock().params().cloned().collect()
    }
    #[track_caller]
    fn begin_step(&self) {
        self.inner.state.lock().begin_step();
    }
    #[track_caller]
    fn gather(&self, gradients: &Gradients, share: f32) {
        self.inner.state.lock().gather(gradients, share);
    }
    #[track_caller]
    fn gathered(&self, gradients: &Gradients, share: f32) -> Tensor {
        self.inner.state.lock().gathered(gradients, share)
    }
    #[track_caller]
    fn take(&self, gathered: &Tensor) {
        ops::copy_into(gathered, &self.inner.state.lock().arena().gradients);
    }
    #[track_caller]
    fn update(&self) {
        self.inner.state.lock().update();
    }
    fn count_exactly(&self, steps: u32) {
        self.inner.state.lock().count_exactly(steps);
    }
}

impl<R: Rule> Optimizer for RuleOptimizer<R> {
    fn lr(&self) -> f32 {
        self.inner.state.lock().lr
    }
    fn set_lr(&self, lr: f32) {
        self.inner.state.lock().lr = lr;
    }
    fn steps(&self) -> u32 {
        self.inner.state.lock().steps
    }
    #[track_caller]
    fn scaled(&self, loss: &Var) -> Var {
        match &self.inner.state.lock().loss_scaling {
            // What is no loss is told from one by the backward pass.
            Some(scaling) if loss.shape().len() == 1 => loss.mul(&Var::constant(&scaling.scale(loss.shape()))),
            _ => loss.clone(),
        }
    }
    fn loss_scale(&self) -> Option<Tensor> {
        self.inner.state.lock().loss_scaling.as_ref().map(|scaling| scaling.state().clone())
    }
    fn swap_average(&self) -> bool {
        let mut state = self.inner.state.lock();
        let (steps, values) = (state.steps, state.arena().values.clone());
        state.averages.swap(steps, &values)
    }
    fn state(&self) -> Vec<(String, Tensor)> {
        self.inner.state.lock().state()
    }
    fn load_state(&self, state: &BTreeMap<String, Array>) -> Result<(), Mismatch> {
        self.inner.state.lock().load_state(state)
    }
    fn device(&self) -> &Device {
        &self.inner.device
    }
    fn handle(&self) -> Arc<dyn Optimizer> {
        Arc::new(self.clone())
    }
}
