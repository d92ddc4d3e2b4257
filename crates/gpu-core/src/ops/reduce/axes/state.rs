//! Which reductions there are, and what is known of some elements, in f64.

use crate::base::Shape;
use crate::mirror::Real;
use crate::run::Device;
use crate::tensor::Tensor;
use num_traits::Float;

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
    pub const LIST: [Self; 12] = [
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
pub(super) struct State {
    pub a: f64,
    pub b: f64,
    pub n: u32,
}

impl State {
    /// Of one element.
    pub fn of<T: Real>(op: Op, v: T, place: u32) -> Self {
        let n = if op.is_place() { place } else { 1 };
        Self { a: v.into(), b: if op == Op::LogSumExp { 1.0 } else { 0.0 }, n }
    }
}

/// Whether `w` is further than `v`; a NaN is furthest.
#[inline(always)]
pub(super) fn beats<T: Float>(is_max: bool, w: T, v: T) -> bool {
    !v.is_nan() & (w.is_nan() | if is_max { w > v } else { w < v })
}

pub(super) fn neutral(op: Op) -> State {
    match op {
        Op::Var | Op::Std => State { a: 0.0, b: 0.0, n: 0 },
        Op::ArgMax | Op::ArgMin => State { a: furthest(op.is_max()), b: 0.0, n: u32::MAX },
        _ => State { a: furthest(op.is_max()), b: 0.0, n: 0 },
    }
}

/// What everything beats.
pub(super) fn furthest(is_max: bool) -> f64 {
    if is_max { f64::NEG_INFINITY } else { f64::INFINITY }
}

pub(super) fn merge(op: Op, s: State, t: State) -> State {
    let further = if beats(op.is_max(), t.a, s.a) { t.a } else { s.a };
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
            if beats(op.is_max(), t.a, s.a) || (same && t.n < s.n) { t } else { s }
        }
        _ => {
            let n = |v: State, other: State| if beats(op.is_max(), other.a, v.a) { 0 } else { v.n };
            State { a: further, b: 0.0, n: n(s, t) + n(t, s) }
        }
    }
}
