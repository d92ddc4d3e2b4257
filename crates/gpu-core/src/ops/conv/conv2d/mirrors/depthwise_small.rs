//! Depthwise convolutions of small planes: neighbouring channels in the lanes of a vector.
//!
//! Rows are too short to fill vectors, and around a small plane much of what a filter reads is padding. The planes of as many channels as a
//! vector has lanes are turned to (place, channel) where they lie in the nearest cache, and only taps that read inside of them are summed
//! up. They are in the order of the direct sum, whose zeros add nothing: the bits of y and dx are the same.

use super::Layout;
use super::across::Places;
use crate::mirror::threads::{IntoParallelRefMutIterator, Loop};
use crate::mirror::{Real, Width, transpose};
use pulp::{Arch, Simd, WithSimd};

/// Places of a plane of outputs and of one of the source at most: where planes are larger, rows fill vectors, and what is turned leaves the
/// nearest cache.
const MOST: [usize; 2] = [144, 256];
/// Elements of a task at least.
const TASK: usize = 1 << 13;

/// Whether planes of `places` outputs and places of the source are summed here: one output channel for each input channel.
pub(super) fn is_for(l: &Layout, places: [usize; 2]) -> bool {
    l.k == l.c && l.c > 0 && places.iter().zip(MOST).all(|(&places, most)| (1..=most).contains(&places))
}

/// Each plane of `y` from the same plane of `x`.
pub(super) fn product<T: Real>(l: &Layout, places: &Places, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let (lanes, plane, filter) = (Width::of::<T>(1).channels(), places.len(), l.taps());
    let weights: Vec<Vec<T>> = w.chunks(lanes * filter).map(|w| turned(w, filter, lanes)).collect();
    let starts: Vec<Vec<T>> = (0..weights.len())
        .map(|block| (0..lanes).map(|lane| bias.and_then(|b| b.get(block * lanes + lane)).copied().unwrap_or(T::zero())).collect())
        .collect();
    let images = x.chunks(l.c * places.source).zip(y.chunks_mut(l.c * plane));
    let blocks = images.flat_map(|(x, y)| x.chunks(lanes * places.source).zip(y.chunks_mut(lanes * plane)).enumerate());
    let mut blocks: Vec<_> = blocks.collect();
    let make = || (vec![T::zero(); places.source * lanes], vec![T::zero(); plane * lanes]);
    let least = TASK.div_ceil(lanes * (places.source + plane));
    blocks.par_iter_mut().run_with(least, make, |(source, sums), (block, (x, y))| {
        turn(x, places.source, source, lanes);
        Arch::new().dispatch(Outputs { places, w: &weights[*block], start: &starts[*block], source, sums });
        transpose([plane, y.len() / plane], sums, lanes, y, plane);
    });
}

/// Planes side by side as (place, channel).
fn turn<T: Real>(planes: &[T], plane: usize, to: &mut [T], lanes: usize) {
    transpose([planes.len() / plane, plane], planes, plane, to, lanes);
}

fn turned<T: Real>(planes: &[T], plane: usize, lanes: usize) -> Vec<T> {
    let mut to = vec![T::zero(); plane * lanes];
    turn(planes, plane, &mut to, lanes);
    to
}

/// A plane of outputs of as many channels as there are lanes.
struct Outputs<'a, T> {
    places: &'a Places,
    /// (tap, channel)
    w: &'a [T],
    start: &'a [T],
    source: &'a [T],
    sums: &'a mut [T],
}

impl<T: Real> WithSimd for Outputs<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [w, start, source] = [self.w, self.start, self.source].map(bytemuck::cast_slice::<T, T::Vector<S>>);
        for (taps, sum) in self.places.taps.iter().zip(bytemuck::cast_slice_mut::<T, T::Vector<S>>(self.sums)) {
            *sum = taps.iter().fold(start[0], |sum, tap| T::madd(simd, source[tap.offset], w[tap.weight], sum));
        }
    }
}

/// dw of `images` images for each of its parts (rows (part, channel, tap)).
pub(super) fn backward_w<T: Real>(l: &Layout, images: usize, x: &[T], dy: &[T], dw: &mut [T]) {
    let (places, lanes, filter) = (&Places::forward(l), Width::of::<T>(1).channels(), l.taps());
    let (x_image, dy_image, plane) = (l.c * places.source, l.c * places.len(), places.len());
    let parts = dw.chunks_mut(l.c * filter).zip(x.chunks(images * x_image).zip(dy.chunks(images * dy_image)));
    let blocks = parts.flat_map(|(dw, part)| dw.chunks_mut(lanes * filter).enumerate().map(move |(block, dw)| (block, dw, part)));
    let mut blocks: Vec<_> = blocks.collect();
    blocks.par_iter_mut().run(|(block, dw, (x, dy))| {
        let channels = dw.len() / filter;
        let (mut x_turned, mut dy_turned) = (vec![T::zero(); places.source * lanes], vec![T::zero(); plane * lanes]);
        let (mut of_image, mut sums) = (vec![T::zero(); filter * lanes], vec![0f64; filter * lanes]);
        for (x, dy) in x.chunks(x_image).zip(dy.chunks(dy_image)) {
            turn(&x[*block * lanes * places.source..][..channels * places.source], places.source, &mut x_turned, lanes);
            turn(&dy[*block * lanes * plane..][..channels * plane], plane, &mut dy_turned, lanes);
            Arch::new().dispatch(Weights { places, x: &x_turned, dy: &dy_turned, sums: &mut of_image });
            sums.iter_mut().zip(&of_image).for_each(|(sum, &v)| *sum += v.into());
        }
        for (channel, dw) in dw.chunks_mut(filter).enumerate() {
            dw.iter_mut().enumerate().for_each(|(tap, dw)| *dw = T::of(sums[tap * lanes + channel]));
        }
    });
}

/// The sums of a plane, of as many channels as there are lanes.
struct Weights<'a, T> {
    places: &'a Places,
    x: &'a [T],
    dy: &'a [T],
    /// (tap, channel)
    sums: &'a mut [T],
}

impl<T: Real> WithSimd for Weights<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [x, dy] = [self.x, self.dy].map(bytemuck::cast_slice::<T, T::Vector<S>>);
        self.sums.fill(T::zero());
        let sums: &mut [T::Vector<S>] = bytemuck::cast_slice_mut(self.sums);
        for (taps, &dy) in self.places.taps.iter().zip(dy) {
            for tap in taps {
                sums[tap.weight] = T::madd(simd, x[tap.offset], dy, sums[tap.weight]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::depthwise::{planes_of_x, planes_of_y, weights};
    use super::*;
    use crate::ops::Conv2dGeometry;
    use crate::testing::uniform;
    use crate::{Device, Shape};

    #[test]
    fn sums_are_those_of_a_plane_at_a_time() {
        let strided = Conv2dGeometry { stride: [2, 3], padding: [1, 2].into(), dilation: [1, 2], groups: 21 };
        let plain = |groups: usize| Conv2dGeometry { padding: [1; 2].into(), groups, ..Default::default() };
        let layers = [
            (Shape::from([3, 21, 11, 9]), Shape::from([21, 1, 3, 2]), strided),
            ([2, 40, 7, 5].into(), [40, 1, 3, 3].into(), plain(40)),
            ([9, 3, 1, 1].into(), [3, 1, 3, 3].into(), plain(3)),
        ];
        for (x, w, g) in layers {
            let l = Layout::new(g, x, w, g.out_shape(x, w).unwrap());
            assert!(is_for(&l, [l.p * l.q, l.h * l.w]) && is_for(&l, [l.h * l.w, l.p * l.q]));
            let values = |shape: Shape, seed| uniform(&Device::Cpu, shape, seed).to_vec().unwrap();
            let (xs, ws, dys) = (values(x, 1), values(w, 2), values(g.out_shape(x, w).unwrap(), 3));
            let bias = values([l.k].into(), 4);
            let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            let (mut here, mut there) = (vec![f32::NAN; dys.len()], vec![f32::NAN; dys.len()]);
            product(&l, &Places::forward(&l), &xs, &ws, Some(&bias), &mut here);
            planes_of_y(&l, &xs, &ws, Some(&bias), &mut there);
            assert!(bits(&here) == bits(&there), "y of {x} and {w}");
            let (mut here, mut there) = (vec![f32::NAN; xs.len()], vec![f32::NAN; xs.len()]);
            product(&l, &Places::backward(&l), &dys, &ws, None, &mut here);
            planes_of_x(&l, &dys, &ws, None, &mut there);
            assert!(bits(&here) == bits(&there), "dx of {x} and {w}");
            let images = x.n().div_ceil(2);
            let (mut here, mut there) = (vec![f32::NAN; 2 * ws.len()], vec![f32::NAN; 2 * ws.len()]);
            backward_w(&l, images, &xs, &dys, &mut here);
            weights(&l, images * l.p * l.q, &xs, &dys, &mut there);
            assert!(here.iter().zip(&there).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + b.abs())), "dw of {x} and {w}");
        }
    }
}
