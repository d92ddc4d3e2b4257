//! From two shapes to one launch: extents, how the factors lie, and which matrices make a pair.

use crate::base::Shape;
use bytemuck::{Pod, Zeroable};

/// How one factor lies in memory: rows and columns as the product sees them.
#[derive(Debug, Clone, Copy)]
pub(in crate::ops) struct Factor {
    pub row: usize,
    pub col: usize,
    pub batch: usize,
}

/// Extents of one product: `batch` times `m` x `k` by `k` x `n`.
#[derive(Debug, Clone, Copy)]
pub(in crate::ops) struct Extents {
    pub batch: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

/// Where the matrices of a batch lie: batch `d0 (d1 (d2 w + z) + y) + x` of the result reads `a` at `a . (x, y, z, w)`, and `b`
/// likewise. A step of 0 repeats.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Batches {
    dims: [u32; 3],
    a: [u32; 4],
    b: [u32; 4],
}

impl Batches {
    /// One step each.
    pub fn even(a: usize, b: usize) -> Self {
        Self { dims: [u32::MAX, 1, 1], a: [a as u32, 0, 0, 0], b: [b as u32, 0, 0, 0] }
    }

    /// Leading axes `a` and `b` that broadcast to `y`, of matrices of `sizes` elements. Axes along which both go on evenly are one.
    fn broadcast(a: Shape, b: Shape, y: Shape, sizes: [usize; 2]) -> Self {
        let (a_strides, b_strides) = (a.broadcast_strides(y), b.broadcast_strides(y));
        let mut axes: Vec<[usize; 3]> = Vec::new();
        for axis in (0..y.rank()).rev().filter(|&axis| y.dim(axis) != 1) {
            let (d, a, b) = (y.dim(axis), a_strides[axis] * sizes[0], b_strides[axis] * sizes[1]);
            match axes.last_mut() {
                Some([extent, a_step, b_step]) if (a, b) == (*extent * *a_step, *extent * *b_step) => *extent *= d,
                _ => axes.push([d, a, b]),
            }
        }
        let mut batches = Self { dims: [1; 3], a: [0; 4], b: [0; 4] };
        for (i, &[d, a, b]) in axes.iter().enumerate() {
            (batches.a[i], batches.b[i]) = (a as u32, b as u32);
            if i < 3 {
                batches.dims[i] = d as u32;
            }
        }
        batches
    }

    /// Where batch number `batch` begins in `a` and in `b`.
    pub fn starts(&self, batch: u32) -> [u32; 2] {
        let (mut rest, mut at) = (batch, [0, 0]);
        for axis in 0..4 {
            let digit = if axis < 3 { rest % self.dims[axis] } else { rest };
            rest = if axis < 3 { rest / self.dims[axis] } else { 0 };
            at = [at[0] + digit * self.a[axis], at[1] + digit * self.b[axis]];
        }
        at
    }

    pub fn steps_are_fours(&self) -> bool {
        self.a.iter().chain(&self.b).all(|step| step % 4 == 0)
    }
}

/// Which of the two factors is read transposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transpose {
    /// Neither.
    None,
    /// The left one.
    A,
    /// The right one.
    B,
}

/// One product, ready to launch.
pub(super) struct Plan {
    pub extents: Extents,
    pub a: Factor,
    pub b: Factor,
    pub batches: Batches,
    pub y: Shape,
}

/// The leading axes, rows and columns of a factor as it lies in memory; a vector is a row on the left and a column on the right.
fn matrix(name: &str, shape: Shape, transposed: bool) -> Result<(Shape, usize, usize), String> {
    match (shape.dims(), name) {
        ([], _) => Err(format!("{name} is a scalar")),
        ([_], _) if transposed => Err(format!("{name} is a vector, which has no transpose")),
        (&[k], "a") => Ok((Shape::SCALAR, 1, k)),
        (&[k], _) => Ok((Shape::SCALAR, k, 1)),
        (&[ref leading @ .., rows, cols], _) => Ok((Shape::new(leading), rows, cols)),
    }
}

/// The product of two shapes, or what is wrong with it.
pub(super) fn plan(a: Shape, b: Shape, transpose: Transpose) -> Result<Plan, String> {
    let (ta, tb) = (transpose == Transpose::A, transpose == Transpose::B);
    let ((a_leading, a_rows, a_cols), (b_leading, b_rows, b_cols)) = (matrix("a", a, ta)?, matrix("b", b, tb)?);
    let (m, k) = if ta { (a_cols, a_rows) } else { (a_rows, a_cols) };
    let (kb, n) = if tb { (b_cols, b_rows) } else { (b_rows, b_cols) };
    if k != kb {
        return Err(format!("the inner extents {k} and {kb} differ"));
    }
    let Some(leading) = a_leading.broadcast(b_leading) else {
        return Err(format!("the leading axes {a_leading} and {b_leading} do not broadcast"));
    };
    let ends = [(a.rank() > 1).then_some(m), (b.rank() > 1).then_some(n)];
    let y: Vec<usize> = leading.dims().iter().copied().chain(ends.into_iter().flatten()).collect();
    let factor = |cols: usize, transposed: bool| match transposed {
        false => Factor { row: cols, col: 1, batch: 0 },
        true => Factor { row: 1, col: cols, batch: 0 },
    };
    let mut extents = Extents { batch: leading.len(), m, n, k };
    let mut batches = Batches::broadcast(a_leading, b_leading, leading, [m * k, k * n]);
    // One matrix on the right for all on the left: one tall product, which wastes no tile at the seams.
    if !ta && a_leading.len() == leading.len() && b_leading.len() == 1 {
        extents = Extents { batch: 1, m: leading.len() * m, ..extents };
        batches = Batches::even(0, 0);
    }
    Ok(Plan { extents, a: factor(a_cols, ta), b: factor(b_cols, tb), batches, y: Shape::new(&y) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_axes_are_one_and_repeated_ones_have_step_zero() {
        let of = |a: &[usize], b: &[usize]| plan(Shape::new(a), Shape::new(b), Transpose::None).unwrap();
        let p = of(&[2, 3, 5, 4], &[2, 3, 4, 7]);
        assert_eq!((p.extents.batch, p.batches.a, p.batches.b), (6, [20, 0, 0, 0], [28, 0, 0, 0]));
        let p = of(&[2, 1, 5, 4], &[3, 4, 7]);
        assert_eq!((p.batches.dims, p.batches.a, p.batches.b), ([3, 2, 1], [0, 20, 0, 0], [28, 0, 0, 0]));
        assert_eq!((p.batches.starts(4), p.y), ([20, 28], Shape::from([2, 3, 5, 7])));
        let p = of(&[2, 3, 5, 4], &[4, 7]);
        assert_eq!((p.extents.batch, p.extents.m), (1, 30));
    }
}
