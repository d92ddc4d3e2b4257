//! The sizes of a resampling, and how far its places are apart.

use crate::base::Shape;
use crate::expect;

/// How large the planes become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resize {
    /// So many rows and columns. PyTorch's `size`.
    To([usize; 2]),
    /// So many times as large, rounded down; places are apart by exactly the inverse. PyTorch's `scale_factor`.
    By([f64; 2]),
}

/// What a place between pixels holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Interpolation {
    /// The pixel in whose area it lies. PyTorch's `mode="nearest"`.
    #[default]
    Nearest,
    /// A mean of the four pixels around it, by their distance. PyTorch's `mode="bilinear"`.
    Bilinear {
        /// Whether the corner pixels' centres stay at the corners; if not, their outer edges do.
        align_corners: bool,
    },
}

/// A resampling of planes.
///
/// ```
/// # use gpu_core::{Shape, ops::Upsample2dGeometry};
/// let twice = Upsample2dGeometry::nearest_by(2.0);
/// assert_eq!(twice.out_shape(Shape::from([8, 3, 16, 20])), Ok(Shape::from([8, 3, 32, 40])));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Upsample2dGeometry {
    /// How large the planes become.
    pub size: Resize,
    /// What a place between pixels holds.
    pub mode: Interpolation,
}

impl Upsample2dGeometry {
    /// Each pixel repeated `factor` times along both axes, for a whole number.
    pub fn nearest_by(factor: f64) -> Self {
        Self { size: Resize::By([factor; 2]), mode: Interpolation::Nearest }
    }

    /// Means of neighbours, `factor` times as many along both axes.
    pub fn bilinear_by(factor: f64) -> Self {
        Self { size: Resize::By([factor; 2]), mode: Interpolation::Bilinear { align_corners: false } }
    }

    /// The shape that comes out.
    ///
    /// # Errors
    /// What is wrong, where `x` is not (N, C, H, W) or nothing comes out.
    pub fn out_shape(&self, x: Shape) -> Result<Shape, String> {
        let &[n, c, h, w] = x.dims() else { return Err(format!("x needs axes (n, c, h, w) (x {x})")) };
        let [p, q] = match self.size {
            Resize::To(size) => size,
            Resize::By(factors) if factors.iter().all(|f| f.is_finite() && *f > 0.0) => {
                [(h as f64 * factors[0]).floor() as usize, (w as f64 * factors[1]).floor() as usize]
            }
            Resize::By(factors) => return Err(format!("factors {factors:?} are not positive numbers (x {x})")),
        };
        // Places are computed in f32, where larger extents are no longer whole numbers.
        match [h, w, p, q].iter().all(|extent| (1..1 << 24).contains(extent)) {
            true => expect::countable(Shape::from([n, c, p, q])),
            false => Err(format!("{h}x{w} cannot become {p}x{q} (x {x}, size {:?})", self.size)),
        }
    }

    /// The constant `MODE` of the kernels.
    pub(super) fn mode(&self) -> u32 {
        match self.mode {
            Interpolation::Nearest => 0,
            Interpolation::Bilinear { align_corners: false } => 1,
            Interpolation::Bilinear { align_corners: true } => 2,
        }
    }

    /// How many elements of `len` it is from one of `to` places to the next along a spatial axis, 0 or 1: as PyTorch computes it, special
    /// cases included.
    ///
    /// # Panics
    /// If `axis` is neither.
    pub fn step(&self, axis: usize, len: usize, to: usize) -> f32 {
        match (self.mode, self.size) {
            (Interpolation::Bilinear { align_corners: true }, _) if to > 1 => (len - 1) as f32 / (to - 1) as f32,
            (Interpolation::Bilinear { align_corners: true }, _) => 0.0,
            _ if len == to => 1.0,
            (Interpolation::Nearest, _) if to == 2 * len => 0.5,
            (_, Resize::By(factors)) => (1.0 / factors[axis]) as f32,
            (_, Resize::To(_)) => len as f32 / to as f32,
        }
    }
}
