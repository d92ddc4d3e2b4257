//! Where the pixels of a picture come from.

/// A map from rows and columns of a result to those of a source: of each coordinate, the first pixel's, and how far it goes on by a
/// row and by a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place(pub [[f64; 3]; 2]);

impl Place {
    pub fn unmoved() -> Self {
        Self([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    }

    /// Through `self` after `inner`: the source of what `inner` takes as its source.
    pub fn after(self, inner: Self) -> Self {
        let Self([row, column]) = inner;
        Self(self.0.map(|[at, down, right]| {
            let through = |i: usize| down * row[i] + right * column[i];
            [at + through(0), through(1), through(2)]
        }))
    }

    /// By so many rows and columns.
    pub fn shifted([rows, columns]: [f64; 2]) -> Self {
        Self([[rows, 1.0, 0.0], [columns, 0.0, 1.0]])
    }

    /// Left and right swapped.
    pub fn mirrored(width: usize) -> Self {
        Self([[0.0, 1.0, 0.0], [width as f64 - 1.0, 0.0, -1.0]])
    }

    /// What lies within so many rows and columns from a corner, spread over a whole result: edges come to edges.
    pub fn window(corner: [f64; 2], [rows, columns]: [f64; 2], [h, w]: [usize; 2]) -> Self {
        let [down, right] = [rows / h as f64, columns / w as f64];
        let at = |corner: f64, step: f64| corner + 0.5 * step - 0.5;
        Self([[at(corner[0], down), down, 0.0], [at(corner[1], right), 0.0, right]])
    }

    /// A linear map about the centre.
    pub fn about_centre([[a, b], [c, d]]: [[f64; 2]; 2], [h, w]: [usize; 2]) -> Self {
        let [y, x] = [h, w].map(|side| (side as f64 - 1.0) / 2.0);
        Self([[y - a * y - b * x, a, b], [x - c * y - d * x, c, d]])
    }

    /// Turned to the left by `degrees`, which every machine must round alike.
    pub fn turned(degrees: f64, sides: [usize; 2]) -> Self {
        let (sin, cos) = libm::sincos(degrees.to_radians());
        Self::about_centre([[cos, sin], [-sin, cos]], sides)
    }
}
