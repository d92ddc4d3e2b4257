//! Eigenvalues of small symmetric matrices by Jacobi's rotations.

/// More than enough: convergence is quadratic after the first few.
const SWEEPS: usize = 50;

/// The eigenvalues of a symmetric matrix of `n` rows, the largest first, each with its eigenvector of length 1 whose largest component is
/// positive.
pub fn symmetric_eigen(mut a: Vec<f64>, n: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    assert!(a.len() == n * n, "symmetric_eigen: {} values are no {n}x{n} matrix", a.len());
    let mut v: Vec<f64> = (0..n * n).map(|i| if i / n == i % n { 1.0 } else { 0.0 }).collect();
    let scale = a.iter().fold(0f64, |m, x| m.max(x.abs()));
    for _ in 0..SWEEPS {
        let off = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).fold(0f64, |m, (i, j)| m.max(a[i * n + j].abs()));
        if off <= 1e-15 * scale {
            break;
        }
        for (p, q) in (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q))) {
            rotate(&mut a, &mut v, n, p, q);
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[j * n + j].total_cmp(&a[i * n + i]));
    let vector = |&i: &usize| {
        let column: Vec<f64> = (0..n).map(|row| v[row * n + i]).collect();
        let largest = column.iter().copied().reduce(|m, x| if x.abs() > m.abs() { x } else { m }).unwrap_or(0.0);
        column.into_iter().map(|x| x * largest.signum()).collect()
    };
    (order.iter().map(|i| a[i * n + i]).collect(), order.iter().map(vector).collect())
}

/// Makes `a[p][q]` zero by a rotation in the plane of `p` and `q`, and turns the columns of `v` along.
fn rotate(a: &mut [f64], v: &mut [f64], n: usize, p: usize, q: usize) {
    let (app, aqq, apq) = (a[p * n + p], a[q * n + q], a[p * n + q]);
    if apq == 0.0 {
        return;
    }
    let theta = (aqq - app) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
        let (x, y) = (v[k * n + p], v[k * n + q]);
        (v[k * n + p], v[k * n + q]) = (c * x - s * y, s * x + c * y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_of_known_eigenvalues() {
        // By hand: 4, 2 and 1, along (1, 1, 0), (1, -1, 0) and the third axis.
        let (values, vectors) = symmetric_eigen(vec![3.0, 1.0, 0.0, 1.0, 3.0, 0.0, 0.0, 0.0, 1.0], 3);
        for (got, want) in values.iter().zip([4.0, 2.0, 1.0]) {
            assert!((got - want).abs() < 1e-14, "{values:?}");
        }
        let half = 0.5f64.sqrt();
        assert!((vectors[0][0] - half).abs() < 1e-14 && (vectors[0][1] - half).abs() < 1e-14, "{vectors:?}");
    }

    /// `A v = value v`, and the vectors are orthonormal; also where eigenvalues coincide.
    #[test]
    fn vectors_are_eigenvectors() {
        let n = 12;
        let random: Vec<f64> = proof::values(n * n, 3).into_iter().map(f64::from).collect();
        let product = |i: usize, j: usize| (0..n).map(|k| random[i * n + k] * random[j * n + k]).sum::<f64>();
        let gram: Vec<f64> = (0..n * n).map(|at| product(at / n, at % n)).collect();
        let ones = vec![1.0; n * n];
        for a in [gram, ones, vec![0.0; n * n]] {
            let (values, vectors) = symmetric_eigen(a.clone(), n);
            assert!(values.is_sorted_by(|a, b| a >= b));
            for (i, (value, v)) in values.iter().zip(&vectors).enumerate() {
                for row in 0..n {
                    let av: f64 = (0..n).map(|k| a[row * n + k] * v[k]).sum();
                    assert!((av - value * v[row]).abs() < 1e-12 * (1.0 + values[0]), "{i}: {av}");
                }
                for (j, w) in vectors.iter().enumerate() {
                    let dot: f64 = v.iter().zip(w).map(|(a, b)| a * b).sum();
                    assert!((dot - if i == j { 1.0 } else { 0.0 }).abs() < 1e-13, "{i} {j}: {dot}");
                }
            }
        }
    }
}
