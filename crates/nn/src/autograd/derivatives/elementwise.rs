//! Pairs element by element, with broadcasting; choices; shapes.

use crate::autograd::var::Var;
use gpu_core::{Shape, Tensor, ops};

/// The gradient of a broadcast input: what was repeated is summed.
fn unbroadcast(dy: &Tensor, shape: Shape) -> Tensor {
    if dy.shape() == shape { dy.clone() } else { ops::sum_to(dy, shape) }
}

impl Var {
    /// This value, if the gradient of `other` will ask for it: a product keeps a factor only for the other's sake.
    fn kept_for(&self, other: &Self) -> Option<Tensor> {
        other.needs_gradient().then(|| self.value().clone())
    }

    /// `a + b`, broadcasting. Equivalent of `torch.add`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn add(&self, b: &Self) -> Self {
        let y = ops::add(self.value(), b.value());
        let (a_shape, b_shape) = (self.shape(), b.shape());
        Self::derived("add", y, [self, b], move |dy, needs| {
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
        Self::derived("sub", y, [self, b], move |dy, needs| {
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
        Self::derived("mul", y, [self, b], move |dy, needs| {
            [
                needs[0].then(|| unbroadcast(&ops::mul(dy, &b_kept.expect("kept for da")), a_shape)),
                needs[1].then(|| unbroadcast(&ops::mul(dy, &a_kept.expect("kept for db")), b_shape)),
            ]
        })
    }

    /// `a / b`, broadcasting. Equivalent of `torch.div`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn div(&self, b: &Self) -> Self {
        let y = ops::div(self.value(), b.value());
        let (a_shape, b_shape) = (self.shape(), b.shape());
        let (a_kept, b_kept) = (self.kept_for(b), b.value().clone());
        Self::derived("div", y, [self, b], move |dy, needs| {
            [
                needs[0].then(|| unbroadcast(&ops::div(dy, &b_kept), a_shape)),
                needs[1].then(|| unbroadcast(&ops::div_bwd_b(&a_kept.expect("kept for db"), &b_kept, dy), b_shape)),
            ]
        })
    }

    /// The larger of `a` and `b`, broadcasting; the gradient of a tie is split evenly. Equivalent of `torch.maximum`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, b: &Self) -> Self {
        self.extremum("maximum", b, ops::maximum, ops::maximum_bwd_a)
    }

    /// The smaller of `a` and `b`, broadcasting; the gradient of a tie is split evenly. Equivalent of `torch.minimum`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, b: &Self) -> Self {
        self.extremum("minimum", b, ops::minimum, ops::minimum_bwd_a)
    }

    #[track_caller]
    fn extremum(
        &self,
        op: &'static str,
        b: &Self,
        forward: fn(&Tensor, &Tensor) -> Tensor,
        backward: fn(&Tensor, &Tensor, &Tensor) -> Tensor,
    ) -> Self {
        let (a_kept, b_kept) = (self.value().clone(), b.value().clone());
        Self::derived(op, forward(&a_kept, &b_kept), [self, b], move |dy, needs| {
            [
                needs[0].then(|| unbroadcast(&backward(&a_kept, &b_kept, dy), a_kept.shape())),
                needs[1].then(|| unbroadcast(&backward(&b_kept, &a_kept, dy), b_kept.shape())),
            ]
        })
    }

    /// `a` to the power of `b`, broadcasting; at 0 the gradients are PyTorch's. Equivalent of `torch.pow`.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn pow(&self, b: &Self) -> Self {
        let (a_kept, b_kept) = (self.value().clone(), b.value().clone());
        Self::derived("pow", ops::pow(&a_kept, &b_kept), [self, b], move |dy, needs| {
            [
                needs[0].then(|| unbroadcast(&ops::pow_bwd_a(&a_kept, &b_kept, dy), a_kept.shape())),
                needs[1].then(|| unbroadcast(&ops::pow_bwd_b(&a_kept, &b_kept, dy), b_kept.shape())),
            ]
        })
    }

    /// `a` where `cond` (bool) holds, `b` elsewhere, all three broadcasting. Equivalent of `torch.where`.
    ///
    /// # Panics
    /// If the shapes do not broadcast, or `cond` does not hold bool.
    #[track_caller]
    pub fn where_(cond: &Tensor, a: &Self, b: &Self) -> Self {
        let y = ops::where_(cond, a.value(), b.value());
        let (cond, a_shape, b_shape) = (cond.clone(), a.shape(), b.shape());
        Self::derived("where_", y, [a, b], move |dy, needs| {
            let zero = Tensor::zeros(dy.device(), Shape::SCALAR);
            [
                needs[0].then(|| unbroadcast(&ops::where_(&cond, dy, &zero), a_shape)),
                needs[1].then(|| unbroadcast(&ops::where_(&cond, &zero, dy), b_shape)),
            ]
        })
    }

    /// `x * factor`.
    /// Equivalent of `torch.mul(x, factor)`.
    ///
    /// # Panics
    /// If the tensor does not hold f32.
    #[track_caller]
    pub fn scale(&self, factor: f32) -> Self {
        let y = ops::scale(self.value(), factor);
        Self::derived("scale", y, [self], move |dy, _| [Some(ops::scale(dy, factor))])
    }

    /// The same values under another shape.
    /// Equivalent of `torch.reshape`.
    ///
    /// # Panics
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        let before = self.shape();
        Self::derived("reshape", self.stored().reshape(shape), [self], move |dy, _| [Some(dy.reshape(before))])
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
