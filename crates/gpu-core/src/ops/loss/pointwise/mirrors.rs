//! The formulas as PyTorch writes them, in either precision.

use super::params::{Params, kind};
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop};
use crate::mirror::{self, CHUNK, Real, in_vectors};

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

/// Never below -100, as PyTorch has it for probabilities.
#[inline(always)]
fn ln_above<T: Real>(p: T) -> T {
    p.quick_ln().max(T::of(-100.0))
}

#[inline(always)]
fn sign<T: Real>(d: T) -> T {
    if d == T::zero() { d } else { d.signum() }
}

/// A function of (x, target, weight, weight of positive targets) that is inlined wherever it is called.
macro_rules! formula {
    (|$x:pat_param, $t:pat_param, $w:pat_param, $q:pat_param| $f:expr) => {
        inlined(
            #[inline(always)]
            move |$x: T, $t: T, $w: T, $q: T| $f,
        )
    };
}

/// The closure itself: an attribute may stand before an argument, and not before what a `let` binds.
fn inlined<T, F: Fn(T, T, T, T) -> T + Copy>(f: F) -> F {
    f
}

/// Runs `$go` with `$f` bound to the formula of `kind`, so that each has loops of its own.
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
            kind::MSE => formula!(|x, t, _, _| (x - t) * (x - t)),
            kind::L1 => formula!(|x, t, _, _| (x - t).abs()),
            kind::SMOOTH_L1 => formula!(|x, t, _, _| {
                let d = (x - t).abs();
                if d < b { half * d * d / b } else { d - half * b }
            }),
            kind::HUBER => formula!(|x, t, _, _| {
                let d = (x - t).abs();
                if d < b { half * d * d } else { b * (d - half * b) }
            }),
            kind::BCE_WITH_LOGITS => formula!(|x, t, w, q| w * ((one - t) * x + (one + (q - one) * t) * (-x).softplus())),
            kind::BCE => formula!(|x, t, w, _| -w * (t * ln_above(x) + (one - t) * ln_above(one - x))),
            kind::KL_DIV => formula!(|x, t, _, _| if t == T::zero() { -t * x } else { t * t.quick_ln() - t * x }),
            _ => formula!(|x, t, _, _| t.quick_exp() * (t - x)),
        })
    }};
}

macro_rules! with_bwd_x {
    ($p:expr, $kind:expr, $f:ident => $go:expr) => {{
        let (b, one) = (T::of($p.width), T::one());
        with!($kind, $f => $go, {
            kind::MSE => formula!(|x, t, _, _| T::of(2.0) * (x - t)),
            kind::L1 => formula!(|x, t, _, _| sign(x - t)),
            kind::SMOOTH_L1 => formula!(|x, t, _, _| if (x - t).abs() < b { (x - t) / b } else { sign(x - t) }),
            kind::HUBER => formula!(|x, t, _, _| if (x - t).abs() < b { x - t } else { b * sign(x - t) }),
            kind::BCE_WITH_LOGITS => formula!(|x, t, w, q| w * (one - t - (one + (q - one) * t) * (-x).logistic())),
            kind::BCE => formula!(|x, t, w, _| w * ((x - t) / ((one - x) * x).max(T::of(1e-12)))),
            kind::KL_DIV => formula!(|_, t, _, _| -t),
            _ => formula!(|_, t, _, _| -t.quick_exp()),
        })
    }};
}

macro_rules! with_bwd_target {
    ($p:expr, $kind:expr, $f:ident => $go:expr) => {{
        let one = T::one();
        match $kind {
            kind::BCE_WITH_LOGITS => {
                let $f = formula!(|x, _, w, q| w * ((q - one) * (-x).softplus() - x));
                $go
            }
            kind::BCE => {
                let $f = formula!(|x, _, w, _| w * (ln_above(one - x) - ln_above(x)));
                $go
            }
            kind::KL_DIV => {
                let $f = formula!(|x, t, _, _| t.quick_ln() + one - x);
                $go
            }
            kind::KL_DIV_LOG => {
                let $f = formula!(|x, t, _, _| t.quick_exp() * (t - x + one));
                $go
            }
            // A function of the difference.
            _ => with_bwd_x!($p, $kind, of_x => {
                let $f = formula!(|x, t, w, q| -of_x(x, t, w, q));
                $go
            }),
        }
    }};
}

/// What a loss is of: the elements and their weights.
struct Terms<'a, T> {
    x: &'a [T],
    goal: &'a [T],
    weight: Weights<'a, T>,
    positive: Weights<'a, T>,
}

impl<'a, T: Real> Terms<'a, T> {
    fn new(args: &Args<'a>, p: &Params) -> Self {
        let weight = Weights::new(args, 2, p.weight_c, p.weight_inner);
        let positive = Weights::new(args, 3, p.positive_c, p.positive_inner);
        Self { x: args.input(0), goal: args.input(1), weight, positive }
    }

    /// `y = f(x, t, ..)` of the elements from `first` on.
    fn values(&self, first: usize, f: impl Fn(T, T, T, T) -> T + Copy, y: &mut [T]) {
        let (x, goal) = (&self.x[first..], &self.goal[first..]);
        if self.weight.c == 0 && self.positive.c == 0 {
            return in_vectors!({
                for ((y, &x), &t) in y.iter_mut().zip(x).zip(goal) {
                    *y = f(x, t, T::one(), T::one());
                }
            });
        }
        for (i, ((y, &x), &t)) in (first..).zip(y.iter_mut().zip(x).zip(goal)) {
            *y = f(x, t, self.weight.of(i), self.positive.of(i));
        }
    }
}

/// `y = f(x, t, ..) * dy`, where the launch has a dy.
fn each<T: Real>(args: &mut Args<'_>, dy: Option<&[T]>, f: impl Fn(T, T, T, T) -> T + Sync + Copy) {
    let p: Params = args.params();
    let (terms, y): (Terms<'_, T>, &mut [T]) = (Terms::new(args, &p), args.output(0));
    let scale = T::of(p.scale);
    mirror::for_each_chunk(y, CHUNK, &|chunk, y| {
        terms.values(chunk * CHUNK, f, y);
        match dy {
            None => {}
            Some(dy) if p.each != 0 => y.iter_mut().zip(&dy[chunk * CHUNK..]).for_each(|(y, &dy)| *y *= dy * scale),
            Some(dy) => y.iter_mut().for_each(|y| *y *= dy[0] * scale),
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

/// Losses that are summed at once.
const BLOCK: usize = 256;

/// A part of the sum in each element of the output.
fn parts<T: Real>(args: &mut Args<'_>, f: impl Fn(T, T, T, T) -> T + Sync + Copy) {
    let p: Params = args.params();
    let (terms, sums): (Terms<'_, T>, &mut [T]) = (Terms::new(args, &p), args.output(0));
    let part = 4 * p.part as usize;
    sums.par_iter_mut().enumerate().run(|(which, sum)| {
        let (mut total, mut values, end) = (0.0, [T::zero(); BLOCK], ((which + 1) * part).min(terms.x.len()));
        for first in (which * part..end).step_by(BLOCK) {
            let values = &mut values[..BLOCK.min(end - first)];
            terms.values(first, f, values);
            total += mirror::sum_by(values, |v| v);
        }
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
