//! Factors and systems of equations, for studies: Cholesky, triangular systems, least squares, the pseudo-inverse.
//!
//! All of it runs on the CPU in f64, whatever the device: a factorisation is a chain of small dependent steps, and f32 would lose
//! half of its digits. Tensors of a GPU are read back for it, which waits for the device and cannot stand inside a capture. Nothing
//! here has a kernel.

mod factor;
mod inverse;

use crate::base::DType;
use crate::base::{Error, Result, Shape};
use crate::expect;
use crate::tensor::Tensor;
use factor::Matrix;
pub use factor::Triangle;

fn read(x: &Tensor) -> Result<Vec<f64>> {
    match x.dtype() {
        DType::F64 => x.read(),
        _ => Ok(x.to_vec()?.into_iter().map(f64::from).collect()),
    }
}

fn written(like: &Tensor, shape: Shape, values: &[f64]) -> Tensor {
    match like.device().float_dtype() {
        DType::F64 => Tensor::from_slice(like.device(), shape, values),
        _ => Tensor::from_slice(like.device(), shape, &values.iter().map(|&v| v as f32).collect::<Vec<_>>()),
    }
}

/// `a` square.
#[track_caller]
fn expect_square(op: &str, a: &Tensor) {
    expect::rank(op, ("a", a), 2..=2);
    let shape = a.shape();
    assert!(shape.dim(0) == shape.dim(1), "{op}: a is not square (a {shape})");
}

/// `b` with as many rows as `a`; a vector is one column. The number of its columns.
#[track_caller]
fn expect_rows(op: &str, a: &Tensor, b: &Tensor) -> usize {
    let named = [("a", a), ("b", b)];
    expect::f32s(op, &named);
    expect::rank(op, ("a", a), 2..=2);
    expect::rank(op, ("b", b), 1..=2);
    assert!(a.shape().dim(0) == b.shape().dim(0), "{op}: a and b differ in rows ({})", expect::shapes(&named));
    b.shape().inner(1)
}

/// The shape of the solution: `n` in place of the rows of `b`.
fn solution(b: &Tensor, n: usize) -> Shape {
    let mut dims = b.shape().dims().to_vec();
    dims[0] = n;
    Shape::new(&dims)
}

/// The lower triangular `l` with `a = l l^T`, for a symmetric positive definite `a` (n, n), of which the lower triangle is read.
/// Equivalent of `torch.linalg.cholesky`. It runs on the CPU in f64.
///
/// # Errors
/// [`Error::NotPositiveDefinite`], which names the pivot; a fault of the device, or a capture that this thread is in.
///
/// # Panics
/// If `a` is not a square matrix of f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 2], &[4.0f32, 2.0, 2.0, 5.0]);
/// assert_eq!(ops::cholesky(&a)?.to_vec()?, [2.0, 0.0, 1.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn cholesky(a: &Tensor) -> Result<Tensor> {
    expect::f32s("cholesky", &[("a", a)]);
    expect_square("cholesky", a);
    let mut l = Matrix::new(read(a)?, a.shape().dim(0));
    l.cholesky("cholesky")?;
    Ok(written(a, a.shape(), &l.data))
}

/// The `x` with `a x = b`, or with `a^T x = b` if `transposed`, for a triangular `a` (n, n) and `b` (n) or (n, columns). Equivalent
/// of `torch.linalg.solve_triangular`. It runs on the CPU in f64.
///
/// # Errors
/// [`Error::Singular`] at a zero on the diagonal; a fault of the device, or a capture that this thread is in.
///
/// # Panics
/// If `a` is not square, `b` has not as many rows, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let l = Tensor::from_slice(&Device::Cpu, [2, 2], &[2.0f32, 0.0, 1.0, 2.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[4.0f32, 6.0]);
/// let x = ops::solve_triangular(&l, &b, ops::Triangle::Lower, false)?;
/// assert_eq!(x.to_vec()?, [2.0, 2.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn solve_triangular(a: &Tensor, b: &Tensor, triangle: Triangle, transposed: bool) -> Result<Tensor> {
    const OP: &str = "solve_triangular";
    let columns = expect_rows(OP, a, b);
    expect_square(OP, a);
    let (a, mut x) = (Matrix::new(read(a)?, a.shape().dim(1)), Matrix::new(read(b)?, columns));
    if let Some(column) = (0..a.cols).find(|&i| a.data[i * a.cols + i] == 0.0) {
        return Err(Error::Singular { op: OP, column });
    }
    a.solve_triangular(&mut x, triangle, transposed);
    Ok(written(b, b.shape(), &x.data))
}

/// The `x` with `a x = b`, for a symmetric positive definite `a` (n, n), of which the lower triangle is read, and `b` (n) or (n,
/// columns): by [`cholesky`]. Equivalent of `torch.cholesky_solve(b, torch.linalg.cholesky(a))`; with the identity for `b` it is
/// the inverse. It runs on the CPU in f64.
///
/// # Errors
/// As [`cholesky`].
///
/// # Panics
/// If `a` is not square, `b` has not as many rows, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 2], &[4.0f32, 2.0, 2.0, 5.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[10.0f32, 9.0]);
/// assert_eq!(ops::solve_spd(&a, &b)?.to_vec()?, [2.0, 1.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn solve_spd(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let columns = expect_rows("solve_spd", a, b);
    expect_square("solve_spd", a);
    let x = Matrix::new(read(a)?, a.shape().dim(1)).solve_spd("solve_spd", Matrix::new(read(b)?, columns))?;
    Ok(written(b, b.shape(), &x.data))
}

/// The `x` that makes `|a x - b|` least, for `a` (m, n) with independent columns and `b` (m) or (m, columns); each column of `b`
/// for itself. Equivalent of `torch.linalg.lstsq(a, b).solution`.
///
/// By Householder's QR in f64, on the CPU. Not by the normal equations: they square the condition number, and with it a system that
/// f32 can state may be singular even in f64; QR keeps it, and a dependent column shows as a pivot that vanishes.
///
/// # Errors
/// [`Error::Singular`] where a column depends on those before it; a fault of the device, or a capture that this thread is in.
///
/// # Panics
/// If `a` has fewer rows than columns, `b` has not as many rows, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [3, 2], &[1.0f32, 0.0, 1.0, 1.0, 1.0, 2.0]); // a line through three points
/// let b = Tensor::from_slice(&Device::Cpu, [3], &[1.0f32, 3.0, 5.0]);
/// let x = ops::lstsq(&a, &b)?.to_vec()?;
/// assert!((x[0] - 1.0).abs() < 1e-6 && (x[1] - 2.0).abs() < 1e-6);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn lstsq(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let columns = expect_rows("lstsq", a, b);
    let (m, n) = (a.shape().dim(0), a.shape().dim(1));
    assert!(m >= n, "lstsq: a has fewer rows than columns ({}); ridge takes those", expect::shapes(&[("a", a), ("b", b)]));
    let x = factor::least_squares("lstsq", Matrix::new(read(a)?, n), Matrix::new(read(b)?, columns))?;
    Ok(written(b, solution(b, n), &x.data))
}

/// The `x` that makes `|a x - b|^2 + lambda |x|^2` least, for `a` (m, n) and `b` (m) or (m, columns); each column of `b` for
/// itself. PyTorch has no equivalent; in scikit-learn it is `Ridge(alpha=lambda, fit_intercept=False)`.
///
/// By the normal equations and [`cholesky`] in f64, on the CPU, with the smaller of the two products of `a` with itself: `lambda`
/// bounds their condition, so they are as good as QR here, and much faster for many rows.
///
/// # Errors
/// [`Error::NotPositiveDefinite`], where `lambda` is too small for dependent columns; a fault of the device, or a capture that this
/// thread is in.
///
/// # Panics
/// If `lambda` is negative or not a number, `b` has not as many rows as `a`, or a tensor does not hold f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 1.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2], &[3.0f32, 5.0]);
/// assert_eq!(ops::ridge(&a, &b, 2.0)?.to_vec()?, [2.0]); // (3 + 5) / (2 + 2)
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn ridge(a: &Tensor, b: &Tensor, lambda: f32) -> Result<Tensor> {
    let columns = expect_rows("ridge", a, b);
    let shapes = expect::shapes(&[("a", a), ("b", b)]);
    assert!(lambda >= 0.0, "ridge: lambda is {lambda}, not zero or more ({shapes})");
    let n = a.shape().dim(1);
    let x = factor::ridge("ridge", Matrix::new(read(a)?, n), Matrix::new(read(b)?, columns), lambda.into())?;
    Ok(written(b, solution(b, n), &x.data))
}

/// The pseudo-inverse (n, m) of `a` (m, n): times `b`, it gives the shortest of all `x` that make `|a x - b|` least, whether columns
/// are independent or not. Equivalent of `torch.linalg.pinv(a)`.
///
/// By Jacobi's singular values in f64, on the CPU. Those up to `max(m, n) * 2^-23` of the largest are rounding of f32, and count as
/// zero, as in PyTorch.
///
/// # Errors
/// A fault of the device, or a capture that this thread is in.
///
/// # Panics
/// If `a` is not a matrix of f32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [1, 2], &[3.0f32, 4.0]); // 3 x + 4 y = 25 has many solutions
/// let x = ops::matmul(&ops::pinv(&a)?, &Tensor::from_slice(&Device::Cpu, [1, 1], &[25.0f32])).to_vec()?;
/// assert!((x[0] - 3.0).abs() < 1e-6 && (x[1] - 4.0).abs() < 1e-6); // the one that is nearest to zero
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn pinv(a: &Tensor) -> Result<Tensor> {
    expect::f32s("pinv", &[("a", a)]);
    expect::rank("pinv", ("a", a), 2..=2);
    let (m, n) = (a.shape().dim(0), a.shape().dim(1));
    let tolerance = m.max(n) as f64 * f64::from(f32::EPSILON);
    let inverse = inverse::pseudo_inverse(&Matrix::new(read(a)?, n), m, tolerance);
    Ok(written(a, [n, m].into(), &inverse.data))
}
