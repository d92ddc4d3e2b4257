//! What is compared, and how.

use crate::data::Dataset;
use proof::{Bound, Row, difference};
use std::collections::BTreeMap;

/// Images of a step, and of a layer.
pub(super) const BATCH: usize = 16;

/// Tensors by their keys.
pub(super) type Named = Vec<(String, Vec<f32>)>;

/// All images as a network sees them, and their labels.
pub(super) fn normalised(data: &Dataset) -> (Vec<f32>, Vec<u32>) {
    let set = &data.train;
    let plane = set.height() * set.width();
    let value = |(i, &byte): (usize, &u8)| {
        let c = i / plane % set.channels();
        (f32::from(byte) / 255.0 - data.mean[c]) / data.std[c]
    };
    (set.images().iter().enumerate().map(value).collect(), set.labels().to_vec())
}

/// A row that allows a difference of `bound`.
pub(super) fn row(name: &str, what: &str, got: &[f32], want: &[f32], bound: f32) -> Row {
    let found = difference(got, want, Bound::Exact);
    Row::new(name, what, f64::from(found.error), f64::from(bound.max(f32::MIN_POSITIVE)))
}

pub(super) fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0f32, |m, v| m.max(v.abs()))
}

/// The layer of a key: `3.body.1` of `3.body.1.weight`.
pub(super) fn layer_of(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(layer, _)| layer)
}

/// The largest value of each layer. A bias that a batch norm takes out again has a gradient of pure rounding: what is rounded is as
/// large as its layer's weights ask for.
pub(super) fn layer_scales(tensors: &[(String, Vec<f32>)]) -> BTreeMap<&str, f32> {
    let mut scales = BTreeMap::new();
    for (name, values) in tensors {
        let scale: &mut f32 = scales.entry(layer_of(name)).or_default();
        *scale = scale.max(largest(values));
    }
    scales
}
