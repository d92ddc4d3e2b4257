//! When what was computed is near enough to what a file wants.

use crate::Row;
use crate::error::Result;

/// A result that was computed, under the name that it has in the file.
pub(super) struct Computed {
    pub name: String,
    pub values: Vec<f32>,
}

/// The rule of the files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerance {
    pub rtol: f64,
    pub atol: f64,
}

impl Tolerance {
    /// The result of a case that is nearest to its bound, or furthest over it.
    pub fn worst(self, case: &str, results: &[Computed], want: impl Fn(&str) -> Result<Vec<f32>>) -> Result<Row> {
        let mut worst: Option<Row> = None;
        for result in results {
            let want = want(&result.name)?;
            let row = if want.len() == result.values.len() {
                let largest = want.iter().fold(0f64, |m, v| m.max(f64::from(v.abs())));
                let error = want.iter().zip(&result.values).fold(0f64, |m, (w, g)| {
                    let d = (f64::from(*w) - f64::from(*g)).abs();
                    if d.is_nan() { f64::INFINITY } else { m.max(d) }
                });
                Row::new(case, &result.name, error, self.atol + self.rtol * largest)
            } else {
                let sizes = format!("{}: {} values, {} are wanted", result.name, result.values.len(), want.len());
                Row::failed(case, sizes)
            };
            let excess = |r: &Row| if r.bound > 0.0 { r.error / r.bound } else { r.error };
            if worst.as_ref().is_none_or(|w| excess(&row) > excess(w) || (!row.ok && w.ok)) {
                worst = Some(row);
            }
        }
        Ok(worst.unwrap_or_else(|| Row::failed(case, "no results")))
    }
}
