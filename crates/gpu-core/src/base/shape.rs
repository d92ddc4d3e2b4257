//! The extents of a tensor: rank 0 to 6, row-major.

use std::fmt;

/// The largest rank.
pub const MAX_RANK: usize = 6;

/// The extents of a tensor, outermost first; `Copy`, rank 0 (a scalar) to 6.
///
/// ```
/// use gpu_core::Shape;
/// let x = Shape::from([8, 3, 32, 32]);
/// assert_eq!((x.n(), x.c(), x.len()), (8, 3, 24_576));
/// assert_eq!(x.to_string(), "[8, 3, 32, 32]");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    // Unused entries stay 0, so that derived equality and hashing are right.
    dims: [usize; MAX_RANK],
    rank: usize,
}

impl Shape {
    /// A scalar's shape.
    pub const SCALAR: Self = Self { dims: [0; MAX_RANK], rank: 0 };

    /// From a slice of extents.
    ///
    /// # Panics
    /// If there are more than six.
    #[track_caller]
    pub fn new(dims: &[usize]) -> Self {
        assert!(dims.len() <= MAX_RANK, "Shape: rank {} is over {MAX_RANK} ({dims:?})", dims.len());
        let mut shape = Self::SCALAR;
        shape.dims[..dims.len()].copy_from_slice(dims);
        shape.rank = dims.len();
        shape
    }

    /// The extents.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// How many extents there are.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many elements; 1 for a scalar.
    pub fn len(&self) -> usize {
        self.dims().iter().product()
    }

    /// Whether an extent is zero.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The extent of axis `i`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn dim(&self, i: usize) -> usize {
        assert!(i < self.rank, "Shape: {self} has no axis {i}");
        self.dims[i]
    }

    /// Batch size: axis 0 of an NCHW tensor.
    #[track_caller]
    pub fn n(&self) -> usize {
        self.dim(0)
    }
    /// Channels: axis 1 of an NCHW tensor.
    #[track_caller]
    pub fn c(&self) -> usize {
        self.dim(1)
    }
    /// Rows: axis 2 of an NCHW tensor.
    #[track_caller]
    pub fn h(&self) -> usize {
        self.dim(2)
    }
    /// Columns: axis 3 of an NCHW tensor.
    #[track_caller]
    pub fn w(&self) -> usize {
        self.dim(3)
    }

    /// The product of the axes from `from` on: `inner(2)` of an NCHW tensor is `h * w`.
    pub fn inner(&self, from: usize) -> usize {
        self.dims().iter().skip(from).product()
    }

    /// Row-major strides in elements.
    pub fn strides(&self) -> [usize; MAX_RANK] {
        let mut strides = [0; MAX_RANK];
        let mut step = 1;
        for i in (0..self.rank).rev() {
            strides[i] = step;
            step *= self.dims[i];
        }
        strides
    }

    /// NumPy's broadcast of two shapes, or `None` where they disagree.
    ///
    /// ```
    /// use gpu_core::Shape;
    /// let (a, b) = (Shape::from([8, 1, 4]), Shape::from([3, 1]));
    /// assert_eq!(a.broadcast(b), Some(Shape::from([8, 3, 4])));
    /// assert_eq!(Shape::from([2]).broadcast(Shape::from([3])), None);
    /// ```
    pub fn broadcast(self, other: Self) -> Option<Self> {
        let rank = self.rank.max(other.rank);
        let mut dims = [0; MAX_RANK];
        for i in 0..rank {
            let extent = |s: &Self| (i + s.rank).checked_sub(rank).map_or(1, |j| s.dims[j]);
            dims[i] = match (extent(&self), extent(&other)) {
                (a, b) if a == b => a,
                (1, b) => b,
                (a, 1) => a,
                _ => return None,
            };
        }
        Some(Self { dims, rank })
    }

    /// The strides with which a tensor of this shape is read as one of shape `out` (0 where it repeats).
    pub fn broadcast_strides(&self, out: Self) -> [usize; MAX_RANK] {
        let (strides, mut result) = (self.strides(), [0; MAX_RANK]);
        for i in 0..self.rank {
            if self.dims[i] != 1 {
                result[i + out.rank - self.rank] = strides[i];
            }
        }
        result
    }
}

impl<const R: usize> From<[usize; R]> for Shape {
    #[track_caller]
    fn from(dims: [usize; R]) -> Self {
        Self::new(&dims)
    }
}

impl From<&[usize]> for Shape {
    #[track_caller]
    fn from(dims: &[usize]) -> Self {
        Self::new(dims)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_aligns_the_last_axes() {
        let cases: &[(&[usize], &[usize], Option<&[usize]>)] = &[
            (&[], &[2, 3], Some(&[2, 3])),
            (&[4, 1], &[3], Some(&[4, 3])),
            (&[2, 3], &[3, 2], None),
            (&[0, 3], &[1, 3], Some(&[0, 3])),
        ];
        for &(a, b, want) in cases {
            assert_eq!(Shape::new(a).broadcast(Shape::new(b)), want.map(Shape::new), "{a:?} with {b:?}");
        }
    }

    #[test]
    fn a_repeated_axis_has_stride_zero() {
        let strides = Shape::from([3, 1]).broadcast_strides(Shape::from([2, 3, 4]));
        assert_eq!(strides[..3], [0, 1, 0]);
    }
}
