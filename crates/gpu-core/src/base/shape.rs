//! The extents of a tensor: rank 0 to 6, row-major.

use std::fmt;

/// The largest rank.
pub const MAX_RANK: usize = 6;
/// The most elements of a tensor: kernels number them in 32 bits.
pub const MAX_ELEMENTS: usize = u32::MAX as usize;
/// The most elements whose bytes a program can address, whatever their type.
const ADDRESSABLE: usize = isize::MAX as usize / 8;

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
    ///
    /// # Panics
    /// If they are more than a program can address ([`checked_len`](Self::checked_len) says so).
    #[track_caller]
    pub fn len(&self) -> usize {
        match self.checked_len() {
            Some(len) => len,
            None => panic!("Shape: {self} has more elements than can be addressed"),
        }
    }

    /// How many elements, or `None` where their bytes are more than a program can address: for shapes that come from outside. Then it
    /// is so for the extents other than zero as well, so that no product of extents of a shape that has a length wraps.
    ///
    /// ```
    /// use gpu_core::Shape;
    /// assert_eq!(Shape::from([2, 0, 3]).checked_len(), Some(0));
    /// assert_eq!(Shape::from([3, usize::MAX / 3 + 1]).checked_len(), None);
    /// ```
    pub fn checked_len(&self) -> Option<usize> {
        let most = self.dims().iter().try_fold(1usize, |product, &d| product.checked_mul(d.max(1)));
        let most = most.filter(|&most| most <= ADDRESSABLE)?;
        Some(if self.is_empty() { 0 } else { most })
    }

    /// Whether an extent is zero.
    pub fn is_empty(&self) -> bool {
        self.dims().contains(&0)
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
    ///
    /// # Panics
    /// As [`len`](Self::len).
    #[track_caller]
    pub fn inner(&self, from: usize) -> usize {
        self.len();
        self.dims().iter().skip(from).product()
    }

    /// The product of the axes before `to`: `outer(2)` of an NCHW tensor is `n * c`.
    ///
    /// # Panics
    /// As [`len`](Self::len).
    #[track_caller]
    pub fn outer(&self, to: usize) -> usize {
        self.len();
        self.dims().iter().take(to).product()
    }

    /// Row-major strides in elements.
    ///
    /// # Panics
    /// As [`len`](Self::len).
    #[track_caller]
    pub fn strides(&self) -> [usize; MAX_RANK] {
        self.len();
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
    ///
    /// # Panics
    /// As [`len`](Self::len).
    #[track_caller]
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

    /// What `f` panics with.
    fn refused<R>(f: impl FnOnce() -> R + std::panic::UnwindSafe) -> String {
        *std::panic::catch_unwind(f).err().expect("it is refused").downcast::<String>().unwrap()
    }

    #[test]
    fn a_product_that_wraps_is_refused_with_the_shape() {
        // The first has 2 elements in 64 bits, the second as many bytes of f32, the third wraps in its strides alone.
        let third = usize::MAX / 3 + 1;
        for dims in [&[3, third][..], &[1 << 31, (1 << 31) + 1], &[0, third, 3], &[usize::MAX]] {
            let (shape, told) = (Shape::new(dims), format!("Shape: {dims:?} has more elements than can be addressed"));
            assert_eq!(shape.checked_len(), None, "{shape}");
            let all = [
                refused(|| shape.len()),
                refused(|| shape.inner(1)),
                refused(|| shape.outer(1)),
                refused(|| shape.strides()),
                refused(|| shape.broadcast_strides(shape)),
            ];
            assert!(all.iter().all(|message| *message == told), "{all:?}");
        }
        let fits = Shape::from([1 << 30, 0, 1 << 29]);
        assert_eq!((fits.checked_len(), fits.is_empty(), fits.outer(1)), (Some(0), true, 1 << 30));
    }
}
