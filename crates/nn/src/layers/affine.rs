//! What a normalisation scales and shifts by.

use crate::init::Init;
use crate::module::join;
use crate::param::Param;
use crate::var::Var;
use gpu_core::{Shape, Tensor};

/// `weight` and `bias`, either of which may be missing. What is missing is a buffer of ones or zeros that no state dict knows.
#[derive(Debug)]
pub(super) struct Affine {
    gamma: Param,
    beta: Param,
}

fn fixed(p: Param) -> Param {
    Param::buffer(p.value())
}

impl Affine {
    /// Ones and zeros, to be learned.
    pub fn new(cx: &Init, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        let of = |value| Param::trainable(Tensor::full(cx.device(), shape, value));
        Self { gamma: of(1.0), beta: of(0.0) }
    }

    /// Neither.
    pub fn none(self) -> Self {
        Self { gamma: fixed(self.gamma), beta: fixed(self.beta) }
    }

    /// The scale alone.
    pub fn no_beta(self) -> Self {
        Self { beta: fixed(self.beta), ..self }
    }

    /// Its shape.
    pub fn shape(&self) -> Shape {
        self.gamma.shape()
    }

    /// gamma and beta for `x`; ones and zeros where there are none.
    pub fn both(&self, x: &Var) -> [Var; 2] {
        [self.gamma.var(x), self.beta.var(x)]
    }

    /// gamma and beta for `x`, where there are any.
    pub fn given(&self, x: &Var) -> [Option<Var>; 2] {
        [&self.gamma, &self.beta].map(|p| p.is_trainable().then(|| p.var(x)))
    }

    pub fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        for (name, p) in [("weight", &self.gamma), ("bias", &self.beta)] {
            if p.is_trainable() {
                f(&join(path, name), p);
            }
        }
    }

    /// What is missing, as `, no affine`.
    pub fn describe(&self) -> &'static str {
        match [&self.gamma, &self.beta].map(Param::is_trainable) {
            [false, _] => ", no affine",
            [true, false] => ", no bias",
            [true, true] => "",
        }
    }
}
