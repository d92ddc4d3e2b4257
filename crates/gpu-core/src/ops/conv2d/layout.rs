//! A convolution laid out, for its kernels and its mirrors.

use super::Conv2dGeometry;
use crate::kernel::Args;
use crate::mirror::Real;
use crate::shape::Shape;

/// What kernels and mirrors are driven by. `x` is the convolution's input and `y` its output, also where a gradient or a transposed
/// convolution runs it backwards. What pads the ends is in the extents already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub stride: [usize; 2],
    /// Zeros before the first row and column.
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
    pub groups: usize,
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
        let Conv2dGeometry { stride, padding, dilation, groups } = g;
        let [n, c, h, w_, k, r, s, p, q] = [x.n(), x.c(), x.h(), x.w(), y.c(), w.dim(2), w.dim(3), y.h(), y.w()];
        Self { stride, padding: padding.before, dilation, groups, n, c, h, w: w_, k, r, s, p, q }
    }
    pub fn taps(&self) -> usize {
        self.r * self.s
    }
    /// Input channels of a group.
    pub fn group_c(&self) -> usize {
        self.c / self.groups
    }
    /// Output channels of a group.
    pub fn group_k(&self) -> usize {
        self.k / self.groups
    }
    /// Whether each input channel is a group of its own.
    pub fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.groups == self.c
    }
    /// Terms of one output's sum.
    pub fn terms(&self) -> usize {
        self.group_c() * self.taps()
    }

    /// From what a launch of a kernel carries: the extents are `x`'s (n, c, h, w) and `y`'s (k, p, q).
    pub fn of(args: &Args<'_>, [n, c, h, w]: [u32; 4], [k, p, q]: [u32; 3], groups: u32) -> Self {
        let two = |h: &str, w: &str| [args.constant(h) as usize, args.constant(w) as usize];
        let (stride, padding, dilation) = (two("STRIDE_H", "STRIDE_W"), two("PAD_H", "PAD_W"), two("DILATION_H", "DILATION_W"));
        let [r, s] = two("R", "S");
        let [n, c, h, w, k, p, q, groups] = [n, c, h, w, k, p, q, groups].map(|v| v as usize);
        Self { stride, padding, dilation, groups, n, c, h, w, k, r, s, p, q }
    }

    /// The constants that a kernel's header gets.
    pub fn constants(&self, transposed: bool) -> Vec<(&'static str, u32)> {
        let two = |v: [usize; 2]| [v[0] as u32, v[1] as u32];
        let ([stride_h, stride_w], [pad_h, pad_w]) = (two(self.stride), two(self.padding));
        let [dilation_h, dilation_w] = two(self.dilation);
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
pub(super) fn bias_of<'a, T: Real>(args: &Args<'a>) -> Option<&'a [T]> {
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
        self != Self::Row3 || (l.s == 3 && l.stride[1] == 1 && l.dilation[1] == 1)
    }
}
