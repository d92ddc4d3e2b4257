//! Losses of single elements against targets: squares, absolute values, and cross-entropies of two classes.
//!
//! A mean or a sum is one walk over both tensors, in parts that are summed in a fixed order; no tensor of single losses is made.

mod mirrors;
mod params;

use super::reduction::Reduction;
use crate::base::Shape;
use crate::expect;
use crate::kernel::{Grid, Kernel, kernel};
use crate::tensor::Tensor;
use mirrors::{
    pointwise_loss_bwd_target_cpu, pointwise_loss_bwd_x_cpu, pointwise_loss_cpu, pointwise_loss_sum_cpu, pointwise_loss_total_cpu,
};
use params::{Params, kind};

const WGSL: &str = wgsl!("loss.wgsl");
static POINTWISE_LOSS: Kernel = kernel!(WGSL, "pointwise_loss", pointwise_loss_cpu);
static POINTWISE_LOSS_SUM: Kernel = kernel!(WGSL, "pointwise_loss_sum", pointwise_loss_sum_cpu);
static POINTWISE_LOSS_TOTAL: Kernel = kernel!(WGSL, "pointwise_loss_total", pointwise_loss_total_cpu);
static POINTWISE_LOSS_BWD_X: Kernel = kernel!(WGSL, "pointwise_loss_bwd_x", pointwise_loss_bwd_x_cpu);
static POINTWISE_LOSS_BWD_TARGET: Kernel = kernel!(WGSL, "pointwise_loss_bwd_target", pointwise_loss_bwd_target_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] =
    &[&POINTWISE_LOSS, &POINTWISE_LOSS_SUM, &POINTWISE_LOSS_TOTAL, &POINTWISE_LOSS_BWD_X, &POINTWISE_LOSS_BWD_TARGET];

/// A loss of an element `x` against a target `t`, with `d = x - t`.
///
/// Weights are f32 tensors that broadcast to x, with their extents side by side: (C) or (C, 1, 1), but not (N, 1, H, 1).
#[derive(Debug, Clone)]
pub enum PointwiseLoss {
    /// `d^2`: `torch.nn.functional.mse_loss`.
    Mse,
    /// `|d|`: `torch.nn.functional.l1_loss`.
    L1,
    /// `d^2 / (2 beta)` where `|d| < beta`, else `|d| - beta / 2`: `torch.nn.functional.smooth_l1_loss`.
    SmoothL1 {
        /// Where the square ends; 0 makes it [`L1`](Self::L1).
        beta: f32,
    },
    /// `d^2 / 2` where `|d| < delta`, else `delta (|d| - delta / 2)`: `torch.nn.functional.huber_loss`.
    Huber {
        /// Where the square ends; positive.
        delta: f32,
    },
    /// `-w (q t ln p + (1 - t) ln(1 - p))` with `p = sigmoid(x)`: `torch.nn.functional.binary_cross_entropy_with_logits`.
    BceWithLogits {
        /// `w`.
        weight: Option<Tensor>,
        /// `q`, the weight of positive targets: PyTorch's `pos_weight`.
        pos_weight: Option<Tensor>,
    },
    /// `-w (t ln x + (1 - t) ln(1 - x))`, no logarithm below -100: `torch.nn.functional.binary_cross_entropy`.
    Bce {
        /// `w`.
        weight: Option<Tensor>,
    },
    /// `t (ln t - x)` for log-probabilities x: `torch.nn.functional.kl_div`. Its mean is over the elements, as PyTorch's.
    KlDiv {
        /// Whether the targets are log-probabilities too: `exp(t) (t - x)`.
        log_target: bool,
    },
}

impl PointwiseLoss {
    fn kind(&self) -> u32 {
        match self {
            Self::Mse => kind::MSE,
            Self::L1 => kind::L1,
            Self::SmoothL1 { .. } => kind::SMOOTH_L1,
            Self::Huber { .. } => kind::HUBER,
            Self::BceWithLogits { .. } => kind::BCE_WITH_LOGITS,
            Self::Bce { .. } => kind::BCE,
            Self::KlDiv { log_target: false } => kind::KL_DIV,
            Self::KlDiv { log_target: true } => kind::KL_DIV_LOG,
        }
    }

    fn width(&self) -> f32 {
        match *self {
            Self::SmoothL1 { beta } => beta,
            Self::Huber { delta } => delta,
            _ => 0.0,
        }
    }

    /// The weights of elements, and of positive targets.
    fn weights(&self) -> [Option<&Tensor>; 2] {
        match self {
            Self::BceWithLogits { weight, pos_weight } => [weight.as_ref(), pos_weight.as_ref()],
            Self::Bce { weight } => [weight.as_ref(), None],
            _ => [None, None],
        }
    }
}

/// A call that was checked: its parameters, and what is bound for the weights.
struct Call<'a> {
    kind: [(&'static str, u32); 1],
    params: Params,
    inputs: [&'a Tensor; 4],
}

impl<'a> Call<'a> {
    #[track_caller]
    fn new(op: &str, loss: &'a PointwiseLoss, x: &'a Tensor, target: &'a Tensor, reduction: Reduction) -> Self {
        let named = [("x", x), ("target", target)];
        expect::f32s(op, &named);
        expect::one_shape(op, &named);
        let width = loss.width();
        match loss {
            PointwiseLoss::SmoothL1 { .. } => assert!(width >= 0.0, "{op}: beta {width} is negative ({})", expect::shapes(&named)),
            PointwiseLoss::Huber { .. } => assert!(width > 0.0, "{op}: delta {width} is not positive ({})", expect::shapes(&named)),
            _ => {}
        }
        let has_value = !x.is_empty() || reduction != Reduction::Mean;
        assert!(has_value, "{op}: the mean of no elements has no value ({})", expect::shapes(&named));
        let [weight, positive] = loss.weights();
        let (w, q) = (spread(op, "weight", weight, x), spread(op, "pos_weight", positive, x));
        let params = Params {
            len: x.len() as u32,
            part: x.len().div_ceil(4) as u32,
            each: u32::from(reduction == Reduction::None),
            weight_c: w[0],
            weight_inner: w[1],
            positive_c: q[0],
            positive_inner: q[1],
            width,
            scale: if reduction == Reduction::Mean { 1.0 / x.len() as f32 } else { 1.0 },
        };
        Self { kind: [("KIND", loss.kind())], params, inputs: [x, target, weight.unwrap_or(x), positive.unwrap_or(x)] }
    }

    /// The derivative by `kernel`, an invocation for four elements.
    #[track_caller]
    fn bwd(&self, op: &str, kernel: &'static Kernel, reduction: Reduction, dloss: &Tensor) -> Tensor {
        let [x, target, weight, positive] = self.inputs;
        let named = [("x", x), ("dloss", dloss)];
        expect::f32s(op, &named);
        let (fits, wanted) = match reduction {
            Reduction::None => (dloss.shape() == x.shape(), "have the shape of x"),
            _ => (dloss.len() == 1, "be a scalar"),
        };
        assert!(fits, "{op}: dloss must {wanted} ({})", expect::shapes(&named));
        let dx = Tensor::empty(x.device(), x.shape());
        let grid = Grid::linear(x.len().div_ceil(4), 256);
        kernel.with(&self.kind).launch(self.params, &[x, target, weight, positive, dloss], &[&dx], grid);
        dx
    }
}

/// How a weight repeats over x: its elements, and over how many elements of x each holds. 0 elements: there is none.
#[track_caller]
fn spread(op: &str, name: &str, weight: Option<&Tensor>, x: &Tensor) -> [u32; 2] {
    let Some(weight) = weight else { return [0, 1] };
    expect::f32s(op, &[("x", x), (name, weight)]);
    let (of_x, of_w) = (x.shape(), weight.shape());
    let shapes = format!("x {of_x}, {name} {of_w}");
    assert!(of_w.broadcast(of_x) == Some(of_x), "{op}: {name} does not broadcast to x ({shapes})");
    let before = of_x.rank() - of_w.rank();
    let is_held = |axis: usize| axis >= before && of_w.dim(axis - before) != 1;
    let Some(first) = (0..of_x.rank()).find(|&axis| is_held(axis)) else { return [1, 1] };
    let last = (0..of_x.rank()).rfind(|&axis| is_held(axis)).unwrap_or(first);
    let together = (first..=last).all(|axis| is_held(axis) || of_x.dim(axis) == 1);
    assert!(together, "{op}: the extents of {name} must lie side by side ({shapes})");
    [of_w.len() as u32, of_x.inner(last + 1) as u32]
}

/// In how many parts to sum `quads` quads: enough groups to fill a large GPU, enough quads for each to pay for its tree.
fn parts(quads: usize) -> usize {
    quads.div_ceil(1024).clamp(1, 1024)
}

/// `loss` of each element of `x` against `target`, of one shape; a scalar, unless it is not reduced. Equivalent of PyTorch's
/// functions that [`PointwiseLoss`] names, with their `reduction`.
///
/// # Panics
/// If the shapes differ, a tensor does not hold f32, a weight does not fit, or the mean is of no elements.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::{PointwiseLoss, Reduction}};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 5.0]);
/// let target = Tensor::zeros(&Device::Cpu, [2]);
/// assert_eq!(ops::pointwise_loss(&PointwiseLoss::Mse, &x, &target, Reduction::Mean).item()?, 13.0);
/// let huber = PointwiseLoss::Huber { delta: 2.0 };
/// assert_eq!(ops::pointwise_loss(&huber, &x, &target, Reduction::None).to_vec()?, [0.5, 8.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pointwise_loss(loss: &PointwiseLoss, x: &Tensor, target: &Tensor, reduction: Reduction) -> Tensor {
    let Call { kind, params, inputs } = Call::new("pointwise_loss", loss, x, target, reduction);
    let quads = x.len().div_ceil(4);
    if reduction == Reduction::None {
        let y = Tensor::empty(x.device(), x.shape());
        POINTWISE_LOSS.with(&kind).launch(params, &inputs, &[&y], Grid::linear(quads, 256));
        return y;
    }
    if x.is_empty() {
        return Tensor::zeros(x.device(), Shape::SCALAR);
    }
    let (y, part) = (Tensor::empty(x.device(), Shape::SCALAR), quads.div_ceil(parts(quads)));
    let parts = quads.div_ceil(part);
    let sums = if parts == 1 { y.clone() } else { Tensor::empty(x.device(), [parts]) };
    let first = Params { part: part as u32, scale: if parts == 1 { params.scale } else { 1.0 }, ..params };
    POINTWISE_LOSS_SUM.with(&kind).launch(first, &inputs, &[&sums], Grid::folded(parts).trips(part.div_ceil(256) + 8));
    if parts > 1 {
        // One pipeline for every loss: it only adds.
        let total = Params { len: parts as u32, ..params };
        POINTWISE_LOSS_TOTAL.with(&[("KIND", kind::MSE)]).launch(total, &[&sums], &[&y], Grid::folded(1).trips(4 + 8));
    }
    y
}

/// The gradient of [`pointwise_loss`] to `x`; `dloss` is a scalar, or has the shape of `x` where the loss is not reduced.
/// Equivalent of `loss.backward(dloss)`.
///
/// # Panics
/// As [`pointwise_loss`], and if `dloss` does not fit.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::{PointwiseLoss, Reduction}};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 5.0]);
/// let (target, dloss) = (Tensor::zeros(&Device::Cpu, [2]), Tensor::scalar(&Device::Cpu, 1.0));
/// let dx = ops::pointwise_loss_bwd_x(&PointwiseLoss::Mse, &x, &target, Reduction::Mean, &dloss);
/// assert_eq!(dx.to_vec()?, [1.0, 5.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pointwise_loss_bwd_x(loss: &PointwiseLoss, x: &Tensor, target: &Tensor, reduction: Reduction, dloss: &Tensor) -> Tensor {
    const OP: &str = "pointwise_loss_bwd_x";
    Call::new(OP, loss, x, target, reduction).bwd(OP, &POINTWISE_LOSS_BWD_X, reduction, dloss)
}

/// The gradient of [`pointwise_loss`] to `target`. Equivalent of `loss.backward(dloss)`.
///
/// # Panics
/// As [`pointwise_loss_bwd_x`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::{PointwiseLoss, Reduction}};
/// let x = Tensor::from_slice(&Device::Cpu, [2], &[1.0f32, 5.0]);
/// let (target, dloss) = (Tensor::zeros(&Device::Cpu, [2]), Tensor::scalar(&Device::Cpu, 1.0));
/// let dtarget = ops::pointwise_loss_bwd_target(&PointwiseLoss::L1, &x, &target, Reduction::Sum, &dloss);
/// assert_eq!(dtarget.to_vec()?, [-1.0, -1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pointwise_loss_bwd_target(
    loss: &PointwiseLoss,
    x: &Tensor,
    target: &Tensor,
    reduction: Reduction,
    dloss: &Tensor,
) -> Tensor {
    const OP: &str = "pointwise_loss_bwd_target";
    Call::new(OP, loss, x, target, reduction).bwd(OP, &POINTWISE_LOSS_BWD_TARGET, reduction, dloss)
}
