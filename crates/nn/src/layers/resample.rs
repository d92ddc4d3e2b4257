//! Layers that give planes another size without weights.

use super::check::{expect, size, wrong};
use super::sizes::{Extents, extents};
use crate::autograd::Var;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan};
use gpu_core::Shape;
use gpu_core::ops::{Interpolation, Resize, Upsample2dGeometry};
use serde::{Deserialize, Serialize};

/// Images resampled to another size, by a factor or to so many rows and columns: nearest unless told otherwise. Equivalent of
/// `torch.nn.Upsample`.
///
/// ```
/// use nn::{Layer, Upsample};
/// let up = Upsample::by(2.0).bilinear(false);
/// assert_eq!(up.plan([8, 3, 16, 20].into())?.output(), [8, 3, 32, 40].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upsample {
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<Extents<2>>,
    mode: Mode,
    align_corners: bool,
}

/// Where a pixel's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Nearest,
    Bilinear,
}

impl Upsample {
    /// So many times as large, rounded down.
    pub fn by(factor: f64) -> Self {
        Self { factor: Some(factor), ..Self::default() }
    }

    /// To so many rows and columns.
    pub fn to(size: impl Into<Extents<2>>) -> Self {
        Self { size: Some(size.into()), ..Self::default() }
    }

    /// By means of the four neighbours; with aligned corners, the corner pixels keep their places.
    pub fn bilinear(self, align_corners: bool) -> Self {
        Self { mode: Mode::Bilinear, align_corners, ..self }
    }

    fn geometry(&self) -> Result<Upsample2dGeometry, ShapeError> {
        let size = match (self.factor, self.size) {
            (Some(factor), None) => {
                let fits = factor > 0.0 && factor <= 65_535.0;
                expect(fits, || format!("`factor` is {factor}, not above 0 and at most 65535"))?;
                Resize::By([factor; 2])
            }
            (None, Some(size)) => {
                size.check_sizes("size")?;
                Resize::To(size.0)
            }
            _ => return wrong("one of `factor` and `size` is wanted"),
        };
        let mode = match self.mode {
            Mode::Bilinear => Interpolation::Bilinear { align_corners: self.align_corners },
            Mode::Nearest if self.align_corners => return wrong("`align_corners` is for \"bilinear\""),
            Mode::Nearest => Interpolation::Nearest,
        };
        Ok(Upsample2dGeometry { size, mode })
    }
}

impl Layer for Upsample {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let geometry = self.geometry()?;
        let size = match geometry.size {
            Resize::To(size) => format!("to {}", extents(size)),
            Resize::By([factor, _]) => format!("by {factor}"),
        };
        let mode = match geometry.mode {
            Interpolation::Nearest => "nearest",
            Interpolation::Bilinear { align_corners: false } => "bilinear",
            Interpolation::Bilinear { align_corners: true } => "bilinear, aligned",
        };
        Ok(Plan::new(format!("Upsample {size}, {mode}"), geometry.out_shape(input).map_err(ShapeError::new)?))
    }

    #[track_caller]
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        x.upsample2d(self.geometry().expect("it was planned"))
    }
}

/// `factor` squared channels become the pixels of one: (N, C factor^2, H, W) to (N, C, H factor, W factor). Equivalent of
/// `torch.nn.PixelShuffle`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PixelShuffle {
    factor: usize,
}

impl PixelShuffle {
    /// Planes that are `factor` times as high and as wide.
    pub fn new(factor: usize) -> Self {
        Self { factor }
    }
}

impl Layer for PixelShuffle {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        size("factor", self.factor)?;
        let (r, square) = (self.factor, self.factor * self.factor);
        let output: Shape = match *input.dims() {
            [n, c, h, w] if c.is_multiple_of(square) => [n, c / square, h * r, w * r].into(),
            [_, c, _, _] => return wrong(format!("{c} channels do not divide by {r} squared (x {input})")),
            _ => return wrong(format!("{input} is not (N, C, H, W)")),
        };
        Ok(Plan::new(format!("PixelShuffle {r}"), output))
    }

    #[track_caller]
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        x.pixel_shuffle(self.factor)
    }
}

/// Squares of `factor` pixels become channels: (N, C, H factor, W factor) to (N, C factor^2, H, W). Equivalent of
/// `torch.nn.PixelUnshuffle`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PixelUnshuffle {
    factor: usize,
}

impl PixelUnshuffle {
    /// Planes of a `factor`th of the height and width.
    pub fn new(factor: usize) -> Self {
        Self { factor }
    }
}

impl Layer for PixelUnshuffle {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        size("factor", self.factor)?;
        let r = self.factor;
        let output: Shape = match *input.dims() {
            [n, c, h, w] if h.is_multiple_of(r) && w.is_multiple_of(r) => [n, c * r * r, h / r, w / r].into(),
            [_, _, h, w] => return wrong(format!("{h}x{w} does not divide by {r} (x {input})")),
            _ => return wrong(format!("{input} is not (N, C, H, W)")),
        };
        Ok(Plan::new(format!("PixelUnshuffle {r}"), output))
    }

    #[track_caller]
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        x.pixel_unshuffle(self.factor)
    }
}
