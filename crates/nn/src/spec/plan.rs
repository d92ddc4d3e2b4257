//! From layers to a network: the shapes first, all of them, then the parameters.
//!
//! A layer is planned for the shape that comes in. What was planned is what is made: nothing is worked out twice.

use super::{Layer, SpecError};
use crate::init::Init;
use crate::layers::Sequential;
use crate::module::{Module, ShapeError, join};
use gpu_core::Shape;

/// Elements of one weight or of one image's activation.
const MAX_ELEMENTS: u128 = 1 << 31;

/// What a layer is planned for.
pub(super) struct Input<'a> {
    /// What comes in, for a batch of one.
    pub shape: Shape,
    path: &'a str,
}

impl Input<'_> {
    /// Channels of an image batch; anything else is refused.
    pub fn image_channels(&self) -> Result<usize, Wrong> {
        match self.shape.rank() {
            4 => Ok(self.shape.c()),
            _ => Err(format!("(N, C, H, W) is expected, {} comes in", self.shape).into()),
        }
    }

    /// Channels, whatever comes after them.
    pub fn channels(&self) -> Result<usize, Wrong> {
        match self.shape.rank() {
            0 | 1 => Err(format!("{} has no channels", self.shape).into()),
            _ => Ok(self.shape.c()),
        }
    }

    /// Features of a batch of vectors.
    pub fn features(&self) -> Result<usize, Wrong> {
        match self.shape.rank() {
            2 => Ok(self.shape.dim(1)),
            _ => Err(format!("(N, features) is expected, {} comes in; is a flatten missing?", self.shape).into()),
        }
    }

    /// A container's own layers, planned for the same input; `name` is their part of the keys.
    pub fn list(&self, name: &str, layers: &[Layer]) -> Result<List, Wrong> {
        Ok(list(layers, &within(self.path, name), self.shape)?)
    }
}

type Make = Box<dyn FnOnce(&Init) -> Box<dyn Module>>;

/// A layer that fits: what it gives, how much it learns, and how it is made.
pub(super) struct Plan {
    output: Shape,
    parameters: u64,
    make: Make,
}

impl Plan {
    /// A layer without parameters: it says itself what it gives.
    pub fn of(layer: impl Module + 'static, x: &Input<'_>) -> Result<Self, Wrong> {
        let output = layer.out_shape(x.shape)?;
        Ok(Self::new(output, move |_| layer))
    }

    /// A layer that gives `output`, made by `make`.
    pub fn new<M: Module + 'static>(output: impl Into<Shape>, make: impl FnOnce(&Init) -> M + 'static) -> Self {
        Self { output: output.into(), parameters: 0, make: Box::new(|cx| Box::new(make(cx))) }
    }

    /// With weights of this shape.
    pub fn learns(mut self, weights: &[usize]) -> Result<Self, Wrong> {
        let elements = product(weights);
        if elements > MAX_ELEMENTS {
            return Err(format!("weights of {weights:?} are too large").into());
        }
        self.parameters += elements as u64;
        Ok(self)
    }

    /// With all that `list` learns.
    pub fn holds(self, parameters: u64) -> Self {
        Self { parameters: self.parameters + parameters, ..self }
    }
}

/// Planned layers, one after another.
pub(super) struct List {
    pub output: Shape,
    /// Elements of all parameters.
    pub parameters: u64,
    layers: Vec<Make>,
}

impl List {
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    pub fn make(self, cx: &Init) -> Sequential {
        Sequential::new(self.layers.into_iter().map(|make| make(cx)).collect())
    }
}

/// Plans `layers`, whose keys begin with `path`, for an input of shape `input`.
pub(super) fn list(layers: &[Layer], path: &str, input: Shape) -> Result<List, SpecError> {
    let mut list = List { output: input, parameters: 0, layers: Vec::new() };
    for (position, layer) in layers.iter().enumerate() {
        let path = &join(path, &position.to_string());
        let planned = layer.plan(&Input { shape: list.output, path }).and_then(|plan| match product(plan.output.dims()) {
            0..=MAX_ELEMENTS => Ok(plan),
            _ => Err(format!("{} is too large", plan.output).into()),
        });
        let plan = planned.map_err(|wrong| wrong.at(path, layer.kind()))?;
        list.output = plan.output;
        list.parameters += plan.parameters;
        list.layers.push(plan.make);
    }
    Ok(list)
}

/// The path of a container's part `name`; of the container itself if it has one part only.
pub(super) fn within(path: &str, name: &str) -> String {
    if name.is_empty() { path.to_owned() } else { join(path, name) }
}

fn product(factors: &[usize]) -> u128 {
    factors.iter().fold(1, |product: u128, &f| product.saturating_mul(f as u128))
}

/// What does not fit: here, or in one of a container's layers, which has its place already.
#[derive(Debug)]
pub(super) enum Wrong {
    Here(String),
    Inside(SpecError),
}

impl Wrong {
    /// Of the layer at `path`.
    pub fn at(self, path: &str, kind: &str) -> SpecError {
        match self {
            Self::Inside(error) => error,
            Self::Here(message) => {
                // Layers begin their messages with their own name.
                let message = message.strip_prefix(&format!("{kind}: ")).unwrap_or(&message).to_owned();
                SpecError::Layer { path: path.to_owned(), kind: kind.to_owned(), message }
            }
        }
    }
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self::Here(message)
    }
}

impl From<ShapeError> for Wrong {
    fn from(error: ShapeError) -> Self {
        Self::Here(error.message)
    }
}

impl From<SpecError> for Wrong {
    fn from(error: SpecError) -> Self {
        Self::Inside(error)
    }
}
