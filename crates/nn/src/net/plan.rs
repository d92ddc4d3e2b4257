//! What a layer is for one input: how it is put down, and what is read from it.

use super::{AnyLayer, Child, Layer, Plan, Role, Wanted};
use crate::autograd::join;
use crate::init::Fill;
use crate::module::{LayerReport, ShapeError};
use gpu_core::Shape;

/// Elements of one weight or of one batch's activation.
const MAX_ELEMENTS: usize = 1 << 31;

impl Plan {
    /// A layer without parameters that gives `output`; `description` is its kind and its options in a few words, for summaries.
    pub fn new(description: impl Into<String>, output: impl Into<Shape>) -> Self {
        let (description, output) = (description.into(), output.into());
        Self { description, output, multiply_adds: 0, listed: true, untrainable: None, wanted: Vec::new(), children: Vec::new() }
    }

    /// With a parameter that is learned. Parameters are made in the order in which they are asked for, and shown in that order.
    pub fn param(self, name: &'static str, shape: impl Into<Shape>, fill: Fill) -> Self {
        self.with(name, shape, fill, Role::Trained)
    }

    /// With a `weight` filled by the [`Scheme`](crate::Scheme) of the [`Init`](crate::Init).
    pub fn weight(self, shape: impl Into<Shape>) -> Self {
        self.param("weight", shape, Fill::Weights)
    }

    /// With a `bias` of `len` elements for outputs that are each a sum of `fan_in` products. Where it is not `wanted` there is none, but
    /// the layers behind get the same weights as if there were.
    pub fn bias(self, wanted: bool, len: usize, fan_in: usize) -> Self {
        let role = if wanted { Role::Trained } else { Role::Absent };
        self.with("bias", [len], Fill::Bias { fan_in }, role)
    }

    /// With a tensor that is saved with the network and not learned.
    pub fn buffer(self, name: &'static str, shape: impl Into<Shape>, fill: Fill) -> Self {
        self.with(name, shape, fill, Role::Buffer)
    }

    /// With a tensor that has `value` everywhere, for good: it is not in the state dict.
    pub fn constant(self, name: &'static str, shape: impl Into<Shape>, value: f32) -> Self {
        self.with(name, shape, Fill::Constant(value), Role::Constant)
    }

    fn with(mut self, name: &'static str, shape: impl Into<Shape>, fill: Fill, role: Role) -> Self {
        self.wanted.push(Wanted { name, shape: shape.into(), fill, role });
        self
    }

    /// With this many multiplications followed by an addition.
    pub fn multiply_adds(self, multiply_adds: u64) -> Self {
        Self { multiply_adds, ..self }
    }

    /// Adds a layer inside this one, whose keys begin with `name`, for an input of shape `input`; and says what it gives.
    ///
    /// # Errors
    /// If it does not fit, with its path.
    pub fn child(&mut self, name: impl Into<String>, layer: impl Layer, input: Shape) -> Result<Shape, ShapeError> {
        let (name, layer) = (name.into(), AnyLayer::new(layer));
        let plan = layer.plan(input).map_err(|e| e.at(&name))?;
        let output = plan.output;
        self.children.push(Child { name, input, layer, plan });
        Ok(output)
    }

    /// With another output: what a container gives is known after its children.
    pub fn gives(self, output: impl Into<Shape>) -> Self {
        Self { output: output.into(), ..self }
    }

    /// With what stands in the way of training on such an input, where an evaluation would do: statistics of one value.
    pub fn untrainable(self, why: &'static str) -> Self {
        Self { untrainable: Some(why), ..self }
    }

    /// Without a line of its own in summaries, where its children have theirs.
    pub fn unlisted(self) -> Self {
        Self { listed: false, ..self }
    }

    /// The shape that comes out.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// Elements of all trainable parameters, those of the children too.
    pub fn parameters(&self) -> u64 {
        self.own_parameters() + self.children.iter().map(|child| child.plan.parameters()).sum::<u64>()
    }

    fn own_parameters(&self) -> u64 {
        self.wanted.iter().filter(|w| w.role == Role::Trained).map(|w| w.shape.len() as u64).sum()
    }

    /// Shows `report` every layer that the input passes, in order, each with its path.
    pub(crate) fn report(&self, path: &str, report: &mut dyn FnMut(LayerReport)) {
        for child in &self.children {
            child.plan.report(&join(path, &child.name), report);
        }
        if self.listed {
            report(LayerReport {
                path: path.to_owned(),
                layer: self.description.clone(),
                output: self.output,
                parameters: self.own_parameters() as usize,
                multiply_adds: self.multiply_adds,
            });
        }
    }

    /// The same, unless a tensor is larger than anyone means it to be.
    pub(super) fn of_sensible_size(self) -> Result<Self, ShapeError> {
        sensible("an output", self.output)?;
        self.wanted.iter().try_for_each(|w| sensible(&format!("`{}`", w.name), w.shape))?;
        Ok(self)
    }
}

/// That `what` is not larger than anyone means it to be.
pub(super) fn sensible(what: &str, shape: Shape) -> Result<(), ShapeError> {
    match shape.checked_len() {
        Some(len) if len <= MAX_ELEMENTS => Ok(()),
        _ => Err(ShapeError::new(format!("{what} of shape {shape} is too large"))),
    }
}
