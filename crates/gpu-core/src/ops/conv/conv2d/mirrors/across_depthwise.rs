//! Depthwise convolutions of small planes: images in the lanes of a vector. The bits are those of the direct sum.

use super::Layout;
use super::across::{Places, RUN, Turned};
use super::plan::Tap;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::mirror::{Real, transpose};
use pulp::{Arch, Simd, WithSimd};

/// Output pixels and input places of a plane at most: of larger ones, what goes on around a plane is little beside its sums.
const MOST: [usize; 2] = [25, 144];

/// Images that a task turns back.
const TILE: usize = 8;

/// Whether it is computed here.
pub(super) fn is_for(l: &Layout) -> bool {
    l.n >= 8 && l.p * l.q <= MOST[0] && l.h * l.w <= MOST[1]
}

/// Planes of outputs that sum `ins` planes of `x` each; `readers` of them read the same.
#[expect(clippy::too_many_arguments, reason = "a convolution has as many")]
pub(super) fn product<T: Real>(
    l: &Layout,
    places: &Places,
    ins: usize,
    readers: usize,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
) {
    let (x_image, y_image, plane) = (x.len() / l.n, y.len() / l.n, places.len());
    for (x, y) in x.chunks(RUN * x_image).zip(y.chunks_mut(RUN * y_image)) {
        let source = Turned::of(x, x.len() / x_image, places.source);
        let (images, taps) = (source.images, places.across(source.images));
        let mut sums = vec![T::zero(); y.len()];
        sums.par_chunks_mut(plane * images).enumerate().run_by(16, |(channel, sums)| {
            let start = bias.map_or(T::zero(), |b| b[channel]);
            let (w, source) = (&w[channel * ins * l.taps()..][..ins * l.taps()], source.from(channel / readers * ins));
            Arch::new().dispatch(Channel { taps: &taps, filter: l.taps(), w, source, start, sums });
        });
        let sums = &sums;
        y.par_chunks_mut(TILE * y_image).enumerate().run(|(tile, y)| {
            transpose([y_image, y.len() / y_image], &sums[tile * TILE..], images, y, y_image);
        });
    }
}

/// A plane of outputs in all images.
struct Channel<'a, T> {
    taps: &'a [Vec<Tap>],
    /// Taps of the filter.
    filter: usize,
    w: &'a [T],
    source: Turned<&'a [T]>,
    start: T,
    /// (place, image)
    sums: &'a mut [T],
}

impl<T: Real> WithSimd for Channel<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = size_of::<T::Vector<S>>() / size_of::<T>();
        let Turned { data, images, step } = self.source;
        for (taps, sums) in self.taps.iter().zip(self.sums.chunks_exact_mut(images)) {
            for (i, sums) in sums.chunks_mut(lanes).enumerate() {
                let mut sum = T::splat(simd, self.start);
                for (input, w) in self.w.chunks_exact(self.filter).enumerate() {
                    for tap in taps {
                        let pixels = T::load(simd, &data[input * step + tap.offset + i * lanes..][..sums.len()]);
                        sum = T::madd(simd, pixels, T::splat(simd, w[tap.weight]), sum);
                    }
                }
                sums.copy_from_slice(&bytemuck::cast_slice(std::slice::from_ref(&sum))[..sums.len()]);
            }
        }
    }
}
