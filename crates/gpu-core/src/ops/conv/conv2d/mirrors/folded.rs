//! Filters of one tap on small planes: one matrix product whose columns are the places of all images.
//!
//! Image by image, the weights would be packed anew for a handful of columns. So a batch is turned to (channel, place, image), and back;
//! planes of one place, and an image alone, lie as matrices already.

use super::side::Side;
use super::{Layout, is_pointwise};
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::mirror::{Real, transpose};
use crate::unchecked::{Into, MatRef, gemm};
use std::borrow::Cow;

/// Columns of a matrix that are turned together: a few lines of the cache.
const STRIP: usize = 64;
/// Elements that a task turns at least.
const TASK: usize = 1 << 14;
/// Terms of a sum before it is added to those before: in a single one, the last terms would lose their last bits.
const TERMS: usize = 1024;
/// Columns at most, unless they need not be turned: for more, other sums make up for the packing of all weights (measured).
const COLUMNS: usize = 128;

/// Places of a plane at most: a product an image has columns enough of larger ones (measured).
const PLACES: usize = 4;

/// Whether it costs less than sums across images, or a product an image.
pub(super) fn is_cheaper(l: &Layout) -> bool {
    let pixels = l.h * l.w;
    is_cheaper_for_weights(l) && (l.n == 1 || pixels <= PLACES)
}

/// The same of the weight gradient, which is written once here and once an image otherwise.
pub(super) fn is_cheaper_for_weights(l: &Layout) -> bool {
    let pixels = l.h * l.w;
    is_pointwise(l) && (l.n == 1 || l.n > 1 && (pixels == 1 || l.n * pixels <= COLUMNS))
}

/// y[k, ..] = sum over input channels, + bias.
pub(super) fn product<T: Real>(l: &Layout, side: &Side, x: &[T], w: &[T], bias: Option<&[T]>, y: &mut [T]) {
    let (places, outs) = (l.h * l.w * l.n, l.groups * side.outs);
    let filters = |group: usize| &w[group * side.outs * side.ins..][..side.outs * side.ins];
    let into = if bias.is_some() { Into::Add } else { Into::Replace };
    let x = Columns::of(l, x);
    if x.channel == 1 {
        // (image, channel)
        if let Some(bias) = bias {
            y.chunks_mut(outs).for_each(|y| y.copy_from_slice(bias));
        }
        for group in 0..l.groups {
            let w = MatRef { data: filters(group), row: side.w_in, col: side.w_out };
            let x = x.rows(group * side.ins, 0);
            let x = MatRef { row: x.col, col: x.row, ..x };
            gemm((places, side.outs, side.ins), x, w, &mut y[group * side.outs..], outs, into, 0);
        }
        return;
    }
    let mut apart = Vec::new();
    let sums = match l.n {
        1 => &mut *y,
        _ => {
            apart.resize(y.len(), T::zero());
            &mut apart[..]
        }
    };
    if let Some(bias) = bias {
        sums.chunks_mut(places).zip(bias).for_each(|(sums, &bias)| sums.fill(bias));
    }
    for (group, sums) in sums.chunks_mut(side.outs * places).enumerate() {
        let w = MatRef { data: filters(group), row: side.w_out, col: side.w_in };
        gemm((side.outs, places, side.ins), w, x.rows(group * side.ins, 0), sums, places, into, 0);
    }
    if l.n > 1 {
        turn([y.len() / l.n, l.n], &apart, y);
    }
}

/// dw, over all images at once.
pub(super) fn backward_w<T: Real>(l: &Layout, x: &[T], dy: &[T], dw: &mut [T]) {
    let (places, ins, outs) = (l.h * l.w * l.n, l.group_c(), l.group_k());
    let (x, dy) = (Columns::of(l, x), Columns::of(l, dy));
    for (group, dw) in dw.chunks_mut(outs * ins).enumerate() {
        for first in (0..places).step_by(TERMS) {
            let (dy, x) = (dy.rows(group * outs, first), x.rows(group * ins, first));
            let x = MatRef { row: x.col, col: x.row, ..x };
            let into = if first == 0 { Into::Replace } else { Into::Add };
            gemm((outs, ins, TERMS.min(places - first)), dy, x, dw, ins, into, 0);
        }
    }
}

/// The planes of a batch as a matrix with a row a channel: a column is a place of an image.
struct Columns<'a, T: Clone> {
    data: Cow<'a, [T]>,
    /// Elements from one channel to the next, and from one column to the next.
    channel: usize,
    column: usize,
}

impl<'a, T: Real> Columns<'a, T> {
    fn of(l: &Layout, planes: &'a [T]) -> Self {
        let pixels = l.h * l.w;
        let channels = planes.len() / l.n / pixels;
        if l.n == 1 {
            return Self { data: planes.into(), channel: pixels, column: 1 };
        }
        if pixels == 1 {
            return Self { data: planes.into(), channel: 1, column: channels };
        }
        let mut turned = vec![T::zero(); planes.len()];
        turn([l.n, channels * pixels], planes, &mut turned);
        Self { data: turned.into(), channel: pixels * l.n, column: 1 }
    }

    /// From a channel and a column on.
    fn rows(&self, channel: usize, column: usize) -> MatRef<'_, T> {
        MatRef { data: &self.data[channel * self.channel + column * self.column..], row: self.channel, col: self.column }
    }
}

/// `to[j][i] = from[i][j]` for `rows` rows of `cols` elements.
fn turn<T: Real>([rows, cols]: [usize; 2], from: &[T], to: &mut [T]) {
    to.par_chunks_mut(STRIP * rows).enumerate().run_by(TASK.div_ceil(STRIP * rows), |(strip, to)| {
        transpose([rows, to.len() / rows], &from[strip * STRIP..], cols, to, rows);
    });
}

#[cfg(test)]
mod tests {
    use crate::ops::{Conv2dGeometry, conv2d, conv2d_bwd_w, conv2d_bwd_x};
    use crate::testing::uniform;
    use crate::{Device, Shape};

    /// In each of the ways in which the planes of a batch lie: an image alone, planes of one place, and turned ones; and where there are none.
    #[test]
    fn sums_are_those_of_a_plain_loop() {
        for (x, k, groups) in [
            ([1, 6, 5, 7], 4, 2),
            ([9, 10, 1, 1], 6, 2),
            ([9, 70, 3, 2], 34, 1),
            ([3, 8, 2, 2], 12, 4),
            ([600, 2, 1, 2], 3, 1),
            ([0, 6, 3, 3], 4, 1),
        ] {
            let (x, w) = (Shape::from(x), Shape::from([k, x[1] / groups, 1, 1]));
            let g = Conv2dGeometry { groups, ..Default::default() };
            let y = g.out_shape(x, w).unwrap();
            let [xs, ws, dys, bias] =
                [(x, 1), (w, 2), (y, 3), (Shape::from([k]), 4)].map(|(s, seed)| uniform(&Device::Cpu, s, seed));
            let [xv, wv, dyv, bv] = [&xs, &ws, &dys, &bias].map(|t| t.to_vec().unwrap());
            let (ins, outs, pixels) = (w.dim(1), k / groups, x.h() * x.w());
            let (mut ys, mut dxs, mut dws) = (vec![0f64; y.len()], vec![0f64; x.len()], vec![0f64; w.len()]);
            for (at, sum) in ys.iter_mut().enumerate() {
                let (image, out, place) = (at / pixels / k, at / pixels % k, at % pixels);
                *sum = f64::from(bv[out]);
                for c in 0..ins {
                    let (from, weight) = ((image * x.c() + out / outs * ins + c) * pixels + place, out * ins + c);
                    *sum += f64::from(xv[from]) * f64::from(wv[weight]);
                    dxs[from] += f64::from(dyv[at]) * f64::from(wv[weight]);
                    dws[weight] += f64::from(dyv[at]) * f64::from(xv[from]);
                }
            }
            let got = [conv2d(&xs, &ws, Some(&bias), g), conv2d_bwd_x(&dys, &ws, x, g), conv2d_bwd_w(&xs, &dys, w, g)];
            for (name, want, got) in [("y", ys, &got[0]), ("dx", dxs, &got[1]), ("dw", dws, &got[2])] {
                let got = got.to_vec().unwrap();
                let far = want.iter().zip(&got).map(|(want, got)| (want - f64::from(*got)).abs()).fold(0.0, f64::max);
                // Of up to 1,200 terms of at most 1 each.
                assert!(got.len() == want.len() && far < 1e-5, "{name} of {x} by {w}: {far} off");
            }
            let bare = conv2d(&xs, &ws, None, g).to_vec().unwrap();
            let added = bare.iter().enumerate().map(|(at, y)| y + bv[at / pixels % k]);
            assert!(added.zip(&got[0].to_vec().unwrap()).all(|(want, got)| (want - got).abs() < 1e-6), "the bias of {x} by {w}");
        }
    }
}
