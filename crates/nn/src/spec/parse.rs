//! From JSON values to layers, with the place of every fault.

use super::plan::{Wrong, within};
use super::{Layer, MAX_INPUT_RANK, Spec, SpecError};
use crate::module::join;
use gpu_core::Shape;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(super) fn spec(value: Value) -> Result<Spec, SpecError> {
    let syntax = |message: &str| SpecError::Syntax(message.to_owned());
    let Value::Object(mut object) = value else { return Err(syntax("an object with \"input\" and \"layers\" is expected")) };
    let input = object.remove("input").ok_or_else(|| syntax("\"input\": [C, H, W] is missing"))?;
    let input: Vec<usize> = serde_json::from_value(input).map_err(|e| syntax(&format!("\"input\" is not [C, H, W]: {e}")))?;
    if !(1..=MAX_INPUT_RANK).contains(&input.len()) {
        return Err(syntax(&format!("\"input\" is [C, H, W] or shorter, not {} numbers", input.len())));
    }
    let layers = object.remove("layers").ok_or_else(|| syntax("\"layers\" is missing"))?;
    if let Some(key) = object.keys().next() {
        return Err(syntax(&format!("\"{key}\" is neither \"input\" nor \"layers\"")));
    }
    let Value::Array(layers) = layers else { return Err(syntax("\"layers\" is not a list")) };
    Ok(Spec { input: Shape::new(&input), layers: list("", layers)? })
}

fn list(path: &str, values: Vec<Value>) -> Result<Vec<Layer>, SpecError> {
    values.into_iter().enumerate().map(|(position, value)| layer(&join(path, &position.to_string()), value)).collect()
}

pub(super) fn layer(path: &str, value: Value) -> Result<Layer, SpecError> {
    let Value::Object(mut map) = value else {
        return Err(Wrong::from(format!("an object with \"type\" is expected, not {value}")).at(path, "no type"));
    };
    match map.remove("type") {
        Some(Value::String(kind)) => Layer::parse(&kind, Fields { path, map }).map_err(|wrong| wrong.at(path, &kind)),
        _ => Err(Wrong::from("\"type\" is missing, the name of a layer type".to_owned()).at(path, "no type")),
    }
}

/// What a layer list says of a layer, its type apart.
pub(super) struct Fields<'a> {
    path: &'a str,
    map: Map<String, Value>,
}

impl Fields<'_> {
    /// Everything, by serde.
    pub fn all<T: DeserializeOwned>(self) -> Result<T, Wrong> {
        serde_json::from_value(Value::Object(self.map)).map_err(|e| e.to_string().into())
    }

    /// The layers under `name`.
    pub fn layers(&mut self, name: &str) -> Result<Option<Vec<Layer>>, Wrong> {
        self.layers_as(name, name)
    }

    /// The layers under `name`, which stands as `part` in their keys.
    pub fn layers_as(&mut self, name: &str, part: &str) -> Result<Option<Vec<Layer>>, Wrong> {
        match self.map.remove(name) {
            None => Ok(None),
            Some(Value::Array(values)) => Ok(Some(list(&within(self.path, part), values)?)),
            Some(_) => Err(format!("`{name}` is not a list of layers").into()),
        }
    }

    /// The lists of layers under `name`.
    pub fn branches(&mut self, name: &str) -> Result<Option<Vec<Vec<Layer>>>, Wrong> {
        let not_lists = || Wrong::from(format!("`{name}` is not a list of lists of layers"));
        let values = match self.map.remove(name) {
            None => return Ok(None),
            Some(Value::Array(values)) => values,
            Some(_) => return Err(not_lists()),
        };
        let branches = values.into_iter().enumerate().map(|(position, value)| match value {
            Value::Array(layers) => Ok(list(&join(&join(self.path, name), &position.to_string()), layers)?),
            _ => Err(not_lists()),
        });
        branches.collect::<Result<_, _>>().map(Some)
    }

    /// Refuses what was not taken out.
    pub fn end(self, known: &[&str]) -> Result<(), Wrong> {
        match self.map.keys().next() {
            Some(key) => Err(format!("unknown field `{key}`, expected one of `{}`", known.join("`, `")).into()),
            None => Ok(()),
        }
    }
}

/// What a container cannot do without.
pub(super) fn required<T>(value: Option<T>, name: &str) -> Result<T, Wrong> {
    value.ok_or_else(|| format!("missing field `{name}`").into())
}
