//! States of elements: a reduction's first step, a block of columns at a time and row by row, so that it vectorises.

use super::state::{Op, State, beats, furthest, merge, neutral};
use crate::mirror::{Real, in_vectors};

/// Columns of a run of elements that follow on one another, as if they were rows of so many.
const LANES: usize = 16;

/// Columns whose states stay in cache; a block is a task of its own.
pub(super) const BLOCK: usize = 1024;

/// Rows of a matrix that are reduced, a block of its columns.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    /// From the block's first element on.
    pub x: &'a [T],
    /// From one row to the next.
    pub step: usize,
    pub count: usize,
    /// Columns of the block.
    pub width: usize,
}

impl<'a, T> Rows<'a, T> {
    #[inline(always)]
    fn iter(self) -> impl Iterator<Item = &'a [T]> {
        self.x.chunks(self.step).take(self.count).map(move |row| &row[..self.width])
    }
}

/// What is known of each column; of a place, the row.
pub(super) fn of_columns<T: Real>(op: Op, rows: Rows<'_, T>) -> Vec<State> {
    let mut states = vec![neutral(op); rows.width];
    of_block::<T, BLOCK>(op, rows, &mut states);
    states
}

/// What is known of elements in a row; of a place, the index.
pub(super) fn of_run<T: Real>(op: Op, x: &[T]) -> State {
    let mut lanes = [neutral(op); LANES];
    let (whole, rest) = x.split_at(x.len() / LANES * LANES);
    of_block::<T, LANES>(op, Rows { x: whole, step: LANES, count: whole.len() / LANES, width: LANES }, &mut lanes);
    if op.is_place() {
        lanes
            .iter_mut()
            .zip(0..)
            .filter(|(state, _)| state.n != u32::MAX)
            .for_each(|(state, lane)| state.n = state.n * LANES as u32 + lane);
    }
    let one = |(i, &v): (usize, &T)| State::of(op, v, (whole.len() + i) as u32);
    lanes.into_iter().chain(rest.iter().enumerate().map(one)).fold(neutral(op), |s, t| merge(op, s, t))
}

fn of_block<T: Real, const W: usize>(op: Op, rows: Rows<'_, T>, states: &mut [State]) {
    if rows.count == 0 {
        return;
    }
    match op {
        Op::Var | Op::Std => in_vectors!(moments::<T, W>(rows, states)),
        Op::LogSumExp => in_vectors!(exponentials::<T, W>(rows, states)),
        Op::Max => in_vectors!(extrema::<T, W, true, NOTHING>(rows, states)),
        Op::ArgMax => in_vectors!(extrema::<T, W, true, PLACE>(rows, states)),
        Op::TiesMax => in_vectors!(extrema::<T, W, true, TIES>(rows, states)),
        Op::Min => in_vectors!(extrema::<T, W, false, NOTHING>(rows, states)),
        Op::ArgMin => in_vectors!(extrema::<T, W, false, PLACE>(rows, states)),
        Op::TiesMin => in_vectors!(extrema::<T, W, false, TIES>(rows, states)),
        Op::Sum | Op::Any | Op::All => unreachable!("sums and truths have no states"),
    }
}

/// What is counted beside an extremum: nothing, in which row it is first, in how many rows it is.
const NOTHING: u8 = 0;
const PLACE: u8 = 1;
const TIES: u8 = 2;

#[inline(always)]
fn extrema<T: Real, const W: usize, const MAX: bool, const COUNTED: u8>(rows: Rows<'_, T>, states: &mut [State]) {
    let (mut furthest, mut n) = ([T::of(furthest(MAX)); W], [if COUNTED == PLACE { u32::MAX } else { 0 }; W]);
    for (row, x) in (0..).zip(rows.iter()) {
        for ((a, n), &v) in furthest.iter_mut().zip(&mut n).zip(x) {
            let further = beats(MAX, v, *a);
            let same = (v == *a) | (v.is_nan() & a.is_nan());
            match COUNTED {
                PLACE => *n = if further | (same & (row < *n)) { row } else { *n },
                TIES => *n = if further { 1 } else { *n + u32::from(same) },
                _ => {}
            }
            *a = if further { v } else { *a };
        }
    }
    states.iter_mut().zip(furthest.iter().zip(n)).for_each(|(state, (&a, n))| *state = State { a: a.into(), b: 0.0, n });
}

/// The mean first, and then how far from it the elements are.
#[inline(always)]
fn moments<T: Real, const W: usize>(rows: Rows<'_, T>, states: &mut [State]) {
    let (mut mean, mut m2) = ([0f64; W], [0f64; W]);
    for x in rows.iter() {
        mean.iter_mut().zip(x).for_each(|(sum, &v)| *sum += v.into());
    }
    mean.iter_mut().for_each(|sum| *sum /= rows.count as f64);
    for x in rows.iter() {
        for ((m2, mean), &v) in m2.iter_mut().zip(&mean).zip(x) {
            let apart = v.into() - mean;
            *m2 += apart * apart;
        }
    }
    states.iter_mut().zip(mean.iter().zip(m2)).for_each(|(state, (&a, b))| *state = State { a, b, n: rows.count as u32 });
}

/// The largest first, and then what the exponentials of the distances from it come to.
#[inline(always)]
fn exponentials<T: Real, const W: usize>(rows: Rows<'_, T>, states: &mut [State]) {
    extrema::<T, W, true, NOTHING>(rows, states);
    let (mut largest, mut sums) = ([T::zero(); W], [0f64; W]);
    largest.iter_mut().zip(&*states).for_each(|(a, state)| *a = T::of(state.a));
    for x in rows.iter() {
        for ((sum, &a), &v) in sums.iter_mut().zip(&largest).zip(x) {
            let part = (v - a).quick_exp();
            *sum += if a.is_finite() { part.into() } else { 0.0 };
        }
    }
    states.iter_mut().zip(sums).for_each(|(state, b)| state.b = b);
}
