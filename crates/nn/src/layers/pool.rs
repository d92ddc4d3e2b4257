//! Pooling: over windows, and to a wanted size.

use super::check::size;
use super::default;
use super::fieldless::fieldless;
use super::sizes::{Edges, Extents, extents, option};
use crate::autograd::Var;
use crate::module::ShapeError;
use crate::net::{Layer, Params, Plan};
use gpu_core::Shape;
use gpu_core::ops::{Divisor, PoolGeometry};
use serde::{Deserialize, Serialize};

/// The windows of the fields, checked.
fn windows<const D: usize>(
    kernel: Extents<D>,
    stride: Option<Extents<D>>,
    padding: Edges<D>,
    dilation: Extents<D>,
    ceil_mode: bool,
) -> Result<PoolGeometry<D>, ShapeError> {
    let stride = stride.unwrap_or(kernel);
    kernel.check_sizes("kernel")?;
    stride.check_sizes("stride")?;
    dilation.check_sizes("dilation")?;
    let padding = padding.alike("padding")?;
    Ok(PoolGeometry { kernel: kernel.0, stride: stride.0, padding, dilation: dilation.0, ceil_mode })
}

fn plan<const D: usize>(name: &str, g: PoolGeometry<D>, input: Shape) -> Result<Plan, ShapeError> {
    let output = g.out_shape(input).map_err(ShapeError::new)?;
    let stride = if g.stride == g.kernel { String::new() } else { option("stride", g.stride, 0) };
    let options = [stride, option("pad", g.padding, 0), option("dilation", g.dilation, 1)].concat();
    let ceil = if g.ceil_mode { ", ceil" } else { "" };
    Ok(Plan::new(format!("{name}{D}d {}{options}{ceil}", extents(g.kernel)), output))
}

/// The largest element of each window. Equivalent of `torch.nn.MaxPool1d` and `torch.nn.MaxPool2d`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool<const D: usize> {
    kernel: Extents<D>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stride: Option<Extents<D>>,
    #[serde(default)]
    padding: Edges<D>,
    #[serde(default)]
    dilation: Extents<D>,
    #[serde(default)]
    ceil_mode: bool,
}

/// The largest element of each window of (N, C, L). Equivalent of `torch.nn.MaxPool1d`.
pub type MaxPool1d = MaxPool<1>;
/// The largest element of each window of (N, C, H, W). Equivalent of `torch.nn.MaxPool2d`.
///
/// ```
/// use nn::{Layer, MaxPool2d};
/// let pool = MaxPool2d::new(3).stride(2).padding(1);
/// assert_eq!(pool.plan([8, 64, 112, 112].into())?.output(), [8, 64, 56, 56].into());
/// # Ok::<(), nn::ShapeError>(())
/// ```
pub type MaxPool2d = MaxPool<2>;

impl<const D: usize> MaxPool<D> {
    /// Windows of `kernel`, side by side.
    pub fn new(kernel: impl Into<Extents<D>>) -> Self {
        let (stride, padding, dilation, ceil_mode) = Default::default();
        Self { kernel: kernel.into(), stride, padding, dilation, ceil_mode }
    }

    /// Steps from one window to the next.
    pub fn stride(self, stride: impl Into<Extents<D>>) -> Self {
        Self { stride: Some(stride.into()), ..self }
    }

    /// What stands around the input and never wins.
    pub fn padding(self, padding: impl Into<Edges<D>>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// Steps between a window's elements.
    pub fn dilation(self, dilation: impl Into<Extents<D>>) -> Self {
        Self { dilation: dilation.into(), ..self }
    }

    /// Whether the last window may reach past the end.
    pub fn ceil_mode(self, ceil_mode: bool) -> Self {
        Self { ceil_mode, ..self }
    }

    fn geometry(&self) -> Result<PoolGeometry<D>, ShapeError> {
        windows(self.kernel, self.stride, self.padding, self.dilation, self.ceil_mode)
    }
}

impl<const D: usize> Layer for MaxPool<D> {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        plan("MaxPool", self.geometry()?, input)
    }

    #[track_caller]
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        x.max_pool(self.geometry().expect("it was planned"))
    }
}

/// The mean of each window, padding included unless told otherwise. Equivalent of `torch.nn.AvgPool1d` and `torch.nn.AvgPool2d`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AvgPool<const D: usize> {
    kernel: Extents<D>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stride: Option<Extents<D>>,
    #[serde(default)]
    padding: Edges<D>,
    #[serde(default)]
    ceil_mode: bool,
    #[serde(default = "default::yes")]
    count_include_pad: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    divisor: Option<usize>,
}

/// The mean of each window of (N, C, L). Equivalent of `torch.nn.AvgPool1d`.
pub type AvgPool1d = AvgPool<1>;
/// The mean of each window of (N, C, H, W). Equivalent of `torch.nn.AvgPool2d`.
pub type AvgPool2d = AvgPool<2>;

impl<const D: usize> AvgPool<D> {
    /// Windows of `kernel`, side by side.
    pub fn new(kernel: impl Into<Extents<D>>) -> Self {
        let (stride, padding, ceil_mode, divisor) = Default::default();
        Self { kernel: kernel.into(), stride, padding, ceil_mode, count_include_pad: default::yes(), divisor }
    }

    /// Steps from one window to the next.
    pub fn stride(self, stride: impl Into<Extents<D>>) -> Self {
        Self { stride: Some(stride.into()), ..self }
    }

    /// Zeros around the input.
    pub fn padding(self, padding: impl Into<Edges<D>>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// Whether the last window may reach past the end.
    pub fn ceil_mode(self, ceil_mode: bool) -> Self {
        Self { ceil_mode, ..self }
    }

    /// Whether the zeros around the input count in the number that a sum is divided by.
    pub fn count_include_pad(self, count_include_pad: bool) -> Self {
        Self { count_include_pad, ..self }
    }

    /// Divides by this number in the place of the number of elements. PyTorch's `divisor_override`.
    pub fn divisor(self, divisor: usize) -> Self {
        Self { divisor: Some(divisor), ..self }
    }

    fn geometry(&self) -> Result<PoolGeometry<D>, ShapeError> {
        windows(self.kernel, self.stride, self.padding, Extents::default(), self.ceil_mode)
    }
}

impl<const D: usize> Layer for AvgPool<D> {
    fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
        self.divisor.map_or(Ok(()), |divisor| size("divisor", divisor))?;
        plan("AvgPool", self.geometry()?, input)
    }

    #[track_caller]
    fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
        let divisor = match self.divisor {
            Some(fixed) => Divisor::Fixed(fixed),
            None if self.count_include_pad => Divisor::Window,
            None => Divisor::Inside,
        };
        x.avg_pool(self.geometry().expect("it was planned"), divisor)
    }
}

/// (N, C, rows, columns) for images of any size.
fn divided(input: Shape, [rows, columns]: [usize; 2]) -> Result<Shape, ShapeError> {
    match input.rank() {
        4 if rows * columns * input.inner(2) > 0 => Ok([input.n(), input.c(), rows, columns].into()),
        4 => Err(ShapeError::new(format!("{input} cannot be divided into {rows}x{columns} parts"))),
        _ => Err(ShapeError::new(format!("{input} is not (N, C, H, W)"))),
    }
}

/// Poolings to planes of a given size, each by a method of [`Var`].
macro_rules! adaptive {
    ($($(#[$doc:meta])* $layer:ident => $method:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            size: Extents<2>,
        }

        impl $layer {
            /// Planes of `size` rows and columns, whatever comes in.
            pub fn new(size: impl Into<Extents<2>>) -> Self {
                Self { size: size.into() }
            }
        }

        impl Layer for $layer {
            fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
                self.size.check_sizes("size")?;
                let output = divided(input, self.size.0)?;
                Ok(Plan::new(format!("{} {}", stringify!($layer), extents(self.size.0)), output))
            }
            #[track_caller]
            fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
                x.$method(self.size.0)
            }
        }
    )*};
}

adaptive! {
    /// The mean of each of so many rows and columns of parts. Equivalent of `torch.nn.AdaptiveAvgPool2d`.
    AdaptiveAvgPool2d => adaptive_avg_pool2d,
    /// The largest element of each of so many rows and columns of parts. Equivalent of `torch.nn.AdaptiveMaxPool2d`.
    AdaptiveMaxPool2d => adaptive_max_pool2d,
}

/// Poolings of whole planes, each by a method of [`Var`].
macro_rules! global {
    ($($(#[$doc:meta])* $layer:ident => $method:ident),* $(,)?) => {$(
        fieldless! { $(#[$doc])* $layer }

        impl Layer for $layer {
            fn plan(&self, input: Shape) -> Result<Plan, ShapeError> {
                Ok(Plan::new(stringify!($layer), divided(input, [1, 1])?))
            }
            #[track_caller]
            fn forward(&self, x: &Var, _: &Params<'_>) -> Var {
                x.$method()
            }
        }
    )*};
}

global! {
    /// The mean of each channel of each image: (N, C, 1, 1). Equivalent of `torch.nn.AdaptiveAvgPool2d(1)`.
    GlobalAvgPool => global_avg_pool,
    /// The largest element of each channel of each image: (N, C, 1, 1). Equivalent of `torch.nn.AdaptiveMaxPool2d(1)`.
    GlobalMaxPool => global_max_pool,
}
