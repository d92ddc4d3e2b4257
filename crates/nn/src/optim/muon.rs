//! Muon.

use super::adamw::AdamRule;
use super::group::Which;
use super::{Figures, Moment, Rule, RuleOptimizer, Stretch};
use crate::autograd::Parameters;
use crate::autograd::param::ALIGN;
use crate::decimal::decimal;
use gpu_core::ops::{self, MuonHyper};
use gpu_core::{Shape, Tensor};
use std::sync::Arc;

/// Muon for matrices and filters, AdamW for the rest (Jordan et al., "Muon: an optimizer for hidden layers in neural networks",
/// 2024). The momentum of a matrix is made nearly orthogonal before it is subtracted, so that all its directions count:
/// `X = m / |m|`, five times `X = a X + (b A + c A^2) X` with `A = X X^T`; then `w -= lr * (weight_decay * w + ratio * X)`. A filter
/// (k, c, r, s) is a matrix of k rows. Equivalent of `torch.optim.Muon`, in f32 rather than bfloat16 and without a default weight
/// decay, with an AdamW beside it.
///
/// Matrices of one shape are multiplied as one batch where their length is a multiple of 64.
///
/// ```
/// # use gpu_core::Device;
/// # use nn::{Conv2d, Flatten, Init, Layer, Linear, Muon, seq};
/// # let net = seq![Conv2d::new(8, 3), Flatten, Linear::new(2)].build(&Init::seeded(&Device::Cpu, 0), [3, 3, 3]).unwrap();
/// // The last layer is better left to AdamW.
/// let muon = Muon::new(&net, 0.02).only(|key, shape| shape.rank() > 1 && !key.starts_with("2."));
/// # let _ = muon;
/// ```
pub type Muon = RuleOptimizer<MuonRule>;

/// What the shape of a matrix makes of the learning rate: PyTorch's `adjust_lr_fn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MuonRate {
    /// `sqrt(max(1, rows / columns))`: the author's.
    #[default]
    Original,
    /// `0.2 * sqrt(max(rows, columns))`: steps as large as AdamW's, so that its rates serve.
    MatchRmsAdamw,
}

/// The rule of [`Muon`].
#[derive(Clone)]
pub struct MuonRule {
    momentum: f32,
    nesterov: bool,
    coefficients: [f32; 3],
    iterations: usize,
    eps: f32,
    rate: MuonRate,
    which: Which,
    rest: AdamRule<true>,
    rest_factor: f32,
}

/// The classes: what is made orthogonal, and the rest.
const MATRICES: usize = 0;
const REST: usize = 1;

impl Rule for MuonRule {
    fn moments(&self) -> Vec<Moment> {
        let rest = self.rest.moments().into_iter().map(|m| m.of_class(REST));
        [Moment::new("momentum_buffer").of_class(MATRICES)].into_iter().chain(rest).collect()
    }
    fn class(&self, key: &str, shape: Shape) -> usize {
        if shape.rank() > 1 && (self.which)(key, shape) { MATRICES } else { REST }
    }
    fn hyper(&self, at: Figures) -> [f32; 8] {
        let Figures { lr, weight_decay, .. } = at;
        match at.class {
            MATRICES => MuonHyper { lr, momentum: decimal(self.momentum), nesterov: self.nesterov, weight_decay }.to_array(),
            _ => self.rest.hyper(Figures { lr: lr * decimal(self.rest_factor), ..at }),
        }
    }
    fn launch(&self, on: &Stretch<'_>) {
        if on.class == REST {
            return self.rest.launch(on);
        }
        let direction = ops::muon_momentum(&on.grads, &on.moments[0], on.hyper);
        for (at, [batch, rows, columns]) in batches(&on.shapes) {
            let x = self.orthogonal(&direction.view(at, [batch, rows, columns]));
            let params = on.params.view(at, [batch, rows, columns]);
            ops::muon_step(&params, &x, self.ratio(rows, columns), on.hyper);
        }
    }
}

/// Matrices of one shape that lie without a gap are one batch: where it begins, how many there are, rows, columns.
fn batches(shapes: &[(usize, Shape)]) -> Vec<(usize, [usize; 3])> {
    let mut batches: Vec<(usize, [usize; 3])> = Vec::new();
    for &(at, shape) in shapes.iter().filter(|(_, shape)| !shape.is_empty()) {
        let (rows, columns) = (shape.dim(0), shape.inner(1));
        match batches.last_mut() {
            Some((_, [count, r, c])) if (*r, *c) == (rows, columns) && (rows * columns).is_multiple_of(ALIGN) => *count += 1,
            _ => batches.push((at, [1, rows, columns])),
        }
    }
    batches
}

impl MuonRule {
    /// Matrices (batch, rows, columns) with all singular values near 1. The smaller of the two products with the transpose serves.
    fn orthogonal(&self, x: &Tensor) -> Tensor {
        let [a, b, c] = self.coefficients;
        let is_tall = x.shape().dim(1) > x.shape().dim(2);
        let squares = ops::sum_axes(&ops::mul(x, x), &[1, 2], false);
        let mut x = ops::muon_normalise(x, &squares, self.eps);
        for _ in 0..self.iterations {
            let gram = if is_tall { ops::matmul_ta(&x, &x) } else { ops::matmul_tb(&x, &x) };
            let terms = ops::muon_combine(&gram, b, &ops::matmul(&gram, &gram), c);
            let product = if is_tall { ops::matmul(&x, &terms) } else { ops::matmul(&terms, &x) };
            x = ops::muon_combine(&x, a, &product, 1.0);
        }
        x
    }

    fn ratio(&self, rows: usize, columns: usize) -> f32 {
        let (rows, columns) = (rows as f64, columns as f64);
        match self.rate {
            MuonRate::Original => (rows / columns).max(1.0).sqrt() as f32,
            MuonRate::MatchRmsAdamw => (0.2 * rows.max(columns).sqrt()) as f32,
        }
    }
}

impl Muon {
    /// For the parameters of `net` that are trainable and not frozen, which move into one tensor: Muon for all of rank 2 and more, AdamW at a tenth of the
    /// rate for the rest. Momentum 0.95 with Nesterov's look ahead, five iterations.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(net: &dyn Parameters, lr: f32) -> Self {
        let rule = MuonRule {
            momentum: 0.95,
            nesterov: true,
            coefficients: [3.4445, -4.775, 2.0315],
            iterations: 5,
            eps: 1e-7,
            rate: MuonRate::Original,
            which: Arc::new(|_, _| true),
            rest: AdamRule::default(),
            rest_factor: 0.1,
        };
        Self::of_rule(net, lr, rule)
    }

    /// How much of the mean gradient is kept.
    pub fn momentum(self, momentum: f32) -> Self {
        self.with(|r| r.momentum = momentum)
    }
    /// Looks ahead along the momentum.
    pub fn nesterov(self, nesterov: bool) -> Self {
        self.with(|r| r.nesterov = nesterov)
    }
    /// The coefficients of the polynomial, and how often it is applied. Equivalent of `ns_coefficients` and `ns_steps`.
    pub fn newton_schulz(self, coefficients: [f32; 3], iterations: usize) -> Self {
        self.with(|r| (r.coefficients, r.iterations) = (coefficients, iterations))
    }
    /// The smallest norm that a matrix is divided by.
    pub fn eps(self, eps: f32) -> Self {
        self.with(|r| r.eps = eps)
    }
    /// What a matrix's shape makes of the rate.
    pub fn rate(self, rate: MuonRate) -> Self {
        self.with(|r| r.rate = rate)
    }
    /// Only those matrices and filters that `which` picks by key and shape; AdamW takes the others too.
    ///
    /// # Panics
    /// After the first step.
    #[track_caller]
    pub fn only(self, which: impl Fn(&str, Shape) -> bool + Send + Sync + 'static) -> Self {
        self.with_order(|r| r.which = Arc::new(which))
    }
    /// AdamW's rate, as a part of this one, and its betas.
    pub fn rest(self, lr_factor: f32, beta1: f32, beta2: f32) -> Self {
        self.with(|r| {
            r.rest_factor = lr_factor;
            (r.rest.beta1, r.rest.beta2) = (beta1, beta2);
        })
    }
}
