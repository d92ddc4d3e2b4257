//! Matrix products and biases.

use crate::autograd::product::{Factors, alike};
use crate::autograd::var::Var;
use gpu_core::{Shape, Tensor, ops};

/// A factor as a matrix: a vector is one row on the left, one column on the right.
fn as_matrix(x: &Tensor, vector: [usize; 2]) -> Tensor {
    if x.shape().rank() == 1 { x.reshape(vector) } else { x.clone() }
}

/// All but the last axis as one.
fn as_rows(x: &Tensor) -> Tensor {
    let (shape, last) = (x.shape(), x.shape().rank() - 1);
    x.reshape([shape.outer(last), shape.dim(last)])
}

/// `da = dy b^T`, summed where `a` was repeated.
fn matmul_bwd_a(a: Shape, b: &Tensor, dy: &Tensor) -> Tensor {
    ops::sum_to(&ops::matmul_tb(dy, b), a)
}

/// `db = a^T dy`, summed where `b` was repeated. One matrix for all has one product with a long sum, rather than a sum of products.
fn matmul_bwd_b(a: &Tensor, b: Shape, dy: &Tensor) -> Tensor {
    if b.rank() == 2 { ops::matmul_ta(&as_rows(a), &as_rows(dy)) } else { ops::sum_to(&ops::matmul_ta(a, dy), b) }
}

impl Var {
    /// Matrix product of (.., m, k) and (.., k, n), whose leading axes broadcast; a vector is a row on the left and a column on the
    /// right. Equivalent of `torch.matmul`.
    ///
    /// # Panics
    /// If the inner extents differ, or the leading axes do not broadcast.
    #[track_caller]
    pub fn matmul(&self, b: &Self) -> Self {
        let factors = Factors::of(self, b);
        let y = ops::matmul(&factors.a, &factors.b);
        let (a_shape, b_shape) = (self.shape(), b.shape());
        let k = a_shape.dim(a_shape.rank() - 1);
        // The result's shape before the axes of vectors were dropped.
        let mut dims = y.shape().dims().to_vec();
        if a_shape.rank() == 1 {
            dims.insert(dims.len() - usize::from(b_shape.rank() > 1), 1);
        }
        if b_shape.rank() == 1 {
            dims.push(1);
        }
        let factors = Factors { a: as_matrix(&factors.a, [1, k]), b: as_matrix(&factors.b, [k, 1]) };
        let shapes = [factors.a.shape(), factors.b.shape()];
        let (a_kept, b_kept) = factors.kept(self, b);
        Self::derived("matmul", y, [self, b], move |dy, needs| {
            let dy = alike(&dy.reshape(dims.as_slice()), &a_kept, &b_kept);
            [
                needs[0].then(|| matmul_bwd_a(shapes[0], &b_kept.expect("kept for da"), &dy).reshape(a_shape)),
                needs[1].then(|| matmul_bwd_b(&a_kept.expect("kept for db"), shapes[1], &dy).reshape(b_shape)),
            ]
        })
    }

    /// `self (.., in) w^T + b` with `w` (out, in). Equivalent of `torch.nn.functional.linear`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn linear(&self, w: &Self, b: Option<&Self>) -> Self {
        let factors = Factors::of(self, w);
        let y = ops::matmul_tb(&factors.a, &factors.b);
        let (x_kept, w_kept) = factors.kept(self, w);
        let y = Self::derived("linear", y, [self, w], move |dy, needs| {
            let dy = alike(dy, &x_kept, &w_kept);
            [
                needs[0].then(|| ops::matmul(&dy, &w_kept.expect("kept for dx"))),
                needs[1].then(|| ops::matmul_ta(&as_rows(&dy), &as_rows(&x_kept.expect("kept for dw")))),
            ]
        });
        match b {
            Some(b) if y.shape().rank() == 2 => y.add_bias(b),
            Some(b) => y.add(b),
            None => y,
        }
    }

    /// `self (N, C, ...) + b (C)`.
    /// Equivalent of `x + b.view(1, -1, 1, 1)` in PyTorch.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn add_bias(&self, b: &Self) -> Self {
        let y = ops::add_bias(self.value(), b.value());
        Self::derived("add_bias", y, [self, b], |dy, needs| {
            [needs[0].then(|| dy.clone()), needs[1].then(|| ops::add_bias_bwd_b(dy))]
        })
    }
}
