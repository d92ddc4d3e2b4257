//! Layers of layers.

use crate::spec::Layer;
use crate::spec::layer::LayerType;
use crate::spec::parse::{Fields, required};
use crate::spec::plan::{Input, Plan, Wrong};
use serde::{Deserialize, Serialize};

/// See [`crate::Sequential`]. Keys: `3.0.weight`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequential {
    pub layers: Vec<Layer>,
}

impl LayerType for Sequential {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let list = x.list("", &self.layers)?;
        let parameters = list.parameters;
        Ok(Plan::new(list.output, move |cx| list.make(cx)).holds(parameters))
    }

    fn parse(mut fields: Fields<'_>) -> Result<Self, Wrong> {
        let layers = required(fields.layers_as("layers", "")?, "layers")?;
        fields.end(&["layers"])?;
        Ok(Self { layers })
    }
}

/// See [`crate::Residual`]; an empty shortcut is the identity. Keys: `3.body.0.weight`, `3.shortcut.0.weight`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    pub body: Vec<Layer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortcut: Vec<Layer>,
}

impl LayerType for Residual {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        let (body, shortcut) = (x.list("body", &self.body)?, x.list("shortcut", &self.shortcut)?);
        if body.output != shortcut.output {
            return Err(format!("the body gives {}, the shortcut {}", body.output, shortcut.output).into());
        }
        let parameters = body.parameters + shortcut.parameters;
        let plan = Plan::new(body.output, move |cx| {
            let residual = crate::Residual::new(body.make(cx));
            if shortcut.is_empty() { residual } else { residual.shortcut(shortcut.make(cx)) }
        });
        Ok(plan.holds(parameters))
    }

    fn parse(mut fields: Fields<'_>) -> Result<Self, Wrong> {
        let body = required(fields.layers("body")?, "body")?;
        let shortcut = fields.layers("shortcut")?.unwrap_or_default();
        fields.end(&["body", "shortcut"])?;
        Ok(Self { body, shortcut })
    }
}
