//! Hyper-parameters are decimals: 0.999f32 is a hundred-thousandth off 0.999 in what counts, `1 - beta`.

/// The shortest decimal that rounds to `value`, as f64: the number that was written down.
pub(crate) fn decimal(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_number_written_down_comes_back() {
        for (value, want) in [(0.999f32, 0.999f64), (1e-8, 1e-8), (0.0, 0.0), (-0.1, -0.1), (3e38, 3e38)] {
            assert_eq!(super::decimal(value), want);
        }
    }
}
