//! The only unsafe code of the project: two calls, each with the checks that make it sound.
#![allow(unsafe_code)]

use crate::mirror::Real;

/// A matrix in a slice: element `(i, j)` is `data[i * row + j * col]`.
#[derive(Clone, Copy)]
pub(crate) struct MatRef<'a, T> {
    pub data: &'a [T],
    pub row: usize,
    pub col: usize,
}

/// What the product does with the destination's old value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    Replace,
    Add,
}

fn check_extent(what: &str, len: usize, rows: usize, cols: usize, row: usize, col: usize) {
    if rows > 0 && cols > 0 {
        let last = (rows - 1) * row + (cols - 1) * col;
        assert!(last < len, "gemm: {what} of {rows}x{cols} reaches element {last} of {len}");
    }
}

/// `c = a b` or `c += a b`, with `a` of `m` x `k`, `b` of `k` x `n`, and `c` of `m` x `n`, row-major with `c_row` elements a row.
/// `threads` = 1 keeps to the calling thread; 0 takes all of rayon's. The order of each sum depends on neither.
pub(crate) fn gemm<T: Real>(
    (m, n, k): (usize, usize, usize),
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    c: &mut [T],
    c_row: usize,
    into: Into,
    threads: usize,
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(c_row >= n, "gemm: rows of {n} overlap at a row step of {c_row}");
    check_extent("a", a.data.len(), m, k, a.row, a.col);
    check_extent("b", b.data.len(), k, n, b.row, b.col);
    check_extent("c", c.len(), m, n, c_row, 1);
    let parallelism = if threads == 1 { gemm::Parallelism::None } else { gemm::Parallelism::Rayon(threads) };
    let (read, alpha) = if into == Into::Add { (true, T::one()) } else { (false, T::zero()) };
    // SAFETY: every element that the three strided matrices can reach lies inside its slice (checked above), the
    // destination is borrowed mutably and its elements are distinct, so it aliases neither source nor itself.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            c_row as isize,
            read,
            a.data.as_ptr(),
            a.col as isize,
            a.row as isize,
            b.data.as_ptr(),
            b.col as isize,
            b.row as isize,
            alpha,
            T::one(),
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// A shader module without bounds checks and loop counters: they cost time, and kernels guard their own edges.
///
/// Debug builds keep the checks, and the tests run with them; `WGRAD_CHECKED=1` keeps and `WGRAD_CHECKED=0` drops them in any build.
pub(crate) fn shader_module(device: &wgpu::Device, desc: wgpu::ShaderModuleDescriptor<'_>, checked: bool) -> wgpu::ShaderModule {
    if checked {
        return device.create_shader_module(desc);
    }
    // SAFETY: every kernel of this library guards its own indices, which the same tests prove with checks on; loops are
    // bounded by `Grid::trips`. A user's own kernel comes through `Kernel::new`, whose documentation asks the same.
    unsafe { device.create_shader_module_trusted(desc, wgpu::ShaderRuntimeChecks::unchecked()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gemm_replaces_or_adds_with_any_strides() {
        let a = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]; // 2x3, or 3x2 transposed
        let b = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0]; // 3x2
        let mut c = vec![10.0; 4];
        let b_mat = MatRef { data: &b, row: 2, col: 1 };
        gemm((2, 2, 3), MatRef { data: &a, row: 3, col: 1 }, b_mat, &mut c, 2, Into::Add, 1);
        assert_eq!(c, [14.0, 15.0, 20.0, 21.0]);
        gemm((2, 2, 3), MatRef { data: &a, row: 1, col: 2 }, b_mat, &mut c, 2, Into::Replace, 0);
        assert_eq!(c, [6.0, 8.0, 8.0, 10.0]);
    }

    #[test]
    #[should_panic(expected = "gemm: a of 2x3 reaches element 5 of 5")]
    fn gemm_refuses_to_read_past_a_slice() {
        let b = MatRef { data: &[0.0; 6], row: 2, col: 1 };
        gemm((2, 2, 3), MatRef { data: &[0.0f32; 5], row: 3, col: 1 }, b, &mut [0.0; 4], 2, Into::Replace, 1);
    }
}
