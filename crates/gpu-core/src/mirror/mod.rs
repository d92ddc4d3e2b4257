//! What mirrors share: sums in f64 and parallel maps, written so that they vectorise and depend on no thread count.

mod functions;
mod real;
pub(crate) mod threads;
mod transpose;

use self::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use bytemuck::Pod;
use half::f16;
use pulp::{Arch, Simd, WithSimd};
pub(crate) use real::Real;
use std::ops::Range;
pub(crate) use transpose::transpose;

/// Tasks that are few: threads would be left without one.
const FEW: usize = 4;

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

    /// With one vector a block where blocks of two, in each of `times` sums of so many channels, would be few tasks.
    pub fn cut_into(self, times: usize, channels: usize) -> Self {
        let is_few = times * channels.div_ceil(self.channels()) < FEW;
        Self { vectors: if is_few { 1 } else { self.vectors }, ..self }
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
    if blocks.is_empty() {
        return rest.iter().fold(0.0, |sum, &v| sum + f(v.into()));
    }
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

/// The value of an expression that is compiled for the processor's widest vectors, with whatever it calls that is inlined: functions
/// are to be `#[inline(always)]`, closures too.
///
/// A closure that could be called again is called by a shim, which the compiler inlines or not as it likes, and what it does not inline
/// has the vectors of the oldest processor. So this one gives something away.
macro_rules! in_vectors {
    ($value:expr) => {{
        let once = $crate::mirror::Once;
        pulp::Arch::new().dispatch(
            #[inline(always)]
            move || {
                let _given = once;
                $value
            },
        )
    }};
}
pub(crate) use in_vectors;

/// What a closure of [`in_vectors`] gives away.
pub(crate) struct Once;

/// `y = f(x)`, element by element: in the processor's widest vectors where `f` is inlined and has no call. It is copied, so that what it
/// knows is in registers: a closure does well to `move`.
pub(crate) fn map<T: Pod + Send + Sync, U: Pod + Send>(x: &[T], y: &mut [U], f: impl Fn(T) -> U + Sync + Copy) {
    for_each_chunk(y, CHUNK, &|chunk, y| {
        let x = &x[chunk * CHUNK..];
        in_vectors!({
            for (y, &x) in y.iter_mut().zip(x) {
                *y = f(x);
            }
        });
    });
}

/// What is stored in f16, to compute with.
pub(crate) fn widened<T: Real>(halves: &[f16]) -> Vec<T> {
    let mut wide = vec![T::zero(); halves.len()];
    map(halves, &mut wide, |v| T::of(f64::from(v)));
    wide
}

/// `y = f(a, b)`, element by element, in vectors as [`map`].
pub(crate) fn zip_map<T: Pod + Send + Sync, U: Pod + Send>(a: &[T], b: &[T], y: &mut [U], f: impl Fn(T, T) -> U + Sync + Copy) {
    for_each_chunk(y, CHUNK, &|chunk, y| {
        let start = chunk * CHUNK;
        let (a, b) = (&a[start..], &b[start..]);
        in_vectors!({
            for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
                *y = f(a, b);
            }
        });
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

/// Calls `f(place of its first element, piece)` for pieces of `y` of at most `len` elements, in parallel; none of them goes on over a
/// multiple of `period`.
pub(crate) fn for_each_piece<T: Send>(y: &mut [T], len: usize, period: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    for_each_chunk(y, len, &|chunk, mut y| {
        let mut at = chunk * len;
        while !y.is_empty() {
            let (piece, rest) = y.split_at_mut((period - at % period).min(y.len()));
            let next = at + piece.len();
            f(at, piece);
            (at, y) = (next, rest);
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
