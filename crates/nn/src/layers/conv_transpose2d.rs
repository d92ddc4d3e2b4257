//! The transposed convolution layer: it enlarges images.

use super::{Pair, both, option};
use crate::init::Init;
use crate::module::{Module, ShapeError, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;
use gpu_core::ops::ConvTranspose2dGeometry;
use gpu_core::rng::Stream;

/// Transposed 2-D convolution with its weights (in, out / groups, rows, columns) and bias. Equivalent of
/// `torch.nn.ConvTranspose2d`.
#[derive(Debug)]
pub struct ConvTranspose2d {
    cx: Init,
    streams: [Stream; 2],
    channels: [usize; 2],
    kernel: [usize; 2],
    geometry: ConvTranspose2dGeometry,
    w: Param,
    b: Option<Param>,
}

impl ConvTranspose2d {
    /// From `input` channels to `output` channels; stride 1, no padding, one group, with a bias.
    pub fn new(cx: &Init, input: usize, output: usize, kernel: impl Into<Pair>) -> Self {
        let streams = [cx.stream(), cx.stream()];
        let geometry = ConvTranspose2dGeometry::default();
        Self::make(cx.clone(), streams, [input, output], kernel.into().0, geometry, true)
    }

    fn make(
        cx: Init,
        streams: [Stream; 2],
        channels: [usize; 2],
        kernel: [usize; 2],
        geometry: ConvTranspose2dGeometry,
        bias: bool,
    ) -> Self {
        let [input, output] = channels;
        let (area, groups) = (kernel[0] * kernel[1], geometry.groups);
        let shape = Shape::from([input, output / groups, kernel[0], kernel[1]]);
        // PyTorch counts axis 1 of the weights as the inputs here too.
        let fan_in = output / groups * area;
        let w = cx.weights(streams[0], shape, fan_in, input * area);
        let b = bias.then(|| cx.bias(streams[1], output, fan_in));
        Self { cx, streams, channels, kernel, geometry, w, b }
    }

    /// Pixels from one window to the next, in the output.
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        self.geometry.stride = stride.into().0;
        self
    }

    /// Rows and columns cut off the output's edges.
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        self.geometry.padding = padding.into().0;
        self
    }

    /// Rows and columns added at the output's end.
    pub fn output_padding(mut self, output_padding: impl Into<Pair>) -> Self {
        self.geometry.output_padding = output_padding.into().0;
        self
    }

    /// Independent groups of channels. The weights are drawn anew.
    ///
    /// # Panics
    /// If the groups do not divide the channels.
    #[track_caller]
    pub fn groups(self, groups: usize) -> Self {
        let [input, output] = self.channels;
        let divides = groups > 0 && input.is_multiple_of(groups) && output.is_multiple_of(groups);
        assert!(divides, "ConvTranspose2d: {groups} groups do not divide {input} and {output} channels");
        if groups == self.geometry.groups {
            return self;
        }
        let geometry = ConvTranspose2dGeometry { groups, ..self.geometry };
        Self::make(self.cx, self.streams, self.channels, self.kernel, geometry, self.b.is_some())
    }

    /// Without a bias.
    pub fn no_bias(self) -> Self {
        Self { b: None, ..self }
    }
}

impl Module for ConvTranspose2d {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.conv_transpose2d(&self.w.var(x), self.b.as_ref().map(|b| b.var(x)).as_ref(), self.geometry)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.geometry.out_shape(input, self.w.shape()).map_err(ShapeError::new)
    }

    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        f(&join(path, "weight"), &self.w);
        if let Some(b) = &self.b {
            f(&join(path, "bias"), b);
        }
    }

    fn describe(&self) -> String {
        let ConvTranspose2dGeometry { stride, padding, groups, .. } = self.geometry;
        let options = [option("stride", stride, 1), option("pad", padding, 0)].concat();
        let groups = if groups == 1 { String::new() } else { format!(", groups {groups}") };
        format!("ConvTranspose2d {} {}>{}{options}{groups}", both(self.kernel), self.channels[0], self.channels[1])
    }

    fn multiply_adds(&self, input: Shape) -> u64 {
        // Each input element is spread over one group's taps.
        input.len() as u64 * self.w.shape().inner(1) as u64
    }
}
