//! The parameters of a convolution: what the layer and the transposed layer share.

use super::{Extents, extents};
use crate::init::Init;
use crate::module::join;
use crate::param::Param;
use gpu_core::Shape;
use gpu_core::rng::Stream;

/// Weights and bias, and how they were drawn.
#[derive(Debug)]
pub(super) struct Filters<const D: usize> {
    cx: Init,
    streams: [Stream; 2],
    channels: [usize; 2],
    pub kernel: [usize; D],
    groups: usize,
    transposed: bool,
    pub w: Param,
    pub b: Option<Param>,
}

impl<const D: usize> Filters<D> {
    pub fn new(cx: &Init, channels: [usize; 2], kernel: Extents<D>, transposed: bool) -> Self {
        let streams = [cx.stream(), cx.stream()];
        Self::draw(cx.clone(), streams, channels, kernel.0, 1, transposed)
    }

    fn draw(cx: Init, streams: [Stream; 2], channels: [usize; 2], kernel: [usize; D], groups: usize, transposed: bool) -> Self {
        let [input, output] = channels;
        let [rows, columns] = if transposed { [input, output / groups] } else { [output, input / groups] };
        let shape = Shape::new(&[&[rows, columns], &kernel[..]].concat());
        // PyTorch counts axis 1 of the weights as the inputs, of transposed ones too.
        let fan_in = shape.inner(1);
        let w = cx.weights(streams[0], shape, fan_in, rows * shape.inner(2));
        let b = Some(cx.bias(streams[1], output, fan_in));
        Self { cx, streams, channels, kernel, groups, transposed, w, b }
    }

    /// The same in so many groups, drawn anew.
    #[track_caller]
    pub fn grouped(self, name: &str, groups: usize) -> Self {
        let [input, output] = self.channels;
        let divides = groups > 0 && input.is_multiple_of(groups) && output.is_multiple_of(groups);
        assert!(divides, "{name}{D}d: {groups} groups do not divide {input} and {output} channels");
        if groups == self.groups {
            return self;
        }
        let drawn = Self::draw(self.cx, self.streams, self.channels, self.kernel, groups, self.transposed);
        Self { b: self.b.and(drawn.b), ..drawn }
    }

    pub fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        f(&join(path, "weight"), &self.w);
        if let Some(b) = &self.b {
            f(&join(path, "bias"), b);
        }
    }

    /// The kind with its extents, the options that differ from the defaults, and the groups.
    pub fn describe(&self, name: &str, options: &[String]) -> String {
        let groups = if self.groups == 1 { String::new() } else { format!(", groups {}", self.groups) };
        let [input, output] = self.channels;
        format!("{name}{D}d {} {input}>{output}{}{groups}", extents(self.kernel), options.concat())
    }
}
