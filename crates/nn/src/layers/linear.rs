//! The fully connected layer.

use crate::init::Init;
use crate::module::{Module, Parameters, ShapeError, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;

/// `x w^T + b` with weights (out, in). Equivalent of `torch.nn.Linear`.
#[derive(Debug)]
pub struct Linear {
    w: Param,
    b: Option<Param>,
}

impl Linear {
    /// From `input` to `output` features, with a bias.
    pub fn new(cx: &Init, input: usize, output: usize) -> Self {
        let streams = [cx.stream(), cx.stream()];
        let w = cx.weights(streams[0], [output, input].into(), input, output);
        Self { w, b: Some(cx.bias(streams[1], output, input)) }
    }

    /// Without a bias.
    pub fn no_bias(self) -> Self {
        Self { b: None, ..self }
    }
}

impl Parameters for Linear {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        f(&join(path, "weight"), &self.w);
        if let Some(b) = &self.b {
            f(&join(path, "bias"), b);
        }
    }
}

impl Module for Linear {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.linear(&self.w.var(x), self.b.as_ref().map(|b| b.var(x)).as_ref())
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let [output, features] = [self.w.shape().dim(0), self.w.shape().dim(1)];
        if input.rank() != 2 || input.dim(1) != features {
            return Err(ShapeError::new(format!("linear: (N, {features}) is expected, {input} comes in; is a flatten missing?")));
        }
        Ok([input.n(), output].into())
    }

    fn describe(&self) -> String {
        format!("Linear {}>{}", self.w.shape().dim(1), self.w.shape().dim(0))
    }

    fn multiply_adds(&self, input: Shape) -> u64 {
        input.n() as u64 * self.w.shape().len() as u64
    }
}
