//! Layers of layers.

use crate::init::Init;
use crate::module::join;
use crate::spec::Layer;
use crate::spec::layer::LayerType;
use crate::spec::parse::{Fields, required};
use crate::spec::plan::{Input, Plan, Wrong};
use gpu_core::Shape;
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

/// See [`crate::Concat`]; an empty branch is the identity. Keys: `3.branches.1.0.weight`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concat {
    pub branches: Vec<Vec<Layer>>,
}

impl LayerType for Concat {
    fn plan(&self, x: &Input<'_>) -> Result<Plan, Wrong> {
        if self.branches.is_empty() {
            return Err("`branches` is empty".to_owned().into());
        }
        let branches = self.branches.iter().enumerate().map(|(i, branch)| x.list(&join("branches", &i.to_string()), branch));
        let branches = branches.collect::<Result<Vec<_>, _>>()?;
        let outputs: Vec<Shape> = branches.iter().map(|branch| branch.output).collect();
        let parameters = branches.iter().map(|branch| branch.parameters).sum();
        let make = move |cx: &Init| crate::Concat::new(branches.into_iter().map(|branch| branch.make(cx)).collect());
        Ok(Plan::new(crate::Concat::joined(&outputs)?, make).holds(parameters))
    }

    fn parse(mut fields: Fields<'_>) -> Result<Self, Wrong> {
        let branches = required(fields.branches("branches")?, "branches")?;
        fields.end(&["branches"])?;
        Ok(Self { branches })
    }
}
