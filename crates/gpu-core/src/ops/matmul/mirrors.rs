//! The product on the CPU.

use super::params::Params;
use crate::kernel::Args;
use crate::mirror::{self, Real};
use crate::unchecked::{self, Into, MatRef};

/// Rows that a task works on: enough to pay for packing `b` again.
pub(super) const ROWS: usize = 128;

/// Whether the rows alone are work for several threads: no sum need be split for them.
pub(super) fn has_many_rows(m: usize) -> bool {
    m >= 4 * ROWS
}

pub(super) fn matmul_cpu<T: Real>(args: &mut Args<'_>) {
    multiply::<T>(args.params(), args.input(0), args.input(1), args.output(0));
}

/// Of factors in f16, with sums in what the result holds.
pub(super) fn matmul_half_cpu<T: Real>(args: &mut Args<'_>) {
    let [a, b] = [0, 1].map(|factor| mirror::widened::<T>(args.input(factor)));
    multiply(args.params(), &a, &b, args.output(0));
}

fn multiply<T: Real>(p: Params, a: &[T], b: &[T], y: &mut [T]) {
    let (m, n) = (p.m as usize, p.n as usize);
    if p.k == 0 || y.is_empty() {
        return y.fill(T::zero());
    }
    let product = |which: usize, row: usize, y: &mut [T], threads| {
        let (batch, first) = (which as u32 / p.parts, which as u32 % p.parts * p.part);
        let [at_a, at_b] = p.batches.starts(batch);
        let at = [at_a + first * p.a_col + row as u32 * p.a_row, at_b + first * p.b_row].map(|at| at as usize);
        let a = MatRef { data: &a[at[0]..], row: p.a_row as usize, col: p.a_col as usize };
        let b = MatRef { data: &b[at[1]..], row: p.b_row as usize, col: p.b_col as usize };
        let k = p.part.min(p.k - first) as usize;
        unchecked::gemm((y.len() / n, n, k), a, b, y, n, Into::Replace, threads);
    };
    // Of many products each takes one thread, and so does each run of rows of a large one; a small one takes all threads.
    match p.batch * p.parts {
        1 if has_many_rows(m) => mirror::for_each_chunk(y, ROWS * n, &|run, y| product(0, run * ROWS, y, 1)),
        1 => product(0, 0, y, 0),
        _ => mirror::for_each_chunk(y, m * n, &|which, y| product(which, 0, y, 1)),
    }
}

pub(super) fn matmul_parts_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (partial, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (m, n, parts) = (p.m as usize, p.n as usize, p.parts as usize);
    mirror::for_each_plane(y, n, |row, y| {
        let (batch, row) = (row / m, row % m);
        for (i, y) in y.iter_mut().enumerate() {
            let terms = (0..parts).map(|part| partial[((batch * parts + part) * m + row) * n + i].into());
            *y = T::of(terms.sum::<f64>());
        }
    });
}
