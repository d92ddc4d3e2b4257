//! How the windows of a pooling lie over its input, and what follows for the shapes.

use super::params::Params;
use crate::base::Shape;
use crate::expect;

/// The windows of a pooling, an entry an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PoolGeometry<const D: usize> {
    /// Extents of a window.
    pub kernel: [usize; D],
    /// From one window to the next.
    pub stride: [usize; D],
    /// What is added on every side, less than a window reaches; PyTorch allows half a window, ONNX as much as here. A window without an
    /// element of the input, which only a dilated one may have then, is refused: its maximum is -inf in ONNX, and the mean of its
    /// elements 0/0.
    pub padding: [usize; D],
    /// Distance of a window's elements.
    pub dilation: [usize; D],
    /// Whether a last window may reach past the end. One that would begin there is dropped, as in PyTorch.
    pub ceil_mode: bool,
}

/// Over (N, C, L).
pub type Pool1dGeometry = PoolGeometry<1>;
/// Over (N, C, H, W).
pub type Pool2dGeometry = PoolGeometry<2>;

/// The most elements of a window, and the most windows over one element: what a workgroup can walk in the loops that every driver ends.
const LARGEST: usize = 16_000_000;

/// What a mean divides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Divisor {
    /// The elements of the window, padding included. PyTorch's `count_include_pad=True`: what a window of `ceil_mode` has past the
    /// padding does not count.
    #[default]
    Window,
    /// The elements that lie in the input: `count_include_pad=False`.
    Inside,
    /// This number: `divisor_override`.
    Fixed(usize),
}

impl<const D: usize> PoolGeometry<D> {
    /// Windows side by side, without padding.
    pub const fn new(kernel: [usize; D]) -> Self {
        Self { kernel, stride: kernel, padding: [0; D], dilation: [1; D], ceil_mode: false }
    }

    /// The shape of the pooled tensor.
    ///
    /// # Errors
    /// What is wrong, where `x` does not have two axes more than a window, no window fits, or one has more than 16 million elements.
    ///
    /// ```
    /// # use gpu_core::{Shape, ops::Pool2dGeometry};
    /// let g = Pool2dGeometry { stride: [2, 2], padding: [1, 1], ..Pool2dGeometry::new([3, 3]) };
    /// assert_eq!(g.out_shape(Shape::from([8, 16, 32, 31])), Ok(Shape::from([8, 16, 16, 16])));
    /// assert!(Pool2dGeometry::new([5, 5]).out_shape(Shape::from([8, 16, 4, 4])).is_err());
    /// ```
    pub fn out_shape(&self, x: Shape) -> Result<Shape, String> {
        if x.rank() != D + 2 {
            return Err(format!("x has {} axes, not {} (x {x})", x.rank(), D + 2));
        }
        expect::sizes(x, &[self.kernel, self.stride, self.padding, self.dilation].concat())?;
        let mut out = vec![x.n(), x.c()];
        for axis in 0..D {
            out.push(self.windows(axis, x.dim(2 + axis)).map_err(|why| format!("{why} (x {x})"))?);
        }
        let over_one = |axis: usize| self.span(axis).div_ceil(self.stride[axis]).min(out[2 + axis]);
        let large = |elements: usize| elements > LARGEST;
        if large(self.kernel.iter().product()) || large((0..D).map(over_one).product()) {
            return Err(format!(
                "a window, or the windows over one element, are more than {LARGEST} (x {x}, kernel {:?})",
                self.kernel
            ));
        }
        expect::countable(Shape::new(&out))
    }

    /// From the first element of a window to one past its last.
    fn span(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.kernel[axis] - 1) + 1
    }

    /// How many windows there are along an axis.
    fn windows(&self, axis: usize, extent: usize) -> Result<usize, String> {
        let Self { kernel, stride, padding, dilation, ceil_mode } = self;
        let (k, s, p, d) = (kernel[axis], stride[axis], padding[axis], dilation[axis]);
        if k == 0 || s == 0 || d == 0 {
            return Err(format!("kernel {kernel:?}, stride {stride:?} and dilation {dilation:?} must not be zero"));
        }
        if p > d * (k - 1) {
            return Err(format!("padding {padding:?} is as much as a window reaches (kernel {kernel:?}, dilation {dilation:?})"));
        }
        let reach = if *ceil_mode { s - 1 } else { 0 };
        let room = (extent + 2 * p + reach).checked_sub(d * (k - 1) + 1);
        let Some(room) = room.filter(|_| extent > 0) else {
            return Err(format!("x is smaller than the kernel {kernel:?} (padding {padding:?}, dilation {dilation:?})"));
        };
        let windows = room / s + 1;
        // The last window of ceil_mode must begin in the input or in the padding before it.
        let windows = if *ceil_mode && (windows - 1) * s >= extent + p { windows - 1 } else { windows };
        // A window that begins in the padding meets the input at its first element that is not before it, unless they are too far apart.
        let misses = |window: usize| (p - window * s).div_ceil(d) * d - (p - window * s) >= extent;
        match (0..windows).take_while(|window| window * s < p).find(|&window| misses(window)) {
            Some(_) => {
                Err(format!("a window of kernel {kernel:?} and dilation {dilation:?} lies in the padding {padding:?} alone"))
            }
            None => Ok(windows),
        }
    }

    /// The same windows with two axes: of (N, C, L) as (N, C, 1, L).
    pub fn with_two_axes(&self) -> Pool2dGeometry {
        const { assert!(D == 1 || D == 2, "a pooling has one or two spatial axes") };
        let two = |each: [usize; D], fill: usize| {
            let mut two = [fill; 2];
            two[2 - D..].copy_from_slice(&each);
            two
        };
        Pool2dGeometry {
            kernel: two(self.kernel, 1),
            stride: two(self.stride, 1),
            padding: two(self.padding, 0),
            dilation: two(self.dilation, 1),
            ceil_mode: self.ceil_mode,
        }
    }
}

/// How a mean's divisor is found: by `Params::scale`, or counted with or without the padding. The constant `COUNT`.
pub(super) const SCALE: u32 = 0;
pub(super) const PADDED: u32 = 1;
pub(super) const INSIDE: u32 = 2;

impl Pool2dGeometry {
    /// What a kernel's header gets.
    pub(super) fn constants(&self, count: u32) -> Vec<(&'static str, u32)> {
        let pairs = [self.kernel, self.stride, self.padding, self.dilation].map(|pair| pair.map(|v| v as u32));
        let [[kh, kw], [sh, sw], [ph, pw], [dh, dw]] = pairs;
        vec![("KH", kh), ("KW", kw), ("SH", sh), ("SW", sw), ("PH", ph), ("PW", pw), ("DH", dh), ("DW", dw), ("COUNT", count)]
    }

    pub(super) fn params(&self, x: Shape, y: Shape, scale: f32) -> Params {
        let [planes, h, w, p, q] = [x.n() * x.c(), x.h(), x.w(), y.h(), y.w()].map(|v| v as u32);
        Params { planes, h, w, p, q, scale, first: 0 }
    }

    /// Elements of a window.
    pub(super) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The most windows along each axis of `y` that cover one element.
    pub(super) fn covering(&self, y: Shape) -> [usize; 2] {
        std::array::from_fn(|axis| self.span(axis).div_ceil(self.stride[axis]).min(y.dim(2 + axis)))
    }

    /// Whether these are the common windows over rows of eights, for which there are forms by 16 bytes; every window's middle
    /// (its first place, of a 2x2) lies inside.
    pub(super) fn goes_by_four(&self, x: Shape, y: Shape) -> bool {
        let common = matches!((self.kernel, self.padding), ([2, 2], [0, 0]) | ([3, 3], [1, 1]));
        let inside = 2 * y.h() <= x.h() + 1 && 2 * y.w() == x.w();
        common && self.stride == [2, 2] && self.dilation == [1, 1] && x.w().is_multiple_of(8) && inside
    }

    /// The constant `COUNT` and the scale with which means of such windows are computed.
    pub(super) fn divide(&self, divisor: Divisor, x: Shape, y: Shape) -> (u32, f32) {
        let reaches_past = |axis: usize| {
            let end = (y.dim(2 + axis) - 1) * self.stride[axis] + self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            end > x.dim(2 + axis) + 2 * self.padding[axis]
        };
        let clipped = reaches_past(0) || reaches_past(1);
        match divisor {
            Divisor::Fixed(by) => (SCALE, 1.0 / by as f32),
            Divisor::Window if clipped => (PADDED, 0.0),
            Divisor::Inside if clipped || self.padding != [0, 0] => (INSIDE, 0.0),
            _ => (SCALE, 1.0 / (self.kernel[0] * self.kernel[1]) as f32),
        }
    }
}
