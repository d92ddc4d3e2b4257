//! Matrix products, plain, transposed and batched: `C[i,j] = sum over k of A[i,k] B[k,j]`.
//!
//! One launch serves all: a transpose is a pair of strides. Which kernel runs is a pure function of the shapes and the adapter.

use crate::audited::{self, Into, MatRef};
use crate::check::{self, Bound, Case};
use crate::device::Device;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::Real;
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

const WGSL: &str = include_str!("../../../../shaders/matmul.wgsl");
static MATMUL_TILED: Kernel = kernel!(WGSL, "matmul_tiled", matmul_cpu);
static MATMUL_TILED4: Kernel = kernel!(WGSL, "matmul_tiled4", matmul_cpu);
static MATMUL_REG: Kernel = kernel!(WGSL, "matmul_reg", matmul_cpu);
pub(super) const KERNELS: &[&Kernel] = &[&MATMUL_TILED, &MATMUL_TILED4, &MATMUL_REG];

#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct Params {
    m: u32,
    n: u32,
    k: u32,
    a_row: u32,
    a_col: u32,
    a_batch: u32,
    b_row: u32,
    b_col: u32,
    b_batch: u32,
    tiles_m: u32,
    tiles_n: u32,
    batch: u32,
}

/// The three forms of the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Tiled,
    Tiled4,
    Reg,
}

/// How one factor lies in memory: rows and columns as the product sees them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factor {
    pub row: usize,
    pub col: usize,
    pub batch: usize,
}

/// Extents of one product: `batch` times `m` x `k` by `k` x `n`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extents {
    pub batch: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

fn matmul_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (a, b, c) = (args.input::<T>(0), args.input::<T>(1), args.output::<T>(0));
    let (m, n, k) = (p.m as usize, p.n as usize, p.k as usize);
    if k == 0 {
        return c.fill(T::zero());
    }
    let product = |batch: usize, c: &mut [T], threads| {
        let a = MatRef { data: &a[batch * p.a_batch as usize..], row: p.a_row as usize, col: p.a_col as usize };
        let b = MatRef { data: &b[batch * p.b_batch as usize..], row: p.b_row as usize, col: p.b_col as usize };
        audited::gemm((m, n, k), a, b, c, n, Into::Replace, threads);
    };
    // One product takes all threads; many take one each.
    match p.batch {
        1 => product(0, c, 0),
        _ => c.par_chunks_mut(m * n).enumerate().for_each(|(batch, c)| product(batch, c, 1)),
    }
}

/// Which kernel: workgroup tiles on hardware, registers alone on software drivers.
fn choose(device: &Device, e: Extents, a: Factor, b: Factor) -> Form {
    let fours = [e.m, e.n, e.k, a.batch, b.batch, a.row.max(a.col), b.row.max(b.col)];
    match device.prefers_registers() {
        true => Form::Reg,
        false if fours.iter().all(|v| v % 4 == 0) && a.row.min(a.col) == 1 && b.row.min(b.col) == 1 => Form::Tiled4,
        false => Form::Tiled,
    }
}

/// `c = a b`, where the caller has checked the shapes.
#[track_caller]
pub(super) fn launch(a: &Tensor, fa: Factor, b: &Tensor, fb: Factor, c: &Tensor, e: Extents) {
    launch_form(choose(c.device(), e, fa, fb), a, fa, b, fb, c, e);
}

#[track_caller]
fn launch_form(form: Form, a: &Tensor, fa: Factor, b: &Tensor, fb: Factor, c: &Tensor, e: Extents) {
    // A tile of 64 where the matrix would not fill larger ones.
    let wg = if e.m.min(e.n) > 64 { 16 } else { 8 };
    let (tile_m, tile_n) = if form == Form::Reg { (8, 16) } else { (8 * wg, 8 * wg) };
    let (tiles_m, tiles_n) = (e.m.div_ceil(tile_m), e.n.div_ceil(tile_n));
    let params = Params {
        m: e.m as u32,
        n: e.n as u32,
        k: e.k as u32,
        a_row: fa.row as u32,
        a_col: fa.col as u32,
        a_batch: fa.batch as u32,
        b_row: fb.row as u32,
        b_col: fb.col as u32,
        b_batch: fb.batch as u32,
        tiles_m: tiles_m as u32,
        tiles_n: tiles_n as u32,
        batch: e.batch as u32,
    };
    let tiles = e.batch * tiles_m * tiles_n;
    let constants = [("WG", wg as u32), ("A_K_CONTIGUOUS", u32::from(fa.col == 1)), ("B_K_CONTIGUOUS", u32::from(fb.row == 1))];
    let tiled_trips = e.k.div_ceil(8) * 26 + 16;
    match form {
        Form::Reg => {
            MATMUL_REG.with(&constants).launch(params, &[a, b], &[c], Grid::linear(tiles, 8).trips(e.k + 64));
        }
        Form::Tiled => {
            MATMUL_TILED.with(&constants).launch(params, &[a, b], &[c], Grid::folded(tiles).trips(tiled_trips));
        }
        Form::Tiled4 => {
            MATMUL_TILED4.with(&constants).launch(params, &[a, b], &[c], Grid::folded(tiles).trips(tiled_trips));
        }
    }
}

/// Which of the two factors is read transposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transpose {
    None,
    A,
    B,
}

/// The extents of a product and how its factors lie, or why there is none.
fn plan(a: Shape, b: Shape, transpose: Transpose) -> Option<(Extents, Factor, Factor, Shape)> {
    if a.rank() != b.rank() || !(2..=3).contains(&a.rank()) || (a.rank() == 3 && a.dim(0) != b.dim(0)) {
        return None;
    }
    let (i, j) = (a.rank() - 2, a.rank() - 1);
    let (m, k) = if transpose == Transpose::A { (a.dim(j), a.dim(i)) } else { (a.dim(i), a.dim(j)) };
    let (kb, n) = if transpose == Transpose::B { (b.dim(j), b.dim(i)) } else { (b.dim(i), b.dim(j)) };
    let batch = if a.rank() == 3 { a.dim(0) } else { 1 };
    let factor = |rows: usize, cols: usize, transposed: bool| match transposed {
        false => Factor { row: cols, col: 1, batch: rows * cols },
        true => Factor { row: 1, col: rows, batch: rows * cols },
    };
    let out = if a.rank() == 3 { Shape::from([batch, m, n]) } else { Shape::from([m, n]) };
    let (fa, fb) = (factor(m, k, transpose == Transpose::A), factor(k, n, transpose == Transpose::B));
    (k == kb).then_some((Extents { batch, m, n, k }, fa, fb, out))
}

#[track_caller]
fn product(name: &str, a: &Tensor, b: &Tensor, transpose: Transpose, form: Option<Form>) -> Tensor {
    a.expect_f32(name);
    b.expect_f32(name);
    let Some((e, fa, fb, out)) = plan(a.shape(), b.shape(), transpose) else {
        panic!("{name}: shapes do not fit (a {}, b {})", a.shape(), b.shape());
    };
    let c = Tensor::empty(a.device(), out);
    launch_form(form.unwrap_or_else(|| choose(a.device(), e, fa, fb)), a, fa, b, fb, &c, e);
    c
}

/// `A B`: (m, k) by (k, n) gives (m, n); with a leading batch axis on both, one product each. Equivalent of `torch.matmul`.
///
/// # Panics
/// If the inner extents, the ranks (2 or 3) or the batches differ.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [1, 2], &[1.0f32, 2.0]);
/// let b = Tensor::from_slice(&Device::Cpu, [2, 1], &[3.0f32, 4.0]);
/// assert_eq!(ops::matmul(&a, &b).to_vec()?, [11.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn matmul(a: &Tensor, b: &Tensor) -> Tensor {
    product("matmul", a, b, Transpose::None, None)
}

/// `A^T B`: `a` is (k, m). Equivalent of `torch.matmul(a.mT, b)`.
///
/// # Panics
/// As [`matmul`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [2, 1], &[1.0f32, 2.0]);
/// assert_eq!(ops::matmul_ta(&a, &a).to_vec()?, [5.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn matmul_ta(a: &Tensor, b: &Tensor) -> Tensor {
    product("matmul_ta", a, b, Transpose::A, None)
}

/// `A B^T`: `b` is (n, k). Equivalent of `torch.matmul(a, b.mT)`.
///
/// # Panics
/// As [`matmul`].
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let a = Tensor::from_slice(&Device::Cpu, [1, 2], &[1.0f32, 2.0]);
/// assert_eq!(ops::matmul_tb(&a, &a).to_vec()?, [5.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn matmul_tb(a: &Tensor, b: &Tensor) -> Tensor {
    product("matmul_tb", a, b, Transpose::B, None)
}

pub(super) fn cases() -> Vec<Case> {
    // m, k, n: a single element, primes, more than a tile of 64 and of 128, a long k, one row, one column.
    const EXTENTS: [(usize, usize, usize); 8] =
        [(1, 1, 1), (7, 13, 17), (67, 9, 71), (128, 64, 132), (131, 40, 137), (3, 5003, 5), (1, 31, 200), (200, 31, 1)];
    let mut cases = Vec::new();
    for form in [Form::Tiled, Form::Tiled4, Form::Reg] {
        for transpose in [Transpose::None, Transpose::A, Transpose::B] {
            for (batch, (m, k, n)) in EXTENTS.into_iter().map(|e| (1, e)).chain([(3, (20, 12, 36))]) {
                if form == Form::Tiled4 && [m, k, n].iter().any(|v| v % 4 != 0) {
                    continue;
                }
                let what = format!("{form:?} transpose {transpose:?} {batch} x {m}x{k}x{n}");
                cases.push(Case::new("matmul", what, Bound::Sum { terms: k, magnitude: 0.5 }, move |device| {
                    let a = check::tensor(device, if transpose == Transpose::A { [batch, k, m] } else { [batch, m, k] }, 1);
                    let b = check::tensor(device, if transpose == Transpose::B { [batch, n, k] } else { [batch, k, n] }, 2);
                    vec![product("matmul", &a, &b, transpose, Some(form))]
                }));
            }
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `C[i,j]` in f64 by the definition.
    fn naive(a: &[f32], b: &[f32], (m, k, n): (usize, usize, usize)) -> Vec<f32> {
        let at = |i: usize, j: usize| (0..k).map(|l| f64::from(a[i * k + l]) * f64::from(b[l * n + j])).sum::<f64>() as f32;
        (0..m * n).map(|ij| at(ij / n, ij % n)).collect()
    }

    fn transposed(x: &[f32], rows: usize, cols: usize) -> Vec<f32> {
        (0..rows * cols).map(|i| x[(i % rows) * cols + i / rows]).collect()
    }

    #[test]
    fn small_integers_multiply_exactly_on_every_device() {
        for device in check::devices() {
            for (m, k, n) in [(1, 1, 1), (5, 7, 3), (65, 33, 130), (16, 300, 8)] {
                let (a, b) = (check::integers(m * k, 3), check::integers(k * n, 4));
                let want = naive(&a, &b, (m, k, n));
                let tensor = |shape: [usize; 2], v: &[f32]| Tensor::from_slice(&device, shape, v);
                let (a_t, b_t) = (transposed(&a, m, k), transposed(&b, k, n));
                assert_eq!(matmul(&tensor([m, k], &a), &tensor([k, n], &b)).to_vec().unwrap(), want, "{m}x{k}x{n}");
                assert_eq!(matmul_ta(&tensor([k, m], &a_t), &tensor([k, n], &b)).to_vec().unwrap(), want);
                assert_eq!(matmul_tb(&tensor([m, k], &a), &tensor([n, k], &b_t)).to_vec().unwrap(), want);
            }
        }
    }

    #[test]
    #[should_panic(expected = "matmul: shapes do not fit (a [2, 3], b [2, 3])")]
    fn a_mismatch_names_both_shapes() {
        let a = Tensor::zeros(&Device::Cpu, [2, 3]);
        matmul(&a, &a);
    }
}
