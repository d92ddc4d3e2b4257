//! From JSON values to layers, with the place of every fault.

use super::layer::KINDS;
use super::{Layer, Spec, SpecError};
use crate::module::join;
use serde_json::{Map, Value};

pub(super) fn spec(value: Value) -> Result<Spec, SpecError> {
    let syntax = |message: &str| SpecError::Syntax(message.to_owned());
    let Value::Object(mut object) = value else { return Err(syntax("an object with \"input\" and \"layers\" is expected")) };
    let input = object.remove("input").ok_or_else(|| syntax("\"input\": [C, H, W] is missing"))?;
    let input = serde_json::from_value(input).map_err(|e| syntax(&format!("\"input\" is not [C, H, W]: {e}")))?;
    let layers = object.remove("layers").ok_or_else(|| syntax("\"layers\" is missing"))?;
    if let Some(key) = object.keys().next() {
        return Err(syntax(&format!("\"{key}\" is neither \"input\" nor \"layers\"")));
    }
    Ok(Spec { input, layers: list("", layers).map_err(|e| e.unwrap_or_else(|| syntax("\"layers\" is not a list")))? })
}

/// A list of layers; `None` as error if it is no list.
fn list(path: &str, value: Value) -> Result<Vec<Layer>, Option<SpecError>> {
    let Value::Array(values) = value else { return Err(None) };
    let values = values.into_iter().enumerate();
    values.map(|(position, value)| layer(&join(path, &position.to_string()), value).map_err(Some)).collect()
}

fn layer(path: &str, value: Value) -> Result<Layer, SpecError> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("no type").to_owned();
    let wrong = |message: String| SpecError::Layer { path: path.to_owned(), kind: kind.clone(), message };
    if !KINDS.contains(&kind.as_str()) {
        return Err(wrong(format!("unknown layer type `{kind}`; there are: {}", KINDS.join(", "))));
    }
    match value {
        Value::Object(fields) if kind == "residual" => residual(path, fields, &wrong),
        Value::Object(fields) if fields.len() > 1 && fieldless(&kind) => Err(wrong("this type has no fields".to_owned())),
        value => serde_json::from_value(value).map_err(|e| wrong(e.to_string())),
    }
}

/// serde passes over the fields of unit variants.
fn fieldless(kind: &str) -> bool {
    matches!(kind, "batch_norm" | "relu" | "flatten" | "global_avg_pool")
}

fn residual(path: &str, mut fields: Map<String, Value>, wrong: &dyn Fn(String) -> SpecError) -> Result<Layer, SpecError> {
    fields.remove("type");
    let mut part = |name: &str| match fields.remove(name) {
        Some(value) => list(&join(path, name), value).map_err(|e| e.unwrap_or_else(|| wrong(format!("`{name}` is not a list")))),
        None if name == "body" => Err(wrong("missing field `body`".to_owned())),
        None => Ok(Vec::new()),
    };
    let (body, shortcut) = (part("body")?, part("shortcut")?);
    match fields.keys().next() {
        Some(key) => Err(wrong(format!("unknown field `{key}`, expected `body` or `shortcut`"))),
        None => Ok(Layer::Residual { body, shortcut }),
    }
}
