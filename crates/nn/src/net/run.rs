//! A built network as a module.

use super::{AnyLayer, Layer, Net, Params, Plan, Role, Then};
use crate::autograd::{Param, Parameters, Var, join};
use crate::module::{LayerReport, Module, ShapeError};
use gpu_core::Shape;
use std::fmt;

impl Net {
    /// The layer that it was built from.
    pub fn layer(&self) -> &AnyLayer {
        &self.layer
    }

    /// Whether it was built from an `L`.
    pub fn is<L: Layer>(&self) -> bool {
        self.layer.downcast_ref::<L>().is_some()
    }

    /// The shape of an input without its batch axis, as it was built for.
    pub fn input(&self) -> Shape {
        Shape::new(&self.input.dims()[1..])
    }

    /// The layers inside it, in order: those of a list, the body and the shortcut of a residual connection, the branches of a concat.
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// The layers inside it, each with its part of the keys: a position, `body`, `shortcut`. Equivalent of `torch.nn.Module.named_children`.
    pub fn named_children(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.names.iter().map(String::as_str).zip(&self.children)
    }

    /// The layer's own parameter or buffer `name`.
    ///
    /// ```
    /// # use gpu_core::Device;
    /// # use nn::{Init, Layer, Linear, seq};
    /// let net = seq![Linear::new(2)].build(&Init::seeded(&Device::Cpu, 0), [3])?;
    /// assert_eq!(net.children()[0].param("weight").shape(), [2, 3].into());
    /// # Ok::<(), nn::BuildError>(())
    /// ```
    ///
    /// # Panics
    /// If it has no such parameter.
    #[track_caller]
    pub fn param(&self, name: &str) -> &Param {
        match self.held.iter().find(|held| held.name == name) {
            Some(held) => &held.param,
            None => panic!("{}: it has no parameter `{name}`", self.layer.kind()),
        }
    }

    /// What comes out for `x`: [`Module::forward`], which is this, and [`Layer::forward`] have one name.
    #[track_caller]
    pub fn forward(&self, x: &Var) -> Var {
        self.forward_then(x, Then::default())
    }

    /// [`forward`](Self::forward), and what follows.
    #[track_caller]
    pub(crate) fn forward_then(&self, x: &Var, then: Then<'_>) -> Var {
        let _at_work = x.tape().map(|tape| tape.spans().at_work(Some(self.number()), false));
        let p = Params::new(self, x, then);
        let y = self.layer.forward(x, &p);
        p.left().after(y).shown_by(self.number())
    }
}

impl Then<'_> {
    /// A ReLU alone.
    pub const RELU: Self = Self { add: None, relu: true };

    /// What comes of a layer's output `y`, by operators of their own.
    #[track_caller]
    pub fn after(self, y: Var) -> Var {
        let y = match self.add {
            Some(beside) => y.add(beside),
            None => y,
        };
        if self.relu { y.relu() } else { y }
    }
}

impl Parameters for Net {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        for held in self.held.iter().filter(|held| held.role != Role::Constant) {
            f(&join(path, held.name), &held.param);
        }
        for (name, child) in self.names.iter().zip(&self.children) {
            child.visit(&join(path, name), f);
        }
    }
}

impl Module for Net {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        self.forward(x)
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        Ok(self.planned(input)?.output())
    }

    fn expect_trainable(&self, input: Shape) -> Result<(), ShapeError> {
        self.trained_by(&self.planned(input)?)
    }

    fn describe(&self) -> String {
        self.layer.plan(self.input).map_or_else(|_| self.layer.kind().to_owned(), |plan| plan.description)
    }

    fn multiply_adds(&self, input: Shape) -> u64 {
        let mut sum = 0;
        // A shape that does not fit is out_shape's to tell.
        let _ = self.trace("", input, &mut |layer| sum += layer.multiply_adds);
        sum
    }

    fn trace(&self, path: &str, input: Shape, report: &mut dyn FnMut(LayerReport)) -> Result<Shape, ShapeError> {
        let plan = self.planned(input).map_err(|e| e.at(path))?;
        plan.report(path, report);
        Ok(plan.output())
    }
}

/// A layer that brings its weights.
impl Layer for Net {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        self.planned(input)
    }

    #[track_caller]
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        self.forward(x)
    }
}

/// As the layer that it was built from.
impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layer.fmt(f)
    }
}
