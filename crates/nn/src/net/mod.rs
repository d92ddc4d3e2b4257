//! From what a layer is to a network that runs.
//!
//! A [`Layer`] is a description: a value that says which parameters it wants for a given input and what it computes with them.
//! [`Layer::build`] plans a whole tree of layers, checks it from end to end, and only then makes the parameters: a [`Net`].
//!
//! The types stand here, since each names the others; what they do is in the files of this folder.

mod any;
mod build;
mod params;
mod plan;
mod run;
mod show;
#[cfg(test)]
mod tests;

use crate::autograd::{Param, Var};
use crate::init::{Fill, Init};
use crate::module::{BuildError, ShapeError};
use gpu_core::Shape;
use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

/// A layer as it is described: with Rust's builder methods, in a layer list, or by the zoo. It has no weights yet, and its input's extents
/// are not known; [`build`](Self::build) infers them.
///
/// A layer of your own is a struct that implements this trait. It stands in [`seq!`](crate::seq) beside the others:
///
/// ```
/// use gpu_core::{Device, Shape};
/// use nn::{Fill, Flatten, Init, Layer, Linear, Params, Plan, ShapeError, Var, parameters, seq};
///
/// /// `x` where it is positive, else `x` times a learned slope for each channel.
/// #[derive(Debug)]
/// struct PRelu;
///
/// impl Layer for PRelu {
///     fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
///         if input.rank() != 4 {
///             return Err(ShapeError::new(format!("(N, C, H, W) is expected, {input} comes in")));
///         }
///         Ok(Plan::new("PRelu", input).param("slope", [input.c(), 1, 1], Fill::Constant(0.25)))
///     }
///     fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
///         x.relu().sub(&x.scale(-1.0).relu().mul(&p.var("slope")))
///     }
/// }
///
/// let net = seq![PRelu, Flatten, Linear::new(10)].build(&Init::seeded(&Device::Cpu, 0), [3, 8, 8])?;
/// let keys: Vec<String> = parameters(&net).into_iter().map(|(key, _)| key).collect();
/// assert_eq!(keys, ["0.slope", "2.weight", "2.bias"]);
/// # Ok::<(), nn::BuildError>(())
/// ```
pub trait Layer: Any + fmt::Debug + Send + Sync {
    /// What the layer is for an input of shape `input`, batch axis included: what comes out, the parameters that it wants, and the layers
    /// inside it. A parameter's shape must not depend on the size of the batch.
    ///
    /// # Errors
    /// If a field is out of its range, or the layer does not fit the input.
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError>;

    /// What comes out for `x`, by the parameters that [`plan`](Self::plan) asked for.
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var;

    /// The layer with its parameters, for inputs of shape `input` without the batch axis: `[3, 32, 32]`. Nothing is made unless all
    /// fits.
    ///
    /// # Errors
    /// The first layer that does not fit, by its path; or parameters that the device cannot take.
    fn build(self, cx: &Init, input: impl Into<Shape>) -> Result<Net, BuildError>
    where
        Self: Sized,
    {
        Net::build(AnyLayer::new(self), cx, input.into())
    }
}

/// A layer of any type: what lists of layers are made of. Cloning it clones a handle.
///
/// Two are equal if they are of one type with the same fields.
#[derive(Clone)]
pub struct AnyLayer {
    layer: Arc<dyn Layer>,
    type_name: &'static str,
}

/// What a layer is for one input; see [`Layer::plan`].
#[derive(Debug, Clone)]
pub struct Plan {
    description: String,
    output: Shape,
    multiply_adds: u64,
    listed: bool,
    /// Why it cannot be trained on such an input, where it can be evaluated on it.
    untrainable: Option<&'static str>,
    wanted: Vec<Wanted>,
    children: Vec<Child>,
}

/// A tensor that a layer wants.
#[derive(Debug, Clone)]
struct Wanted {
    name: &'static str,
    shape: Shape,
    fill: Fill,
    role: Role,
}

/// What becomes of a tensor that a layer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is learned, and saved.
    Trained,
    /// It is saved.
    Buffer,
    /// It is in no state dict: it has the same values in every network.
    Constant,
    /// It was switched off. Its stream of random numbers is used up all the same: the weights of the layers behind do not depend on it.
    Absent,
}

/// A layer inside a layer.
#[derive(Debug, Clone)]
struct Child {
    name: String,
    input: Shape,
    layer: AnyLayer,
    plan: Plan,
}

/// A layer or a network with its parameters, on a device: what [`Layer::build`] makes. It is a [`Module`](crate::Module).
///
/// Cloning it clones a handle: the parameters are shared. A `Net` is a [`Layer`] too, which brings its weights: it may stand in
/// [`seq!`](crate::seq), twice if its weights are to be shared.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Conv2d, Flatten, Init, Layer, Linear, Module, Relu, seq};
/// let cx = Init::seeded(&Device::Cpu, 0);
/// let net = seq![Conv2d::new(8, 3), Relu, Flatten, Linear::new(10)].build(&cx, [3, 8, 8])?;
/// assert_eq!(net.out_shape([5, 3, 8, 8].into())?, [5, 10].into());
///
/// let body = net.truncate(2); // without its head
/// let net = seq![body, Flatten, Linear::new(2)].build(&cx, [3, 8, 8])?;
/// assert_eq!(net.out_shape([5, 3, 8, 8].into())?, [5, 2].into());
/// # Ok::<(), nn::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Net {
    layer: AnyLayer,
    /// What it was built for: a batch of one.
    input: Shape,
    held: Arc<[Held]>,
    children: Vec<Net>,
    /// The parts of the children's keys.
    names: Arc<[String]>,
}

/// A tensor that a built layer has.
struct Held {
    name: &'static str,
    param: Param,
    role: Role,
}

/// What follows a layer: a sum, then perhaps a ReLU. A layer whose kernel can do both itself saves the way through memory; it takes
/// this from [`Params`], and what is left there is done behind it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Then<'a> {
    /// What is added.
    pub add: Option<&'a Var>,
    /// Whether a ReLU comes last.
    pub relu: bool,
}

/// A layer's own parameters and children, while it computes: what [`Layer::forward`] is given.
pub struct Params<'a> {
    net: &'a Net,
    x: &'a Var,
    then: Cell<Option<Then<'a>>>,
}
