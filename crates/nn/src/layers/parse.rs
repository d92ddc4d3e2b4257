//! Layers from the text of a layer list, with the place of every fault.

use super::check::wrong;
use crate::autograd::join;
use crate::module::ShapeError;
use crate::net::AnyLayer;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What a layer list says of a layer, its type apart.
pub(crate) struct Fields(pub Map<String, Value>);

/// What can be read from a layer list: by serde, but for containers, which read their layers one by one, so that a fault has its place.
pub(super) trait Parse: Sized {
    fn parse(fields: Fields) -> Result<Self, ShapeError>;
}

impl<T: DeserializeOwned> Parse for T {
    fn parse(fields: Fields) -> Result<Self, ShapeError> {
        serde_json::from_value(Value::Object(fields.0)).map_err(|e| ShapeError::new(e.to_string()))
    }
}

impl Fields {
    /// The layers under `name`, which stands as `part` in their keys.
    pub fn list(&mut self, name: &str, part: &str) -> Result<Vec<AnyLayer>, ShapeError> {
        self.list_or_none(name, part)?.ok_or_else(|| missing(name))
    }

    /// The same, where there are any.
    pub fn list_or_none(&mut self, name: &str, part: &str) -> Result<Option<Vec<AnyLayer>>, ShapeError> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::Array(values)) => layers(part, values).map(Some),
            Some(_) => wrong(format!("`{name}` is not a list of layers")),
        }
    }

    /// The lists of layers under `name`.
    pub fn lists(&mut self, name: &str) -> Result<Vec<Vec<AnyLayer>>, ShapeError> {
        let not_lists = || ShapeError::new(format!("`{name}` is not a list of lists of layers"));
        let Value::Array(values) = self.0.remove(name).ok_or_else(|| missing(name))? else { return Err(not_lists()) };
        let lists = values.into_iter().enumerate().map(|(at, value)| match value {
            Value::Array(values) => layers(&join(name, &at.to_string()), values),
            _ => Err(not_lists()),
        });
        lists.collect()
    }

    /// Refuses what was not taken out.
    pub fn end(self, known: &[&str]) -> Result<(), ShapeError> {
        match self.0.keys().next() {
            Some(key) => wrong(format!("unknown field `{key}`, expected one of `{}`", known.join("`, `"))),
            None => Ok(()),
        }
    }
}

fn missing(name: &str) -> ShapeError {
    ShapeError::new(format!("missing field `{name}`"))
}

/// A list of layers whose keys begin with `part`.
pub(crate) fn layers(part: &str, values: Vec<Value>) -> Result<Vec<AnyLayer>, ShapeError> {
    let of = |(at, value)| AnyLayer::parse(value).map_err(|e: ShapeError| e.at(&join(part, &format!("{at}"))));
    values.into_iter().enumerate().map(of).collect()
}
