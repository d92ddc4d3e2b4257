//! The ten figures, as signed distances: below zero inside, above zero outside, about 1 per unit of length.
//!
//! Only `+ - * /`, comparisons, `floor` and `sqrt` occur. IEEE 754 fixes the last bit of each, so the pictures are the same
//! bytes everywhere; a mathematical library's sine would not be.

/// A point of the plane, or a direction.
pub type Point = [f32; 2];

/// What the images of a class show.
pub enum Figure {
    /// One colour inside the outline. The outline reaches about 1 from its middle.
    Shape(fn(Point) -> f32),
    /// A soft-edged patch of two colours. The pattern repeats itself every 1 or so.
    Texture(fn(Point) -> f32),
}

/// Name and figure of each class, in the order of the labels.
pub const CLASSES: [(&str, Figure); 10] = [
    ("disc", Figure::Shape(disc)),
    ("ring", Figure::Shape(ring)),
    ("triangle", Figure::Shape(triangle)),
    ("square", Figure::Shape(square)),
    ("star", Figure::Shape(star)),
    ("cross", Figure::Shape(cross)),
    ("stripes", Figure::Texture(stripes)),
    ("zigzag", Figure::Texture(zigzag)),
    ("checks", Figure::Texture(checks)),
    ("dots", Figure::Texture(dots)),
];

fn length([x, y]: Point) -> f32 {
    (x * x + y * y).sqrt()
}

fn disc(p: Point) -> f32 {
    length(p) - 0.9
}

fn ring(p: Point) -> f32 {
    (length(p) - 0.75).abs() - 0.2
}

fn triangle([x, y]: Point) -> f32 {
    // The three sides face up, down left and down right; a mirror image across the axis shares the last two.
    (0.866_025_4 * x.abs() - 0.5 * y).max(y) - 0.55
}

fn square([x, y]: Point) -> f32 {
    x.abs().max(y.abs()) - 0.78
}

fn star([x, y]: Point) -> f32 {
    // Outward normals of the five lines of a pentagram, at multiples of 72 degrees.
    const NORMALS: [Point; 5] =
        [[0.0, -1.0], [0.951_056_5, -0.309_017], [0.587_785_25, 0.809_017], [-0.587_785_25, 0.809_017], [-0.951_056_5, -0.309_017]];
    // A pentagram is what lies behind at least four of its five lines, so the second largest distance counts.
    let (mut largest, mut second) = (f32::MIN, f32::MIN);
    for [nx, ny] in NORMALS {
        let distance = nx * x + ny * y;
        second = second.max(distance.min(largest));
        largest = largest.max(distance);
    }
    second - 0.36
}

fn cross([x, y]: Point) -> f32 {
    let bar = |along: f32, across: f32| (along.abs() - 0.98).max(across.abs() - 0.3);
    bar(x, y).min(bar(y, x))
}

/// A triangle wave of period 1 between -1/4 and 1/4.
fn wave(t: f32) -> f32 {
    (t - t.floor() - 0.5).abs() - 0.25
}

fn stripes([x, _]: Point) -> f32 {
    wave(x)
}

fn zigzag([x, y]: Point) -> f32 {
    // The lines climb and fall at 45 degrees, so they are closer by sqrt(2) than their period along x.
    0.707_106_77 * wave(x + 1.4 * wave(y / 1.4))
}

fn checks([x, y]: Point) -> f32 {
    let (a, b) = (wave(x), wave(y));
    let nearest_edge = a.abs().min(b.abs());
    if a * b > 0.0 { -nearest_edge } else { nearest_edge }
}

fn dots([x, y]: Point) -> f32 {
    length([x - x.floor() - 0.5, y - y.floor() - 0.5]) - 0.28
}

/// The patch a texture is seen through: discs, each `[x, y, radius]`, melted together over a length of 1/2.
pub fn blob([x, y]: Point, discs: &[[f32; 3]]) -> f32 {
    const MELT: f32 = 0.5;
    discs.iter().map(|&[cx, cy, r]| length([x - cx, y - cy]) - r).fold(f32::MAX, |a, b| {
        let overlap = (1.0 - (a - b).abs() / MELT).max(0.0);
        a.min(b) - 0.25 * MELT * overlap * overlap
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name of the shape, a point inside, a point outside.
    const SHAPES: [(&str, Point, Point); 6] = [
        ("disc", [0.6, 0.6], [0.7, 0.7]),
        ("ring", [0.0, 0.75], [0.0, 0.0]),
        ("triangle", [0.0, -1.0], [0.5, -0.5]),
        ("square", [0.75, -0.75], [0.0, 0.8]),
        ("star", [0.0, -1.1], [0.0, 0.6]),
        ("cross", [0.0, 0.9], [0.5, 0.5]),
    ];

    #[test]
    fn shapes_are_negative_inside_and_positive_outside() {
        for ((name, figure), (expected, inside, outside)) in CLASSES.iter().zip(SHAPES) {
            let Figure::Shape(distance) = figure else { panic!("{name} is a texture") };
            assert_eq!(*name, expected);
            assert!(distance(inside) < 0.0, "{name} at {inside:?}: {}", distance(inside));
            assert!(distance(outside) > 0.0, "{name} at {outside:?}: {}", distance(outside));
        }
    }

    #[test]
    fn a_figure_has_a_slope_of_at_most_one_and_is_neither_empty_nor_full() {
        for (name, figure) in &CLASSES {
            let (Figure::Shape(distance) | Figure::Texture(distance)) = figure;
            let mut inside = 0;
            for i in 0..64 * 64 {
                let p = [(i % 64) as f32 / 32.0 - 1.0, (i / 64) as f32 / 32.0 - 1.0];
                inside += u32::from(distance(p) < 0.0);
                for step in [[0.01, 0.0], [0.0, 0.01]] {
                    let slope = (distance([p[0] + step[0], p[1] + step[1]]) - distance(p)).abs() / 0.01;
                    assert!(slope < 1.001, "{name}: slope {slope} at {p:?}");
                }
            }
            assert!((64 * 64 / 8..64 * 64 * 7 / 8).contains(&inside), "{name}: {inside} points inside");
        }
    }

    #[test]
    fn a_blob_holds_its_discs() {
        let discs = [[0.0, 0.0, 0.5], [0.6, 0.0, 0.5]];
        for p in [[0.0, 0.0], [0.6, 0.0], [0.3, 0.45]] {
            assert!(blob(p, &discs) < 0.0, "{p:?}");
        }
        assert!(blob([0.3, 1.0], &discs) > 0.0);
    }
}
