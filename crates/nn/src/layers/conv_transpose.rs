//! The transposed convolution layers: they enlarge.

use super::filters::Filters;
use super::{Extents, option, padded};
use crate::init::Init;
use crate::module::{Module, Parameters, ShapeError};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;
use gpu_core::ops::{ConvTransposeGeometry, Padding};

/// Transposed convolution with its weights (in, out / groups, taps ..) and bias. Equivalent of `torch.nn.ConvTranspose1d` and
/// `torch.nn.ConvTranspose2d`.
#[derive(Debug)]
pub struct ConvTranspose<const D: usize> {
    filters: Filters<D>,
    geometry: ConvTransposeGeometry<D>,
}

/// Transposed convolution of (N, C, L) with weights (in, out / groups, taps). Equivalent of `torch.nn.ConvTranspose1d`.
pub type ConvTranspose1d = ConvTranspose<1>;

/// Transposed convolution of (N, C, H, W) with weights (in, out / groups, rows, columns). Equivalent of
/// `torch.nn.ConvTranspose2d`.
///
/// ```
/// use gpu_core::Device;
/// use nn::{ConvTranspose2d, Init, Module};
/// let up = ConvTranspose2d::new(&Init::seeded(&Device::Cpu, 0), 64, 32, 4).stride(2).padding(1);
/// assert_eq!(up.out_shape([8, 64, 16, 16].into())?, [8, 32, 32, 32].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
pub type ConvTranspose2d = ConvTranspose<2>;

impl<const D: usize> ConvTranspose<D> {
    /// From `input` channels to `output` channels; stride 1, no padding, no dilation, one group, with a bias.
    pub fn new(cx: &Init, input: usize, output: usize, kernel: impl Into<Extents<D>>) -> Self {
        Self { filters: Filters::new(cx, [input, output], kernel.into(), true), geometry: ConvTransposeGeometry::default() }
    }

    /// Steps from one window to the next, in the output.
    pub fn stride(mut self, stride: impl Into<Extents<D>>) -> Self {
        self.geometry.stride = stride.into().0;
        self
    }

    /// What is cut off the output's edges: one number, one an axis, or one a side.
    pub fn padding(mut self, padding: impl Into<Padding<D>>) -> Self {
        self.geometry.padding = padding.into();
        self
    }

    /// What is added at the output's end.
    pub fn output_padding(mut self, output_padding: impl Into<Extents<D>>) -> Self {
        self.geometry.output_padding = output_padding.into().0;
        self
    }

    /// Steps from one tap to the next.
    pub fn dilation(mut self, dilation: impl Into<Extents<D>>) -> Self {
        self.geometry.dilation = dilation.into().0;
        self
    }

    /// Independent groups of channels. The weights are drawn anew.
    ///
    /// # Panics
    /// If the groups do not divide the channels.
    #[track_caller]
    pub fn groups(self, groups: usize) -> Self {
        let geometry = ConvTransposeGeometry { groups, ..self.geometry };
        Self { filters: self.filters.grouped("ConvTranspose", groups), geometry }
    }

    /// Without a bias.
    pub fn no_bias(mut self) -> Self {
        self.filters.b = None;
        self
    }
}

impl<const D: usize> Parameters for ConvTranspose<D> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        self.filters.visit(path, f);
    }
}

impl<const D: usize> Module for ConvTranspose<D> {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        let Filters { w, b, .. } = &self.filters;
        x.conv_transpose(&w.var(x), b.as_ref().map(|b| b.var(x)).as_ref(), self.geometry)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.geometry.out_shape(input, self.filters.w.shape()).map_err(ShapeError::new)
    }

    fn describe(&self) -> String {
        let ConvTransposeGeometry { stride, padding, output_padding, dilation, .. } = self.geometry;
        let added = option("output pad", output_padding, 0);
        let options = [option("stride", stride, 1), padded(padding), added, option("dilation", dilation, 1)];
        self.filters.describe("ConvTranspose", &options)
    }

    fn multiply_adds(&self, input: Shape) -> u64 {
        // Each input element is spread over one group's taps.
        input.len() as u64 * self.filters.w.shape().inner(1) as u64
    }
}
