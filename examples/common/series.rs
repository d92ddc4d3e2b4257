//! Lines, markers and curves: progress over time, clouds of points, formulas beside measurements.

use super::axes::{Axes, DRAWN, INK, Paper, Scale, colour, frame};
use plotters::element::DashedPathElement;
use plotters::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    Dots,
    Curve,
}

/// Named points of one plot.
pub struct Series {
    name: String,
    kind: Kind,
    points: Vec<[f64; 2]>,
}

impl Series {
    /// A coloured line with a dozen markers on it: what was measured. It is broken where a value is not finite.
    pub fn line(name: &str, points: impl IntoIterator<Item = [f64; 2]>) -> Self {
        Self { name: name.to_owned(), kind: Kind::Line, points: points.into_iter().collect() }
    }

    /// A marker at each point: a cloud, or single results.
    pub fn dots(name: &str, points: impl IntoIterator<Item = [f64; 2]>) -> Self {
        Self { kind: Kind::Dots, ..Self::line(name, points) }
    }

    /// A dark dashed line, the dashes by its place among the curves: a formula, a limit, a contour.
    pub fn curve(name: &str, points: impl IntoIterator<Item = [f64; 2]>) -> Self {
        Self { kind: Kind::Curve, ..Self::line(name, points) }
    }

    /// [`line`](Self::line) through values at x = 0, 1, 2 and so on.
    pub fn steps(name: &str, values: &[f64]) -> Self {
        Self::line(name, values.iter().enumerate().map(|(i, &y)| [i as f64, y]))
    }
}

/// The points at `sigmas` standard deviations of a Gaussian with this mean and covariance `[[xx, xy], [xy, yy]]`.
pub fn ellipse([mx, my]: [f64; 2], covariance: [[f64; 2]; 2], sigmas: f64) -> Vec<[f64; 2]> {
    let [[xx, xy], [_, yy]] = covariance;
    // The Cholesky factor takes the unit circle there.
    let a = xx.sqrt();
    let b = xy / a;
    let c = (yy - b * b).max(0.0).sqrt();
    let turn = |i: i32| f64::from(i) * std::f64::consts::TAU / 120.0;
    let point = |t: f64| [mx + sigmas * a * t.cos(), my + sigmas * (b * t.cos() + c * t.sin())];
    (0..=120).map(|i| point(turn(i))).collect()
}

/// How many markers a line carries, so that they are seen and the line is too.
const MARKERS: usize = 12;
/// Dash and gap in pixels, by the curve's place among the curves.
const DASHES: [(i32, i32); 4] = [(24, 12), (6, 10), (40, 10), (12, 24)];

pub fn draw(axes: &Axes, series: &[Series]) -> String {
    let over = |axis: usize| {
        let values = series.iter().flat_map(|s| s.points.iter().map(move |p| p[axis]));
        Scale::over(values, axes.log[axis], axes.ranges[axis])
    };
    let names: Vec<String> = if series.len() > 1 { series.iter().map(|s| s.name.clone()).collect() } else { Vec::new() };
    // The place of a series among those of its looks.
    let place = |i: usize| {
        let is_curve = |s: &Series| s.kind == Kind::Curve;
        series[..i].iter().filter(|s| is_curve(s) == is_curve(&series[i])).count()
    };
    let sample = |root: &Paper<'_>, i: usize, (x, y): (i32, i32)| {
        let ends = vec![(x - 30, y), (x + 30, y)];
        match series[i].kind {
            Kind::Line => {
                stroke(root, ends, place(i), 4);
                marker(root, place(i), (x, y), 9);
            }
            Kind::Dots => marker(root, place(i), (x, y), 9),
            Kind::Curve => dashes(root, ends, place(i)),
        }
    };
    frame(axes, [over(0), over(1)], &names, sample, |root, x, y, pixel| {
        for (i, s) in series.iter().enumerate() {
            let at = |p: &[f64; 2]| Some(pixel(x.at(p[0])?, y.at(p[1])?));
            let drawn: Vec<Option<(i32, i32)>> = s.points.iter().map(at).collect();
            let runs = drawn.split(Option::is_none).map(|run| run.iter().flatten().copied().collect::<Vec<_>>());
            let dots: Vec<(i32, i32)> = drawn.iter().flatten().copied().collect();
            match s.kind {
                Kind::Dots => {
                    let size = if dots.len() > 200 { 4 } else { 9 };
                    dots.iter().for_each(|&p| marker(root, place(i), p, size));
                }
                Kind::Curve => runs.for_each(|run| dashes(root, run, place(i))),
                Kind::Line => {
                    // A thin line shows more of its noise.
                    let width = if dots.len() > 300 { 2 } else { 4 };
                    runs.for_each(|run| stroke(root, run, place(i), width));
                    // Lines that start together have their markers apart.
                    let every = dots.len().div_ceil(MARKERS).max(1);
                    dots.iter().skip(every * (2 * place(i) % 7) / 7).step_by(every).for_each(|&p| marker(root, place(i), p, 9));
                }
            }
        }
    })
}

fn stroke(root: &Paper<'_>, points: Vec<(i32, i32)>, i: usize, width: u32) {
    root.draw(&PathElement::new(points, colour(i).stroke_width(width))).expect(DRAWN);
}

fn dashes(root: &Paper<'_>, points: Vec<(i32, i32)>, i: usize) {
    let (dash, gap) = DASHES[i % DASHES.len()];
    root.draw(&DashedPathElement::new(points, dash, gap, INK.stroke_width(4))).expect(DRAWN);
}

/// A mark of this radius: its shape and colour by `i`.
fn marker(root: &Paper<'_>, i: usize, (x, y): (i32, i32), radius: i32) {
    // Small ones are many: pale, so that curves are seen among them.
    let (c, r) = (colour(i).mix(if radius > 5 { 1.0 } else { 0.5 }), radius);
    if r > 5 {
        // Paper around it, so that it is seen before a dense line.
        root.draw(&Circle::new((x, y), r + 4, WHITE.mix(0.8).filled())).expect(DRAWN);
    }
    let line = |points: Vec<(i32, i32)>| root.draw(&PathElement::new(points, c.stroke_width(4))).expect(DRAWN);
    let solid = |points: Vec<(i32, i32)>| root.draw(&Polygon::new(points, c.filled())).expect(DRAWN);
    match i % 7 {
        0 => root.draw(&Circle::new((x, y), r, c.filled())).expect(DRAWN),
        1 => solid(vec![(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]),
        2 => solid(vec![(x, y - r - 2), (x + r + 1, y + r), (x - r - 1, y + r)]),
        3 => solid(vec![(x, y - r - 3), (x + r + 3, y), (x, y + r + 3), (x - r - 3, y)]),
        4 => {
            line(vec![(x - r, y - r), (x + r, y + r)]);
            line(vec![(x - r, y + r), (x + r, y - r)]);
        }
        5 => {
            line(vec![(x - r - 1, y), (x + r + 1, y)]);
            line(vec![(x, y - r - 1), (x, y + r + 1)]);
        }
        _ => {
            root.draw(&Circle::new((x, y), r, WHITE.filled())).expect(DRAWN);
            root.draw(&Circle::new((x, y), r, c.stroke_width(4))).expect(DRAWN);
        }
    }
}
