//! Attributes of optimisers and schedules.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The attributes of a case, all of them known; none if one is not, or is not of its type.
pub(super) fn attributes<T: DeserializeOwned>(attrs: &Value) -> Option<T> {
    let mut map = attrs.as_object().cloned().unwrap_or_default();
    // How PyTorch computes, not what.
    ["type", "foreach", "fused", "capturable", "differentiable"].iter().for_each(|key| drop(map.remove(*key)));
    serde_json::from_value(Value::Object(map)).ok()
}
