//! How a convolution lies over its input, and what follows for the shapes.

use crate::kernel::Args;
use crate::shape::Shape;

/// Stride, padding, dilation (rows, columns) and groups of a 2-D convolution; the default is 1, 0, 1, 1.
///
/// ```
/// # use gpu_core::{Shape, ops::Conv2dGeometry};
/// let g = Conv2dGeometry { stride: [2, 2], padding: [1, 1], ..Default::default() };
/// assert_eq!(g.out_shape(Shape::from([8, 3, 32, 32]), Shape::from([16, 3, 3, 3])), Ok(Shape::from([8, 16, 16, 16])));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Conv2dGeometry {
    /// Steps of the window.
    pub stride: [usize; 2],
    /// Zeros on both sides.
    pub padding: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
    /// Channels are cut into so many independent parts.
    pub groups: usize,
}

impl Default for Conv2dGeometry {
    fn default() -> Self {
        Self { stride: [1; 2], padding: [0; 2], dilation: [1; 2], groups: 1 }
    }
}

impl Conv2dGeometry {
    /// The output's shape for an input (n, c, h, w) and weights (k, c / groups, r, s), or why there is none.
    ///
    /// # Errors
    /// A sentence that names what does not fit.
    pub fn out_shape(&self, x: Shape, w: Shape) -> Result<Shape, String> {
        check_four(x, w, self.stride, self.dilation, self.groups)?;
        if x.c() != w.dim(1) * self.groups {
            return Err(format!("x has {} channels, w wants {} (x {x}, w {w})", x.c(), w.dim(1) * self.groups));
        }
        if !w.dim(0).is_multiple_of(self.groups) {
            return Err(format!("{} output channels do not divide into {} groups (w {w})", w.dim(0), self.groups));
        }
        let mut out = [0; 2];
        for axis in 0..2 {
            let span = self.dilation[axis] * (w.dim(2 + axis) - 1) + 1;
            let padded = x.dim(2 + axis) + 2 * self.padding[axis];
            let room = padded.checked_sub(span);
            out[axis] = room.ok_or_else(|| format!("a window of {span} does not fit into {padded} (x {x}, w {w})"))?
                / self.stride[axis]
                + 1;
        }
        Ok(Shape::from([x.n(), w.dim(0), out[0], out[1]]))
    }

    /// Whether each input channel is a group of its own.
    pub(super) fn is_depthwise(&self, x: Shape) -> bool {
        self.groups > 1 && self.groups == x.c()
    }
}

/// Stride, padding, dilation, extra rows and columns of the output, and groups of a transposed 2-D convolution; weights are
/// (in, out / groups, r, s).
///
/// ```
/// # use gpu_core::{Shape, ops::ConvTranspose2dGeometry};
/// let g = ConvTranspose2dGeometry { stride: [2, 2], padding: [1, 1], ..Default::default() };
/// assert_eq!(g.out_shape(Shape::from([8, 64, 16, 16]), Shape::from([64, 32, 4, 4])), Ok(Shape::from([8, 32, 32, 32])));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvTranspose2dGeometry {
    /// Distance of the input's pixels in the output.
    pub stride: [usize; 2],
    /// Rows and columns cut off on both sides.
    pub padding: [usize; 2],
    /// Rows and columns added at the end, fewer than the stride or the dilation.
    pub output_padding: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
    /// Channels are cut into so many independent parts.
    pub groups: usize,
}

impl Default for ConvTranspose2dGeometry {
    fn default() -> Self {
        Self { stride: [1; 2], padding: [0; 2], output_padding: [0; 2], dilation: [1; 2], groups: 1 }
    }
}

impl ConvTranspose2dGeometry {
    /// The output's shape for an input (n, c, h, w) and weights (c, k / groups, r, s), or why there is none.
    ///
    /// # Errors
    /// A sentence that names what does not fit.
    pub fn out_shape(&self, x: Shape, w: Shape) -> Result<Shape, String> {
        check_four(x, w, self.stride, self.dilation, self.groups)?;
        if x.c() != w.dim(0) || !x.c().is_multiple_of(self.groups) {
            return Err(format!("x has {} channels in {} groups, w wants {} (x {x}, w {w})", x.c(), self.groups, w.dim(0)));
        }
        let mut out = [0; 2];
        for axis in 0..2 {
            if self.output_padding[axis] >= self.stride[axis].max(self.dilation[axis]) {
                return Err(format!(
                    "output padding {:?} is not under the stride {:?} or the dilation",
                    self.output_padding, self.stride
                ));
            }
            let full = (x.dim(2 + axis) - 1) * self.stride[axis] + self.dilation[axis] * (w.dim(2 + axis) - 1) + 1;
            let cut = (full + self.output_padding[axis]).checked_sub(2 * self.padding[axis]).filter(|&v| v > 0);
            out[axis] = cut.ok_or_else(|| format!("padding {:?} cuts the output away (x {x}, w {w})", self.padding))?;
        }
        Ok(Shape::from([x.n(), w.dim(1) * self.groups, out[0], out[1]]))
    }

    /// The convolution whose input gradient this is.
    pub(super) fn adjoint(&self) -> Conv2dGeometry {
        Conv2dGeometry { stride: self.stride, padding: self.padding, dilation: self.dilation, groups: self.groups }
    }
}

fn check_four(x: Shape, w: Shape, stride: [usize; 2], dilation: [usize; 2], groups: usize) -> Result<(), String> {
    if x.rank() != 4 || w.rank() != 4 {
        return Err(format!("x and w have four axes each (x {x}, w {w})"));
    }
    if groups == 0 || stride.contains(&0) || dilation.contains(&0) {
        return Err(format!("stride {stride:?}, dilation {dilation:?} and groups {groups} are at least 1"));
    }
    if w.is_empty() || x.inner(1) == 0 {
        return Err(format!("there is nothing to convolve (x {x}, w {w})"));
    }
    Ok(())
}

/// One convolution laid out: what its kernels and its mirrors are driven by. `x` is the convolution's input and `y` its output,
/// also where a gradient or a transposed convolution runs it backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub g: Conv2dGeometry,
    pub n: usize,
    pub c: usize,
    pub h: usize,
    pub w: usize,
    pub k: usize,
    pub r: usize,
    pub s: usize,
    pub p: usize,
    pub q: usize,
}

impl Layout {
    pub fn new(g: Conv2dGeometry, x: Shape, w: Shape, y: Shape) -> Self {
        Self { g, n: x.n(), c: x.c(), h: x.h(), w: x.w(), k: y.c(), r: w.dim(2), s: w.dim(3), p: y.h(), q: y.w() }
    }
    pub fn taps(&self) -> usize {
        self.r * self.s
    }
    /// Input channels of a group.
    pub fn group_c(&self) -> usize {
        self.c / self.g.groups
    }
    /// Output channels of a group.
    pub fn group_k(&self) -> usize {
        self.k / self.g.groups
    }
    /// Terms of one output's sum.
    pub fn terms(&self) -> usize {
        self.group_c() * self.taps()
    }

    /// From what a launch of a kernel carries: the extents are `x`'s (n, c, h, w) and `y`'s (k, p, q).
    pub fn of(args: &Args<'_>, [n, c, h, w]: [u32; 4], [k, p, q]: [u32; 3], groups: u32) -> Self {
        let two = |h: &str, w: &str| [args.constant(h) as usize, args.constant(w) as usize];
        let g = Conv2dGeometry {
            stride: two("STRIDE_H", "STRIDE_W"),
            padding: two("PAD_H", "PAD_W"),
            dilation: two("DILATION_H", "DILATION_W"),
            groups: groups as usize,
        };
        let [r, s] = two("R", "S");
        let [n, c, h, w, k, p, q] = [n, c, h, w, k, p, q].map(|v| v as usize);
        Self { g, n, c, h, w, k, r, s, p, q }
    }

    /// The constants that a kernel's header gets.
    pub fn constants(&self, transposed: bool) -> Vec<(&'static str, u32)> {
        let two = |v: [usize; 2]| [v[0] as u32, v[1] as u32];
        let ([stride_h, stride_w], [pad_h, pad_w]) = (two(self.g.stride), two(self.g.padding));
        let [dilation_h, dilation_w] = two(self.g.dilation);
        vec![
            ("R", self.r as u32),
            ("S", self.s as u32),
            ("STRIDE_H", stride_h),
            ("STRIDE_W", stride_w),
            ("PAD_H", pad_h),
            ("PAD_W", pad_w),
            ("DILATION_H", dilation_h),
            ("DILATION_W", dilation_w),
            ("TRANSPOSED", u32::from(transposed)),
        ]
    }
}

/// The bias of a launch, which binds the weights again where there is none.
pub(super) fn bias_of<'a>(args: &Args<'a>) -> Option<&'a [f32]> {
    (args.constant("HAS_BIAS") == 1).then(|| args.input(2))
}

/// The forms of the implicit products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Workgroup tiles.
    Tiled,
    /// Registers alone.
    Reg,
    /// Registers alone, three taps of unit step a row.
    Row3,
}

impl Form {
    pub const ALL: [Self; 3] = [Self::Tiled, Self::Reg, Self::Row3];

    /// What runs where nobody says otherwise.
    pub fn choose(l: &Layout, prefers_registers: bool) -> Self {
        match (prefers_registers, Self::Row3.fits(l)) {
            (false, _) => Self::Tiled,
            (true, true) => Self::Row3,
            (true, false) => Self::Reg,
        }
    }

    /// Whether the form can compute this convolution at all.
    pub fn fits(self, l: &Layout) -> bool {
        self != Self::Row3 || (l.s == 3 && l.g.stride[1] == 1 && l.g.dilation[1] == 1)
    }
}
