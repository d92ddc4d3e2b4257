//! Element by element, with broadcasting; sums; shapes.

use crate::var::Var;
use gpu_core::{Shape, Tensor, ops};

/// The gradient of a broadcast input: what was repeated is summed.
fn unbroadcast(dy: &Tensor, shape: Shape) -> Tensor {
    if dy.shape() == shape { dy.clone() } else { ops::sum_to(dy, shape) }
}

impl Var {
    /// `a + b`, broadcasting. Equivalent of `torch.add`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn add(&self, b: &Self) -> Self {
        let y = ops::add(self.value(), b.value());
        let (a_shape, b_shape) = (self.shape(), b.shape());
        Self::derived(y, [self, b], move |dy, needs| {
            [needs[0].then(|| unbroadcast(dy, a_shape)), needs[1].then(|| unbroadcast(dy, b_shape))]
        })
    }

    /// `a - b`, broadcasting. Equivalent of `torch.sub`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn sub(&self, b: &Self) -> Self {
        let y = ops::sub(self.value(), b.value());
        let (a_shape, b_shape) = (self.shape(), b.shape());
        Self::derived(y, [self, b], move |dy, needs| {
            [needs[0].then(|| unbroadcast(dy, a_shape)), needs[1].then(|| unbroadcast(&ops::scale(dy, -1.0), b_shape))]
        })
    }

    /// `a * b`, broadcasting. Equivalent of `torch.mul`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn mul(&self, b: &Self) -> Self {
        let y = ops::mul(self.value(), b.value());
        let (a_shape, b_shape) = (self.shape(), b.shape());
        let (a_kept, b_kept) = (self.kept_for(b), b.kept_for(self));
        Self::derived(y, [self, b], move |dy, needs| {
            [
                needs[0].then(|| unbroadcast(&ops::mul(dy, &b_kept.expect("kept for da")), a_shape)),
                needs[1].then(|| unbroadcast(&ops::mul(dy, &a_kept.expect("kept for db")), b_shape)),
            ]
        })
    }

    /// `x * factor`.
    #[track_caller]
    pub fn scale(&self, factor: f32) -> Self {
        let y = ops::scale(self.value(), factor);
        Self::derived(y, [self], move |dy, _| [Some(ops::scale(dy, factor))])
    }

    /// The sum of all elements, a scalar. Equivalent of `torch.sum`.
    #[track_caller]
    pub fn sum(&self) -> Self {
        let shape = self.shape();
        Self::derived(ops::sum(self.value()), [self], move |dy, _| [Some(spread(dy, shape, 1.0))])
    }

    /// The mean of all elements, a scalar. Equivalent of `torch.mean`.
    #[track_caller]
    pub fn mean(&self) -> Self {
        let shape = self.shape();
        let weight = 1.0 / shape.len().max(1) as f32;
        Self::derived(ops::mean(self.value()), [self], move |dy, _| [Some(spread(dy, shape, weight))])
    }

    /// The same values under another shape.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        let before = self.shape();
        Self::derived(self.value().reshape(shape), [self], move |dy, _| [Some(dy.reshape(before))])
    }

    /// (N, ...) as (N, all the rest). Equivalent of `torch.flatten(x, 1)`.
    ///
    /// # Panics
    /// If it is a scalar.
    #[track_caller]
    pub fn flatten(&self) -> Self {
        self.reshape([self.shape().n(), self.shape().inner(1)])
    }
}

/// One value everywhere, times `weight`.
fn spread(dy: &Tensor, shape: Shape, weight: f32) -> Tensor {
    ops::mul(&Tensor::full(dy.device(), shape, weight), dy)
}
