//! Small planes: the images of a batch take the place of a row's columns.
//!
//! Short rows leave most of a tile empty, and around a small plane much of what a filter reads is padding. So a batch is turned to
//! (channel, place, image): a tile is one place in neighbouring images, and only the taps that read inside of the plane are summed up. They
//! are in the order of the direct sum, whose zeros add nothing: the bits are the same.

use super::Layout;
use super::plan::Tap;
use super::product::{pack, sums};
use super::side::Side;
use super::tiles::{Tiled, in_tiles};
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::mirror::{Real, Width, transpose};
use pulp::Simd;

/// Images that are turned at once: what they come to stays in the processor's last cache.
pub(super) const RUN: usize = 64;
/// Elements that a task turns at least.
const TASK: usize = 1 << 14;
/// Elements of weights and sources that a thread's own cache holds beside its sums.
const NEAR: usize = 1 << 16;
/// Places of a plane at most: rows of larger ones fill their tiles.
const PLACES: usize = 256;
/// Multiply-adds in whose time an element is turned (measured, with what it displaces from the caches).
const TURN: usize = 80;

/// The taps of each output place that read inside of the source.
pub(super) struct Places {
    pub taps: Vec<Vec<Tap>>,
    /// Elements of a plane of the source.
    pub source: usize,
}

impl Places {
    /// From x to y.
    pub fn forward(l: &Layout) -> Self {
        let reads = |out: usize, tap: usize, axis: usize| {
            let at = (out * l.stride[axis] + tap * l.dilation[axis]).checked_sub(l.padding[axis])?;
            (at < [l.h, l.w][axis]).then_some(at)
        };
        Self::of(l, [l.p, l.q], [l.h, l.w], reads)
    }

    /// From dy to dx.
    pub fn backward(l: &Layout) -> Self {
        let reads = |out: usize, tap: usize, axis: usize| {
            let at = (out + l.padding[axis]).checked_sub(tap * l.dilation[axis])?;
            (at.is_multiple_of(l.stride[axis]) && at / l.stride[axis] < [l.p, l.q][axis]).then_some(at / l.stride[axis])
        };
        Self::of(l, [l.h, l.w], [l.p, l.q], reads)
    }

    /// `reads(output, tap, axis)` is what an output reads through a tap of an axis.
    fn of(l: &Layout, outs: [usize; 2], source: [usize; 2], reads: impl Fn(usize, usize, usize) -> Option<usize>) -> Self {
        let taps_of = |row: usize, col: usize| {
            let tap = |r: usize, s: usize| {
                let (h, w) = reads(row, r, 0).zip(reads(col, s, 1))?;
                Some(Tap { weight: r * l.s + s, offset: h * source[1] + w })
            };
            (0..l.r).flat_map(|r| (0..l.s).filter_map(move |s| tap(r, s))).collect()
        };
        let taps = (0..outs[0]).flat_map(|row| (0..outs[1]).map(move |col| taps_of(row, col))).collect();
        Self { taps, source: source[0] * source[1] }
    }

    /// Those of an output plane of `plane` places, unless to sum across images costs more than `direct`: multiply-adds for each pair of
    /// channels.
    pub fn where_cheaper(l: &Layout, plane: usize, places: impl FnOnce(&Layout) -> Self, direct: usize) -> Option<Self> {
        if l.n < 4 || plane > PLACES {
            return None;
        }
        let places = places(l);
        // An element is turned once for all channels on the other side.
        let turned = TURN * (plane + places.source) / l.group_c().min(l.group_k());
        let across = places.taps.iter().map(Vec::len).sum::<usize>() + turned;
        (across < direct).then_some(places)
    }

    /// For each of `taps` taps, where it reads in a source of `images` images and for which output.
    pub fn by_tap(&self, taps: usize, images: usize) -> Vec<Vec<[usize; 2]>> {
        let mut rows = vec![Vec::new(); taps];
        for (place, of_place) in self.taps.iter().enumerate() {
            of_place.iter().for_each(|tap| rows[tap.weight].push([tap.offset * images, place * images]));
        }
        rows
    }

    /// Output places.
    pub fn len(&self) -> usize {
        self.taps.len()
    }

    /// Where each tap reads in a source of `images` images.
    pub fn across(&self, images: usize) -> Vec<Vec<Tap>> {
        let place = |taps: &Vec<Tap>| taps.iter().map(|tap| Tap { offset: tap.offset * images, ..*tap }).collect();
        self.taps.iter().map(place).collect()
    }
}

/// A batch as (channel, place, image).
#[derive(Clone, Copy)]
pub(super) struct Turned<D> {
    pub data: D,
    pub images: usize,
    /// Elements from one channel to the next. Not a multiple of a kilobyte: many channels would share few lines of the cache.
    pub step: usize,
}

impl<T: Real> Turned<Vec<T>> {
    /// Of `images` images with planes of `plane` elements.
    pub fn of(x: &[T], images: usize, plane: usize) -> Self {
        let (x_image, elements) = (x.len() / images, plane * images);
        let step = if elements.is_multiple_of(256) { elements + 16 } else { elements };
        let mut data = vec![T::zero(); x_image / plane * step];
        data.par_chunks_mut(step).enumerate().run_by(TASK.div_ceil(step), |(channel, turned)| {
            transpose([images, plane], &x[channel * plane..], x_image, turned, images);
        });
        Self { data, images, step }
    }

    /// From a channel on.
    pub fn from(&self, channel: usize) -> Turned<&[T]> {
        Turned { data: &self.data[channel * self.step..], images: self.images, step: self.step }
    }
}

/// y[k, ..] = sum over input channels and taps, + bias.
pub(super) fn product<T: Real>(l: &Layout, places: &Places, side: &Side, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let width = Width::of::<T>(side.outs);
    let (lanes, blocks) = (width.channels(), side.outs.div_ceil(width.channels()));
    let group_w = l.group_k() * l.terms();
    let weights: Vec<_> = (0..l.groups).map(|group| pack(side, &w[group * group_w..], l.taps(), &width)).collect();
    let (x_image, y_image, plane) = (x.len() / l.n, y.len() / l.n, places.len());
    for (x, y) in x.chunks(RUN * x_image).zip(y.chunks_mut(RUN * y_image)) {
        let source = Turned::of(x, x.len() / x_image, places.source);
        let (images, taps) = (source.images, places.across(source.images));
        let of_block = plane * images * lanes;
        let mut sums = vec![T::zero(); l.groups * blocks * of_block];
        sums.par_chunks_mut(of_block).enumerate().run(|(i, sums)| {
            let (group, w) = (i / blocks, &weights[i / blocks][i % blocks]);
            let source = source.from(group * side.ins);
            in_tiles(&width, Block { filter: l.taps(), taps: &taps, w, source, sums });
        });
        let sums = &sums;
        y.par_chunks_mut(y_image).enumerate().run(|(image, y)| {
            let blocks = y.chunks_mut(side.outs * plane).flat_map(|group| group.chunks_mut(lanes * plane));
            for (y, sums) in blocks.zip(sums.chunks(of_block)) {
                transpose([plane, y.len() / plane], &sums[image * lanes..], images * lanes, y, plane);
            }
            if let Some(bias) = bias {
                y.chunks_mut(plane).zip(bias).for_each(|(y, &bias)| y.iter_mut().for_each(|y| *y += bias));
            }
        });
    }
}

/// A block of channels of all places and images.
struct Block<'a, T> {
    /// Taps of the filter.
    filter: usize,
    taps: &'a [Vec<Tap>],
    w: &'a [T],
    source: Turned<&'a [T]>,
    /// (place, image, lane)
    sums: &'a mut [T],
}

impl<T: Real> Tiled for Block<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const PX: usize, const NV: usize>(mut self, simd: S) {
        let sums = std::mem::take(&mut self.sums);
        let w: &[[T::Vector<S>; NV]] = bytemuck::cast_slice::<T, T::Vector<S>>(self.w).as_chunks().0;
        let out: &mut [[T::Vector<S>; NV]] = bytemuck::cast_slice_mut::<T, T::Vector<S>>(sums).as_chunks_mut().0;
        let Turned { data, images, step } = self.source;
        // All places after one another for a few input channels: their weights and sources stay in the cache meanwhile.
        let lanes = self.w.len() / w.len();
        let inputs = (NEAR / (self.filter * lanes + step)).max(1);
        for (part, w) in w.chunks(inputs * self.filter).enumerate() {
            let source = &data[part * inputs * step..];
            for (taps, out) in self.taps.iter().zip(out.chunks_exact_mut(images)) {
                let (tiles, halves) = (images / PX * PX, images / 4 * 4);
                for first in (0..tiles).step_by(PX) {
                    self.tile::<S, PX, NV>(simd, &source[first..], taps, w, &mut out[first..]);
                }
                for first in (tiles..halves).step_by(4) {
                    self.tile::<S, 4, NV>(simd, &source[first..], taps, w, &mut out[first..]);
                }
                for image in halves..images {
                    self.tile::<S, 1, NV>(simd, &source[image..], taps, w, &mut out[image..]);
                }
            }
        }
    }
}

impl<T: Real> Block<'_, T> {
    /// A place in `PX` images.
    #[inline(always)]
    fn tile<S: Simd, const PX: usize, const NV: usize>(
        &self,
        simd: S,
        source: &[T],
        taps: &[Tap],
        w: &[[T::Vector<S>; NV]],
        out: &mut [[T::Vector<S>; NV]],
    ) {
        let (out, _) = out.split_first_chunk_mut::<PX>().expect("as many images as a tile has");
        *out = sums::<S, T, PX, NV>(simd, *out, source, self.source.step, taps, w, self.filter);
    }
}
