//! A convolution laid out, for its kernels and its mirrors.

use super::Conv2dGeometry;
use crate::base::Shape;
use crate::kernel::Args;
use crate::mirror::Real;
use crate::work::{self, Work};

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
    /// Multiplications and additions.
    pub fn flops(&self) -> u64 {
        work::flops(&[self.n, self.k, self.p, self.q, self.terms()])
    }
    /// Terms of one output's sum.
    pub fn terms(&self) -> usize {
        self.group_c() * self.taps()
    }

    /// The same convolution over rows that are whole words of four pixels, if there is one: one tap in a row, or three with unit
    /// step and one zero around. Where there is one tap in all, rows may be cut anew.
    pub fn in_words(&self) -> Option<Self> {
        let plain = self.taps() == 1 && self.stride == [1; 2] && self.padding == [0; 2] && (self.p, self.q) == (self.h, self.w);
        let plane = self.h * self.w;
        let l = match plain && !self.w.is_multiple_of(4) && plane.is_multiple_of(4) {
            true => Self { h: plane / 4, w: 4, p: plane / 4, q: 4, ..*self },
            false => *self,
        };
        let around = matches!((l.s, l.padding[1]), (1, 0) | (3, 1));
        let unit = l.stride[1] == 1 && l.dilation[1] == 1 && l.q == l.w;
        (around && unit && l.w.is_multiple_of(4) && l.terms().is_multiple_of(4)).then_some(l)
    }

    /// As the kernel of a form sees it; a mirror has one form for all.
    pub fn laid_for(&self, form: Form, work: Work) -> Self {
        match form == Form::Tiled4 && work.is_by_words() {
            true => self.in_words().expect("Tiled4 fits"),
            false => *self,
        }
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
pub enum Form {
    /// Workgroup tiles.
    Tiled,
    /// Workgroup tiles by 16-byte accesses, over rows of whole words.
    Tiled4,
    /// Registers alone.
    Reg,
    /// Registers alone, three taps of unit step a row.
    Row3,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tiled, Self::Tiled4, Self::Reg, Self::Row3];

    /// What runs where nobody says otherwise.
    pub(super) fn choose(l: &Layout, work: Work) -> Self {
        let forms = if work.is_by_registers() { [Self::Row3, Self::Reg] } else { [Self::Tiled4, Self::Tiled] };
        if forms[0].fits(l) { forms[0] } else { forms[1] }
    }

    /// Whether the form can compute this convolution at all.
    pub(super) fn fits(self, l: &Layout) -> bool {
        match self {
            Self::Tiled | Self::Reg => true,
            Self::Tiled4 => l.in_words().is_some(),
            Self::Row3 => l.s == 3 && l.stride[1] == 1 && l.dilation[1] == 1,
        }
    }
}
