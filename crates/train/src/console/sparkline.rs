//! A curve of one line of text.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A character a value, from the lowest to the highest of them; a gap for what is infinite or no number.
///
/// ```
/// # use train::console::sparkline;
/// assert_eq!(sparkline(&[7.0, 5.0, f64::NAN, 1.0, 0.0]), "█▆ ▂▁");
/// ```
pub fn sparkline(values: &[f64]) -> String {
    let finite = || values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let most = (LEVELS.len() - 1) as f64;
    let level = |v: f64| if high > low { ((v - low) / (high - low) * most).round() as usize } else { 0 };
    values.iter().map(|&v| if v.is_finite() { LEVELS[level(v)] } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_as_long_as_its_values_and_one_that_stands_still_lies_low() {
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[3.0, 3.0]), "▁▁");
        assert_eq!(sparkline(&[f64::INFINITY, -1.0, 6.0]), " ▁█");
        assert_eq!(sparkline(&(0..8).map(f64::from).collect::<Vec<_>>()), LEVELS.iter().collect::<String>());
    }
}
