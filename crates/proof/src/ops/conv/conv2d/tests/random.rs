//! Randomised geometries. The seed is fixed: a failure is found again, and reduced to the smallest geometry that shows it.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Geometries on a device: every one is compiled into pipelines of its own, so that a GPU gets few.
fn cases(device: &Device) -> u32 {
    if device.is_gpu() { 16 } else { 256 }
}

/// Holds `property` for as many values on each device as it gets.
fn hold<S: Strategy>(strategy: S, property: impl Fn(&S::Value, &Device) -> Result<(), String>) {
    for device in devices() {
        let config = Config { cases: cases(&device), failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let held = runner.run(&strategy, |value| property(&value, &device).map_err(TestCaseError::fail));
        held.unwrap_or_else(|e| panic!("on {}: {e}", device.name()));
    }
}

/// Pairs of numbers.
fn pair(range: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = [usize; 2]> {
    [range.clone(), range]
}

/// Everything at once: padding on four sides, strides over the kernel, kernels over the input, groups, and batches of none.
fn rows() -> impl Strategy<Value = Row> {
    let channels = (1..=3usize, 1..=4usize, 1..=5usize);
    let geometry = (pair(1..=3), pair(0..=3), pair(0..=3), pair(1..=2));
    (0..=3usize, channels, pair(1..=9), pair(1..=4), geometry).prop_map(|(n, (groups, c, k), image, taps, geometry)| {
        let (stride, before, after, dilation) = geometry;
        let g = Conv2dGeometry { stride, padding: Padding { before, after }, dilation, groups };
        // As large as the window asks for.
        let least = |axis: usize| (dilation[axis] * (taps[axis] - 1) + 1).saturating_sub(before[axis] + after[axis]);
        ([n, groups * c, image[0].max(least(0)), image[1].max(least(1))], groups * k, taps, g)
    })
}

/// What the forms by 16-byte accesses fit: one tap or three in a row, over rows of whole words.
fn rows_in_words() -> impl Strategy<Value = Row> {
    let channels = (1..=2usize, 1..=3usize, 1..=5usize);
    let rows = (1..=6usize, 1..=3usize, 1..=2usize, 0..=2usize, 1..=2usize);
    (1..=3usize, channels, rows, 1..=3usize, any::<bool>()).prop_map(|(n, (groups, c, k), rows, words, three)| {
        let (h, r, stride, padding, dilation) = rows;
        let (s, beside) = if three { (3, 1) } else { (1, 0) };
        let padding = Padding { before: [padding, beside], after: [padding, beside] };
        let g = Conv2dGeometry { stride: [stride, 1], padding, dilation: [dilation, 1], groups };
        ([n, groups * 4 * c, h.max(dilation * (r - 1) + 1), 4 * words], groups * k, [r, s], g)
    })
}

fn transposed_rows() -> impl Strategy<Value = TransposedRow> {
    let channels = (1..=3usize, 1..=3usize, 1..=3usize);
    let geometry = (pair(1..=3), pair(0..=2), pair(0..=2), pair(0..=2), pair(1..=3));
    (0..=2usize, channels, pair(1..=6), pair(1..=4), geometry).prop_map(|(n, (groups, c, k), image, taps, geometry)| {
        let (stride, before, after, extra, dilation) = geometry;
        let output_padding = [0, 1].map(|axis| extra[axis].min(stride[axis].max(dilation[axis]) - 1));
        let mut g = ConvTranspose2dGeometry { stride, padding: Padding { before, after }, output_padding, dilation, groups };
        let x = [n, groups * c, image[0], image[1]];
        if g.out_shape(x.into(), [groups * c, k, taps[0], taps[1]].into()).is_err() {
            g.padding = Padding::default();
        }
        (x, groups * k, taps, g)
    })
}

/// With integers, sums of products are the same number in any order.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// And `<conv(x; w), y> = <x, bwd_x(y; w)> = <w, bwd_w(x, y)>`: the gradients are the adjoints, whatever the definition is.
#[test]
fn any_geometry_convolves_exactly_on_every_device_and_by_every_kernel() {
    hold(prop_oneof![rows(), rows_in_words()], |row, device| {
        let computed = computed(row, device);
        let wrong = differing(&computed, &naive(row, row.3, 0));
        if !wrong.is_empty() {
            return Err(format!("{wrong:?}"));
        }
        let [x, w, dy] = integers(shapes(row));
        for (what, [y, dx, dw]) in computed {
            let sides = [dot(&y, &dy), dot(&x, &dx), dot(&w, &dw)];
            if sides[0] != sides[1] || sides[0] != sides[2] {
                return Err(format!("{what}: {sides:?} are not one number"));
            }
        }
        Ok(())
    });
}

#[test]
fn any_transposed_geometry_convolves_exactly_on_every_device() {
    hold(transposed_rows(), |row, device| {
        let wrong = differing_transposed(row, device);
        if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:?}")) }
    });
}

/// The adjoint of a convolution whose padding is off by one is another one.
#[test]
fn a_gradient_of_another_geometry_is_not_the_adjoint() {
    let row: Row = ([2, 3, 7, 6], 4, [3, 3], Conv2dGeometry { padding: 1.into(), ..Default::default() });
    let moved = Conv2dGeometry { padding: Padding { before: [0, 1], after: [2, 1] }, ..row.3 };
    let [x, w, dy] = integers(shapes(&row));
    let ([y, ..], [_, dx, dw]) = (naive(&row, row.3, 0), naive(&row, moved, 0));
    assert_ne!(dot(&y, &dy), dot(&x, &dx));
    assert_ne!(dot(&y, &dy), dot(&w, &dw));
}
