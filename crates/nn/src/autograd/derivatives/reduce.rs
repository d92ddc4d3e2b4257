//! Sums, means, variances and extrema, over all elements or over axes.

use crate::autograd::var::Var;
use gpu_core::{Shape, Tensor, ops};

/// `shape` with the axes left at extent 1.
fn kept(shape: Shape, axes: &[usize]) -> Shape {
    let mut dims = shape.dims().to_vec();
    axes.iter().for_each(|&axis| dims[axis] = 1);
    Shape::new(&dims)
}

/// How many elements make a result.
fn count(shape: Shape, axes: &[usize]) -> usize {
    axes.iter().map(|&axis| shape.dim(axis)).product()
}

type Reduction = fn(&Tensor, &[usize], bool) -> Tensor;

impl Var {
    /// The sum of all elements, a scalar. Equivalent of `torch.sum`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn sum(&self) -> Self {
        let shape = self.shape();
        Self::derived("sum", ops::sum(self.value()), [self], move |dy, _| [Some(ops::spread(dy, shape, 1.0))])
    }

    /// The mean of all elements, a scalar. Equivalent of `torch.mean`.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn mean(&self) -> Self {
        let shape = self.shape();
        let share = 1.0 / shape.len().max(1) as f32;
        Self::derived("mean", ops::mean(self.value()), [self], move |dy, _| [Some(ops::spread(dy, shape, share))])
    }

    /// The sums over `axes`, which are left with extent 1 (`keepdim`) or dropped. Equivalent of `torch.sum(x, dim, keepdim)`.
    ///
    /// # Panics
    /// If there is no such axis, or one is named twice; likewise for the other reductions.
    #[track_caller]
    pub fn sum_axes(&self, axes: &[usize], keepdim: bool) -> Self {
        let y = ops::sum_axes(self.value(), axes, keepdim);
        let (shape, kept) = (self.shape(), kept(self.shape(), axes));
        Self::derived("sum_axes", y, [self], move |dy, _| [Some(ops::spread(&dy.reshape(kept), shape, 1.0))])
    }

    /// The means over `axes`. Equivalent of `torch.mean(x, dim, keepdim)`.
    ///
    /// # Panics
    /// As [`sum_axes`](Self::sum_axes), and if there is nothing to take the mean of.
    #[track_caller]
    pub fn mean_axes(&self, axes: &[usize], keepdim: bool) -> Self {
        let y = ops::mean_axes(self.value(), axes, keepdim);
        let (shape, kept, share) = (self.shape(), kept(self.shape(), axes), 1.0 / count(self.shape(), axes) as f32);
        Self::derived("mean_axes", y, [self], move |dy, _| [Some(ops::spread(&dy.reshape(kept), shape, share))])
    }

    /// The variance over `axes`, squares over their number less `correction`: 0, or 1 for the unbiased one. Equivalent of
    /// `torch.var(x, dim, correction=correction, keepdim=keepdim)`.
    ///
    /// # Panics
    /// As [`sum_axes`](Self::sum_axes), and if there are not more than `correction` elements.
    #[track_caller]
    pub fn var(&self, axes: &[usize], correction: usize, keepdim: bool) -> Self {
        let y = ops::var(self.value(), axes, correction, keepdim);
        let (x, axes) = (self.value().clone(), axes.to_vec());
        Self::derived("var", y, [self], move |dy, _| [Some(var_bwd_x(&x, &axes, correction, dy))])
    }

    /// The root of [`var`](Self::var); where it is 0, no gradient flows. Equivalent of
    /// `torch.std(x, dim, correction=correction, keepdim=keepdim)`.
    ///
    /// # Panics
    /// As [`var`](Self::var).
    #[track_caller]
    pub fn std(&self, axes: &[usize], correction: usize, keepdim: bool) -> Self {
        let y = ops::std(self.value(), axes, correction, keepdim);
        let (x, axes, root) = (self.value().clone(), axes.to_vec(), y.clone());
        Self::derived("std", y, [self], move |dy, _| [Some(var_bwd_x(&x, &axes, correction, &ops::std_bwd_var(&root, dy)))])
    }

    /// The largest over `axes`; the gradient of ties is split evenly. Equivalent of `torch.amax`.
    ///
    /// # Panics
    /// As [`sum_axes`](Self::sum_axes), and if there is nothing to choose from.
    #[track_caller]
    pub fn amax(&self, axes: &[usize], keepdim: bool) -> Self {
        self.extreme("amax", axes, keepdim, ops::amax, ops::amax_ties)
    }

    /// The smallest over `axes`; the gradient of ties is split evenly. Equivalent of `torch.amin`.
    ///
    /// # Panics
    /// As [`amax`](Self::amax).
    #[track_caller]
    pub fn amin(&self, axes: &[usize], keepdim: bool) -> Self {
        self.extreme("amin", axes, keepdim, ops::amin, ops::amin_ties)
    }

    #[track_caller]
    fn extreme(&self, op: &'static str, axes: &[usize], keepdim: bool, forward: Reduction, ties: Reduction) -> Self {
        let y = forward(self.value(), axes, keepdim);
        let (x, axes, kept) = (self.value().clone(), axes.to_vec(), kept(self.shape(), axes));
        let largest = y.reshape(kept);
        Self::derived(op, y, [self], move |dy, _| {
            let share = ops::div(&dy.reshape(kept), &ties(&x, &axes, true));
            [Some(ops::amax_bwd_x(&x, &largest, &share))]
        })
    }

    /// `ln(sum over axes of exp(x))`, without overflow. Equivalent of `torch.logsumexp`.
    ///
    /// # Panics
    /// As [`sum_axes`](Self::sum_axes).
    #[track_caller]
    pub fn logsumexp(&self, axes: &[usize], keepdim: bool) -> Self {
        let y = ops::logsumexp(self.value(), axes, keepdim);
        let (x, kept) = (self.value().clone(), kept(self.shape(), axes));
        let total = y.reshape(kept);
        Self::derived("logsumexp", y, [self], move |dy, _| [Some(ops::logsumexp_bwd_x(&x, &total, &dy.reshape(kept)))])
    }
}

fn var_bwd_x(x: &Tensor, axes: &[usize], correction: usize, dy: &Tensor) -> Tensor {
    let factor = 2.0 / (count(x.shape(), axes) - correction) as f32;
    ops::var_bwd_x(x, &ops::mean_axes(x, axes, true), &dy.reshape(kept(x.shape(), axes)), factor)
}
