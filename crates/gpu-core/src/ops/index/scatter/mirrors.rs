//! The mirrors: the same walks, with sums in f64.

use super::params::Params;
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSlice, ParallelSliceMut};
use crate::mirror::{self, Real};
use std::ops::Range;

impl Params {
    /// Where the index list of line (outer, i) begins.
    fn list(&self, outer: usize, i: usize) -> usize {
        let line = if self.lines == 1 { 0 } else { outer * self.inner as usize + i };
        line * self.len as usize
    }

    /// A segment as elements, blocks, and elements again.
    fn parts(&self, segment: Range<usize>) -> [Range<usize>; 3] {
        let block = self.block as usize;
        let (whole, after) = (segment.start.div_ceil(block), segment.end / block);
        match self.blocks > 0 && whole < after {
            true => [segment.start..whole * block, whole..after, after * block..segment.end],
            false => [segment, 0..0, 0..0],
        }
    }
}

/// Columns that are summed at a time: their sums stay in cache.
const RUN: usize = 512;

/// `y` as the sum of rows, each of the length of `y`.
fn sum_rows<'a, T: Real>(y: &mut [T], rows: impl Iterator<Item = &'a [T]>) {
    if let [y] = y {
        *y = T::of(rows.map(|row| row[0].into()).sum::<f64>());
        return;
    }
    let mut total = [0f64; RUN];
    rows.for_each(|row| total.iter_mut().zip(row).for_each(|(sum, &v)| *sum += v.into()));
    y.iter_mut().zip(&total).for_each(|(y, &sum)| *y = T::of(sum));
}

pub(super) fn scatter_few_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, index, src, y): (&[T], &[u32], &[T], &mut [T]) = (args.input(0), args.input(1), args.input(2), args.output(0));
    let (size, len, inner) = (p.size as usize, p.len as usize, p.inner as usize);
    mirror::for_each_plane(y, inner, |row, y| {
        // Lines that share their list share what they sum: a run of them at a time.
        let run = if p.lines == 1 { RUN } else { 1 };
        for (number, y) in y.chunks_mut(run).enumerate() {
            let (i, count, first) = (number * run, y.len(), row / size * len);
            let at = |j: usize| (first + j) * inner + i;
            let named = (0..len).filter(|&j| index[if p.lines == 1 { j } else { at(j) }] as usize == row % size);
            let base = (p.add == 1).then(|| &x[row * inner + i..][..count]);
            sum_rows(y, base.into_iter().chain(named.map(|j| &src[at(j)..][..count])));
        }
    });
}

pub(super) fn scatter_starts_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (keys, starts): (&[u32], &mut [u32]) = (args.input(0), args.output(0));
    let (len, size) = (p.len as usize, p.size as usize);
    starts.par_chunks_mut(size + 1).zip(keys.par_chunks(len)).run(|(starts, list)| {
        let mut at = 0;
        for (v, start) in starts.iter_mut().enumerate() {
            at += list[at..].iter().take_while(|&&key| (key as usize) < v).count();
            *start = at as u32;
        }
    });
}

pub(super) fn scatter_blocks_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (src, keys, order): (&[T], &[u32], &[u32]) = (args.input(0), args.input(1), args.input(2));
    let (len, inner, block, blocks) = (p.len as usize, p.inner as usize, p.block as usize, p.blocks as usize);
    mirror::for_each_plane(args.output::<T>(0), inner, |which, sums| {
        let outer = which / blocks;
        for (i, sum) in sums.iter_mut().enumerate() {
            let first = p.list(outer, i) + which % blocks * block;
            let terms = || order[first..first + block].iter().map(|&j| src[(outer * len + j as usize) * inner + i].into());
            let is_one = keys[first] == keys[first + block - 1];
            *sum = if is_one { T::of(terms().sum::<f64>()) } else { T::zero() };
        }
    });
}

pub(super) fn scatter_rows_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, src, sums): (&[T], &[T], &[T]) = (args.input(0), args.input(1), args.input(4));
    let (order, starts): (&[u32], &[u32]) = (args.input(2), args.input(3));
    let (size, len, inner, blocks) = (p.size as usize, p.len as usize, p.inner as usize, p.blocks as usize);
    mirror::for_each_plane(args.output::<T>(0), inner, |row, y| {
        let outer = row / size;
        let run = if p.lines == 1 { RUN } else { 1 };
        for (number, y) in y.chunks_mut(run).enumerate() {
            let (i, count) = (number * run, y.len());
            let list = p.list(outer, i);
            let segment = &starts[list / len * (size + 1) + row % size..][..2];
            let [head, whole, tail] = p.parts(segment[0] as usize..segment[1] as usize);
            let source = |at: usize| &src[(outer * len + order[list + at] as usize) * inner + i..][..count];
            let base = (p.add == 1).then(|| &x[row * inner + i..][..count]);
            let blocks = whole.map(|b| &sums[(outer * blocks + b) * inner + i..][..count]);
            sum_rows(y, base.into_iter().chain(head.map(source)).chain(blocks).chain(tail.map(source)));
        }
    });
}
