//! Bars: histograms, and one number for each of several things. Sets differ by hatching as well as by colour.

use super::axes::{Axes, DRAWN, INK, Paper, Scale, colour, frame, style};
use super::table::digits;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// Counts of each set's values in `bins` equal intervals over the range of all.
pub fn histogram(axes: &Axes, bins: usize, sets: &[(&str, &[f64])]) -> String {
    let all = || sets.iter().flat_map(|(_, values)| values.iter().copied()).filter(|v| v.is_finite());
    let [low, high] = axes.ranges[0].unwrap_or([all().fold(f64::MAX, f64::min), all().fold(f64::MIN, f64::max)]);
    let width = (high - low) / bins as f64;
    let counts: Vec<Vec<f64>> = sets
        .iter()
        .map(|(_, values)| {
            let mut counts = vec![0.0; bins];
            // The last interval holds its upper end.
            let bin = |v: f64| (((v - low) / width) as usize).min(bins - 1);
            values.iter().filter(|v| (low..=high).contains(*v)).for_each(|&v| counts[bin(v)] += 1.0);
            counts
        })
        .collect();
    let scales = [Scale::over([low, high].into_iter(), false, Some([low, high])), heights(axes, counts.iter().flatten().copied())];
    frame(axes, scales, &names(sets), sample, |root, _, y, pixel| {
        for (i, counts) in counts.iter().enumerate() {
            for (bin, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
                let left = low + bin as f64 * width;
                let Some(top) = y.at(count) else { continue };
                bar(root, i, pixel(left, top), pixel(left + width, y.range[0]));
            }
        }
    })
}

/// One bar of each set above each category, with its number where there is room.
pub fn grouped(axes: &Axes, categories: &[&str], sets: &[(&str, &[f64])]) -> String {
    assert!(sets.iter().all(|(_, v)| v.len() == categories.len()), "{}: a bar of each set for each of {categories:?}", axes.title);
    let mut x = Scale::over([0.0].into_iter(), false, Some([-0.5, categories.len() as f64 - 0.5]));
    x.ticks = (0..categories.len()).map(|i| i as f64).collect();
    x.labels = categories.iter().map(|&c| c.to_owned()).collect();
    let scales = [x, heights(axes, sets.iter().flat_map(|(_, values)| values.iter().copied()))];
    let numbered = sets.len() * categories.len() <= 12;
    frame(axes, scales, &names(sets), sample, |root, _, y, pixel| {
        let width = 0.8 / sets.len() as f64;
        for (i, (_, values)) in sets.iter().enumerate() {
            for (j, &value) in values.iter().enumerate() {
                let left = j as f64 - 0.4 + i as f64 * width;
                let Some(top) = y.at(value) else { continue };
                let base = y.at(0.0).unwrap_or(y.range[0]);
                bar(root, i, pixel(left, top.max(base)), pixel(left + width, top.min(base)));
                if numbered {
                    let (middle, above) = pixel(left + width / 2.0, top.max(base));
                    let text = Text::new(digits(value, 3), (middle, above - 8), style(26, HPos::Center, VPos::Bottom));
                    root.draw(&text).expect(DRAWN);
                }
            }
        }
    })
}

fn names(sets: &[(&str, &[f64])]) -> Vec<String> {
    if sets.len() > 1 { sets.iter().map(|&(name, _)| name.to_owned()).collect() } else { Vec::new() }
}

/// Bars stand on zero; on a logarithmic axis on half of the smallest.
fn heights(axes: &Axes, values: impl Iterator<Item = f64> + Clone) -> Scale {
    let [low, high] = values
        .clone()
        .filter(|v| v.is_finite() && (*v > 0.0 || !axes.log[1]))
        .fold([f64::MAX, 0f64], |[l, h], v| [l.min(v), h.max(v)]);
    let room = if axes.log[1] { [low / 2.0, high * 2.0] } else { [1.1 * low.min(0.0), 1.1 * high] };
    Scale::over(values, axes.log[1], Some(axes.ranges[1].unwrap_or(room)))
}

fn sample(root: &Paper<'_>, i: usize, (x, y): (i32, i32)) {
    bar(root, i, (x - 30, y - 15), (x + 30, y + 15));
}

/// A rectangle: light, outlined, and hatched by `i`.
fn bar(root: &Paper<'_>, i: usize, (left, top): (i32, i32), (right, bottom): (i32, i32)) {
    let c = colour(i);
    root.draw(&Rectangle::new([(left, top), (right, bottom)], c.mix([0.75, 0.2, 0.1, 0.0][i % 4]).filled())).expect(DRAWN);
    let slope = [0, 1, -1, 1][i % 4];
    if slope != 0 {
        // Lines x - slope * y = k, cut at the rectangle.
        let (low, high) = if slope > 0 { (left - bottom, right - top) } else { (left + top, right + bottom) };
        for k in (low..high).filter(|k| k.rem_euclid(14) == 0) {
            let y_of = |x: i32| (x - k) * slope;
            let (from, to) =
                if slope > 0 { (left.max(k + top), right.min(k + bottom)) } else { (left.max(k - bottom), right.min(k - top)) };
            if from < to {
                root.draw(&PathElement::new(vec![(from, y_of(from)), (to, y_of(to))], c.stroke_width(2))).expect(DRAWN);
            }
        }
    }
    root.draw(&Rectangle::new([(left, top), (right, bottom)], INK.stroke_width(2))).expect(DRAWN);
}
