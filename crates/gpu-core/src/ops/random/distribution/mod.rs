//! Random tensors: pure functions of (seed, stream, step, index), by Philox 4x32-10; nothing is global, nothing is kept.
//!
//! Element `i` takes word `i % 4` of the block with counter `(i / 4, stream, step, 0)`; the step is read on the device, so that a replayed
//! capture draws anew. Integers, truths, permutations and uniform numbers are the same bits on every device; normal ones agree to about
//! 1e-6 of the largest, since WGSL does not say how a product and a sum are rounded.
//!
//! - uniform: `low + (word >> 8) (high - low) 2^-24`, rounded once (`shaders/exact.wgsl`)
//! - normal: Box and Muller (1958): of the words (u, v), `sqrt(-2 ln((u + 1) 2^-32))` times cosine and sine of `v 2^-32` turns, both used
//! - randint: `low + floor(w n 2^-64)` of a 64-bit w, so that no number is likelier than another by more than `n 2^-64`
//! - permutation: up to 1024 elements, sorted by random 64-bit keys; more, a bijection of as large a rectangle: eight rounds that move the row
//!   by a random function of the column and the column by one of the row (a Feistel network), and those outside moved on until they are
//!   inside (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002)

use crate::base::DType;
use crate::base::Shape;
use crate::base::rng::{Key, Stream, philox4x32};
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop};
use crate::mirror::{self, Real};
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

const WGSL: &str = concat!(wgsl!("exact.wgsl"), wgsl!("random.wgsl"));
static UNIFORM: Kernel = kernel!(WGSL, "uniform_random", uniform_cpu);
static NORMAL: Kernel = kernel!(WGSL, "normal_random", normal_cpu);
static BERNOULLI: Kernel = Kernel::new_trusted(WGSL, "bernoulli", bernoulli_cpu);
static RANDINT: Kernel = Kernel::new_trusted(WGSL, "randint", randint_cpu);
static PERMUTATION_RANKS: Kernel = Kernel::new_trusted(WGSL, "permutation_ranks", permutation_ranks_cpu);
static PERMUTATION: Kernel = Kernel::new_trusted(WGSL, "permutation", permutation_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&UNIFORM, &NORMAL, &BERNOULLI, &RANDINT, &PERMUTATION_RANKS, &PERMUTATION];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    stream: u32,
    seed_lo: u32,
    seed_hi: u32,
    a: u32,
    b: u32,
    c: u32,
}

impl Params {
    #[track_caller]
    fn new(op: &str, shape: Shape, key: Key, step: &Tensor, [a, b, c]: [u32; 3]) -> Self {
        let fits = step.len() == 1 && step.dtype() == DType::U32;
        assert!(fits, "{op}: step must be one u32 (step {} {}, y {shape})", step.dtype(), step.shape());
        assert!(shape.len() < 1 << 31, "{op}: 2^31 elements or more (y {shape})");
        Self { len: shape.len() as u32, stream: key.stream, seed_lo: key.seed as u32, seed_hi: (key.seed >> 32) as u32, a, b, c }
    }

    fn stream(&self, step: u32) -> Stream {
        Stream::new(u64::from(self.seed_hi) << 32 | u64::from(self.seed_lo), self.stream, step)
    }
}

/// Elements of a job: a multiple of a block.
const JOB: usize = 1 << 14;

/// `y[PER i ..] = f(block i)`.
fn by_blocks<T: Send, const PER: usize>(args: &mut Args<'_>, y: &mut [T], f: impl Fn(&Params, [u32; 4]) -> [T; PER] + Sync) {
    let p: Params = args.params();
    let stream = p.stream(args.input::<u32>(0)[0]);
    mirror::for_each_chunk(y, JOB, &|job, y| {
        for (i, y) in y.chunks_mut(PER).enumerate() {
            let block = f(&p, stream.block((job * (JOB / PER) + i) as u32));
            y.iter_mut().zip(block).for_each(|(y, v)| *y = v);
        }
    });
}

fn uniform_cpu<T: Real>(args: &mut Args<'_>) {
    let y: &mut [T] = args.output(0);
    let number = |word: u32, [width, low, last]: [T; 3]| T::of(word >> 8).mul_add(width, low).min(last);
    by_blocks(args, y, |p, words| {
        let numbers = [p.a, p.b, p.c].map(|bits| T::of(f32::from_bits(bits)));
        words.map(|word| number(word, numbers))
    });
}

fn normal_cpu<T: Real>(args: &mut Args<'_>) {
    let y: &mut [T] = args.output(0);
    by_blocks(args, y, |p, words| {
        let [deviation, mean] = [p.a, p.b].map(|bits| f64::from(f32::from_bits(bits)));
        let pair = |u: u32, v: u32| {
            let radius = (-2.0 * ((f64::from(u) + 1.0) / 2f64.powi(32)).ln()).sqrt();
            let (sine, cosine) = (std::f64::consts::TAU * f64::from(v) / 2f64.powi(32)).sin_cos();
            [radius * cosine, radius * sine].map(|v| T::of(mean + deviation * v))
        };
        let ([a, b], [c, d]) = (pair(words[0], words[1]), pair(words[2], words[3]));
        [a, b, c, d]
    });
}

fn bernoulli_cpu(args: &mut Args<'_>) {
    let y: &mut [u8] = args.output(0);
    by_blocks(args, y, |p, words| words.map(|word| u8::from(word < p.a || p.b != 0)));
}

/// The high word of `n` times a number of 64 random bits.
fn below(n: u32, high: u32, low: u32) -> u32 {
    let w = u64::from(high) << 32 | u64::from(low);
    ((u128::from(w) * u128::from(n)) >> 64) as u32
}

fn randint_cpu(args: &mut Args<'_>) {
    let y: &mut [u32] = args.output(0);
    by_blocks(args, y, |p, w| [below(p.a, w[0], w[1]), below(p.a, w[2], w[3])].map(|v| p.b.wrapping_add(v)));
}

fn permutation_ranks_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (stream, y) = (p.stream(args.input::<u32>(0)[0]), args.output::<u32>(0));
    y.iter_mut().zip(0..).for_each(|(y, i)| *y = i);
    y.sort_by_key(|&i| {
        let [high, low, ..] = stream.block(i);
        (high, low, i)
    });
}

fn permutation_cpu(args: &mut Args<'_>) {
    let p: Params = args.params();
    let (step, y) = (args.input::<u32>(0)[0], args.output::<u32>(0));
    let random = |n: u32, at: u32, round: u32| {
        let [high, low, ..] = philox4x32([at, p.stream, step, round], [p.seed_lo, p.seed_hi]);
        below(n, high, low)
    };
    let once = |at: u32| {
        let (mut row, mut column) = (at / p.b, at % p.b);
        for round in [1, 3, 5, 7] {
            row = (row + random(p.a, column, round)) % p.a;
            column = (column + random(p.b, row, round + 1)) % p.b;
        }
        row * p.b + column
    };
    y.par_iter_mut().enumerate().run_by(1024, |(i, y)| {
        *y = once(i as u32);
        while *y >= p.len {
            *y = once(*y);
        }
    });
}

fn grid(len: usize) -> Grid {
    Grid::linear(len.div_ceil(4), 256)
}

/// Uniform numbers in [low, high), an f32 tensor of `shape` on the device of `step` (one u32). The same bits on every device. Equivalent of
/// `torch.empty(shape).uniform_(low, high)`.
///
/// # Panics
/// If `low` is not below `high`, one is not finite or their difference is not, or `step` is not one u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, rng::Key};
/// let step = Tensor::from_slice(&Device::Cpu, [1], &[0u32]);
/// let y = ops::uniform([1000], -1.0, 3.0, Key { seed: 7, stream: 0 }, &step).to_vec()?;
/// assert!(y.iter().all(|v| (-1.0..3.0).contains(v)));
/// assert!((y.iter().sum::<f32>() / 1000.0 - 1.0).abs() < 0.2);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn uniform(shape: impl Into<Shape>, low: f32, high: f32, key: Key, step: &Tensor) -> Tensor {
    let shape = shape.into();
    let fits = low < high && (high - low).is_finite();
    assert!(fits, "uniform: there is no number from {low} below {high} (y {shape})");
    // A zero loses its sign: -0 + 0 is 0.
    let numbers = [(high - low) / 16_777_216.0, low + 0.0, high.next_down()].map(f32::to_bits);
    let params = Params::new("uniform", shape, key, step, numbers);
    let y = Tensor::empty(step.device(), shape);
    UNIFORM.launch(params, &[step], &[&y], grid(y.len()).trips(10));
    y
}

/// Normal numbers with this mean and standard deviation, an f32 tensor of `shape` on the device of `step` (one u32). Devices agree to about
/// 1e-6 of the largest. Equivalent of `torch.normal(mean, std, shape)`.
///
/// # Panics
/// If `mean` or `std` is not finite, `std` is negative, or `step` is not one u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, rng::Key};
/// let step = Tensor::from_slice(&Device::Cpu, [1], &[0u32]);
/// let y = ops::normal([1000], 5.0, 0.5, Key { seed: 7, stream: 0 }, &step).to_vec()?;
/// assert!((y.iter().sum::<f32>() / 1000.0 - 5.0).abs() < 0.1);
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn normal(shape: impl Into<Shape>, mean: f32, std: f32, key: Key, step: &Tensor) -> Tensor {
    let shape = shape.into();
    let fits = mean.is_finite() && std.is_finite() && std >= 0.0;
    assert!(fits, "normal: no distribution has mean {mean} and standard deviation {std} (y {shape})");
    let params = Params::new("normal", shape, key, step, [std.to_bits(), mean.to_bits(), 0]);
    let y = Tensor::empty(step.device(), shape);
    NORMAL.launch(params, &[step], &[&y], grid(y.len()).trips(10));
    y
}

/// True with probability `p`, a bool tensor of `shape` on the device of `step` (one u32). The same bits on every device. Equivalent of
/// `torch.bernoulli(torch.full(shape, p))`; cast it for numbers.
///
/// # Panics
/// If `p` is not in [0, 1], or `step` is not one u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, rng::Key};
/// let step = Tensor::from_slice(&Device::Cpu, [1], &[0u32]);
/// let y = ops::bernoulli([1000], 0.25, Key { seed: 7, stream: 0 }, &step).read::<bool>()?;
/// assert!((200..300).contains(&y.iter().filter(|&&v| v).count()));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn bernoulli(shape: impl Into<Shape>, p: f32, key: Key, step: &Tensor) -> Tensor {
    let shape = shape.into();
    assert!((0.0..=1.0).contains(&p), "bernoulli: p {p} is not in [0, 1] (y {shape})");
    let threshold = (f64::from(p) * 2f64.powi(32)).round();
    let all = threshold > f64::from(u32::MAX);
    let params = Params::new("bernoulli", shape, key, step, [threshold as u32, all.into(), 0]);
    let y = Tensor::empty_of(step.device(), shape, DType::Bool);
    BERNOULLI.launch(params, &[step], &[&y], grid(y.len()).trips(10));
    y
}

/// Integers in low .. high, an i32 tensor of `shape` on the device of `step` (one u32). The same bits on every device. Equivalent of
/// `torch.randint(low, high, shape, dtype=torch.int32)`.
///
/// # Panics
/// If `low` is not below `high`, or `step` is not one u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, rng::Key};
/// let step = Tensor::from_slice(&Device::Cpu, [1], &[0u32]);
/// let y = ops::randint([1000], -2, 3, Key { seed: 7, stream: 0 }, &step).read::<i32>()?;
/// assert!((-2..3).all(|v| (150..250).contains(&y.iter().filter(|&&y| y == v).count())));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn randint(shape: impl Into<Shape>, low: i32, high: i32, key: Key, step: &Tensor) -> Tensor {
    let shape = shape.into();
    assert!(low < high, "randint: there is no integer from {low} below {high} (y {shape})");
    let params = Params::new("randint", shape, key, step, [high.wrapping_sub(low) as u32, low as u32, 0]);
    let y = Tensor::empty_of(step.device(), shape, DType::I32);
    RANDINT.launch(params, &[step], &[&y], grid(y.len()).trips(20));
    y
}

/// More than this is not sorted: every element is compared with all.
const RANKED: usize = 1024;

/// Rows and columns of a rectangle that holds `n` elements and hardly more, nearly a square: of the rectangles with up to half as many rows
/// again, the one with the fewest places left over.
fn rectangle(n: usize) -> (usize, usize) {
    let root = n.isqrt().max(1);
    let rows = (root..=root + root / 2).min_by_key(|rows| rows * n.div_ceil(*rows)).unwrap_or(root);
    (rows, n.div_ceil(rows))
}

/// The numbers 0 .. n in random order, a u32 tensor on the device of `step` (one u32). The same bits on every device. Up to 1024, all orders
/// are equally likely; more are put in an order by a keyed bijection, without sorting. Equivalent of `torch.randperm(n)`.
///
/// # Panics
/// If `n` is 2^31 or more, or `step` is not one u32.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops, rng::Key};
/// let step = Tensor::from_slice(&Device::Cpu, [1], &[0u32]);
/// let mut y = ops::permutation(5000, Key { seed: 7, stream: 0 }, &step).read::<u32>()?;
/// assert!(!y.is_sorted());
/// y.sort();
/// assert!((0..5000).eq(y));
/// # Ok::<(), gpu_core::Error>(())
/// ```
#[track_caller]
pub fn permutation(n: usize, key: Key, step: &Tensor) -> Tensor {
    let shape = Shape::from([n]);
    if n <= RANKED {
        let params = Params::new("permutation", shape, key, step, [0; 3]);
        let y = Tensor::empty_of(step.device(), shape, DType::U32);
        PERMUTATION_RANKS.launch(params, &[step], &[&y], Grid::folded(1).trips(n.div_ceil(256) * (n + 12)));
        return y;
    }
    let (rows, columns) = rectangle(n);
    // Between two places inside, a walk visits each place left over at most once.
    let walks = rows * columns - n + 1;
    let params = Params::new("permutation", shape, key, step, [rows as u32, columns as u32, walks as u32]);
    let y = Tensor::empty_of(step.device(), shape, DType::U32);
    PERMUTATION.launch(params, &[step], &[&y], Grid::linear(n, 256).trips(walks * 85));
    y
}

#[cfg(test)]
mod tests {
    use super::rectangle;

    #[test]
    fn the_rectangle_is_hardly_larger_than_needed() {
        for n in (1025..20_000).step_by(7).chain([1_000_003, 16_777_259, 2_147_483_647]) {
            let (rows, columns) = rectangle(n);
            let over = rows * columns - n;
            assert!(over < 700 && rows < 4 * columns && columns < 4 * rows, "{n}: {rows} x {columns}");
        }
    }
}
