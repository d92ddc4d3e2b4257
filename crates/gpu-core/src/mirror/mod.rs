//! What mirrors share: sums in f64 and parallel maps, written so that they vectorise and depend on no thread count.

pub(crate) mod threads;
mod transpose;

use self::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::base::Element;
use bytemuck::Pod;
use num_traits::{Float, NumAssign};
use pulp::{Arch, Simd, WithSimd};
use std::iter::Sum;
use std::ops::Range;
pub(crate) use transpose::transpose;

/// What a mirror computes in: f32 for work, f64 for [`crate::Device::cpu_f64`].
pub(crate) trait Real: Float + NumAssign + Sum + Pod + Element + Into<f64> {
    /// As many as the processor takes at once.
    type Vector<S: Simd>: Pod;

    /// The nearest value.
    fn of(v: impl Into<f64>) -> Self;
    /// As many of `x` as fit, and zeros beyond.
    fn load<S: Simd>(simd: S, x: &[Self]) -> Self::Vector<S>;
    /// A vector of one value.
    fn splat<S: Simd>(simd: S, v: Self) -> Self::Vector<S>;
    /// `a b + c`, rounded once where the processor can.
    fn madd<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;
    /// e to the power of `self`, without a call or a branch, so that loops vectorise; f32 within a unit in the last place.
    fn quick_exp(self) -> Self;
}

impl Real for f32 {
    type Vector<S: Simd> = S::f32s;

    fn of(v: impl Into<f64>) -> Self {
        v.into() as Self
    }
    #[inline(always)]
    fn load<S: Simd>(simd: S, x: &[Self]) -> S::f32s {
        simd.partial_load_f32s(x)
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, v: Self) -> S::f32s {
        simd.splat_f32s(v)
    }
    #[inline(always)]
    fn madd<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(a, b, c)
    }
    /// `2^n e^r` with `|r| <= ln 2 / 2`, and Cephes' polynomial for `e^r`.
    #[inline(always)]
    fn quick_exp(self) -> Self {
        // Added to a small number, it leaves the nearest integer in the last bits.
        const ROUND: f32 = 12_582_912.0;
        const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];
        const TERMS: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1];
        // Further out are 0 and infinity. A NaN passes both comparisons.
        let x = if self < -104.5 { -104.5 } else { self };
        let x = if x > 89.0 { 89.0 } else { x };
        let rounded = x * std::f32::consts::LOG2_E + ROUND;
        let n = rounded - ROUND;
        let r = (x - n * LN_2[0]) - n * LN_2[1];
        let series = TERMS[1..].iter().fold(TERMS[0], |sum, term| sum * r + term);
        let power = |n: i32| f32::from_bits((n.wrapping_add(127) << 23) as u32);
        // In two steps: one would not reach the smallest numbers, nor infinity.
        let n = (rounded.to_bits() as i32).wrapping_sub(ROUND.to_bits() as i32);
        let half = n >> 1;
        (series * (r * r) + r + 1.0) * power(half) * power(n.wrapping_sub(half))
    }
}

impl Real for f64 {
    type Vector<S: Simd> = S::f64s;

    fn of(v: impl Into<f64>) -> Self {
        v.into()
    }
    #[inline(always)]
    fn load<S: Simd>(simd: S, x: &[Self]) -> S::f64s {
        simd.partial_load_f64s(x)
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, v: Self) -> S::f64s {
        simd.splat_f64s(v)
    }
    #[inline(always)]
    fn madd<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_e_f64s(a, b, c)
    }
    fn quick_exp(self) -> Self {
        self.exp()
    }
}

/// How channels are laid out in vectors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Width {
    /// Elements of a vector.
    lanes: usize,
    /// Vectors side by side: two where one does not hold all channels.
    pub vectors: usize,
    /// Whether there are 32 registers rather than 16.
    pub is_wide: bool,
}

impl Width {
    /// For so many channels, on this processor.
    pub fn of<T: Real>(channels: usize) -> Self {
        struct Probe;
        impl WithSimd for Probe {
            type Output = (usize, usize);
            fn with_simd<S: Simd>(self, _: S) -> (usize, usize) {
                (size_of::<S::f32s>(), S::REGISTER_COUNT)
            }
        }
        let (bytes, registers) = Arch::new().dispatch(Probe);
        let lanes = (bytes / size_of::<T>()).max(1);
        Self { lanes, vectors: if channels > lanes { 2 } else { 1 }, is_wide: registers >= 32 }
    }

    /// Channels of a block.
    pub fn channels(&self) -> usize {
        self.lanes * self.vectors
    }
}

/// Elements that one task handles: enough to pay for handing it out, little enough to stay in cache.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Accumulators of a sum: a single one would make every addition wait for the last.
const LANES: usize = 8;

/// The sum of `f(x)` in f64; its order depends on the length only.
#[inline]
pub(crate) fn sum_by<T: Real>(x: &[T], f: impl Fn(f64) -> f64) -> f64 {
    let (blocks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [0f64; LANES];
    for block in blocks {
        for (lane, &v) in lanes.iter_mut().zip(block) {
            *lane += f(v.into());
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|&v| f(v.into())).sum::<f64>()
}

/// The sums of `a` and of `a * f(b)` in f64; their order depends on the length only.
#[inline]
pub(crate) fn sum_and_dot<T: Real>(a: &[T], b: &[T], f: impl Fn(f64) -> f64) -> (f64, f64) {
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let (mut sums, mut dots) = ([0f64; LANES], [0f64; LANES]);
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            let a: f64 = a[i].into();
            sums[i] += a;
            dots[i] += a * f(b[i].into());
        }
    }
    let (mut sum, mut dot) = (sums.iter().sum::<f64>(), dots.iter().sum::<f64>());
    for (&a, &b) in a_rest.iter().zip(b_rest) {
        let a: f64 = a.into();
        sum += a;
        dot += a * f(b.into());
    }
    (sum, dot)
}

/// Calls `f(number, chunk)` for each `len` elements of `y`, in parallel.
///
/// `f` is called through a pointer, once a chunk, so that one copy of the scheduler serves all mirrors of a type: a copy for each made
/// most of the crate's code.
pub(crate) fn for_each_chunk<T: Send>(y: &mut [T], len: usize, f: &(dyn Fn(usize, &mut [T]) + Sync)) {
    match y.len() {
        0 => {}
        // What is small stays clear of the scheduler.
        all if all <= len => f(0, y),
        _ => y.par_chunks_mut(len.max(1)).enumerate().run(|(i, y)| f(i, y)),
    }
}

/// `y = f(x)`, element by element.
pub(crate) fn map<T: Pod + Send + Sync, U: Pod + Send>(x: &[T], y: &mut [U], f: impl Fn(T) -> U + Sync) {
    for_each_chunk(y, CHUNK, &|chunk, y| {
        for (y, &x) in y.iter_mut().zip(&x[chunk * CHUNK..]) {
            *y = f(x);
        }
    });
}

/// `y = f(a, b)`, element by element.
pub(crate) fn zip_map<T: Pod + Send + Sync, U: Pod + Send>(a: &[T], b: &[T], y: &mut [U], f: impl Fn(T, T) -> U + Sync) {
    for_each_chunk(y, CHUNK, &|chunk, y| {
        let start = chunk * CHUNK;
        for ((y, &a), &b) in y.iter_mut().zip(&a[start..]).zip(&b[start..]) {
            *y = f(a, b);
        }
    });
}

/// Calls `f(plane number, plane)` for each `inner` elements of `y`, several planes a task.
pub(crate) fn for_each_plane<T: Send>(y: &mut [T], inner: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    let planes = (CHUNK / inner).max(1);
    for_each_chunk(y, planes * inner, &|task, y| {
        for (i, plane) in y.chunks_exact_mut(inner).enumerate() {
            f(task * planes + i, plane);
        }
    });
}

/// Which rows and columns of a plane the windows of a pooling have between their first and their last element: an entry for each row
/// and each column of windows.
pub(crate) struct Spans<'a> {
    pub rows: &'a [Range<usize>],
    pub columns: &'a [Range<usize>],
    /// Of the plane.
    pub width: usize,
}

/// The gradient of a pooling that chose one element a window: each plane's `dy` goes to the places in the input's plane (of `in_plane`
/// elements) that `indices` name, and adds up there, where the window has that place.
pub(crate) fn add_at<T: Real>(dy: &[T], indices: &[u32], dx: &mut [T], in_plane: usize, spans: &Spans<'_>) {
    let Spans { rows, columns, width } = *spans;
    let out_plane = rows.len() * columns.len();
    // In a table: two divisions a window would take longer than the rest of the loop.
    let places: Vec<[usize; 2]> = (0..in_plane).map(|at| [at / width, at % width]).collect();
    for_each_plane(dx, in_plane, |plane, dx| {
        let mine = plane * out_plane..(plane + 1) * out_plane;
        dx.fill(T::zero());
        let windows = dy[mine.clone()].chunks_exact(columns.len()).zip(indices[mine].chunks_exact(columns.len()));
        for ((dy, indices), rows) in windows.zip(rows) {
            for ((&dy, &at), columns) in dy.iter().zip(indices).zip(columns) {
                let Some(([row, column], dx)) = places.get(at as usize).zip(dx.get_mut(at as usize)) else { continue };
                if rows.contains(row) & columns.contains(column) {
                    *dx += dy;
                }
            }
        }
    });
}

/// Calls `f` with where each run of elements `from..to` of one channel lies in a tensor of `c` channels of `inner` elements.
#[inline]
pub(crate) fn for_each_run(c: usize, inner: usize, channel: usize, from: usize, to: usize, mut f: impl FnMut(Range<usize>)) {
    let mut at = from;
    while at < to {
        let (sample, i) = (at / inner, at % inner);
        let len = (inner - i).min(to - at);
        let start = (sample * c + channel) * inner + i;
        f(start..start + len);
        at += len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Device;
    use crate::testing::uniform;

    #[test]
    fn quick_exponentials_are_within_a_unit_in_the_last_place() {
        for i in -1_100_000..=900_000 {
            let x = i as f32 * 1e-4;
            let (got, exact) = (f64::from(x.quick_exp()), f64::from(x).exp());
            let unit = f64::from(f32::EPSILON) * 2f64.powf(exact.log2().floor().max(-126.0));
            let fits = (got - exact).abs() <= unit || (exact > f64::from(f32::MAX) && got == f64::INFINITY);
            assert!(fits, "exp({x:?}) is {exact:e}, not {got:e}");
        }
        let ends = [0.0, f32::NEG_INFINITY, f32::MIN, f32::INFINITY, f32::MAX];
        assert_eq!(ends.map(f32::quick_exp), [1.0, 0.0, 0.0, f32::INFINITY, f32::INFINITY]);
        assert!(f32::NAN.quick_exp().is_nan());
    }

    #[test]
    fn sums_are_those_of_a_plain_loop() {
        for len in [0, 1, 7, 8, 9, 100] {
            let [x, b] = [1, 2].map(|seed| uniform(&Device::Cpu, [len], seed).to_vec().unwrap());
            let plain: f64 = x.iter().map(|&v| f64::from(v) * 2.0).sum();
            let dot: f64 = x.iter().zip(&b).map(|(&a, &b)| f64::from(a) * (f64::from(b) - 1.0)).sum();
            assert!((sum_by(&x, |v| 2.0 * v) - plain).abs() < 1e-12);
            let (sum, product) = sum_and_dot(&x, &b, |v| v - 1.0);
            assert!((2.0 * sum - plain).abs() < 1e-12 && (product - dot).abs() < 1e-12);
        }
    }
}
