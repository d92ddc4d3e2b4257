//! The mirrors: where each row and column reads is found once a launch.

use super::params::Params;
use crate::kernel::Args;
use crate::mirror::{self, Real};

/// Between which two elements a place lies, and the share of the second.
#[derive(Clone, Copy)]
struct Source<T> {
    low: usize,
    high: usize,
    share: T,
}

/// Where each of `to` places along an axis of `len` elements reads.
fn sources<T: Real>(mode: u32, step: f32, len: u32, to: u32) -> Vec<Source<T>> {
    let last = len as usize - 1;
    let of = |at: u32| {
        if mode == 0 {
            // In f32 as PyTorch does, in proofs too: f64 would round to other pixels.
            let i = ((at as f32 * step) as usize).min(last);
            return Source { low: i, high: i, share: T::zero() };
        }
        let (at, half) = (T::of(at), T::of(0.5));
        let v = if mode == 1 { ((at + half) * T::of(step) - half).max(T::zero()) } else { at * T::of(step) };
        let low = v.to_usize().unwrap_or(0).min(last);
        let share = (v - T::of(low as f64)).max(T::zero()).min(T::one());
        Source { low, high: (low + 1).min(last), share }
    };
    (0..to).map(of).collect()
}

pub(super) fn upsample2d_cpu<T: Real>(args: &mut Args<'_>) {
    let (p, mode): (Params, u32) = (args.params(), args.constant("MODE"));
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (rows, columns) = (sources::<T>(mode, p.step_h, p.h, p.p), sources::<T>(mode, p.step_w, p.w, p.q));
    let (w, in_plane) = (p.w as usize, p.h as usize * p.w as usize);
    mirror::for_each_plane(y, rows.len() * columns.len(), |plane, y| {
        let x = &x[plane * in_plane..][..in_plane];
        for (row, y) in rows.iter().zip(y.chunks_exact_mut(columns.len())) {
            let (top, bottom) = (&x[row.low * w..][..w], &x[row.high * w..][..w]);
            if mode == 0 {
                y.iter_mut().zip(&columns).for_each(|(y, column)| *y = top[column.low]);
                continue;
            }
            for (y, &Source { low, high, share }) in y.iter_mut().zip(&columns) {
                let above = (T::one() - share) * top[low] + share * top[high];
                let below = (T::one() - share) * bottom[low] + share * bottom[high];
                *y = (T::one() - row.share) * above + row.share * below;
            }
        }
    });
}

/// `h` elements of dx from `p` of dy along the axis, `w` elements after it. The kernel gathers, the mirror scatters: each place in
/// turn, so that both add in the order of the places.
pub(super) fn upsample2d_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let (p, mode): (Params, u32) = (args.params(), args.constant("MODE"));
    let (dy, dx): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let (sources, inner) = (sources::<T>(mode, p.step_h, p.h, p.p), p.w as usize);
    mirror::for_each_plane(dx, p.h as usize * inner, |outer, dx| {
        dx.fill(T::zero());
        let dy = &dy[outer * sources.len() * inner..][..sources.len() * inner];
        for (dy, &Source { low, high, share }) in dy.chunks_exact(inner).zip(&sources) {
            let mut add = |to: usize, weight: T| {
                dx[to * inner..][..inner].iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += weight * dy);
            };
            add(low, T::one() - share);
            if mode != 0 {
                add(high, share);
            }
        }
    });
}
