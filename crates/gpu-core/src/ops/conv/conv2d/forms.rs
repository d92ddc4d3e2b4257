//! The convolution by one of its forms, whatever the device would choose.

use super::gather::{self, Direction};
use super::layout::{Form, Layout};
use super::{Conv2dGeometry, depthwise, expect_dy, expect_forward, half, im2col as columns, weight, wide};
use crate::base::Shape;
use crate::expect;
use crate::tensor::Tensor;

/// The kernels that compute a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conv2dForm {
    /// An implicit product.
    Product(Form),
    /// Columns in memory and a plain product.
    Im2col,
    /// For groups of one input channel.
    Depthwise,
    /// A workgroup for each element.
    Wide,
    /// An implicit product of f16.
    Half(half::Form),
}

impl Conv2dForm {
    fn fits(self, l: &Layout) -> bool {
        match self {
            Self::Product(form) => form.fits(l),
            Self::Im2col => columns::fits(l),
            Self::Depthwise => l.is_depthwise() && depthwise::fits(l),
            Self::Wide | Self::Half(_) => true,
        }
    }

    /// A convolution whose shapes fit, laid out.
    #[track_caller]
    fn layout(self, op: &str, g: Conv2dGeometry, x: Shape, w: Shape, y: Shape) -> Layout {
        let l = Layout::new(g, x, w, y);
        assert!(self.fits(&l), "{op}: {self:?} cannot compute {g:?} (x {x}, w {w})");
        l
    }
}

/// Whether these kernels can compute this convolution.
pub fn conv2d_fits(form: Conv2dForm, x: Shape, w: Shape, g: Conv2dGeometry) -> bool {
    g.out_shape(x, w).is_ok_and(|y| form.fits(&Layout::new(g, x, w, y)))
}

/// [`conv2d`](super::conv2d) by these kernels; explicit columns take no bias.
///
/// # Panics
/// As [`conv2d`](super::conv2d), and if the kernels cannot compute this convolution.
#[track_caller]
pub fn conv2d(form: Conv2dForm, x: &Tensor, w: &Tensor, bias: Option<&Tensor>, g: Conv2dGeometry) -> Tensor {
    const OP: &str = "conv2d";
    let out = expect_forward(OP, x, w, bias, g.out_shape(x.shape(), w.shape()));
    let l = form.layout(OP, g, x.shape(), w.shape(), out);
    let y = Tensor::empty(x.device(), out);
    match form {
        Conv2dForm::Product(form) => gather::launch(&l, Direction::Forward, form, x, w, bias, &y),
        Conv2dForm::Im2col => {
            assert!(bias.is_none(), "{OP}: explicit columns take no bias (x {}, w {})", x.shape(), w.shape());
            columns::forward(&l, x, w, &y);
        }
        Conv2dForm::Depthwise => depthwise::forward(&l, x, w, bias, &y),
        Conv2dForm::Wide => wide::launch(&l, Direction::Forward, x, w, bias, &y),
        Conv2dForm::Half(form) => half::launch(&l, Direction::Forward, form.or_usual(y.device()), x, w, bias, &y),
    }
    y
}

/// [`conv2d_bwd_x`](super::conv2d_bwd_x) by these kernels; with a bias (c), the forward pass of a transposed convolution.
///
/// # Panics
/// As [`conv2d_bwd_x`](super::conv2d_bwd_x), and if the bias does not fit or the kernels cannot compute this convolution.
#[track_caller]
pub fn conv2d_bwd_x(form: Conv2dForm, dy: &Tensor, w: &Tensor, bias: Option<&Tensor>, x_shape: Shape, g: Conv2dGeometry) -> Tensor {
    const OP: &str = "conv2d_bwd_x";
    expect_dy(OP, dy, ("w", w), g.out_shape(x_shape, w.shape()));
    let l = form.layout(OP, g, x_shape, w.shape(), dy.shape());
    if let Some(bias) = bias {
        expect::f32s(OP, &[("bias", bias)]);
        expect::one_device(OP, &[("dy", dy), ("bias", bias)]);
        let fits = bias.shape() == Shape::from([l.c]);
        assert!(fits, "{OP}: the bias does not fit {} channels (x {x_shape}, bias {})", l.c, bias.shape());
    }
    let dx = Tensor::empty(dy.device(), x_shape);
    match form {
        Conv2dForm::Product(form) => gather::launch(&l, Direction::Backward, form, dy, w, bias, &dx),
        Conv2dForm::Im2col => columns::backward_x(&l, dy, w, bias, &dx),
        Conv2dForm::Depthwise => depthwise::backward_x(&l, dy, w, bias, &dx),
        Conv2dForm::Wide => wide::launch(&l, Direction::Backward, dy, w, bias, &dx),
        Conv2dForm::Half(form) => half::launch(&l, Direction::Backward, form.or_usual(dx.device()), dy, w, bias, &dx),
    }
    dx
}

/// [`conv2d_bwd_w`](super::conv2d_bwd_w) by these kernels.
///
/// # Panics
/// As [`conv2d_bwd_w`](super::conv2d_bwd_w), and if the kernels cannot compute this convolution.
#[track_caller]
pub fn conv2d_bwd_w(form: Conv2dForm, x: &Tensor, dy: &Tensor, w_shape: Shape, g: Conv2dGeometry) -> Tensor {
    const OP: &str = "conv2d_bwd_w";
    expect_dy(OP, dy, ("x", x), g.out_shape(x.shape(), w_shape));
    let l = form.layout(OP, g, x.shape(), w_shape, dy.shape());
    let dw = Tensor::empty(x.device(), w_shape);
    match form {
        Conv2dForm::Product(form) => weight::launch(&l, form, x, dy, &dw),
        Conv2dForm::Im2col => columns::backward_w(&l, x, dy, &dw),
        Conv2dForm::Depthwise => depthwise::backward_w(&l, x, dy, &dw),
        Conv2dForm::Wide => wide::backward_w(&l, x, dy, &dw),
        Conv2dForm::Half(form) => half::launch_weight(&l, form.or_usual(dw.device()), x, dy, &dw),
    }
    dw
}

/// The columns (n, c r s, p q) that explicit products multiply. Equivalent of `torch.nn.functional.unfold`.
///
/// # Panics
/// If the shapes do not fit, or `x` does not hold f32.
#[track_caller]
pub fn im2col(x: &Tensor, w_shape: Shape, g: Conv2dGeometry) -> Tensor {
    expect::f32s("im2col", &[("x", x)]);
    let out = expect::fits("im2col", g.out_shape(x.shape(), w_shape));
    columns::im2col(&Layout::new(g, x.shape(), w_shape, out), x)
}
