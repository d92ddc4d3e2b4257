//! The factorisations, in f64 and in blocks: most of the work is matrix products.

use crate::base::{Error, Result};
use crate::mirror::threads::{IntoParallelRefMutIterator, Loop, ParallelSliceMut};
use crate::unchecked::{self, Into, MatRef};

/// Which half of a square matrix holds its elements; the other half is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Triangle {
    /// On and under the diagonal.
    Lower,
    /// On and over the diagonal.
    Upper,
}

/// Rows of a block: small enough that its own part of the work does not count, large enough for products.
const BLOCK: usize = 64;

/// A row-major matrix.
pub(super) struct Matrix {
    pub data: Vec<f64>,
    pub cols: usize,
}

/// `a^T b` or `a b^T` or `a b`: strides say which.
fn product((m, n, k): (usize, usize, usize), a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Matrix {
    let mut data = vec![0.0; m * n];
    unchecked::gemm((m, n, k), a, b, &mut data, n, Into::Replace, 0);
    Matrix { data, cols: n }
}

impl Matrix {
    pub fn new(data: Vec<f64>, cols: usize) -> Self {
        Self { data, cols }
    }

    fn rows(&self) -> usize {
        self.data.len() / self.cols.max(1)
    }

    fn plain(&self) -> MatRef<'_, f64> {
        MatRef { data: &self.data, row: self.cols, col: 1 }
    }

    fn transposed(&self) -> MatRef<'_, f64> {
        MatRef { data: &self.data, row: 1, col: self.cols }
    }

    /// Turns a symmetric matrix into its lower Cholesky factor, reading its lower triangle.
    pub fn cholesky(&mut self, op: &'static str) -> Result<()> {
        let n = self.cols;
        for k in (0..n).step_by(BLOCK) {
            let end = (k + BLOCK).min(n);
            self.cholesky_block(op, k, end)?;
            let (top, below) = self.data.split_at_mut(end * n);
            // The rows below, each for itself: x l^T = row.
            below.par_chunks_mut(n).run(|row| {
                for j in k..end {
                    let l = &top[j * n..][..n];
                    row[j] = (row[j] - dot(&row[k..j], &l[k..j])) / l[j];
                }
            });
            self.subtract_panel(k, end);
        }
        (0..n).for_each(|i| self.data[i * n + i + 1..(i + 1) * n].fill(0.0));
        Ok(())
    }

    /// The factor of the block on the diagonal.
    fn cholesky_block(&mut self, op: &'static str, k: usize, end: usize) -> Result<()> {
        let n = self.cols;
        for i in k..end {
            let (above, row) = self.data.split_at_mut(i * n);
            for j in k..i {
                let l = &above[j * n..][..n];
                row[j] = (row[j] - dot(&row[k..j], &l[k..j])) / l[j];
            }
            let pivot = row[i] - dot(&row[k..i], &row[k..i]);
            // A NaN is not positive either.
            if pivot.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
                return Err(Error::NotPositiveDefinite { op, pivot: i, value: format!("{pivot:.3e}") });
            }
            row[i] = pivot.sqrt();
        }
        Ok(())
    }

    /// What is left of the lower triangle, less the product of the columns `k..end` with themselves.
    fn subtract_panel(&mut self, k: usize, end: usize) {
        const ROWS: usize = 256;
        let (n, width) = (self.cols, end - k);
        let panel: Vec<f64> = self.data[end * n..].chunks_exact(n.max(1)).flat_map(|row| &row[k..end]).copied().collect();
        let negative: Vec<f64> = panel.iter().map(|v| -v).collect();
        for first in (end..n).step_by(ROWS) {
            let last = (first + ROWS).min(n);
            let a = MatRef { data: &negative[(first - end) * width..], row: width, col: 1 };
            let b = MatRef { data: &panel, row: 1, col: width };
            unchecked::gemm((last - first, last - end, width), a, b, &mut self.data[first * n + end..], n, Into::Add, 0);
        }
    }

    /// Solves in place of `x`, a block at a time: the block's own triangle, then the block's part of the other rows.
    pub fn solve_triangular(&self, x: &mut Self, triangle: Triangle, transposed: bool) {
        let (n, columns) = (self.cols, x.cols);
        let forward = (triangle == Triangle::Lower) != transposed;
        let (row, col) = if transposed { (1, n) } else { (n, 1) };
        let starts: Vec<usize> = (0..n).step_by(BLOCK).collect();
        let order: Vec<usize> = if forward { starts } else { starts.into_iter().rev().collect() };
        for k in order {
            let end = (k + BLOCK).min(n);
            let mut block: Vec<f64> = x.data[k * columns..end * columns].to_vec();
            for step in 0..end - k {
                let i = if forward { step } else { end - k - 1 - step };
                let others = if forward { 0..i } else { i + 1..end - k };
                for j in others {
                    let factor = self.data[(k + i) * row + (k + j) * col];
                    let (low, high) = block.split_at_mut(i.max(j) * columns);
                    let (to, from) = if i > j { (high, &low[j * columns..]) } else { (&mut low[i * columns..], &*high) };
                    to[..columns].iter_mut().zip(from).for_each(|(to, from)| *to -= factor * from);
                }
                let diagonal = self.data[(k + i) * (n + 1)];
                block[i * columns..][..columns].iter_mut().for_each(|v| *v /= diagonal);
            }
            x.data[k * columns..end * columns].copy_from_slice(&block);
            block.iter_mut().for_each(|v| *v = -*v);
            let (first, last) = if forward { (end, n) } else { (0, k) };
            if first < last {
                let a = MatRef { data: &self.data[first * row + k * col..], row, col };
                let b = MatRef { data: &block, row: columns, col: 1 };
                let rest = &mut x.data[first * columns..last * columns];
                unchecked::gemm((last - first, columns, end - k), a, b, rest, columns, Into::Add, 0);
            }
        }
    }

    /// The `x` with `self x = b`.
    pub fn solve_spd(mut self, op: &'static str, mut b: Self) -> Result<Self> {
        self.cholesky(op)?;
        self.solve_triangular(&mut b, Triangle::Lower, false);
        self.solve_triangular(&mut b, Triangle::Lower, true);
        Ok(b)
    }
}

/// The sum of products, in eight lanes.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0f64; 8];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        (0..8).for_each(|i| lanes[i] += a[i] * b[i]);
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// `a x = b` in the sense of least squares, by reflections of the columns of `a` and `b`.
pub(super) fn least_squares(op: &'static str, a: Matrix, b: Matrix) -> Result<Matrix> {
    // A part this small of a column is rounding.
    const NOTHING: f64 = 1e-12;
    let (m, n, columns) = (a.rows(), a.cols, b.cols);
    let column = |of: &Matrix, j: usize| -> Vec<f64> { (0..m).map(|i| of.data[i * of.cols + j]).collect() };
    let mut all: Vec<Vec<f64>> = (0..n).map(|j| column(&a, j)).chain((0..columns).map(|j| column(&b, j))).collect();
    let lengths: Vec<f64> = all.iter().map(|v| dot(v, v).sqrt()).collect();
    let mut r = Matrix::new(vec![0.0; n * n], n);
    for k in 0..n {
        let (done, later) = all.split_at_mut(k + 1);
        let v = &mut done[k][k..];
        let length = dot(v, v).sqrt();
        if (length / lengths[k]).partial_cmp(&NOTHING) != Some(std::cmp::Ordering::Greater) {
            return Err(Error::Singular { op, column: k });
        }
        // Away from the first element, so that nothing cancels.
        let pivot = if v[0] > 0.0 { -length } else { length };
        v[0] -= pivot;
        let scale = 2.0 / dot(v, v);
        let v = &*v;
        later.par_iter_mut().run(|other| {
            let other = &mut other[k..];
            let part = scale * dot(v, other);
            other.iter_mut().zip(v).for_each(|(o, v)| *o -= part * v);
        });
        r.data[k * n + k] = pivot;
        for (j, other) in later.iter().enumerate().take(n - k - 1) {
            r.data[k * n + k + 1 + j] = other[k];
        }
    }
    let mut x = Matrix::new((0..n * columns).map(|e| all[n + e % columns][e / columns]).collect(), columns);
    r.solve_triangular(&mut x, Triangle::Upper, false);
    Ok(x)
}

/// `(a^T a + lambda) x = a^T b`, or `x = a^T y` with `(a a^T + lambda) y = b` where that is smaller.
pub(super) fn ridge(op: &'static str, a: Matrix, b: Matrix, lambda: f64) -> Result<Matrix> {
    let (m, n, columns) = (a.rows(), a.cols, b.cols);
    let wide = m < n && lambda > 0.0;
    let (size, mut gram) = match wide {
        true => (m, product((m, m, n), a.plain(), a.transposed())),
        false => (n, product((n, n, m), a.transposed(), a.plain())),
    };
    (0..size).for_each(|i| gram.data[i * (size + 1)] += lambda);
    if wide {
        let y = gram.solve_spd(op, b)?;
        return Ok(product((n, columns, m), a.transposed(), y.plain()));
    }
    let right = product((n, columns, m), a.transposed(), b.plain());
    gram.solve_spd(op, right)
}
