//! What the colours of a picture become.

/// How bright red, green and blue look (ITU-R BT.601).
const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// Of red, green and blue: factors of the three, and what is added, where white is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colour(pub [[f64; 4]; 3]);

impl Colour {
    pub fn unchanged() -> Self {
        Self::linear([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    }

    fn linear(rows: [[f64; 3]; 3]) -> Self {
        Self(rows.map(|[r, g, b]| [r, g, b, 0.0]))
    }

    /// `self` of what `inner` gives.
    pub fn after(self, inner: Self) -> Self {
        Self(self.0.map(|[r, g, b, more]| {
            let through = |i: usize| r * inner.0[0][i] + g * inner.0[1][i] + b * inner.0[2][i];
            [through(0), through(1), through(2), through(3) + more]
        }))
    }

    /// All channels by a factor.
    pub fn brightness(factor: f64) -> Self {
        Self(Self::unchanged().0.map(|row| row.map(|v| factor * v)))
    }

    /// By a factor away from a grey.
    pub fn contrast(factor: f64, grey: f64) -> Self {
        Self(Self::brightness(factor).0.map(|[r, g, b, _]| [r, g, b, (1.0 - factor) * grey]))
    }

    /// By a factor away from each pixel's own grey.
    pub fn saturation(factor: f64) -> Self {
        let row = |i: usize| std::array::from_fn(|j| (1.0 - factor) * LUMA[j] + if i == j { factor } else { 0.0 });
        Self::linear([0, 1, 2].map(row))
    }

    /// The hue by a part of a turn, as the plane of I and Q is turned.
    pub fn hue(turn: f64) -> Self {
        const TO_YIQ: [[f64; 3]; 3] = [LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]];
        let (sin, cos) = libm::sincos(std::f64::consts::TAU * turn);
        let turned = Self::linear([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]]);
        Self::linear(inverse(TO_YIQ)).after(turned).after(Self::linear(TO_YIQ))
    }

    /// The grey of a colour.
    pub fn grey(mean: &[f32]) -> f64 {
        match mean {
            &[r, g, b, ..] => LUMA.iter().zip([r, g, b]).map(|(share, v)| share * f64::from(v)).sum(),
            _ => mean.first().copied().unwrap_or(0.5).into(),
        }
    }
}

/// By the cofactors.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let cofactor = |i: usize, j: usize| {
        let [a, b, c, d] = [(1, 1), (2, 2), (1, 2), (2, 1)].map(|(down, right)| m[(i + down) % 3][(j + right) % 3]);
        a * b - c * d
    };
    let determinant: f64 = (0..3).map(|j| m[0][j] * cofactor(0, j)).sum();
    std::array::from_fn(|i| std::array::from_fn(|j| cofactor(j, i) / determinant))
}
