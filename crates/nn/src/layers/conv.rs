//! Convolutions.

use super::check::{self, channels_of, size};
use super::default;
use super::sizes::{Edges, Extents, extents, option, padded};
use crate::autograd::Var;
use crate::init::Fill;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan};
use gpu_core::Shape;
use gpu_core::ops::{ConvGeometry, ConvTransposeGeometry};
use serde::{Deserialize, Serialize};

/// The options that both directions have.
macro_rules! options {
    ($layer:ident) => {
        impl<const D: usize> $layer<D> {
            /// Steps from one window to the next, in the larger planes.
            pub fn stride(self, stride: impl Into<Extents<D>>) -> Self {
                Self { stride: stride.into(), ..self }
            }

            /// Steps from one tap to the next.
            pub fn dilation(self, dilation: impl Into<Extents<D>>) -> Self {
                Self { dilation: dilation.into(), ..self }
            }

            /// Independent groups of channels; as many as input channels make it depthwise.
            pub fn groups(self, groups: usize) -> Self {
                Self { groups, ..self }
            }

            /// Without a bias: before a normalisation it would do nothing.
            pub fn no_bias(self) -> Self {
                Self { bias: false, ..self }
            }
        }
    };
}
options!(Conv);
options!(ConvTranspose);

/// Convolution with weights (out, in / groups, taps ..) and a bias. Equivalent of `torch.nn.Conv1d` and `torch.nn.Conv2d`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv<const D: usize> {
    out: usize,
    kernel: Extents<D>,
    #[serde(default)]
    stride: Extents<D>,
    #[serde(default)]
    padding: Edges<D>,
    #[serde(default)]
    dilation: Extents<D>,
    #[serde(default = "default::one")]
    groups: usize,
    #[serde(default = "default::yes")]
    bias: bool,
    #[serde(default, skip_serializing_if = "default::is_no")]
    dirac: bool,
}

/// Convolution of (N, C, L) with weights (out, in / groups, taps). Equivalent of `torch.nn.Conv1d`.
///
/// ```
/// use gpu_core::Device;
/// use nn::{Conv1d, Init, Layer, Module};
/// let conv = Conv1d::new(8, 5).stride(2).padding(2).build(&Init::seeded(&Device::Cpu, 0), [4, 100])?;
/// assert_eq!(conv.out_shape([3, 4, 100].into())?, [3, 8, 50].into());
/// # Ok::<(), nn::BuildError>(())
/// ```
pub type Conv1d = Conv<1>;

/// Convolution of (N, C, H, W) with weights (out, in / groups, rows, columns). Equivalent of `torch.nn.Conv2d`.
///
/// ```
/// use nn::{Conv2d, Layer};
/// let conv = Conv2d::new(32, 3).stride(2).padding(1).no_bias();
/// assert_eq!(conv.plan([8, 3, 32, 32].into())?.output(), [8, 32, 16, 16].into());
/// let wider = Conv2d::new(32, 3).padding([0, 1, 2, 3]); // top, bottom, left, right
/// assert_eq!(wider.plan([8, 3, 32, 32].into())?.output(), [8, 32, 31, 35].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
pub type Conv2d = Conv<2>;

impl<const D: usize> Conv<D> {
    /// To `out` channels; stride 1, no padding, no dilation, one group, with a bias.
    pub fn new(out: usize, kernel: impl Into<Extents<D>>) -> Self {
        let (stride, padding, dilation) = Default::default();
        Self { out, kernel: kernel.into(), stride, padding, dilation, groups: default::one(), bias: default::yes(), dirac: false }
    }

    /// Zeros around the input: one number, one an axis, one a side, or [`Edges::Same`], which a stride other than 1 does not go with.
    pub fn padding(self, padding: impl Into<Edges<D>>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// That passes its inputs on at first, each by a filter of its own: see [`Fill::Dirac`].
    pub fn dirac(self) -> Self {
        Self { dirac: true, ..self }
    }

    fn geometry(&self) -> ConvGeometry<D> {
        let padding = self.padding.around(self.kernel, self.dilation);
        ConvGeometry { stride: self.stride.0, padding, dilation: self.dilation.0, groups: self.groups }
    }
}

impl<const D: usize> Layer for Conv<D> {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let c = channels_of::<D>(input)?;
        self.kernel.check_sizes("kernel")?;
        self.stride.check_sizes("stride")?;
        self.padding.check("padding")?;
        self.dilation.check_sizes("dilation")?;
        // As PyTorch does: what keeps the extents at another stride depends on the input.
        let is_kept = self.padding != Edges::Same || self.stride == Extents::default();
        check::expect(is_kept, || {
            format!("`padding` is \"same\", which is for stride 1, and `stride` is {}; give numbers", extents(self.stride.0))
        })?;
        size("out", self.out)?;
        check::groups(self.groups, c, self.out)?;
        let w = Shape::new(&[&[self.out, c / self.groups], &self.kernel.0[..]].concat());
        let geometry = self.geometry();
        let output = geometry.out_shape(input, w).map_err(ShapeError::new)?;
        let taps = w.inner(1);
        let ConvGeometry { stride, padding, dilation, groups } = geometry;
        let options =
            [option("stride", stride, 1), padded(padding), option("dilation", dilation, 1), option("groups", [groups], 1)];
        let description = format!("Conv{D}d {} {c}>{}{}", extents(self.kernel.0), self.out, options.concat());
        // Each output element is a sum over one group's taps.
        let work = (output.len() as u64).saturating_mul(taps as u64);
        let fill = if self.dirac { Fill::Dirac { groups } } else { Fill::Weights };
        Ok(Plan::new(description, output).param("weight", w, fill).bias(self.bias, self.out, taps).multiply_adds(work))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        x.conv(&p.var("weight"), p.optional("bias").as_ref(), self.geometry())
    }
}

/// Transposed convolution with weights (in, out / groups, taps ..) and a bias. Equivalent of `torch.nn.ConvTranspose1d` and
/// `torch.nn.ConvTranspose2d`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose<const D: usize> {
    out: usize,
    kernel: Extents<D>,
    #[serde(default)]
    stride: Extents<D>,
    #[serde(default)]
    padding: Edges<D>,
    #[serde(default = "none")]
    output_padding: Extents<D>,
    #[serde(default)]
    dilation: Extents<D>,
    #[serde(default = "default::one")]
    groups: usize,
    #[serde(default = "default::yes")]
    bias: bool,
}

fn none<const D: usize>() -> Extents<D> {
    Extents([0; D])
}

/// Transposed convolution of (N, C, L) with weights (in, out / groups, taps). Equivalent of `torch.nn.ConvTranspose1d`.
pub type ConvTranspose1d = ConvTranspose<1>;

/// Transposed convolution of (N, C, H, W) with weights (in, out / groups, rows, columns): it enlarges. Equivalent of
/// `torch.nn.ConvTranspose2d`.
///
/// ```
/// use nn::{ConvTranspose2d, Layer};
/// let up = ConvTranspose2d::new(32, 4).stride(2).padding(1);
/// assert_eq!(up.plan([8, 64, 16, 16].into())?.output(), [8, 32, 32, 32].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
pub type ConvTranspose2d = ConvTranspose<2>;

impl<const D: usize> ConvTranspose<D> {
    /// To `out` channels; stride 1, no padding, no dilation, one group, with a bias.
    pub fn new(out: usize, kernel: impl Into<Extents<D>>) -> Self {
        let (kernel, stride, padding, dilation) = (kernel.into(), Extents::default(), Edges::default(), Extents::default());
        Self { out, kernel, stride, padding, output_padding: none(), dilation, groups: default::one(), bias: default::yes() }
    }

    /// What is cut off the output's edges: one number, one an axis, or one a side.
    pub fn padding(self, padding: impl Into<Edges<D>>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// What is added at the output's end.
    pub fn output_padding(self, output_padding: impl Into<Extents<D>>) -> Self {
        Self { output_padding: output_padding.into(), ..self }
    }

    fn geometry(&self) -> ConvTransposeGeometry<D> {
        ConvTransposeGeometry {
            stride: self.stride.0,
            padding: self.padding.around(self.kernel, self.dilation),
            output_padding: self.output_padding.0,
            dilation: self.dilation.0,
            groups: self.groups,
        }
    }
}

impl<const D: usize> Layer for ConvTranspose<D> {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        let c = channels_of::<D>(input)?;
        self.kernel.check_sizes("kernel")?;
        self.stride.check_sizes("stride")?;
        self.padding.check("padding")?;
        check::expect(self.padding != Edges::Same, || "`padding` is a number here: \"same\" is for convolutions".to_owned())?;
        self.output_padding.check_counts("output_padding")?;
        self.dilation.check_sizes("dilation")?;
        size("out", self.out)?;
        check::groups(self.groups, c, self.out)?;
        let w = Shape::new(&[&[c, self.out / self.groups], &self.kernel.0[..]].concat());
        let geometry = self.geometry();
        let output = geometry.out_shape(input, w).map_err(ShapeError::new)?;
        let taps = w.inner(1);
        let ConvTransposeGeometry { stride, padding, output_padding, dilation, groups } = geometry;
        let added = option("output pad", output_padding, 0);
        let options =
            [option("stride", stride, 1), padded(padding), added, option("dilation", dilation, 1), option("groups", [groups], 1)];
        let description = format!("ConvTranspose{D}d {} {c}>{}{}", extents(self.kernel.0), self.out, options.concat());
        // Each input element is spread over one group's taps.
        let work = (input.len() as u64).saturating_mul(taps as u64);
        Ok(Plan::new(description, output).weight(w).bias(self.bias, self.out, taps).multiply_adds(work))
    }

    #[track_caller]
    fn forward(&self, x: &Var, p: &Params<'_>) -> Var {
        x.conv_transpose(&p.var("weight"), p.optional("bias").as_ref(), self.geometry())
    }
}
