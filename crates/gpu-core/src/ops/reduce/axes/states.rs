//! What is known of some elements, in f64: the mirror of all reductions.

use super::params::Params;
use crate::base::Shape;
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, each};
use crate::mirror::{self, Real};
use crate::run::Device;
use crate::tensor::Tensor;

/// A reduction; the constant OP of the kernels.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Op {
    Sum,
    Max,
    Min,
    ArgMax,
    ArgMin,
    TiesMax,
    TiesMin,
    Var,
    Std,
    LogSumExp,
    Any,
    All,
}

impl Op {
    const LIST: [Self; 12] = [
        Self::Sum,
        Self::Max,
        Self::Min,
        Self::ArgMax,
        Self::ArgMin,
        Self::TiesMax,
        Self::TiesMin,
        Self::Var,
        Self::Std,
        Self::LogSumExp,
        Self::Any,
        Self::All,
    ];

    /// Words of a state.
    pub fn words(self) -> usize {
        match self {
            Self::Sum | Self::Max | Self::Min | Self::Any | Self::All => 1,
            Self::ArgMax | Self::ArgMin | Self::TiesMax | Self::TiesMin | Self::LogSumExp => 2,
            Self::Var | Self::Std => 4,
        }
    }

    /// How often the first step reads its elements.
    pub fn passes(self) -> usize {
        if matches!(self, Self::Var | Self::Std | Self::LogSumExp) { 2 } else { 1 }
    }

    /// Whether results are places: u32.
    pub fn is_place(self) -> bool {
        matches!(self, Self::ArgMax | Self::ArgMin)
    }

    /// Whether states and results are integers, a word each.
    pub fn is_of_words(self) -> bool {
        matches!(self, Self::Any | Self::All)
    }

    fn is_max(self) -> bool {
        matches!(self, Self::Max | Self::ArgMax | Self::TiesMax | Self::LogSumExp)
    }

    /// The reduction of no elements, as PyTorch has it; of extrema and variances there is none, and their functions refuse it.
    pub fn of_nothing(self, device: &Device, shape: Shape) -> Tensor {
        match self {
            Self::LogSumExp => Tensor::full(device, shape, f32::NEG_INFINITY),
            Self::Any | Self::All => {
                let y = Tensor::empty_of(device, shape, crate::base::DType::U32);
                crate::ops::elementwise::fill::fill_word(&y, (self == Self::All).into());
                y
            }
            Self::ArgMax | Self::ArgMin => Tensor::empty_of(device, shape, crate::base::DType::U32),
            _ => Tensor::zeros(device, shape),
        }
    }
}

/// As in the kernel, but that a mean is `a` alone, and exact enough so.
#[derive(Clone, Copy)]
struct State {
    a: f64,
    b: f64,
    n: u32,
}

/// Whether `w` is further than `v`; a NaN is furthest.
fn beats(op: Op, w: f64, v: f64) -> bool {
    !v.is_nan() && (w.is_nan() || if op.is_max() { w > v } else { w < v })
}

fn neutral(op: Op) -> State {
    match op {
        Op::Var | Op::Std => State { a: 0.0, b: 0.0, n: 0 },
        Op::ArgMax | Op::ArgMin => State { a: furthest(op), b: 0.0, n: u32::MAX },
        _ => State { a: furthest(op), b: 0.0, n: 0 },
    }
}

/// What everything beats.
fn furthest(op: Op) -> f64 {
    if op.is_max() { f64::NEG_INFINITY } else { f64::INFINITY }
}

fn merge(op: Op, s: State, t: State) -> State {
    let further = if beats(op, t.a, s.a) { t.a } else { s.a };
    match op {
        Op::Var | Op::Std => {
            if s.n == 0 {
                return t;
            }
            let (n, gap) = (s.n + t.n, t.a - s.a);
            let share = f64::from(t.n) / f64::from(n);
            State { a: s.a + gap * share, b: s.b + t.b + gap * gap * f64::from(s.n) * share, n }
        }
        Op::LogSumExp => {
            let part = |v: State| if v.a.is_finite() { v.b * (v.a - further).exp() } else { 0.0 };
            State { a: further, b: part(s) + part(t), n: 0 }
        }
        Op::ArgMax | Op::ArgMin => {
            let same = s.a == t.a || (s.a.is_nan() && t.a.is_nan());
            if beats(op, t.a, s.a) || (same && t.n < s.n) { t } else { s }
        }
        _ => {
            let n = |v: State, other: State| if beats(op, other.a, v.a) { 0 } else { v.n };
            State { a: further, b: 0.0, n: n(s, t) + n(t, s) }
        }
    }
}

/// An integer in a word of a float, or as a double.
fn word<T: Real>(n: u32) -> T {
    T::of(f32::from_bits(n))
}

fn unword<T: Real>(v: T) -> u32 {
    let v: f64 = v.into();
    (v as f32).to_bits()
}

fn get<T: Real>(op: Op, first: bool, x: &[T], i: usize, place: usize) -> State {
    let word = |k: usize| x[op.words() * i + k];
    match op {
        Op::ArgMax | Op::ArgMin if first => State { a: x[i].into(), b: 0.0, n: place as u32 },
        _ if first => State { a: x[i].into(), b: if op == Op::LogSumExp { 1.0 } else { 0.0 }, n: 1 },
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

/// Columns whose states stay in cache; a block is a task of its own.
const BLOCK: usize = 1024;

/// Which rows of x each of `outer * splits` rows of y reduces.
fn rows(p: &Params, which: usize) -> std::ops::Range<usize> {
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
        let columns = from..(from + BLOCK).min(inner);
        let mut states = vec![neutral(op); columns.len()];
        for row in rows(p, which) {
            let place = row % p.len as usize;
            for (state, column) in states.iter_mut().zip(columns.clone()) {
                *state = merge(op, *state, get(op, first, x, row * inner + column, place));
            }
        }
        states
    };
    each(0..outputs * blocks).gather_all_by(BLOCK / p.part as usize, of)
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
