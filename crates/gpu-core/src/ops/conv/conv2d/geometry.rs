//! How a convolution lies over its input, and what follows for the shapes. In one dimension and in two it is the same.

use super::padding::Padding;
use crate::base::Shape;
use crate::expect;

/// Stride, padding, dilation (an entry an axis) and groups of a convolution; the default is 1, 0, 1, 1.
///
/// ```
/// # use gpu_core::{Shape, ops::Conv2dGeometry};
/// let g = Conv2dGeometry { stride: [2, 2], padding: 1.into(), ..Default::default() };
/// assert_eq!(g.out_shape(Shape::from([8, 3, 32, 32]), Shape::from([16, 3, 3, 3])), Ok(Shape::from([8, 16, 16, 16])));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvGeometry<const D: usize> {
    /// Steps of the window.
    pub stride: [usize; D],
    /// Zeros around the input.
    pub padding: Padding<D>,
    /// Distance between taps.
    pub dilation: [usize; D],
    /// Channels are cut into so many independent parts.
    pub groups: usize,
}

/// Of a convolution over (N, C, L).
pub type Conv1dGeometry = ConvGeometry<1>;
/// Of a convolution over (N, C, H, W).
pub type Conv2dGeometry = ConvGeometry<2>;

impl<const D: usize> Default for ConvGeometry<D> {
    fn default() -> Self {
        Self { stride: [1; D], padding: Padding::default(), dilation: [1; D], groups: 1 }
    }
}

impl<const D: usize> ConvGeometry<D> {
    /// The output's shape for an input (n, c, h, w) and weights (k, c / groups, r, s), or why there is none.
    ///
    /// # Errors
    /// A sentence that names what does not fit.
    pub fn out_shape(&self, x: Shape, w: Shape) -> Result<Shape, String> {
        check(x, w, [self.stride, self.padding.before, self.padding.after, self.dilation, [0; D]], self.groups)?;
        if x.c() != w.dim(1) * self.groups {
            return Err(format!("x has {} channels, w wants {} (x {x}, w {w})", x.c(), w.dim(1) * self.groups));
        }
        if !w.dim(0).is_multiple_of(self.groups) {
            return Err(format!("{} output channels do not divide into {} groups (x {x}, w {w})", w.dim(0), self.groups));
        }
        let mut out = vec![x.n(), w.dim(0)];
        for axis in 0..D {
            let span = self.dilation[axis] * (w.dim(2 + axis) - 1) + 1;
            let padded = x.dim(2 + axis) + self.padding.before[axis] + self.padding.after[axis];
            let room = padded.checked_sub(span);
            let room = room.ok_or_else(|| format!("a window of {span} does not fit into {padded} (x {x}, w {w})"))?;
            out.push(room / self.stride[axis] + 1);
        }
        expect::countable(Shape::new(&out))
    }

    /// The same convolution with two spatial axes: of (N, C, L) as (N, C, 1, L).
    pub fn with_two_axes(&self) -> Conv2dGeometry {
        Conv2dGeometry {
            stride: two_axes(self.stride, 1),
            padding: Padding { before: two_axes(self.padding.before, 0), after: two_axes(self.padding.after, 0) },
            dilation: two_axes(self.dilation, 1),
            groups: self.groups,
        }
    }
}

/// Stride, padding, extra rows and columns of the output, dilation (an entry an axis) and groups of a transposed convolution;
/// weights are (in, out / groups, r, s).
///
/// ```
/// # use gpu_core::{Shape, ops::ConvTranspose2dGeometry};
/// let g = ConvTranspose2dGeometry { stride: [2, 2], padding: 1.into(), ..Default::default() };
/// assert_eq!(g.out_shape(Shape::from([8, 64, 16, 16]), Shape::from([64, 32, 4, 4])), Ok(Shape::from([8, 32, 32, 32])));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvTransposeGeometry<const D: usize> {
    /// Distance of the input's pixels in the output.
    pub stride: [usize; D],
    /// What is cut off the output's edges.
    pub padding: Padding<D>,
    /// What is added at the output's end, less than the stride or the dilation.
    pub output_padding: [usize; D],
    /// Distance between taps.
    pub dilation: [usize; D],
    /// Channels are cut into so many independent parts.
    pub groups: usize,
}

/// Of a transposed convolution over (N, C, L).
pub type ConvTranspose1dGeometry = ConvTransposeGeometry<1>;
/// Of a transposed convolution over (N, C, H, W).
pub type ConvTranspose2dGeometry = ConvTransposeGeometry<2>;

impl<const D: usize> Default for ConvTransposeGeometry<D> {
    fn default() -> Self {
        Self { stride: [1; D], padding: Padding::default(), output_padding: [0; D], dilation: [1; D], groups: 1 }
    }
}

impl<const D: usize> ConvTransposeGeometry<D> {
    /// The output's shape for an input (n, c, h, w) and weights (c, k / groups, r, s), or why there is none.
    ///
    /// # Errors
    /// A sentence that names what does not fit.
    pub fn out_shape(&self, x: Shape, w: Shape) -> Result<Shape, String> {
        let Self { stride, padding, output_padding, dilation, groups } = *self;
        check(x, w, [stride, padding.before, padding.after, dilation, output_padding], groups)?;
        if x.c() != w.dim(0) || !x.c().is_multiple_of(groups) {
            return Err(format!("x has {} channels in {groups} groups, w wants {} (x {x}, w {w})", x.c(), w.dim(0)));
        }
        let mut out = vec![x.n(), w.dim(1) * groups];
        for axis in 0..D {
            if output_padding[axis] >= stride[axis].max(dilation[axis]) {
                let why =
                    format!("output padding {output_padding:?} is not under the stride {stride:?} or the dilation {dilation:?}");
                return Err(format!("{why} (x {x}, w {w})"));
            }
            let full = (x.dim(2 + axis) - 1) * stride[axis] + dilation[axis] * (w.dim(2 + axis) - 1) + 1 + output_padding[axis];
            let left = full.checked_sub(padding.before[axis] + padding.after[axis]).filter(|&v| v > 0);
            out.push(left.ok_or_else(|| format!("padding {padding} cuts the output away (x {x}, w {w})"))?);
        }
        expect::countable(Shape::new(&out))
    }

    /// The same transposed convolution with two spatial axes: of (N, C, L) as (N, C, 1, L).
    pub fn with_two_axes(&self) -> ConvTranspose2dGeometry {
        ConvTranspose2dGeometry {
            stride: two_axes(self.stride, 1),
            padding: Padding { before: two_axes(self.padding.before, 0), after: two_axes(self.padding.after, 0) },
            output_padding: two_axes(self.output_padding, 0),
            dilation: two_axes(self.dilation, 1),
            groups: self.groups,
        }
    }
}

impl ConvTranspose2dGeometry {
    /// The convolution whose input gradient this is.
    pub(super) fn adjoint(&self) -> Conv2dGeometry {
        Conv2dGeometry { stride: self.stride, padding: self.padding, dilation: self.dilation, groups: self.groups }
    }
}

/// The last axes of two, with `fill` before them.
fn two_axes<const D: usize>(each: [usize; D], fill: usize) -> [usize; 2] {
    const { assert!(D == 1 || D == 2, "a convolution has one or two spatial axes") };
    let mut two = [fill; 2];
    two[2 - D..].copy_from_slice(&each);
    two
}

/// Of stride, padding before and after, dilation and output padding.
fn check<const D: usize>(x: Shape, w: Shape, numbers: [[usize; D]; 5], groups: usize) -> Result<(), String> {
    let [stride, _, _, dilation, _] = numbers;
    if x.rank() != D + 2 || w.rank() != D + 2 {
        return Err(format!("x and w have {} axes each (x {x}, w {w})", D + 2));
    }
    if groups == 0 || stride.contains(&0) || dilation.contains(&0) {
        return Err(format!("stride {stride:?}, dilation {dilation:?} and groups {groups} are at least 1 (x {x}, w {w})"));
    }
    let all = numbers.iter().flatten().copied();
    expect::sizes(x, &all.chain([groups]).collect::<Vec<_>>())?;
    expect::countable(w)?;
    if w.is_empty() || x.inner(1) == 0 {
        return Err(format!("there is nothing to convolve (x {x}, w {w})"));
    }
    Ok(())
}
