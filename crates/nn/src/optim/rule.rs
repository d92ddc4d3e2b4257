//! What one optimiser has and another has not: a rule. The rest is [`RuleOptimizer`](super::RuleOptimizer)'s.

use gpu_core::{Shape, Tensor};

/// An update rule over flat arenas: what is kept beside the weights, the figures of a step, and the kernel.
///
/// A rule of one's own is an optimiser with groups, clipping, averages, checkpoints and captured steps:
///
/// ```
/// use gpu_core::{Device, Tensor, ops};
/// use nn::optim::{Figures, Moment, Optimizer, Rule, RuleOptimizer, Stretch};
/// use nn::{Init, Layer, Linear, Tape};
///
/// /// `w -= lr * sign(g)`: what Lion does when it keeps nothing.
/// #[derive(Clone)]
/// struct SignSgd;
///
/// impl Rule for SignSgd {
///     fn moments(&self) -> Vec<Moment> {
///         vec![Moment::new("mean")]
///     }
///     fn hyper(&self, at: Figures) -> [f32; 8] {
///         ops::LionHyper { lr: at.lr, weight_decay: at.weight_decay, beta1: 0.0, beta2: 0.0 }.to_array()
///     }
///     fn launch(&self, on: &Stretch<'_>) {
///         ops::lion_step(&on.params, &on.grads, &on.moments[0], on.hyper);
///     }
/// }
///
/// let net = Linear::new(1).no_bias().build(&Init::seeded(&Device::Cpu, 0), [3])?;
/// let before = net.forward(&nn::Var::constant(&Tensor::full(&Device::Cpu, [1, 3], 1.0))).value().item()?;
/// let optimizer = RuleOptimizer::of_rule(&net, 0.5, SignSgd).clip_norm(1.0);
/// let x = Tape::new(&Device::Cpu).input(&Tensor::full(&Device::Cpu, [1, 3], 1.0));
/// optimizer.step(&net.forward(&x).sum().backward());
/// let after = net.forward(&nn::Var::constant(&Tensor::full(&Device::Cpu, [1, 3], 1.0))).value().item()?;
/// assert!((before - after - 1.5).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Rule: Clone + Send + 'static {
    /// What is kept beside the parameters.
    fn moments(&self) -> Vec<Moment>;

    /// The class of a parameter. Each class is updated on its own and may keep moments of its own; most rules have one.
    fn class(&self, _key: &str, _shape: Shape) -> usize {
        0
    }

    /// The eight numbers that the kernel reads: they are written to the device before each step.
    fn hyper(&self, at: Figures) -> [f32; 8];

    /// Updates a stretch of the arena. What it launches is recorded once and replayed: what changes from step to step is in
    /// `on.hyper`.
    fn launch(&self, on: &Stretch<'_>);
}

/// A tensor as long as the parameters, or as those of one class, with a name in the checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    pub(super) name: &'static str,
    pub(super) class: Option<usize>,
    pub(super) initial: f32,
}

impl Moment {
    /// For all parameters, zero at first.
    pub fn new(name: &'static str) -> Self {
        Self { name, class: None, initial: 0.0 }
    }

    /// For the parameters of one class only.
    pub fn of_class(self, class: usize) -> Self {
        Self { class: Some(class), ..self }
    }

    /// With another value at first.
    pub fn initially(self, initial: f32) -> Self {
        Self { initial, ..self }
    }
}

/// What the figures of a step depend on, in double precision: 1 - 0.999 in f32 is wrong in the fifth digit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// The learning rate of the group.
    pub lr: f64,
    /// The weight decay of the group.
    pub weight_decay: f64,
    /// The number of the step, from 1.
    pub step: u64,
    /// The class of the parameters.
    pub class: usize,
}

/// Parameters of one class and one group, flat and one after another, each at a multiple of 64 elements; what lies between them is
/// of no use to anyone.
#[derive(Debug)]
pub struct Stretch<'a> {
    /// The class.
    pub class: usize,
    /// The parameters, to be changed in place.
    pub params: Tensor,
    /// Their gradients.
    pub grads: Tensor,
    /// The moments that cover the class, in the order of [`Rule::moments`].
    pub moments: Vec<Tensor>,
    /// The eight figures.
    pub hyper: &'a Tensor,
    /// Where each parameter begins, and its shape; those of one shape are neighbours.
    pub shapes: Vec<(usize, Shape)>,
}
