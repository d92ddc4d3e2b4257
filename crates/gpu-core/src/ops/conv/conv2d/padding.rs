//! What stands around an image, side by side.

use std::fmt;

/// Zeros before and after each spatial axis: `before` is (top, left) and `after` (bottom, right).
///
/// ```
/// use gpu_core::ops::Padding;
/// assert_eq!(Padding::<2>::from(1), Padding::from([1, 1]));
/// let sides = Padding::<2>::from([0, 1, 2, 3]); // top, bottom, left, right
/// assert_eq!((sides.before, sides.after), ([0, 2], [1, 3]));
/// assert_eq!(Padding::same([3, 4], [1, 1]), Padding::from([1, 1, 1, 2]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Padding<const D: usize> {
    /// At the beginning of each axis.
    pub before: [usize; D],
    /// At the end of each axis.
    pub after: [usize; D],
}

impl<const D: usize> Padding<D> {
    /// As much before as after.
    pub const fn both(each: [usize; D]) -> Self {
        Self { before: each, after: each }
    }

    /// What keeps the extents at stride 1; an odd zero goes to the end. Equivalent of PyTorch's `padding="same"`.
    ///
    /// # Panics
    /// If an extent of the kernel is zero, or what comes out is more than can be counted.
    #[track_caller]
    pub fn same(kernel: [usize; D], dilation: [usize; D]) -> Self {
        assert!(!kernel.contains(&0), "Padding: a kernel of {kernel:?} has no taps");
        let total: [Option<usize>; D] = std::array::from_fn(|axis| dilation[axis].checked_mul(kernel[axis] - 1));
        assert!(!total.contains(&None), "Padding: a kernel of {kernel:?} with dilation {dilation:?} is too large");
        let total = total.map(Option::unwrap_or_default);
        Self { before: total.map(|v| v / 2), after: total.map(|v| v - v / 2) }
    }

    /// Whether there is none.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl<const D: usize> Default for Padding<D> {
    fn default() -> Self {
        Self::both([0; D])
    }
}

impl<const D: usize> From<usize> for Padding<D> {
    fn from(all: usize) -> Self {
        Self::both([all; D])
    }
}

impl<const D: usize> From<[usize; D]> for Padding<D> {
    fn from(each: [usize; D]) -> Self {
        Self::both(each)
    }
}

impl From<(usize, usize)> for Padding<2> {
    fn from((rows, columns): (usize, usize)) -> Self {
        Self::both([rows, columns])
    }
}

/// Top, bottom, left, right.
impl From<[usize; 4]> for Padding<2> {
    fn from([top, bottom, left, right]: [usize; 4]) -> Self {
        Self { before: [top, left], after: [bottom, right] }
    }
}

/// Left, right.
impl From<[usize; 2]> for Padding<1> {
    fn from([before, after]: [usize; 2]) -> Self {
        Self { before: [before], after: [after] }
    }
}

/// `1` where all are one, `1x2` where only the axes differ, else every side: `0,1,2,3`.
impl<const D: usize> fmt::Display for Padding<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |each: Vec<usize>, by: &str| each.iter().map(usize::to_string).collect::<Vec<_>>().join(by);
        let text = match self.before == self.after {
            true if self.before.iter().all(|&v| v == self.before[0]) => self.before[0].to_string(),
            true => join(self.before.to_vec(), "x"),
            false => join(self.before.iter().zip(&self.after).flat_map(|(&a, &b)| [a, b]).collect(), ","),
        };
        f.write_str(&text)
    }
}
