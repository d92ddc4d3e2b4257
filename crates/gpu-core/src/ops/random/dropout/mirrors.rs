//! The same words as the kernels draw, sixteen elements at a time.

use super::params::Params;
use crate::base::rng::Stream;
use crate::kernel::Args;
use crate::mirror::Real;
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop, ParallelSlice, ParallelSliceMut};

/// Elements of a job: a multiple of 32, so that jobs share neither a Philox block nor a word of a mask.
const JOB: usize = 1 << 14;

/// Elements whose words are drawn at once: four blocks fill the registers, eight were half as fast.
const RUN: usize = 16;

fn words(p: &Params, step: u32) -> Stream {
    Stream::new(u64::from(p.seed_hi) << 32 | u64::from(p.seed_lo), p.stream, step)
}

fn keeps(p: &Params, word: u32) -> bool {
    (word >= p.threshold) & (p.drop_all == 0)
}

/// For each of the elements `RUN * run ..` all ones where it is kept, and zero where it is dropped.
#[inline(always)]
fn kept(p: &Params, words: &Stream, run: usize) -> [u32; RUN] {
    let words = words.blocks::<{ RUN / 4 }>((run * (RUN / 4)) as u32);
    std::array::from_fn(|i| 0u32.wrapping_sub(keeps(p, words[i % 4][i / 4]).into()))
}

/// `v` where kept, else `dropped`: in f32 by bits and not by `if`, which became a branch that was mispredicted every other time.
#[inline(always)]
fn pick<T: Real>(kept: u32, v: T, dropped: T) -> T {
    let bits = |v: T| bytemuck::cast::<T, u32>(v);
    match size_of::<T>() {
        4 => bytemuck::cast(bits(v) & kept | bits(dropped) & !kept),
        _ if kept == 0 => dropped,
        _ => v,
    }
}

/// `y = f(x, n)`, where `draw` gives a run's `n`.
fn by_element<T: Real, N: Copy>(
    args: &mut Args<'_>,
    draw: impl Fn(&Stream, usize) -> [N; RUN] + Sync,
    f: impl Fn(T, N) -> T + Sync,
) {
    let p: Params = args.params();
    let words = words(&p, args.input::<u32>(1)[0]);
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    y.par_chunks_mut(JOB).zip(x.par_chunks(JOB)).enumerate().run(|(job, (y, x))| {
        let first = job * (JOB / RUN);
        let ((y, y_rest), (x, x_rest)) = (y.as_chunks_mut::<RUN>(), x.as_chunks::<RUN>());
        for (run, (y, x)) in y.iter_mut().zip(x).enumerate() {
            let drawn = draw(&words, first + run);
            for i in 0..RUN {
                y[i] = f(x[i], drawn[i]);
            }
        }
        let drawn = draw(&words, first + y.len());
        y_rest.iter_mut().zip(x_rest).zip(drawn).for_each(|((y, x), n)| *y = f(*x, n));
    });
}

/// `y = f(x)` in the channels that are kept, else `dropped`.
fn by_channel<T: Real>(args: &mut Args<'_>, dropped: T, f: impl Fn(T) -> T + Sync) {
    let p: Params = args.params();
    let words = words(&p, args.input::<u32>(1)[0]);
    let inner = p.inner as usize;
    let (x, y): (&[T], &mut [T]) = (args.input(0), args.output(0));
    let channels = y.par_chunks_exact_mut(inner).zip(x.par_chunks_exact(inner));
    channels.enumerate().run_by(JOB.div_ceil(inner), |(channel, (y, x))| {
        if keeps(&p, words.word(channel as u64)) {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = f(*x));
        } else {
            y.fill(dropped);
        }
    });
}

pub(super) fn dropout_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let scale = T::of(p.scale);
    by_element(args, |words, run| kept(&p, words, run), |x: T, kept| pick(kept, x * scale, T::zero()));
}

pub(super) fn dropout2d_cpu<T: Real>(args: &mut Args<'_>) {
    let scale = T::of(args.params::<Params>().scale);
    by_channel(args, T::zero(), |x| x * scale);
}

pub(super) fn alpha_dropout_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (scale, shift, dropped) = (T::of(p.scale), T::of(p.shift), T::of(p.dropped));
    by_element(args, |words, run| kept(&p, words, run), |x: T, kept| pick(kept, x * scale + shift, dropped));
}

pub(super) fn feature_alpha_dropout_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (scale, shift) = (T::of(p.scale), T::of(p.shift));
    by_channel(args, T::of(p.dropped), |x| x * scale + shift);
}

pub(super) fn gaussian_noise_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (mean, sigma) = (T::of(p.shift), T::of(p.scale));
    let draw = |words: &Stream, run: usize| -> [T; RUN] {
        let words = words.blocks::<{ RUN / 4 }>((run * (RUN / 4)) as u32);
        let mut drawn = [T::zero(); RUN];
        for pair in 0..RUN / 2 {
            let (radius, angle) = (words[2 * (pair % 2)][pair / 2], words[2 * (pair % 2) + 1][pair / 2]);
            // In (0, 1], exact: its logarithm is finite.
            let u = T::of((radius >> 8) + 1) * T::of(1.0 / 16_777_216.0);
            let radius = (T::of(-2.0) * u.quick_ln()).sqrt();
            let (sine, cosine) = T::of(f64::from(angle) * (std::f64::consts::TAU / 4_294_967_296.0)).sin_cos();
            (drawn[2 * pair], drawn[2 * pair + 1]) = (mean + sigma * (radius * cosine), mean + sigma * (radius * sine));
        }
        drawn
    };
    by_element(args, draw, |x: T, factor: T| x * factor);
}

pub(super) fn dropout_mask_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let words = words(&p, args.input::<u32>(0)[0]);
    args.output::<u32>(0).par_iter_mut().enumerate().run_by(JOB / 32, |(i, mask)| {
        let bits = |run| kept(&p, &words, run).iter().zip(0..).fold(0u32, |bits, (kept, at)| bits | (kept & 1) << at);
        let (word, rest) = (bits(2 * i) | bits(2 * i + 1) << 16, p.len as usize - 32 * i);
        *mask = if rest < 32 { word & ((1 << rest) - 1) } else { word };
    });
}
