//! The pseudo-inverse, by Jacobi's rotations of columns (Hestenes, 1958).
//!
//! Two columns are turned in their plane until they are orthogonal, each pair in turn, until all are: `a v = u s`, the columns of
//! `u s` orthogonal, their lengths the singular values. Nothing is squared first, so small singular values keep their digits.

use super::factor::{Matrix, dot};

/// Sweeps over all pairs; they converge quadratically, so that ten are many.
const SWEEPS: usize = 60;

fn columns(a: &Matrix, rows: usize) -> Vec<Vec<f64>> {
    (0..a.cols).map(|j| (0..rows).map(|i| a.data[i * a.cols + j]).collect()).collect()
}

/// Turns `x` and `y` by the angle of cosine `c` and sine `s`.
fn turn(x: &mut [f64], y: &mut [f64], c: f64, s: f64) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// Makes all of `a` orthogonal, and `v`, the identity at first, the same rotations.
fn orthogonalise(a: &mut [Vec<f64>], v: &mut [Vec<f64>]) {
    for _ in 0..SWEEPS {
        let mut turned = false;
        for j in 1..a.len() {
            for i in 0..j {
                let ([left, right], [v_left, v_right]) = (pair(a, i, j), pair(v, i, j));
                let (alpha, beta, gamma) = (dot(left, left), dot(right, right), dot(left, right));
                // A NaN turns nothing, and stays one.
                if gamma.abs().partial_cmp(&(f64::EPSILON * (alpha * beta).sqrt())) != Some(std::cmp::Ordering::Greater) {
                    continue;
                }
                // The smaller of the two angles that make the product zero.
                let zeta = (beta - alpha) / (2.0 * gamma);
                let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
                let c = tangent.hypot(1.0).recip();
                turn(left, right, c, c * tangent);
                turn(v_left, v_right, c, c * tangent);
                turned = true;
            }
        }
        if !turned {
            return;
        }
    }
}

/// Elements `i < j`.
fn pair(of: &mut [Vec<f64>], i: usize, j: usize) -> [&mut [f64]; 2] {
    let (low, high) = of.split_at_mut(j);
    [&mut low[i], &mut high[0]]
}

/// The sum of `v_k u_k^T / s_k` over singular values above `tolerance` times the largest: (n, m) for `a` (m, n).
pub(super) fn pseudo_inverse(a: &Matrix, rows: usize, tolerance: f64) -> Matrix {
    if rows < a.cols {
        // The rotations are of the shorter side.
        let (m, n) = (rows, a.cols);
        let transposed = Matrix::new((0..m * n).map(|e| a.data[e % m * n + e / m]).collect(), m);
        let inverse = pseudo_inverse(&transposed, n, tolerance);
        return Matrix::new((0..n * m).map(|e| inverse.data[e % m * n + e / m]).collect(), m);
    }
    let (m, n) = (rows, a.cols);
    let mut u = columns(a, m);
    let mut v: Vec<Vec<f64>> = (0..n).map(|k| (0..n).map(|j| f64::from(u8::from(j == k))).collect()).collect();
    orthogonalise(&mut u, &mut v);
    let squares: Vec<f64> = u.iter().map(|u| dot(u, u)).collect();
    let limit = squares.iter().copied().fold(0.0, f64::max) * tolerance * tolerance;
    let mut inverse = vec![0.0; n * m];
    for ((u, v), square) in u.iter().zip(&v).zip(squares) {
        if square <= limit {
            continue;
        }
        for (row, v) in inverse.chunks_exact_mut(m.max(1)).zip(v) {
            row.iter_mut().zip(u).for_each(|(x, u)| *x += v * u / square);
        }
    }
    Matrix::new(inverse, m)
}
