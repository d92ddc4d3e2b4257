//! Functions of f32 without a call, a branch or a table: loops over them fill the processor's vectors, and every processor and system
//! gives the same bits. Each says how far it may be from the exact value, in units of its last place; tests go over all exponents.
//!
//! Where two formulas share a function both are computed, and a comparison that lets a NaN through takes one.

use std::f32::consts::LOG2_E;

/// ln 2 in two parts, of which the first times a small integer is exact.
const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];

/// The sum of the terms times falling powers of `x`, written out: a loop would be one in the loop that is to vectorise.
macro_rules! polynomial {
    ($x:expr, $first:literal $(, $term:literal)*) => {{
        let (x, sum): (f32, f32) = ($x, $first);
        $(let sum = sum * x + $term;)*
        sum
    }};
}

/// 2 to the power of `n`, which is in -126..=127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}

/// `n` and `p` with `e^x = 2^n (1 + p)`, by the polynomial of Cephes for `e^r` with `|r| <= ln 2 / 2`.
#[inline(always)]
fn exponential_parts(x: f32) -> (i32, f32) {
    // Added to a small number, it leaves the nearest integer in the last bits.
    const ROUND: f32 = 12_582_912.0;
    let rounded = x * LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let series = polynomial!(r, 1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1);
    ((rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32), series * (r * r) + r)
}

/// `x` within `low..=high`; a NaN stays one.
#[inline(always)]
fn within(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// e to the power of `x`: within 1 unit.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Further out are 0 and infinity.
    let (n, p) = exponential_parts(within(x, -104.5, 89.0));
    // In two steps: one would not reach the smallest numbers, nor infinity.
    let half = n >> 1;
    (p + 1.0) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// `e^x - 1`: within 2 units.
#[inline(always)]
pub(super) fn exp_m1(x: f32) -> f32 {
    // Below, it is -1.
    let (n, p) = exponential_parts(within(x, -20.0, 89.0));
    // Half of it, so that the power of two is finite.
    let half = power_of_two(n.wrapping_sub(1));
    (2.0 * (half * p + (half - 0.5))).copysign(x)
}

/// The natural logarithm: within 1 unit. By the polynomial of Cephes for `ln(1 + z)` with `1 + z` from `sqrt(1/2)` to `sqrt(2)`.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    const ROOT_OF_HALF: i32 = 0x3f35_04f3;
    let is_tiny = x < f32::MIN_POSITIVE;
    let bits = (if is_tiny { x * 8_388_608.0 } else { x }).to_bits() as i32;
    let n = bits.wrapping_sub(ROOT_OF_HALF) >> 23;
    let z = f32::from_bits(bits.wrapping_sub(n << 23) as u32) - 1.0;
    let n = n as f32 - if is_tiny { 23.0 } else { 0.0 };
    let square = z * z;
    #[rustfmt::skip]
    let series = polynomial!(
        z, 7.037_683_6e-2, -1.151_461e-1, 1.167_699_9e-1, -1.242_014_1e-1, 1.424_932_3e-1, -1.666_805_8e-1, 2.000_071_5e-1,
        -2.499_999_4e-1, 3.333_333_1e-1
    );
    let curve = series * z * square + n * LN_2[1] - 0.5 * square;
    let y = z + curve + n * LN_2[0];
    let ends = if x == 0.0 { f32::NEG_INFINITY } else { f32::NAN };
    let above = if x < f32::INFINITY { y } else { x };
    if x > 0.0 { above } else { ends }
}

/// `ln(1 + x)`: within 2 units.
#[inline(always)]
pub(super) fn ln_1p(x: f32) -> f32 {
    let sum = 1.0 + x;
    // What the sum lost by its rounding.
    let lost = (x - (sum - 1.0)) / sum;
    let y = ln(sum);
    (if x > -1.0 && sum < f32::INFINITY { y + lost } else { y }).copysign(x)
}

/// `ln(1 + x)` for `x` from 0 to 1: within 2 units, at half the cost. By the series of `2 atanh(s)`, of which the first terms are those of
/// `x - x^2 / 2`.
#[inline(always)]
pub(super) fn ln_1p_to_one(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let (t, half) = (s * s, 0.5 * x * x);
    let series = polynomial!(t, 2.686_755e-1, 2.823_395_7e-1, 4.000_767_2e-1, 6.666_664e-1);
    x - (half - s * (half + series * t))
}

/// The hyperbolic tangent: within 2 units. Near 0 by the polynomial of Cephes.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let (size, square) = (x.abs(), x * x);
    let series = polynomial!(square, -5.704_988_7e-3, 2.063_908_9e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328_2e-1);
    let near = series * square * size + size;
    let far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
    (if size < 0.625 { near } else { far }).copysign(x)
}

/// The error function: within 3 units. Above 1 it is `1 - exp(-q)`, with a polynomial for `q`; from 4 on it is 1.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let (size, square) = (x.abs(), x * x);
    #[rustfmt::skip]
    let near = polynomial!(
        square, 7.853_861_4e-5, -8.010_193_7e-4, 5.188_327_8e-3, -2.685_381_3e-2, 1.128_358_54e-1, -3.761_262_6e-1, 1.283_791_1e-1
    );
    #[rustfmt::skip]
    let q = polynomial!(
        within(size, 0.0, 4.0) - 2.0,
        -1.855_742e-4, 7.127_189e-4, -3.543_685_9e-3, 1.648_722_7e-2, 9.237_531e-1, 4.418_159_5, 5.364_941_1
    );
    let (near, far) = (near * size + size, 1.0 - exp(-q));
    (if size < 1.0 { near } else { far }).copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A unit in the last place of the f32 near `v`.
    fn unit(v: f64) -> f64 {
        2f64.powi((v.abs().log2().floor() as i32).max(-126) - 23)
    }

    /// How far `f` is from `exact` in units, at most, over every `step`-th f32; infinite where it is no number, has no end or has another
    /// sign and should not.
    fn worst(step: usize, f: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        let error = |bits: u32| {
            let x = f32::from_bits(bits);
            let (y, exact) = (f(x), exact(f64::from(x)));
            let nearest = exact as f32;
            match () {
                () if exact.is_nan() && y.is_nan() || y.to_bits() == nearest.to_bits() => 0.0,
                // Beyond the largest f32 by less than a rounding.
                () if y.is_infinite() && exact.abs() > 3.4028e38 => 0.0,
                () if exact.is_nan() || !y.is_finite() || y.is_sign_negative() != nearest.is_sign_negative() => f64::INFINITY,
                () => (f64::from(y) - exact).abs() / unit(exact),
            }
        };
        (0..=u32::MAX).step_by(step).map(error).fold(0.0, f64::max)
    }

    const FUNCTIONS: [(&str, f32, fn(f32) -> f32, fn(f64) -> f64); 6] = [
        ("exp", 1.0, exp, f64::exp),
        ("exp_m1", 2.0, exp_m1, f64::exp_m1),
        ("ln", 1.0, ln, f64::ln),
        ("ln_1p", 2.0, ln_1p, f64::ln_1p),
        ("tanh", 2.0, tanh, f64::tanh),
        ("erf", 3.0, erf, libm::erf),
    ];

    fn stated_errors_hold(step: usize) {
        for (name, stated, f, exact) in FUNCTIONS {
            let found = worst(step, f, exact);
            println!("{name}: {found:.3} units");
            assert!(found <= f64::from(stated), "{name} is {found} units from its value, {stated} are stated");
        }
    }

    #[test]
    fn functions_are_as_near_as_they_say() {
        stated_errors_hold(4001);
    }

    #[test]
    fn the_logarithm_up_to_one_is_as_near_as_it_says() {
        let error = |f: fn(f32) -> f32, bits: u32| {
            let x = f32::from_bits(bits);
            let exact = f64::from(x).ln_1p();
            (f64::from(f(x)) - exact).abs() / unit(exact)
        };
        let worst = |f| (1..=1f32.to_bits()).step_by(211).map(|bits| error(f, bits)).fold(0.0, f64::max);
        assert!(worst(ln_1p_to_one) <= 2.0, "{} units", worst(ln_1p_to_one));
        assert!(worst(|x| ln_1p_to_one(x) * (1.0 + 2.0 * f32::EPSILON)) > 2.0);
        assert_eq!([ln_1p_to_one(0.0), ln_1p_to_one(1.0)], [0.0, std::f32::consts::LN_2]);
        assert!(ln_1p_to_one(f32::NAN).is_nan());
    }

    #[test]
    #[ignore = "takes minutes: all of f32"]
    fn functions_are_as_near_as_they_say_everywhere() {
        stated_errors_hold(1);
    }

    #[test]
    fn a_function_that_is_off_is_seen() {
        assert!(worst(4001, |x| exp(x) * (1.0 + 2.0 * f32::EPSILON), f64::exp) > 1.0);
        assert!(worst(4001, |x| if x.is_nan() { 0.0 } else { tanh(x) }, f64::tanh).is_infinite());
        assert!(worst(4001, |x| exp_m1(x).abs(), f64::exp_m1).is_infinite());
    }

    #[test]
    fn ends_are_exact() {
        let ends = [0.0, -0.0, f32::NEG_INFINITY, f32::MIN, f32::INFINITY, f32::MAX, -1.0, f32::NAN];
        for (name, _, f, exact) in FUNCTIONS {
            for x in ends {
                let (y, nearest) = (f(x), exact(f64::from(x)) as f32);
                let fits = y.to_bits() == nearest.to_bits() || y.is_nan() && nearest.is_nan() || (y - nearest).abs() <= 1e-7;
                assert!(fits, "{name}({x}) is {y}, not {nearest}");
            }
        }
    }
}
