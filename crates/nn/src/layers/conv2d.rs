//! The convolution layer.

use super::{Pair, both, option};
use crate::init::Init;
use crate::module::{Module, ShapeError, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;
use gpu_core::ops::Conv2dGeometry;
use gpu_core::rng::Stream;

/// 2-D convolution with its weights (out, in / groups, rows, columns) and bias. Equivalent of `torch.nn.Conv2d`.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Conv2d, Init, Module};
/// let cx = Init::seeded(&Device::Cpu, 0);
/// let conv = Conv2d::new(&cx, 3, 32, 3).stride(2).padding(1).no_bias();
/// assert_eq!(conv.out_shape([8, 3, 32, 32].into())?, [8, 32, 16, 16].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
#[derive(Debug)]
pub struct Conv2d {
    cx: Init,
    streams: [Stream; 2],
    channels: [usize; 2],
    kernel: [usize; 2],
    geometry: Conv2dGeometry,
    w: Param,
    b: Option<Param>,
}

impl Conv2d {
    /// From `input` channels to `output` channels; stride 1, no padding, no dilation, one group, with a bias.
    pub fn new(cx: &Init, input: usize, output: usize, kernel: impl Into<Pair>) -> Self {
        let streams = [cx.stream(), cx.stream()];
        Self::make(cx.clone(), streams, [input, output], kernel.into().0, Conv2dGeometry::default(), true)
    }

    fn make(
        cx: Init,
        streams: [Stream; 2],
        channels: [usize; 2],
        kernel: [usize; 2],
        geometry: Conv2dGeometry,
        bias: bool,
    ) -> Self {
        let [input, output] = channels;
        let (area, groups) = (kernel[0] * kernel[1], geometry.groups);
        let shape = Shape::from([output, input / groups, kernel[0], kernel[1]]);
        let fan_in = input / groups * area;
        let w = cx.weights(streams[0], shape, fan_in, output * area);
        let b = bias.then(|| cx.bias(streams[1], output, fan_in));
        Self { cx, streams, channels, kernel, geometry, w, b }
    }

    /// Pixels from one window to the next.
    pub fn stride(mut self, stride: impl Into<Pair>) -> Self {
        self.geometry.stride = stride.into().0;
        self
    }

    /// Zeros around the image.
    pub fn padding(mut self, padding: impl Into<Pair>) -> Self {
        self.geometry.padding = padding.into().0;
        self
    }

    /// Pixels from one tap to the next.
    pub fn dilation(mut self, dilation: impl Into<Pair>) -> Self {
        self.geometry.dilation = dilation.into().0;
        self
    }

    /// Independent groups of channels; as many as input channels make it depthwise. The weights are drawn anew.
    ///
    /// # Panics
    /// If the groups do not divide the channels.
    #[track_caller]
    pub fn groups(self, groups: usize) -> Self {
        let [input, output] = self.channels;
        let divides = groups > 0 && input.is_multiple_of(groups) && output.is_multiple_of(groups);
        assert!(divides, "Conv2d: {groups} groups do not divide {input} and {output} channels");
        if groups == self.geometry.groups {
            return self;
        }
        let geometry = Conv2dGeometry { groups, ..self.geometry };
        Self::make(self.cx, self.streams, self.channels, self.kernel, geometry, self.b.is_some())
    }

    /// Without a bias: before a normalisation it would do nothing.
    pub fn no_bias(self) -> Self {
        Self { b: None, ..self }
    }
}

impl Module for Conv2d {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.conv2d(&self.w.var(x), self.b.as_ref().map(|b| b.var(x)).as_ref(), self.geometry)
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
        let Conv2dGeometry { stride, padding, dilation, groups } = self.geometry;
        let options = [option("stride", stride, 1), option("pad", padding, 0), option("dilation", dilation, 1)].concat();
        let groups = if groups == 1 { String::new() } else { format!(", groups {groups}") };
        format!("Conv2d {} {}>{}{options}{groups}", both(self.kernel), self.channels[0], self.channels[1])
    }

    fn multiply_adds(&self, input: Shape) -> u64 {
        // Each output element is a sum over one group's taps.
        self.out_shape(input).map_or(0, |y| y.len() as u64 * self.w.shape().inner(1) as u64)
    }
}
