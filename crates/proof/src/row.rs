//! What a comparison came to.

use serde::Serialize;

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The case, kernel or layer.
    pub name: String,
    /// What of it was compared.
    pub what: String,
    /// The largest difference found; infinite if a result is not a number.
    #[serde(serialize_with = "finite")]
    pub error: f64,
    /// The largest allowed.
    pub bound: f64,
    /// Whether it is.
    pub ok: bool,
}

/// JSON has no infinity.
fn finite<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(value.min(f64::MAX))
}

impl Row {
    /// A comparison; ok if the error is within the bound.
    pub fn new(name: impl Into<String>, what: impl Into<String>, error: f64, bound: f64) -> Self {
        Self { name: name.into(), what: what.into(), error, bound, ok: error <= bound }
    }

    /// Something that failed without a number to tell.
    pub fn failed(name: impl Into<String>, what: impl Into<String>) -> Self {
        Self { ok: false, ..Self::new(name, what, f64::INFINITY, 0.0) }
    }
}
