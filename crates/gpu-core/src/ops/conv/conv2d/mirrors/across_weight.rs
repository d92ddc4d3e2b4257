//! The weight gradient on small planes: for each tap, over the places that read through it, in all images.

use super::Layout;
use super::across::{Places, RUN, Turned};
use super::tiles::{Tiled, in_tiles};
use super::weight::{add_row, by_block};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, ParallelSliceMut};
use crate::mirror::{Real, Width, transpose};
use pulp::Simd;

/// Terms of a sum before it is added to those before: in a single one, the last terms would lose their last bits.
const TERMS: usize = 1024;

/// dw, over all images at once.
pub(super) fn backward_w<T: Real>(l: &Layout, places: &Places, x: &[T], dy: &[T], dw: &mut [T]) {
    let width = Width::of::<T>(l.group_k());
    let (lanes, blocks) = (width.channels(), l.group_k().div_ceil(width.channels()));
    let (x_image, dy_image, pixels) = (l.c * l.h * l.w, l.k * l.p * l.q, l.p * l.q);
    let (taps, of_tap) = (l.taps(), l.group_c() * lanes);
    // (group, block, tap, input, lane)
    let mut sums = vec![T::zero(); l.groups * blocks * taps * of_tap];
    for (x, dy) in x.chunks(RUN * x_image).zip(dy.chunks(RUN * dy_image)) {
        let images = x.len() / x_image;
        let (source, dy) = (Turned::of(x, images, l.h * l.w), in_lanes(l, &width, dy, images));
        let rows = places.by_tap(taps, images);
        sums.par_chunks_mut(of_tap).enumerate().run(|(i, dw)| {
            let (group, block, rows) = (i / taps / blocks, i / taps, &rows[i % taps]);
            let source = source.from(group * l.group_c());
            let dy = &dy[block * pixels * images * lanes..][..pixels * images * lanes];
            in_tiles(&width, TapSums { source, rows, dy, dw });
        });
    }
    let (ins, terms) = (l.group_c(), l.terms());
    by_block(l, lanes, dw).par_iter_mut().enumerate().run_with(1, Vec::new, |rows, (block, dw)| {
        rows.resize(of_tap, T::zero());
        for (tap, sums) in sums[block * taps * of_tap..].chunks_exact(of_tap).take(taps).enumerate() {
            // (lane, input), then to where the other taps lie between.
            transpose([ins, lanes], sums, lanes, rows, ins);
            for (dw, row) in dw.chunks_exact_mut(terms).zip(rows.chunks_exact(ins)) {
                dw[tap..].iter_mut().step_by(taps).zip(row).for_each(|(dw, &v)| *dw = v);
            }
        }
    });
}

/// (group, block, place, image, lane) of dy, with zeros in the lanes that the last block has too many.
fn in_lanes<T: Real>(l: &Layout, width: &Width, dy: &[T], images: usize) -> Vec<T> {
    let (lanes, blocks, pixels) = (width.channels(), l.group_k().div_ceil(width.channels()), l.p * l.q);
    let mut turned = vec![T::zero(); l.groups * blocks * pixels * images * lanes];
    turned.par_chunks_mut(pixels * images * lanes).enumerate().run(|(i, turned)| {
        let (group, first) = (i / blocks, i % blocks * lanes);
        let channels = lanes.min(l.group_k() - first);
        for image in 0..images {
            let planes = &dy[((image * l.groups + group) * l.group_k() + first) * pixels..];
            transpose([channels, pixels], planes, pixels, &mut turned[image * lanes..], images * lanes);
        }
    });
    turned
}

/// The weights of a tap for a block of outputs.
struct TapSums<'a, T> {
    source: Turned<&'a [T]>,
    /// Where it reads, and for which output.
    rows: &'a [[usize; 2]],
    dy: &'a [T],
    /// (input, lane)
    dw: &'a mut [T],
}

impl<T: Real> Tiled for TapSums<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const INPUTS: usize, const NV: usize>(mut self, simd: S) {
        let dw = std::mem::take(&mut self.dw);
        let dw: &mut [[T::Vector<S>; NV]] = bytemuck::cast_slice_mut::<T, T::Vector<S>>(dw).as_chunks_mut().0;
        let dy: &[[T::Vector<S>; NV]] = bytemuck::cast_slice::<T, T::Vector<S>>(self.dy).as_chunks().0;
        let (blocks, rest) = dw.as_chunks_mut::<INPUTS>();
        let full = blocks.len() * INPUTS;
        for (block, dw) in blocks.iter_mut().enumerate() {
            self.inputs(simd, block * INPUTS, dy, dw);
        }
        for (i, dw) in rest.iter_mut().enumerate() {
            self.inputs(simd, full + i, dy, std::array::from_mut(dw));
        }
    }
}

impl<T: Real> TapSums<'_, T> {
    /// Adds to the sums of `INPUTS` input channels from `first` on.
    #[inline(always)]
    fn inputs<S: Simd, const INPUTS: usize, const NV: usize>(
        &self,
        simd: S,
        first: usize,
        dy: &[[T::Vector<S>; NV]],
        dw: &mut [[T::Vector<S>; NV]; INPUTS],
    ) {
        let Turned { data, images, step } = &self.source;
        let (zero, one) = (T::splat(simd, T::zero()), T::splat(simd, T::one()));
        for rows in self.rows.chunks((TERMS / images).max(1)) {
            let mut sums = [[zero; NV]; INPUTS];
            for [x_at, y_at] in rows {
                let rows = std::array::from_fn(|i| &data[(first + i) * step + x_at..][..*images]);
                add_row::<S, T, INPUTS, NV>(simd, &mut sums, &rows, &dy[*y_at..][..*images]);
            }
            for (dw, sums) in dw.as_flattened_mut().iter_mut().zip(sums.as_flattened()) {
                *dw = T::madd(simd, *sums, one, *dw);
            }
        }
    }
}
