//! What Muon adds to matrix products (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024): its
//! momentum, the norm that the iteration starts from, the terms of its polynomial, and the step.
//!
//! `m += (1 - momentum) * (g - m)`; the direction is `m`, or with Nesterov's momentum `g + momentum * (m - g)`. Each matrix of it is
//! divided by its norm and made nearly orthogonal by `X = a X + (b A + c A^2) X` with `A = X X^T`, five times; then
//! `w -= lr * (weight_decay * w + ratio * X)`. The products are `matmul`'s.

use super::parameters;
use crate::base::Shape;
use crate::expect;
use crate::kernel::{Args, Grid, Kernel};
use crate::mirror;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = wgsl!("muon.wgsl");
static MUON_MOMENTUM: Kernel = Kernel::new_trusted(WGSL, "muon_momentum", muon_momentum_cpu);
static MUON_NORMALISE: Kernel = Kernel::new_trusted(WGSL, "muon_normalise", muon_normalise_cpu);
static MUON_COMBINE: Kernel = Kernel::new_trusted(WGSL, "muon_combine", muon_combine_cpu);
static MUON_STEP: Kernel = Kernel::new_trusted(WGSL, "muon_step", muon_step_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&MUON_MOMENTUM, &MUON_NORMALISE, &MUON_COMBINE, &MUON_STEP];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    each: u32,
    p: f32,
    q: f32,
}

/// The figures of [`muon_momentum`] and [`muon_step`], PyTorch's names; the default is PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MuonHyper {
    /// Learning rate.
    pub lr: f64,
    /// What is kept of the mean gradient.
    pub momentum: f64,
    /// Whether the direction looks ahead.
    pub nesterov: bool,
    /// Weight decay, which shrinks the weights.
    pub weight_decay: f64,
}

impl Default for MuonHyper {
    fn default() -> Self {
        Self { lr: 1e-3, momentum: 0.95, nesterov: true, weight_decay: 0.1 }
    }
}

impl MuonHyper {
    /// What the kernels read: lr, 1 - momentum, momentum (Nesterov) or -1, lr * decay, and four zeros.
    pub fn to_array(self) -> [f32; 8] {
        let Self { lr, momentum, nesterov, weight_decay } = self;
        let ahead = if nesterov { momentum } else { -1.0 };
        [lr, 1.0 - momentum, ahead, lr * weight_decay, 0.0, 0.0, 0.0, 0.0].map(|v| v as f32)
    }
}

fn muon_momentum_cpu(args: &mut Args<'_>) {
    let (grads, hyper) = (args.input::<f32>(0), args.input::<f32>(1));
    let (y, state) = (args.output::<f32>(0), args.output::<f32>(1));
    let &[_, fresh, ahead, ..] = hyper else { unreachable!("muon_momentum checks the length") };
    let jobs = y.par_chunks_mut(parameters::JOB).zip(state.par_chunks_mut(parameters::JOB)).zip(grads.par_chunks(parameters::JOB));
    jobs.run(|((y, state), grads)| {
        for ((y, m), g) in y.iter_mut().zip(state).zip(grads) {
            *m += (g - *m) * fresh;
            *y = if ahead > 0.0 { g + (*m - g) * ahead } else { *m };
        }
    });
}

fn muon_normalise_cpu(args: &mut Args<'_>) {
    let Params { each, p: eps, .. } = args.params();
    let (x, squares, y) = (args.input::<f32>(0), args.input::<f32>(1), args.output::<f32>(0));
    let matrices = y.par_chunks_mut(each as usize).zip(x.par_chunks(each as usize)).zip(squares);
    matrices.run(|((y, x), square)| {
        let norm = square.sqrt().max(eps);
        y.iter_mut().zip(x).for_each(|(y, x)| *y = x / norm);
    });
}

fn muon_combine_cpu(args: &mut Args<'_>) {
    let Params { p, q, .. } = args.params();
    mirror::zip_map(args.input(0), args.input(1), args.output(0), |a: f32, b: f32| p * a + q * b);
}

fn muon_step_cpu(args: &mut Args<'_>) {
    let ratio = args.params::<Params>().p;
    let (x, hyper, weights) = (args.input::<f32>(0), args.input::<f32>(1), args.output::<f32>(0));
    let &[lr, _, _, shrink, ..] = hyper else { unreachable!("muon_step checks the length") };
    weights.par_chunks_mut(parameters::JOB).zip(x.par_chunks(parameters::JOB)).run(|(weights, x)| {
        weights.iter_mut().zip(x).for_each(|(w, x)| *w = *w - shrink * *w - (lr * ratio) * x);
    });
}

/// Brings the momentum up to date in place and gives the direction, which is to be made orthogonal; `hyper` is
/// [`MuonHyper::to_array`]. The first part of `torch.optim.Muon`.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::MuonHyper};
/// let (g, m) = (Tensor::full(&Device::Cpu, [2], 8.0), Tensor::zeros(&Device::Cpu, [2]));
/// let hyper = MuonHyper { momentum: 0.75, ..MuonHyper::default() }.to_array();
/// let direction = ops::muon_momentum(&g, &m, &Tensor::from_slice(&Device::Cpu, [8], &hyper));
/// assert_eq!((m.to_vec()?, direction.to_vec()?), (vec![2.0; 2], vec![3.5; 2]));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn muon_momentum(grads: &Tensor, momentum_buf: &Tensor, hyper: &Tensor) -> Tensor {
    parameters::expect("muon_momentum", grads, &[("momentum_buf", momentum_buf)]);
    parameters::expect_hyper("muon_momentum", grads, hyper);
    let y = Tensor::empty(grads.device(), grads.shape());
    let params = Params { len: grads.len() as u32, ..Params::zeroed() };
    MUON_MOMENTUM.launch(params, &[grads, hyper], &[&y, momentum_buf], parameters::grid(grads));
    y
}

/// Matrices (batch, rows, columns), each divided by `max(sqrt(its sum of squares), eps)`; `squares` is (batch). Where the iteration
/// of `torch.optim.Muon` begins.
///
/// # Panics
/// If shapes or types do not fit.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let x = Tensor::full(&Device::Cpu, [1, 2, 2], 3.0);
/// let y = ops::muon_normalise(&x, &Tensor::full(&Device::Cpu, [1], 36.0), 1e-7);
/// assert_eq!(y.to_vec()?, [0.5; 4]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn muon_normalise(x: &Tensor, squares: &Tensor, eps: f32) -> Tensor {
    expect::f32s("muon_normalise", &[("x", x), ("squares", squares)]);
    let fits = x.shape().rank() == 3 && squares.shape() == Shape::from([x.shape().dim(0)]);
    assert!(fits, "muon_normalise: (batch, rows, columns) and (batch) are wanted (x {}, squares {})", x.shape(), squares.shape());
    let y = Tensor::empty(x.device(), x.shape());
    let params = Params { len: x.len() as u32, each: x.shape().inner(1).max(1) as u32, p: eps, q: 0.0 };
    MUON_NORMALISE.launch(params, &[x, squares], &[&y], Grid::linear(x.len(), 256));
    y
}

/// `p * x + q * y` for equal shapes: the terms of the polynomial. `torch.addmm` adds them within the product.
///
/// # Panics
/// If shapes or types do not fit.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (x, y) = (Tensor::full(&Device::Cpu, [2], 3.0), Tensor::full(&Device::Cpu, [2], 5.0));
/// assert_eq!(ops::muon_combine(&x, 2.0, &y, -1.0).to_vec()?, [1.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn muon_combine(x: &Tensor, p: f32, y: &Tensor, q: f32) -> Tensor {
    expect::f32s("muon_combine", &[("x", x), ("y", y)]);
    expect::one_shape("muon_combine", &[("x", x), ("y", y)]);
    let out = Tensor::empty(x.device(), x.shape());
    MUON_COMBINE.launch(Params { len: x.len() as u32, each: 0, p, q }, &[x, y], &[&out], parameters::grid(x));
    out
}

/// `params -= lr * (weight_decay * params + ratio * x)`, in place, where `x` is the orthogonal direction and `ratio` what its shape
/// makes of the learning rate; `hyper` is [`MuonHyper::to_array`]. The last part of `torch.optim.Muon`.
///
/// # Panics
/// If lengths or types do not fit, or if parameters share memory that they must not.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, ops::MuonHyper};
/// let (w, x) = (Tensor::full(&Device::Cpu, [2], 1.0), Tensor::full(&Device::Cpu, [2], 0.5));
/// let hyper = MuonHyper { lr: 0.5, weight_decay: 0.25, ..MuonHyper::default() }.to_array();
/// ops::muon_step(&w, &x, 2.0, &Tensor::from_slice(&Device::Cpu, [8], &hyper));
/// assert_eq!(w.to_vec()?, [0.375, 0.375]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn muon_step(params: &Tensor, x: &Tensor, ratio: f32, hyper: &Tensor) {
    parameters::expect("muon_step", params, &[("x", x)]);
    parameters::expect_hyper("muon_step", params, hyper);
    let p = Params { len: params.len() as u32, each: 0, p: ratio, q: 0.0 };
    MUON_STEP.launch(p, &[x, hyper], &[params], parameters::grid(params));
}
