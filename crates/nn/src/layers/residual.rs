//! The residual connection.

use super::Sequential;
use crate::module::{LayerReport, Module, Parameters, ShapeError, Then, join};
use crate::param::Param;
use crate::var::Var;
use gpu_core::Shape;

/// `y = body(x) + shortcut(x)`; the shortcut is the identity unless another is given. Keys: `body.0.weight`,
/// `shortcut.0.weight`.
/// The residual learning of He et al., 2015.
pub struct Residual {
    body: Sequential,
    shortcut: Option<Sequential>,
}

impl Residual {
    /// With the identity as shortcut.
    pub fn new(body: Sequential) -> Self {
        Self { body, shortcut: None }
    }

    /// With a shortcut of its own, where the body changes the shape.
    pub fn shortcut(self, shortcut: Sequential) -> Self {
        Self { shortcut: Some(shortcut), ..self }
    }
}

impl Parameters for Residual {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param)) {
        self.body.visit(&join(path, "body"), f);
        if let Some(shortcut) = &self.shortcut {
            shortcut.visit(&join(path, "shortcut"), f);
        }
    }
}

impl Module for Residual {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        self.forward_then(x, Then::default())
    }

    #[track_caller]
    fn forward_then(&self, x: &Var, then: Then<'_>) -> Var {
        // The shortcut first: the body's last layer may add it.
        let beside = self.shortcut.as_ref().map_or_else(|| x.clone(), |shortcut| shortcut.forward(x));
        match then.add {
            None => self.body.forward_then(x, Then { add: Some(&beside), ..then }),
            Some(_) => then.after(self.body.forward_then(x, Then { add: Some(&beside), relu: false })),
        }
    }

    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.trace("", input, &mut |_| {})
    }

    fn describe(&self) -> String {
        "Residual".to_owned()
    }

    fn multiply_adds(&self, input: Shape) -> u64 {
        self.body.multiply_adds(input) + self.shortcut.as_ref().map_or(0, |s| s.multiply_adds(input))
    }

    fn trace(&self, path: &str, input: Shape, report: &mut dyn FnMut(LayerReport)) -> Result<Shape, ShapeError> {
        let output = self.body.trace(&join(path, "body"), input, report)?;
        let beside = match &self.shortcut {
            Some(shortcut) => shortcut.trace(&join(path, "shortcut"), input, report)?,
            None => input,
        };
        if output != beside {
            let message = format!("residual: the body gives {output}, the shortcut {beside}; give it a shortcut that fits");
            return Err(ShapeError::new(message).at(path));
        }
        report(LayerReport { path: path.to_owned(), layer: "Residual sum".to_owned(), output, parameters: 0, multiply_adds: 0 });
        Ok(output)
    }
}
