//! What runs without the checks of compilers, and why that is sound: matrix products through pointers, and kernels without bounds
//! checks. With `gpu/unchecked.rs`, all unsafe code of the library.
#![allow(unsafe_code)]

use crate::kernel::{Kernel, Mirror};
use crate::mirror::Real;
use crate::mirror::threads::on_own_threads;

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
    let is_cut = threads != 1 && m.saturating_mul(n).saturating_mul(k) > gemm::get_threading_threshold();
    let parallelism = if is_cut { gemm::Parallelism::Rayon(threads) } else { gemm::Parallelism::None };
    let (read, alpha) = if into == Into::Add { (true, T::one()) } else { (false, T::zero()) };
    let mut product = || {
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
    };
    if is_cut { on_own_threads(product) } else { product() }
}

impl Kernel {
    /// The same as [`Kernel::new`], but release builds compile it without bounds checks and loop counters, and workgroup memory is
    /// not cleared: faster, and no longer memory safe by itself.
    ///
    /// # Safety
    /// Whatever tensors, parameters and constants it is launched with, by whatever code can reach it:
    /// - every index into a tensor, into workgroup memory and into an array or a vector of its own is in range, also where the
    ///   index is computed from the elements of a tensor;
    /// - every loop ends;
    /// - it reads no workgroup memory that it has not written.
    pub const unsafe fn new_unchecked(wgsl: &'static str, entry: &'static str, mirror: Mirror) -> Self {
        Self { trusted: true, ..Self::new(wgsl, entry, mirror) }
    }

    /// A kernel of this library, compiled as those of [`Kernel::new_unchecked`].
    pub(crate) const fn new_trusted(wgsl: &'static str, entry: &'static str, mirror: Mirror) -> Self {
        // SAFETY: only operators launch these kernels, with tensors whose shapes they have checked, and a test counts the indices
        // that are out of range over all their cases: none. Indices that lie in tensors are guarded by the kernels, which the same
        // test shows on tensors that hold anything at all. Loops are bounded by `Grid::trips`.
        unsafe { Self::new_unchecked(wgsl, entry, mirror) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::DType;
    use crate::kernel::Grid;
    use crate::tensor::Tensor;
    use crate::testing;

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

    const FAR: &str = "
        @group(0) @binding(0) var<storage, read> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32>;
        var<workgroup> tile: array<u32, 64>;
        @compute @workgroup_size(64) fn far(@builtin(local_invocation_index) i: u32) {
            tile[i + x[0]] = i;
            workgroupBarrier();
            y[i] = tile[63u - i + x[0]];
        }";
    static FAR_CHECKED: Kernel = Kernel::new(FAR, "far", |_| {});
    // SAFETY: none; a process of its own runs it and is expected to die.
    static FAR_UNCHECKED: Kernel = unsafe { Kernel::new_unchecked(FAR, "far", |_| {}) };

    #[test]
    #[ignore = "a child of the test below"]
    fn a_kernel_that_reaches_far() {
        let device = testing::gpu().unwrap();
        let (x, y) = (Tensor::from_slice(&device, [1], &[1u32 << 28]), Tensor::empty_of(&device, [64], DType::U32));
        let kernel = if std::env::var_os("WGRAD_FAR").is_some() { &FAR_UNCHECKED } else { &FAR_CHECKED };
        kernel.launch((), &[&x], &[&y], Grid::folded(1));
        y.read::<u32>().unwrap();
    }

    #[test]
    fn safe_code_cannot_reach_past_workgroup_memory() {
        let Some(device) = testing::gpu() else { return };
        let survives = |variables: &[(&str, &str)]| {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "unchecked::tests::a_kernel_that_reaches_far", "--ignored"]).env("WGRAD_CHECKED", "0");
            child.envs(variables.iter().copied()).output().unwrap().status.success()
        };
        assert!(survives(&[]));
        // Other drivers may bear it.
        if device.name().contains("llvmpipe") {
            assert!(!survives(&[("WGRAD_FAR", "1")]), "the control did not die: the test shows nothing");
        }
    }
}
