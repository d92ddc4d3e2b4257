//! The mirrors: a key and its place are one u64, so that equal keys stay in order.

use super::params::{F32, I32, Params, TILE};
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::mirror::{self, Real};
use bytemuck::Pod;

fn key_of_f32(v: f32, flip: u32) -> u32 {
    let word = v.to_bits();
    match v {
        _ if v.is_nan() => u32::MAX,
        _ if v == 0.0 => (1 << 31) ^ flip,
        _ if word >> 31 == 1 => !word ^ flip,
        _ => (word | 1 << 31) ^ flip,
    }
}

pub(super) fn sort_tiles_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    match p.kind {
        F32 => {
            let x: &[T] = args.input(0);
            sort_tiles(args, p, |at| key_of_f32(x[at].into() as f32, p.flip));
        }
        kind => {
            let (x, sign): (&[u32], u32) = (args.input(0), if kind == I32 { 1 << 31 } else { 0 });
            sort_tiles(args, p, |at| x[at] ^ sign ^ p.flip);
        }
    }
}

fn sort_tiles(args: &mut Args<'_>, p: Params, key: impl Fn(usize) -> u32 + Sync) {
    let (len, inner) = (p.len as usize, p.inner as usize);
    let (keys, order): (&mut [u32], &mut [u32]) = (args.output(0), args.output(1));
    keys.par_chunks_mut(len).zip(order.par_chunks_mut(len)).enumerate().run(|(row, (keys, order))| {
        let line = row / inner * len * inner + row % inner;
        keys.par_chunks_mut(TILE).zip(order.par_chunks_mut(TILE)).enumerate().run(|(tile, (keys, order))| {
            let places = tile * TILE..tile * TILE + keys.len();
            let mut pairs: Vec<u64> = places.map(|j| u64::from(key(line + j * inner)) << 32 | j as u64).collect();
            pairs.sort_unstable();
            for ((key, place), pair) in keys.iter_mut().zip(order).zip(pairs) {
                (*key, *place) = ((pair >> 32) as u32, pair as u32);
            }
        });
    });
}

pub(super) fn sort_merge_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (len, width, keep) = (p.len as usize, p.width as usize, p.keep as usize);
    let (keys_in, order_in): (&[u32], &[u32]) = (args.input(0), args.input(1));
    let (keys, order): (&mut [u32], &mut [u32]) = (args.output(0), args.output(1));
    keys.par_chunks_mut(len).zip(order.par_chunks_mut(len)).enumerate().run(|(row, (keys, order))| {
        let (keys_in, order_in) = (&keys_in[row * len..][..len], &order_in[row * len..][..len]);
        keys.par_chunks_mut(2 * width).zip(order.par_chunks_mut(2 * width)).enumerate().run(|(pair, (keys, order))| {
            let (start, end) = (2 * width * pair, (2 * width * (pair + 1)).min(len));
            let middle = (start + width).min(end);
            let (mut left, mut right) = (start, middle);
            for (key, place) in keys.iter_mut().zip(order).take(keep) {
                let from_left = right == end || (left < middle && keys_in[left] <= keys_in[right]);
                let taken = if from_left { &mut left } else { &mut right };
                (*key, *place) = (keys_in[*taken], order_in[*taken]);
                *taken += 1;
            }
        });
    });
}

pub(super) fn sort_values_cpu<T: Real>(args: &mut Args<'_>) {
    match args.params::<Params>().kind {
        F32 => sort_values::<T>(args),
        _ => sort_values::<u32>(args),
    }
}

fn sort_values<W: Pod + Send + Sync>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (len, inner, keep) = (p.len as usize, p.inner as usize, p.keep as usize);
    let (x, order, y, index): (&[W], &[u32], &mut [W], &mut [u32]) = (args.input(0), args.input(1), args.output(0), args.output(1));
    let place = |o: usize| order[(o / inner / keep * inner + o % inner) * len + o / inner % keep];
    mirror::for_each_plane(index, inner, |plane, index| {
        index.iter_mut().enumerate().for_each(|(i, v)| *v = place(plane * inner + i));
    });
    mirror::for_each_plane(y, inner, |plane, y| {
        let outer = plane / keep * len;
        y.iter_mut().enumerate().for_each(|(i, v)| *v = x[(outer + place(plane * inner + i) as usize) * inner + i]);
    });
}

pub(super) fn sort_last_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (len, inner, keep) = (p.len as usize, p.inner as usize, p.keep as usize);
    let (index, last): (&[u32], &mut [u32]) = (args.input(0), args.output(0));
    mirror::for_each_plane(last, len * inner, |outer, last| {
        for (i, &place) in index[outer * keep * inner..][..keep * inner].iter().enumerate() {
            if place < p.len {
                last[place as usize * inner + i % inner] = (i / inner + 1) as u32;
            }
        }
    });
}

pub(super) fn sort_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (len, inner, keep) = (p.len as usize, p.inner as usize, p.keep as usize);
    let (last, dy, dx): (&[u32], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    mirror::for_each_plane(dx, len * inner, |outer, dx| {
        let (last, dy) = (&last[outer * len * inner..], &dy[outer * keep * inner..]);
        for (i, dx) in dx.iter_mut().enumerate() {
            *dx = match last[i] {
                0 => T::zero(),
                found => dy[(found as usize - 1) * inner + i % inner],
            };
        }
    });
}
