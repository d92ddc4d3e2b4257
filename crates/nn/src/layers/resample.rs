//! Layers that give planes another size without weights.

use super::{Pair, extents};
use crate::module::{Module, Parameters, ShapeError};
use crate::var::Var;
use gpu_core::Shape;
use gpu_core::ops::{Interpolation, Resize, Upsample2dGeometry};

/// Images resampled to another size: nearest unless told otherwise. Equivalent of `torch.nn.Upsample`.
///
/// ```
/// use nn::{Module, Upsample};
/// let up = Upsample::by(2.0).bilinear(false);
/// assert_eq!(up.out_shape([8, 3, 16, 20].into())?, [8, 3, 32, 40].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Upsample {
    geometry: Upsample2dGeometry,
}

impl Upsample {
    /// So many times as large, rounded down.
    pub fn by(factor: f64) -> Self {
        Self { geometry: Upsample2dGeometry::nearest_by(factor) }
    }

    /// To so many rows and columns.
    pub fn to(size: impl Into<Pair>) -> Self {
        Self { geometry: Upsample2dGeometry { size: Resize::To(size.into().0), mode: Interpolation::Nearest } }
    }

    /// By means of the four neighbours; with aligned corners, the corner pixels keep their places.
    pub fn bilinear(mut self, align_corners: bool) -> Self {
        self.geometry.mode = Interpolation::Bilinear { align_corners };
        self
    }
}

impl Parameters for Upsample {}

impl Module for Upsample {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.upsample2d(self.geometry)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        self.geometry.out_shape(input).map_err(ShapeError::new)
    }
    fn describe(&self) -> String {
        let size = match self.geometry.size {
            Resize::To(size) => format!("to {}", extents(size)),
            Resize::By([rows, columns]) if rows == columns => format!("by {rows}"),
            Resize::By([rows, columns]) => format!("by {rows}x{columns}"),
        };
        let mode = match self.geometry.mode {
            Interpolation::Nearest => "nearest",
            Interpolation::Bilinear { align_corners: false } => "bilinear",
            Interpolation::Bilinear { align_corners: true } => "bilinear, aligned",
        };
        format!("Upsample {size}, {mode}")
    }
}

/// `factor` squared channels become the pixels of one. Equivalent of `torch.nn.PixelShuffle`.
#[derive(Debug, Clone, Copy)]
pub struct PixelShuffle {
    factor: usize,
}

impl PixelShuffle {
    /// (N, C factor^2, H, W) to (N, C, H factor, W factor).
    ///
    /// # Panics
    /// If the factor is zero.
    #[track_caller]
    pub fn new(factor: usize) -> Self {
        assert!(factor > 0, "PixelShuffle: the factor is zero");
        Self { factor }
    }
}

impl Parameters for PixelShuffle {}

impl Module for PixelShuffle {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.pixel_shuffle(self.factor)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let (r, square) = (self.factor, self.factor * self.factor);
        match *input.dims() {
            [n, c, h, w] if c.is_multiple_of(square) => Ok([n, c / square, h * r, w * r].into()),
            [_, c, _, _] => Err(ShapeError::new(format!("pixel_shuffle: {c} channels do not divide by {r} squared (x {input})"))),
            _ => Err(ShapeError::new(format!("pixel_shuffle: {input} is not (N, C, H, W)"))),
        }
    }
    fn describe(&self) -> String {
        format!("PixelShuffle {}", self.factor)
    }
}

/// Squares of `factor` pixels become channels. Equivalent of `torch.nn.PixelUnshuffle`.
#[derive(Debug, Clone, Copy)]
pub struct PixelUnshuffle {
    factor: usize,
}

impl PixelUnshuffle {
    /// (N, C, H factor, W factor) to (N, C factor^2, H, W).
    ///
    /// # Panics
    /// If the factor is zero.
    #[track_caller]
    pub fn new(factor: usize) -> Self {
        assert!(factor > 0, "PixelUnshuffle: the factor is zero");
        Self { factor }
    }
}

impl Parameters for PixelUnshuffle {}

impl Module for PixelUnshuffle {
    #[track_caller]
    fn forward(&self, x: &Var) -> Var {
        x.pixel_unshuffle(self.factor)
    }
    fn out_shape(&self, input: Shape) -> Result<Shape, ShapeError> {
        let r = self.factor;
        match *input.dims() {
            [n, c, h, w] if h.is_multiple_of(r) && w.is_multiple_of(r) => Ok([n, c * r * r, h / r, w / r].into()),
            [_, _, h, w] => Err(ShapeError::new(format!("pixel_unshuffle: {h}x{w} does not divide by {r} (x {input})"))),
            _ => Err(ShapeError::new(format!("pixel_unshuffle: {input} is not (N, C, H, W)"))),
        }
    }
    fn describe(&self) -> String {
        format!("PixelUnshuffle {}", self.factor)
    }
}
