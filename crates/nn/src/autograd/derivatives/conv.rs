//! Convolutions. Those of one axis are views of those of two: (N, C, L) is (N, C, 1, L).

use crate::autograd::product::{Factors, alike};
use crate::autograd::var::Var;
use gpu_core::ops::ConvTransposeGeometry;
use gpu_core::ops::{self, Conv1dGeometry, Conv2dGeometry, ConvGeometry, ConvTranspose1dGeometry, ConvTranspose2dGeometry};
use gpu_core::{Shape, Tensor};

impl Var {
    /// 1-D convolution of `self` (N, C, L) with `w` (K, C / groups, R). Equivalent of `torch.nn.functional.conv1d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv1d(&self, w: &Self, b: Option<&Self>, g: Conv1dGeometry) -> Self {
        self.conv(w, b, g)
    }

    /// 2-D convolution of `self` (N, C, H, W) with `w` (K, C / groups, R, S). Equivalent of `torch.nn.functional.conv2d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv2d(&self, w: &Self, b: Option<&Self>, g: Conv2dGeometry) -> Self {
        self.conv(w, b, g)
    }

    /// Transposed 1-D convolution of `self` (N, C, L) with `w` (C, K / groups, R). Equivalent of
    /// `torch.nn.functional.conv_transpose1d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv_transpose1d(&self, w: &Self, b: Option<&Self>, g: ConvTranspose1dGeometry) -> Self {
        self.conv_transpose(w, b, g)
    }

    /// Transposed 2-D convolution of `self` (N, C, H, W) with `w` (C, K / groups, R, S): the gradient of a convolution, as an
    /// operator. Equivalent of `torch.nn.functional.conv_transpose2d`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv_transpose2d(&self, w: &Self, b: Option<&Self>, g: ConvTranspose2dGeometry) -> Self {
        self.conv_transpose(w, b, g)
    }

    #[track_caller]
    pub(crate) fn conv<const D: usize>(&self, w: &Self, b: Option<&Self>, g: ConvGeometry<D>) -> Self {
        let op = ["conv1d", "conv2d"][D - 1];
        let (x, w, out) = self.as_images(w, b, g.out_shape(self.shape(), w.shape()), op);
        let g = g.with_two_axes();
        let is_depthwise = x.shape().c() > 1 && w.shape().dim(1) == 1;
        let factors = if is_depthwise { Factors::as_they_are(&x, &w) } else { Factors::of(&x, &w) };
        let y = factors.held(ops::conv2d(&factors.a, &factors.b, b.map(Self::value), g));
        let bwd_x = move |dy: &Tensor, w: &Tensor, shape| ops::conv2d_bwd_x(dy, w, shape, g);
        let bwd_w = move |x: &Tensor, dy: &Tensor, shape| ops::conv2d_bwd_w(x, dy, shape, g);
        x.convolved(op, (&w, b), y, factors, bwd_x, bwd_w).shaped(out)
    }

    #[track_caller]
    pub(crate) fn conv_transpose<const D: usize>(&self, w: &Self, b: Option<&Self>, g: ConvTransposeGeometry<D>) -> Self {
        let out = g.out_shape(self.shape(), w.shape());
        let op = ["conv_transpose1d", "conv_transpose2d"][D - 1];
        let (x, w, out) = self.as_images(w, b, out, op);
        let g = g.with_two_axes();
        let factors = Factors::of(&x, &w);
        let y = factors.held(ops::conv_transpose2d(&factors.a, &factors.b, b.map(Self::value), g));
        let bwd_x = move |dy: &Tensor, w: &Tensor, shape| ops::conv_transpose2d_bwd_x(dy, w, shape, g);
        let bwd_w = move |x: &Tensor, dy: &Tensor, shape| ops::conv_transpose2d_bwd_w(x, dy, shape, g);
        x.convolved(op, (&w, b), y, factors, bwd_x, bwd_w).shaped(out)
    }

    /// `x` and `w` with two spatial axes, and the output's shape.
    #[track_caller]
    fn as_images(&self, w: &Self, b: Option<&Self>, out: Result<Shape, String>, op: &str) -> (Self, Self, Shape) {
        let out = fits(op, out);
        if let Some(b) = b.map(Self::shape) {
            let (channels, x, w) = (out.c(), self.shape(), w.shape());
            assert!(b == Shape::from([channels]), "{op}: the bias does not fit {channels} channels (x {x}, w {w}, bias {b})");
        }
        (self.with_two_axes(), w.with_two_axes(), out)
    }

    /// The output `y` of a convolution of `self` with `w` and `b`, of these factors, by its gradients (dy, w, shape of x) and (x, dy, shape
    /// of w).
    #[track_caller]
    fn convolved(
        &self,
        op: &'static str,
        (w, b): (&Self, Option<&Self>),
        y: Tensor,
        factors: Factors,
        bwd_x: impl FnOnce(&Tensor, &Tensor, Shape) -> Tensor + Send + 'static,
        bwd_w: impl FnOnce(&Tensor, &Tensor, Shape) -> Tensor + Send + 'static,
    ) -> Self {
        let (x_kept, w_kept) = factors.kept(self, w);
        let (x_shape, w_shape) = (self.shape(), w.shape());
        Self::derived(op, y, [self, w, &self.or_absent(b)], move |dy, needs| {
            let db = needs[2].then(|| ops::add_bias_bwd_b(dy));
            let dy = alike(dy, &x_kept, &w_kept);
            [
                needs[0].then(|| bwd_x(&dy, &w_kept.expect("kept for dx"), x_shape)),
                needs[1].then(|| bwd_w(&x_kept.expect("kept for dw"), &dy, w_shape)),
                db,
            ]
        })
    }

    /// (N, C, L) as (N, C, 1, L); images as they are.
    pub(super) fn with_two_axes(&self) -> Self {
        match self.shape().dims() {
            &[n, c, l] => self.reshape([n, c, 1, l]),
            _ => self.clone(),
        }
    }

    /// This shape, if it is another.
    pub(super) fn shaped(&self, shape: Shape) -> Self {
        if self.shape() == shape { self.clone() } else { self.reshape(shape) }
    }
}

/// The output's shape; a panic that says why where there is none.
#[track_caller]
pub(super) fn fits(op: &str, out: Result<Shape, String>) -> Shape {
    // Not by a closure: it would be the caller.
    match out {
        Ok(shape) => shape,
        Err(why) => panic!("{op}: {why}"),
    }
}
