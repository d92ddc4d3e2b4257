//! The convolution layers.

use super::filters::Filters;
use super::{Extents, option, padded};
use crate::init::Init;
use crate::module::{Module, Parameters, ShapeError};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;
use gpu_core::ops::{ConvGeometry, Padding};

/// Convolution with its weights (out, in / groups, taps ..) and bias. Equivalent of `torch.nn.Conv1d` and `torch.nn.Conv2d`.
#[derive(Debug)]
pub struct Conv<const D: usize> {
    filters: Filters<D>,
    geometry: ConvGeometry<D>,
}

/// Convolution of (N, C, L) with weights (out, in / groups, taps). Equivalent of `torch.nn.Conv1d`.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Conv1d, Init, Module};
/// let cx = Init::seeded(&Device::Cpu, 0);
/// let conv = Conv1d::new(&cx, 4, 8, 5).stride(2).padding(2);
/// assert_eq!(conv.out_shape([3, 4, 100].into())?, [3, 8, 50].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
pub type Conv1d = Conv<1>;

/// Convolution of (N, C, H, W) with weights (out, in / groups, rows, columns). Equivalent of `torch.nn.Conv2d`.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Conv2d, Init, Module};
/// let cx = Init::seeded(&Device::Cpu, 0);
/// let conv = Conv2d::new(&cx, 3, 32, 3).stride(2).padding(1).no_bias();
/// assert_eq!(conv.out_shape([8, 3, 32, 32].into())?, [8, 32, 16, 16].into());
/// let wider = Conv2d::new(&cx, 3, 32, 3).padding([0, 1, 2, 3]); // top, bottom, left, right
/// assert_eq!(wider.out_shape([8, 3, 32, 32].into())?, [8, 32, 31, 35].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
pub type Conv2d = Conv<2>;

impl<const D: usize> Conv<D> {
    /// From `input` channels to `output` channels; stride 1, no padding, no dilation, one group, with a bias.
    pub fn new(cx: &Init, input: usize, output: usize, kernel: impl Into<Extents<D>>) -> Self {
        Self { filters: Filters::new(cx, [input, output], kernel.into(), false), geometry: ConvGeometry::default() }
    }

    /// Steps from one window to the next.
    pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
        self.geometry.stride = stride.into().0;
        self
    }

    /// Zeros around the input: one number, one an axis, or one a side.
    pub fn padding(mut self, padding: impl Into<Padding<D>>) -> Self {
        self.geometry.padding = padding.into();
        self
    }

    /// The padding that keeps the extents at stride 1, for the dilation set so far. Equivalent of PyTorch's `padding="same"`.
    pub fn same_padding(mut self) -> Self {
        self.geometry.padding = Padding::same(self.filters.kernel, self.geometry.dilation);
        self
    }

    /// Steps from one tap to the next.
    pub fn dilation(mut self, dilation: impl Into<Extents<D>>) -> Self {
        self.geometry.dilation = dilation.into().0;
        self
    }

    /// Independent groups of channels; as many as input channels make it depthwise. The weights are drawn anew.
    ///
    /// # Panics
    /// If the groups do not divide the channels.
    #[track_caller]
    pub fn groups(self, groups: usize) -> Self {
        Self { filters: self.filters.grouped("Conv", groups), geometry: ConvGeometry { groups, ..self.geometry } }
    }

    /// Without a bias: before a normalisation it would do nothing.
    pub fn no_bias(mut self) -> Self {
        self.filters.b = None;
        self
    }
}

impl<const D: usize> Parameters for Conv<D> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        self.filters.visit(path, f);
    }
}

impl<const D: usize> Module for Conv<D> {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let Filters { w, b, .. } = &self.filters;
        x.conv(&w.var(x), b.as_ref().map(|b| b.var(x)).as_ref(), self.geometry)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.geometry.out_shape(input, self.filters.w.shape()).map_err(ShapeError::new)
    }

    fn describe(&self) -> String {
        let ConvGeometry { stride, padding, dilation, .. } = self.geometry;
        self.filters.describe("Conv", &[option("stride", stride, 1), padded(padding), option("dilation", dilation, 1)])
    }

    fn multiply_adds(&self, input: Shape) -> u64 {
        // Each output element is a sum over one group's taps.
        self.out_shape(input).map_or(0, |y| y.len() as u64 * self.filters.w.shape().inner(1) as u64)
    }
}
