//! The formulas as PyTorch writes them, in either precision.

use super::params::{Params, kind};
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop};
use crate::mirror::{self, CHUNK, Real};

/// A weight for each element, repeated: input `i`, of which element `e` of x takes `(e / inner) % c`.
struct Weights<'a, T> {
    values: &'a [T],
    c: usize,
    inner: usize,
}

impl<'a, T: Real> Weights<'a, T> {
    fn new(args: &Args<'a>, i: usize, c: u32, inner: u32) -> Self {
        // Where there are none, some other tensor stands there.
        Self { values: if c == 0 { &[] } else { args.input(i) }, c: c as usize, inner: inner as usize }
    }

    fn of(&self, element: usize) -> T {
        if self.c == 0 { T::one() } else { self.values[element / self.inner % self.c] }
    }
}

fn softplus_of_minus<T: Real>(x: T) -> T {
    (-x).max(T::zero()) + (-x.abs()).exp().ln_1p()
}

fn sigmoid_of_minus<T: Real>(x: T) -> T {
    (T::one() + x.exp()).recip()
}

/// Never below -100, as PyTorch has it for probabilities.
fn ln_above<T: Real>(p: T) -> T {
    p.ln().max(T::of(-100.0))
}

fn sign<T: Real>(d: T) -> T {
    if d == T::zero() { d } else { d.signum() }
}

/// Runs `$go` with `$f` bound to the function of `kind` of (x, target, weight, weight of positive targets), so that each has loops
/// of its own.
macro_rules! with {
    ($kind:expr, $f:ident => $go:expr, { $($which:pat => $function:expr),* $(,)? }) => {
        match $kind {
            $($which => {
                let $f = $function;
                $go
            })*
        }
    };
}

macro_rules! with_loss {
    ($p:expr, $kind:expr, $f:ident => $go:expr) => {{
        let (b, half, one) = (T::of($p.width), T::of(0.5), T::one());
        with!($kind, $f => $go, {
            kind::MSE => |x: T, t: T, _: T, _: T| (x - t) * (x - t),
            kind::L1 => |x: T, t: T, _: T, _: T| (x - t).abs(),
            kind::SMOOTH_L1 => |x: T, t: T, _: T, _: T| {
                let d = (x - t).abs();
                if d < b { half * d * d / b } else { d - half * b }
            },
            kind::HUBER => |x: T, t: T, _: T, _: T| {
                let d = (x - t).abs();
                if d < b { half * d * d } else { b * (d - half * b) }
            },
            kind::BCE_WITH_LOGITS => |x: T, t: T, w: T, q: T| w * ((one - t) * x + (one + (q - one) * t) * softplus_of_minus(x)),
            kind::BCE => |x: T, t: T, w: T, _: T| -w * (t * ln_above(x) + (one - t) * ln_above(one - x)),
            kind::KL_DIV => |x: T, t: T, _: T, _: T| if t == T::zero() { -t * x } else { t * t.ln() - t * x },
            _ => |x: T, t: T, _: T, _: T| t.exp() * (t - x),
        })
    }};
}

macro_rules! with_bwd_x {
    ($p:expr, $kind:expr, $f:ident => $go:expr) => {{
        let (b, one) = (T::of($p.width), T::one());
        with!($kind, $f => $go, {
            kind::MSE => |x: T, t: T, _: T, _: T| T::of(2.0) * (x - t),
            kind::L1 => |x: T, t: T, _: T, _: T| sign(x - t),
            kind::SMOOTH_L1 => |x: T, t: T, _: T, _: T| if (x - t).abs() < b { (x - t) / b } else { sign(x - t) },
            kind::HUBER => |x: T, t: T, _: T, _: T| if (x - t).abs() < b { x - t } else { b * sign(x - t) },
            kind::BCE_WITH_LOGITS => |x: T, t: T, w: T, q: T| w * (one - t - (one + (q - one) * t) * sigmoid_of_minus(x)),
            kind::BCE => |x: T, t: T, w: T, _: T| w * ((x - t) / ((one - x) * x).max(T::of(1e-12))),
            kind::KL_DIV => |_: T, t: T, _: T, _: T| -t,
            _ => |_: T, t: T, _: T, _: T| -t.exp(),
        })
    }};
}

macro_rules! with_bwd_target {
    ($p:expr, $kind:expr, $f:ident => $go:expr) => {{
        let one = T::one();
        match $kind {
            kind::BCE_WITH_LOGITS => {
                let $f = |x: T, _: T, w: T, q: T| w * ((q - one) * softplus_of_minus(x) - x);
                $go
            }
            kind::BCE => {
                let $f = |x: T, _: T, w: T, _: T| w * (ln_above(one - x) - ln_above(x));
                $go
            }
            kind::KL_DIV => {
                let $f = |x: T, t: T, _: T, _: T| t.ln() + one - x;
                $go
            }
            kind::KL_DIV_LOG => {
                let $f = |x: T, t: T, _: T, _: T| t.exp() * (t - x + one);
                $go
            }
            // A function of the difference.
            _ => with_bwd_x!($p, $kind, of_x => {
                let $f = |x: T, t: T, w: T, q: T| -of_x(x, t, w, q);
                $go
            }),
        }
    }};
}

/// `y = f(x, t, ..) * dy`, where the launch has a dy.
fn each<T: Real>(args: &mut Args<'_>, dy: Option<&[T]>, f: impl Fn(T, T, T, T) -> T + Sync) {
    let p: Params = args.params();
    let (x, goal, y): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    let weight = Weights::<T>::new(args, 2, p.weight_c, p.weight_inner);
    let positive = Weights::<T>::new(args, 3, p.positive_c, p.positive_inner);
    let scale = T::of(p.scale);
    mirror::for_each_chunk(y, CHUNK, &|chunk, y| {
        let first = chunk * CHUNK;
        let value = |i: usize| f(x[i], goal[i], weight.of(i), positive.of(i));
        match dy {
            None => y.iter_mut().enumerate().for_each(|(i, y)| *y = value(first + i)),
            Some(dy) if p.each != 0 => y.iter_mut().enumerate().for_each(|(i, y)| *y = value(first + i) * (dy[first + i] * scale)),
            Some(dy) => y.iter_mut().enumerate().for_each(|(i, y)| *y = value(first + i) * (dy[0] * scale)),
        }
    });
}

pub(super) fn pointwise_loss_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    with_loss!(p, args.constant("KIND"), f => each(args, None, f));
}

pub(super) fn pointwise_loss_bwd_x_cpu<T: Real>(args: &mut Args<'_>) {
    let (p, dy): (Params, &[T]) = (args.params(), args.input(4));
    with_bwd_x!(p, args.constant("KIND"), f => each(args, Some(dy), f));
}

pub(super) fn pointwise_loss_bwd_target_cpu<T: Real>(args: &mut Args<'_>) {
    let (p, dy): (Params, &[T]) = (args.params(), args.input(4));
    with_bwd_target!(p, args.constant("KIND"), f => each(args, Some(dy), f));
}

/// A part of the sum in each element of the output.
fn parts<T: Real>(args: &mut Args<'_>, f: impl Fn(T, T, T, T) -> T + Sync) {
    let p: Params = args.params();
    let (x, goal, sums): (&[T], &[T], &mut [T]) = (args.input(0), args.input(1), args.output(0));
    let weight = Weights::<T>::new(args, 2, p.weight_c, p.weight_inner);
    let positive = Weights::<T>::new(args, 3, p.positive_c, p.positive_inner);
    let part = 4 * p.part as usize;
    sums.par_iter_mut().enumerate().run(|(which, sum)| {
        let value = |i: usize| -> f64 { f(x[i], goal[i], weight.of(i), positive.of(i)).into() };
        let total: f64 = (which * part..((which + 1) * part).min(x.len())).map(value).sum();
        *sum = T::of(total * f64::from(p.scale));
    });
}

pub(super) fn pointwise_loss_sum_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    with_loss!(p, args.constant("KIND"), f => parts(args, f));
}

pub(super) fn pointwise_loss_total_cpu<T: Real>(args: &mut Args<'_>) {
    let (p, parts, sum): (Params, &[T], &mut [T]) = (args.params(), args.input(0), args.output(0));
    sum[0] = T::of(mirror::sum_by(parts, |v| v) * f64::from(p.scale));
}
