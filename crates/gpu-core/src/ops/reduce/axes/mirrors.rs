//! The mirror of all reductions.

use super::elements::{self, BLOCK, Rows};
use super::params::Params;
use super::state::{Op, State, merge, neutral};
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, each};
use crate::mirror::{self, Real};
use std::ops::Range;

/// An integer in a word of a float, or as a double.
fn word<T: Real>(n: u32) -> T {
    T::of(f32::from_bits(n))
}

fn unword<T: Real>(v: T) -> u32 {
    let v: f64 = v.into();
    (v as f32).to_bits()
}

fn get<T: Real>(op: Op, x: &[T], i: usize) -> State {
    let word = |k: usize| x[op.words() * i + k];
    match op {
        Op::Var | Op::Std => State { a: word(0).into() + word(1).into(), b: word(2).into(), n: unword(word(3)) },
        Op::LogSumExp => State { a: word(0).into(), b: word(1).into(), n: 0 },
        _ => State { a: word(0).into(), b: 0.0, n: unword(word(1)) },
    }
}

fn put<T: Real>(op: Op, y: &mut [T], s: State) {
    match op {
        Op::Var | Op::Std => {
            let high = T::of(s.a);
            (y[0], y[1], y[2], y[3]) = (high, T::of(s.a - high.into()), T::of(s.b), word(s.n));
        }
        Op::LogSumExp => (y[0], y[1]) = (T::of(s.a), T::of(s.b)),
        _ => (y[0], y[1]) = (T::of(s.a), word(s.n)),
    }
}

fn result<T: Real>(op: Op, s: State, factor: f64) -> T {
    T::of(match op {
        Op::Var => s.b * factor,
        Op::Std => (s.b * factor).sqrt(),
        Op::LogSumExp if s.a.is_finite() => s.a + s.b.ln(),
        Op::TiesMax | Op::TiesMin => s.n.into(),
        _ => s.a,
    })
}

/// Which rows of x each of `outer * splits` rows of y reduces.
fn rows(p: &Params, which: usize) -> Range<usize> {
    let (len, splits, part) = (p.len as usize, p.splits as usize, p.part as usize);
    let (start, from) = (which / splits * len, which % splits * part);
    start + from.min(len)..start + (from + part).min(len)
}

pub(super) fn reduce_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let op = Op::LIST[args.constant("OP") as usize];
    let (first, last) = (args.constant("FIRST") == 1, args.constant("LAST") == 1);
    match op {
        Op::Sum => sums::<T>(&p, args.input(0), args.output(0)),
        Op::Any | Op::All if first => logical(&p, op, args.input::<u8>(0), args.output(0)),
        Op::Any | Op::All => logical(&p, op, args.input::<u32>(0), args.output(0)),
        _ => {
            let states = states::<T>(&p, op, first, args.input(0));
            match (last, op.is_place()) {
                (true, true) => args.output::<u32>(0).iter_mut().zip(states).for_each(|(y, s)| *y = s.n),
                (true, false) => args.output(0).iter_mut().zip(states).for_each(|(y, s)| *y = result::<T>(op, s, p.factor.into())),
                _ => args.output(0).chunks_exact_mut(op.words()).zip(states).for_each(|(y, s)| put::<T>(op, y, s)),
            }
        }
    }
}

fn states<T: Real>(p: &Params, op: Op, first: bool, x: &[T]) -> Vec<State> {
    let (outputs, inner) = ((p.outer * p.splits) as usize, p.inner as usize);
    let blocks = inner.div_ceil(BLOCK);
    let of = |task: usize| {
        let (which, from) = (task / blocks, task % blocks * BLOCK);
        let (rows, columns) = (rows(p, which), from..(from + BLOCK).min(inner));
        if !first || rows.is_empty() {
            return merged(op, x, inner, rows, columns);
        }
        // As whole axes count them.
        let (place, x) = ((rows.start % p.len as usize) as u32, &x[rows.start * inner..rows.end * inner]);
        let mut states = match inner {
            1 => vec![elements::of_run(op, x)],
            _ => elements::of_columns(op, Rows { x: &x[from..], step: inner, count: rows.len(), width: columns.len() }),
        };
        if op.is_place() {
            states.iter_mut().for_each(|state| state.n = state.n.saturating_add(place));
        }
        states
    };
    each(0..outputs * blocks).gather_all_by(BLOCK / p.part as usize, of)
}

/// The states of columns of states.
fn merged<T: Real>(op: Op, x: &[T], inner: usize, rows: Range<usize>, columns: Range<usize>) -> Vec<State> {
    let mut states = vec![neutral(op); columns.len()];
    for row in rows {
        for (state, column) in states.iter_mut().zip(columns.clone()) {
            *state = merge(op, *state, get(op, x, row * inner + column));
        }
    }
    states
}

fn logical<X: Copy + Into<u32> + Sync>(p: &Params, op: Op, x: &[X], y: &mut [u32]) {
    let inner = p.inner as usize;
    y.par_iter_mut().enumerate().run_by(BLOCK, |(o, y)| {
        let mut held = rows(p, o / inner).map(|row| x[row * inner + o % inner].into() != 0);
        *y = if op == Op::Any { held.any(|v| v) } else { held.all(|v| v) }.into();
    });
}

fn sums<T: Real>(p: &Params, x: &[T], y: &mut [T]) {
    let (inner, factor) = (p.inner as usize, f64::from(p.factor));
    if inner == 1 {
        y.par_iter_mut().enumerate().run_by(mirror::CHUNK / p.part as usize, |(which, y)| {
            *y = T::of(mirror::sum_by(&x[rows(p, which)], |v| v) * factor);
        });
        return;
    }
    mirror::for_each_chunk(y, inner, &|which, y| {
        mirror::for_each_chunk(y, BLOCK, &|block, y| {
            let mut sums = [0f64; BLOCK];
            for row in rows(p, which) {
                let x = &x[row * inner + block * BLOCK..][..y.len()];
                sums.iter_mut().zip(x).for_each(|(sum, &v)| *sum += v.into());
            }
            y.iter_mut().zip(&sums).for_each(|(y, sum)| *y = T::of(sum * factor));
        });
    });
}
