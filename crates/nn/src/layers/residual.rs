//! The residual connection.

use super::check::expect;
use super::parse::{Fields, Parse};
use super::sequential::{Sequential, as_list};
use crate::autograd::Var;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan, Then};
use gpu_core::Shape;
use serde::Serialize;

/// `y = body(x) + shortcut(x)`; the shortcut is the identity unless another is given. Keys: `body.0.weight`,
/// `shortcut.0.weight`.
/// The residual learning of He et al., 2015.
///
/// ```
/// use nn::{BatchNorm2d, Conv2d, Layer, Residual, seq};
/// let halved = |kernel: usize| seq![Conv2d::new(32, kernel).stride(2).padding(kernel / 2), BatchNorm2d::new()];
/// let block = Residual::new(halved(3)).shortcut(halved(1));
/// assert_eq!(block.plan([8, 16, 32, 32].into())?.output(), [8, 32, 16, 16].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Residual {
    #[serde(serialize_with = "as_list")]
    body: Sequential,
    #[serde(serialize_with = "as_list", skip_serializing_if = "Sequential::is_empty")]
    shortcut: Sequential,
}

impl Residual {
    /// With the identity as shortcut.
    pub fn new(body: Sequential) -> Self {
        Self { body, shortcut: Sequential::new() }
    }

    /// With a shortcut of its own, where the body changes the shape.
    pub fn shortcut(self, shortcut: Sequential) -> Self {
        Self { shortcut, ..self }
    }
}

impl Layer for Residual {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let mut plan = Plan::new("Residual sum", input);
        let body = plan.child("body", self.body.clone(), input)?;
        let shortcut = plan.child("shortcut", self.shortcut.clone(), input)?;
        expect(body == shortcut, || format!("the body gives {body}, the shortcut {shortcut}; give it a shortcut that fits"))?;
        Ok(plan.gives(body))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        // The shortcut first: the body's last layer may add it.
        let (beside, body) = (p.child("shortcut").forward(x), p.child("body"));
        match p.take_then(|then| then.add.is_none()) {
            Some(then) => body.forward_then(x, Then { add: Some(&beside), ..then }),
            None => body.forward_then(x, Then { add: Some(&beside), relu: false }),
        }
    }
}

impl Parse for Residual {
    fn parse(mut fields: Fields) -> Result<Self, ShapeError> {
        let (body, shortcut) = (fields.list("body", "body")?, fields.list_or_none("shortcut", "shortcut")?);
        fields.end(&["body", "shortcut"])?;
        Ok(Self { body: body.into(), shortcut: shortcut.unwrap_or_default().into() })
    }
}
