//! A network as a table of 80 columns.

use crate::module::{LayerReport, Module, ShapeError};
use crate::net::Plan;
use gpu_core::Shape;
use std::fmt;

/// What a batch passes on its way through a network, layer by layer.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Init, Summary, zoo};
/// let net = zoo::build("small-cnn", &Init::seeded(&Device::Cpu, 0), [3, 32, 32].into(), 10).unwrap();
/// let summary = Summary::of(&net, [1, 3, 32, 32].into())?;
/// assert_eq!((summary.parameters, summary.multiply_adds), (106_730, 24_518_656));
/// println!("{summary}");
/// # Ok::<(), nn::ShapeError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// One a layer, in order.
    pub rows: Vec<LayerReport>,
    /// The shape that comes out.
    pub output: Shape,
    /// Elements of all trainable parameters.
    pub parameters: usize,
    /// Multiplications with an addition, of one forward pass.
    pub multiply_adds: u64,
    /// Bytes of all layers' outputs.
    pub activation_bytes: u64,
}

impl Summary {
    /// Of `net` for a batch of shape `input`.
    ///
    /// # Errors
    /// The first layer that does not fit.
    pub fn of(net: &dyn Module, input: Shape) -> Result<Self, ShapeError> {
        let mut rows = Vec::new();
        let output = net.trace("", input, &mut |row| rows.push(row))?;
        Ok(Self::new(rows, output, crate::autograd::parameter_count(net)))
    }

    /// Of a network that is only planned: nothing is made.
    pub(crate) fn planned(plan: &Plan) -> Self {
        let mut rows = Vec::new();
        plan.report("", &mut |row| rows.push(row));
        Self::new(rows, plan.output(), plan.parameters() as usize)
    }

    fn new(rows: Vec<LayerReport>, output: Shape, parameters: usize) -> Self {
        Self {
            parameters,
            multiply_adds: rows.iter().map(|r| r.multiply_adds).sum(),
            activation_bytes: rows.iter().map(|r| 4 * r.output.len() as u64).sum(),
            rows,
            output,
        }
    }
}

impl Summary {
    /// Parameters, multiply-adds and bytes of activations as the table has them.
    ///
    /// ```
    /// # use nn::zoo;
    /// let summary = zoo::spec("small-cnn", [3, 32, 32].into(), 10)?.summary()?;
    /// assert_eq!(summary.figures()[..2], ["106,730", "24.5 M"]);
    /// # Ok::<(), nn::SpecError>(())
    /// ```
    pub fn figures(&self) -> [String; 3] {
        [grouped(self.parameters), short(self.multiply_adds), short(self.activation_bytes)]
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outputs = self.rows.iter().map(|row| row.output.to_string().len()).max();
        // Layers take what outputs leave of their 51 columns.
        let wide = outputs.unwrap_or(0).clamp(8, 17);
        let left = 51 - wide;
        let mut line = |name: &str, output: &str, parameters: &str, work: &str, bytes: &str| {
            if output.is_empty() {
                return writeln!(f, "{}", last(name, 80));
            }
            writeln!(f, "{:<left$} {:>wide$} {parameters:>11} {work:>7} {bytes:>7}", cut(name, left), cut(output, wide))
        };
        line("layer", "output", "parameters", "mul-add", "bytes")?;
        let rule = "-".repeat(80);
        line(&rule, &rule, &rule[..11], &rule[..7], &rule[..7])?;
        let indent = self.rows.iter().map(|r| r.path.len()).filter(|&len| len <= WIDEST_PATH).max().unwrap_or(0);
        let mut above = "";
        for row in &self.rows {
            let bytes = short(4 * row.output.len() as u64);
            let (parameters, work) = (grouped(row.parameters), short(row.multiply_adds));
            let mut path = row.path.clone();
            if path.len() > WIDEST_PATH {
                let (parent, own) = row.path.rsplit_once('.').unwrap_or(("", &row.path));
                if parent != above {
                    line(parent, "", "", "", "")?;
                }
                (above, path) = (parent, format!("  .{own}"));
            } else {
                above = "";
            }
            line(&format!("{path:<indent$} {}", row.layer), &row.output.to_string(), &parameters, &work, &bytes)?;
        }
        line(&rule, &rule, &rule[..11], &rule[..7], &rule[..7])?;
        let [parameters, work, bytes] = self.figures();
        line("total", &self.output.to_string(), &parameters, &work, &bytes)
    }
}

/// Characters; a longer path is shown once, above the layers that are in it.
const WIDEST_PATH: usize = 15;

/// The last `width` bytes of a path, which is ASCII.
fn last(path: &str, width: usize) -> &str {
    path.get(path.len().saturating_sub(width)..).unwrap_or(path)
}

/// At most `width` characters.
fn cut(text: &str, width: usize) -> &str {
    text.char_indices().nth(width).map_or(text, |(at, _)| &text[..at])
}

/// `1,234,567`; nothing for zero.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let grouped =
        digits.char_indices().map(|(i, d)| if i > 0 && (digits.len() - i).is_multiple_of(3) { format!(",{d}") } else { d.into() });
    if number == 0 { String::new() } else { grouped.collect() }
}

/// Three digits and a unit: `9.44 M`; nothing for zero.
fn short(number: u64) -> String {
    let mut value = number as f64;
    let mut units = ["", " k", " M", " G", " T", " P"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while value >= 999.5 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / 1e3, next);
    }
    match number {
        0 => String::new(),
        _ if unit.is_empty() => format!("{number}"),
        _ if value < 9.995 => format!("{value:.2}{unit}"),
        _ if value < 99.95 => format!("{value:.1}{unit}"),
        _ => format!("{value:.0}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Init, zoo};
    use gpu_core::Device;

    #[test]
    fn numbers_are_short() {
        let cases =
            [(0, ""), (7, "7"), (999, "999"), (1000, "1.00 k"), (9_437_184, "9.44 M"), (99_960, "100 k"), (999_600, "1.00 M")];
        for (number, want) in cases {
            assert_eq!(short(number), want);
        }
        assert_eq!([0, 12, 123, 1234, 1_234_567].map(grouped), ["", "12", "123", "1,234", "1,234,567"]);
    }

    #[test]
    fn every_line_of_every_model_fits_80_columns() {
        for name in zoo::NAMES {
            let net = zoo::build(name, &Init::seeded(&Device::Cpu, 0), [3, 32, 32].into(), 10).unwrap();
            let text = Summary::of(&net, [128, 3, 32, 32].into()).unwrap().to_string();
            assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
        }
    }

    #[test]
    fn a_long_path_stands_once_above_its_layers() {
        let net = zoo::build("unet", &Init::seeded(&Device::Cpu, 0), [3, 16, 16].into(), 2).unwrap();
        let text = Summary::of(&net, [1, 3, 16, 16].into()).unwrap().to_string();
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().position(|line| *line == "6.branches.1.7.branches.1").unwrap();
        assert!(lines[at + 1].starts_with("  .0            MaxPool2d 2x2 "), "{text}");
        assert!(lines[at + 2].starts_with("  .1            Conv2d 3x3 128>256"), "{text}");
        // Once more after the level below.
        assert_eq!(lines.iter().filter(|line| **line == "6.branches.1.7.branches.1").count(), 2, "{text}");
    }
}
