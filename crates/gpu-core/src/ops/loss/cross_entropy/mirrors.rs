//! Rows on the CPU: a job is several rows, or one plane of rows that are gathered first.

use super::params::{DIVIDED, EACH, Params, SECOND_TOTAL, WEIGHTED};
use crate::kernel::Args;
use crate::mirror::threads::{IndexedParallelIterator, Loop, ParallelSliceMut};
use crate::mirror::{self, Real};
use pulp::{Arch, Simd, WithSimd};

/// Rows that are worth a job of their own, for rows of `c` elements.
pub(super) fn rows_per_job(c: usize) -> usize {
    (4096 / c.max(1)).max(1)
}

/// Calls `f` with each row's number, its elements in the inputs and in `y`, and its element of `each`.
pub(super) fn for_rows<T: Real, S: Send, const K: usize>(
    p: &Params,
    inputs: [&[T]; K],
    y: &mut [T],
    each: &mut [S],
    f: impl Fn(usize, [&[T]; K], &mut [T], &mut S) + Sync,
) {
    let (c, inner) = (p.c as usize, p.inner as usize);
    if inner == 1 {
        let rows = y.par_chunks_exact_mut(c).zip(each).enumerate();
        return rows.run_by(rows_per_job(c), |(row, (y, each))| f(row, inputs.map(|x| &x[row * c..][..c]), y, each));
    }
    y.par_chunks_exact_mut(c * inner).zip(each.par_chunks_exact_mut(inner)).enumerate().run(|(outer, (y, each))| {
        let mut gathered: [Vec<T>; K] = std::array::from_fn(|_| vec![T::zero(); c]);
        let mut of_y = vec![T::zero(); c];
        for (i, each) in each.iter_mut().enumerate() {
            for (row, x) in gathered.iter_mut().zip(inputs) {
                row.iter_mut().enumerate().for_each(|(j, v)| *v = x[(outer * c + j) * inner + i]);
            }
            f(outer * inner + i, gathered.each_ref().map(|row| &row[..]), &mut of_y, each);
            of_y.iter().enumerate().for_each(|(j, &v)| y[j * inner + i] = v);
        }
    });
}

/// As many nothings as there are rows: for functions that give no number for a row.
pub(super) fn nothing(p: &Params) -> Vec<()> {
    vec![(); p.n as usize]
}

/// What the largest is sought from: from -inf there would be no distance to it.
pub(super) const LOWEST: f64 = -3.4e38;

/// Writes `softmax(x)` into `y`; returns the largest element and the sum of `exp(x - largest)`.
pub(super) fn softmax_row<T: Real>(x: &[T], y: &mut [T]) -> (T, f64) {
    Arch::new().dispatch(Softmax { x, y })
}

/// Compiled for the vectors that the processor has. Lanes are as many as are written here, so that the bits are the same on all.
struct Softmax<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
}

impl<T: Real> WithSimd for Softmax<'_, T> {
    type Output = (T, f64);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (T, f64) {
        const LANES: usize = 16;
        let (blocks, rest) = self.x.as_chunks::<LANES>();
        let mut lanes = [T::of(LOWEST); LANES];
        for block in blocks {
            for i in 0..LANES {
                lanes[i] = lanes[i].max(block[i]);
            }
        }
        let largest = lanes.iter().chain(rest).fold(T::of(LOWEST), |m, &v| m.max(v));
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y = (x - largest).quick_exp();
        }
        let total = mirror::sum_by(self.y, |v| v);
        let scale = T::of(1.0 / total);
        self.y.iter_mut().for_each(|y| *y *= scale);
        (largest, total)
    }
}

/// The classes' weights, or 1 for each.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a, T>(Option<&'a [T]>);

impl<'a, T: Real> Weights<'a, T> {
    /// Input `i`, if there are weights; else some other tensor stands there.
    pub fn new(p: &Params, args: &Args<'a>, i: usize) -> Self {
        Self((p.flags & WEIGHTED != 0).then(|| args.input(i)))
    }

    pub fn of(self, class: usize) -> f64 {
        self.0.map_or(1.0, |w| w[class].into())
    }
}

/// The class of a row, unless its label is none or ignored.
fn class_of(p: &Params, label: u32) -> Option<usize> {
    (label < p.c && label != p.ignored).then_some(label as usize)
}

/// What the losses are multiplied by.
fn share<T: Real>(p: &Params, totals: &[T]) -> f64 {
    if p.flags & DIVIDED != 0 { 1.0 / Into::<f64>::into(totals[0]) } else { 1.0 }
}

/// The same for derivatives: where no row counts the loss is not a number, but no logit moves it.
fn bwd_share<T: Real>(p: &Params, totals: &[T]) -> f64 {
    let share = share(p, totals);
    if share.is_finite() { f64::from(p.scale) * share } else { 0.0 }
}

/// The sum of the classes' weights, which only smoothing asks for.
fn all_weights<T: Real>(p: &Params, totals: &[T]) -> f64 {
    match p.flags & WEIGHTED != 0 {
        true if p.smoothing == 0.0 => 0.0,
        true => totals[SECOND_TOTAL].into(),
        false => f64::from(p.c),
    }
}

pub(super) fn cross_entropy_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, labels, totals): (&[T], &[u32], &[T]) = (args.input(0), args.input(1), args.input(3));
    let weights = Weights::<T>::new(&p, args, 2);
    let (y, losses): (&mut [T], &mut [T]) = (args.output(0), args.output(1));
    let (s, share) = (f64::from(p.smoothing), share(&p, totals));
    for_rows(&p, [x], y, losses, |row, [x], y, loss| {
        let (largest, total) = softmax_row(x, y);
        let log_total = total.ln();
        let minus_log = |c: usize| log_total - Into::<f64>::into(x[c] - largest);
        let of_class = |class: usize| {
            let hit = (1.0 - s) * weights.of(class) * minus_log(class);
            if s == 0.0 {
                return hit;
            }
            let shifted: f64 = x.iter().enumerate().map(|(c, &v)| weights.of(c) * Into::<f64>::into(v - largest)).sum();
            hit + s / x.len() as f64 * (all_weights(&p, totals) * log_total - shifted)
        };
        *loss = T::of(class_of(&p, labels[row]).map_or(0.0, of_class) * share);
    });
}

pub(super) fn cross_entropy_mean_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    for (y, chunk) in y.iter_mut().zip(x.chunks(p.c as usize)) {
        *y = T::of(chunk.iter().map(|&v| Into::<f64>::into(v)).sum::<f64>()) * T::of(p.scale);
    }
}

pub(super) fn cross_entropy_counts_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let weights = Weights::<T>::new(&p, args, 1);
    let (labels, y): (&[u32], &mut [T]) = (args.input(0), args.output(0));
    for (y, &label) in y.iter_mut().zip(labels) {
        *y = T::of(match class_of(&p, label) {
            Some(class) => weights.of(class),
            None if p.flags & WEIGHTED != 0 || label == p.ignored => 0.0,
            None => 1.0,
        });
    }
}

/// `dx = (p * all - wanted) * dy` in every row; the probabilities `p` are zero for the loss without softmax.
fn bwd<T: Real, const K: usize>(args: &mut Args<'_>, probs: [&[T]; K], first: usize) {
    let p: Params = args.params();
    let (labels, totals, dy): (&[u32], &[T], &[T]) = (args.input(first), args.input(first + 2), args.input(first + 3));
    let weights = Weights::<T>::new(&p, args, first + 1);
    let (s, share) = (f64::from(p.smoothing), bwd_share(&p, totals));
    let (dx, rest): (&mut [T], f64) = (args.output(0), s / f64::from(p.c));
    for_rows(&p, probs, dx, &mut nothing(&p), |row, probs, dx, ()| {
        let Some(class) = class_of(&p, labels[row]) else { return dx.fill(T::zero()) };
        let hit = (1.0 - s) * weights.of(class);
        let all = T::of(if p.flags & WEIGHTED != 0 { hit + rest * all_weights(&p, totals) } else { 1.0 });
        let scale = T::of(share) * dy[if p.flags & EACH != 0 { row } else { 0 }];
        let probability = |c: usize| probs.first().map_or(T::zero(), |probs| probs[c]);
        match (weights.0, probs.first()) {
            (None, None) => dx.fill(-T::of(rest) * scale),
            (None, Some(probs)) => dx.iter_mut().zip(*probs).for_each(|(dx, &p)| *dx = (p - T::of(rest)) * scale),
            (Some(w), _) => {
                let wanted = |c: usize| T::of(rest) * w[c];
                dx.iter_mut().enumerate().for_each(|(c, dx)| *dx = (probability(c) * all - wanted(c)) * scale);
            }
        }
        dx[class] = (probability(class) * all - T::of(rest * weights.of(class) + hit)) * scale;
    });
}

pub(super) fn cross_entropy_bwd_cpu<T: Real>(args: &mut Args<'_>) {
    let probs = args.input(0);
    bwd::<T, 1>(args, [probs], 1);
}

pub(super) fn nll_loss_bwd_cpu<T: Real>(args: &mut Args<'_>) {
    bwd::<T, 0>(args, [], 0);
}

pub(super) fn nll_loss_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (x, labels, totals): (&[T], &[u32], &[T]) = (args.input(0), args.input(1), args.input(3));
    let weights = Weights::<T>::new(&p, args, 2);
    let (c, inner, share) = (p.c as usize, p.inner as usize, share(&p, totals));
    let losses: &mut [T] = args.output(0);
    for (row, loss) in losses.iter_mut().enumerate() {
        let at = |class: usize| -> f64 { x[(row / inner * c + class) * inner + row % inner].into() };
        *loss = T::of(class_of(&p, labels[row]).map_or(0.0, |class| -weights.of(class) * at(class)) * share);
    }
}
