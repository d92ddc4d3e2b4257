//! What rates move along.

use std::f64::consts::PI;

/// `t / total`, at most 1.
pub(super) fn fraction(t: f64, total: f64) -> f64 {
    if t >= total { 1.0 } else { t / total }
}

/// From `start` to `end` along half a cosine.
pub(super) fn anneal(start: f64, end: f64, fraction: f64) -> f64 {
    end + (start - end) * (1.0 + (PI * fraction).cos()) / 2.0
}
