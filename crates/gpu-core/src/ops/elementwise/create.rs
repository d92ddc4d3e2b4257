//! Tensors made from numbers alone: identities and evenly spaced numbers.
//!
//! A number of a sequence is `start + i * step` rounded once, which the kernel computes by integers (`shaders/exact.wgsl`): a device
//! may fuse a product and a sum or not, and the bits shall be the same everywhere.

use crate::check::{Bench, Bound, Case};
use crate::device::Device;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::{CHUNK, Real};
use crate::shape::Shape;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;

const WGSL: &str = concat!(wgsl!("exact.wgsl"), wgsl!("create.wgsl"));
static EYE: Kernel = kernel!(WGSL, "eye", eye_cpu);
static LINSPACE: Kernel = kernel!(WGSL, "linspace", linspace_cpu);
pub(in crate::ops) const KERNELS: &[&Kernel] = &[&EYE, &LINSPACE];

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    len: u32,
    rows: u32,
    turn: u32,
    start: f32,
    end: f32,
    step: f32,
}

fn eye_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let y: &mut [T] = args.output(0);
    y.fill(T::zero());
    y.iter_mut().step_by(p.rows as usize).for_each(|y| *y = T::one());
}

fn linspace_cpu<T: Real>(args: &mut Args<'_>) {
    let p: Params = args.params();
    let [start, end, step] = [p.start, p.end, p.step].map(T::of);
    let last = p.len.saturating_sub(1);
    args.output::<T>(0).par_iter_mut().with_min_len(CHUNK).enumerate().for_each(|(i, y)| {
        *y = match i as u32 {
            i if i < p.turn => T::of(i).mul_add(step, start),
            i => T::of(last - i).mul_add(-step, end),
        };
    });
}

/// More numbers than this are not all different as f32, nor can they be counted in one.
const MOST: usize = 1 << 24;

#[track_caller]
fn sequence(device: &Device, len: usize, turn: usize, [start, end, step]: [f32; 3]) -> Tensor {
    let y = Tensor::empty(device, [len]);
    let (len, turn) = (len as u32, turn as u32);
    // A zero loses its sign: -0 + 0 is 0.
    let p = Params { len, rows: 0, turn, start: start + 0.0, end: end + 0.0, step };
    LINSPACE.launch(p, &[], &[&y], Grid::linear(y.len(), 256));
    y
}

impl Tensor {
    /// An f32 tensor of ones. Equivalent of `torch.ones`.
    #[track_caller]
    pub fn ones(device: &Device, shape: impl Into<Shape>) -> Self {
        Self::full(device, shape, 1.0)
    }

    /// The identity of `n` rows. Equivalent of `torch.eye`.
    ///
    /// # Panics
    /// If `n` is over 65,535.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// assert_eq!(Tensor::eye(&Device::Cpu, 2).to_vec()?, [1.0, 0.0, 0.0, 1.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    #[track_caller]
    pub fn eye(device: &Device, n: usize) -> Self {
        assert!(n <= 65_535, "eye: {n} rows are over 65,535");
        let y = Self::empty(device, [n, n]);
        let p = Params { len: y.len() as u32, rows: n as u32 + 1, ..Params::zeroed() };
        EYE.launch(p, &[], &[&y], Grid::linear(y.len(), 256));
        y
    }

    /// The numbers `start`, `start + step`, .. before `end`, f32; the same bits on every device. For integers, [`cast`](Self::cast) it.
    /// Equivalent of `torch.arange(start, end, step, dtype=torch.float32)`.
    ///
    /// # Panics
    /// If a number is not finite, `step` is zero or leads away from `end`, or there are more than 2^24 numbers.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// assert_eq!(Tensor::arange(&Device::Cpu, 1.0, 2.5, 0.5).to_vec()?, [1.0, 1.5, 2.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    #[track_caller]
    pub fn arange(device: &Device, start: f32, end: f32, step: f32) -> Self {
        let len = ((f64::from(end) - f64::from(start)) / f64::from(step)).ceil();
        let fits = [start, end, step].iter().all(|v| v.is_finite()) && step != 0.0 && (0.0..=MOST as f64).contains(&len);
        assert!(fits, "arange: from {start} to {end} by {step} is no sequence of at most 2^24 numbers");
        sequence(device, len as usize, len as usize, [start, end, step])
    }

    /// `n` evenly spaced numbers from `start` to `end`, both included; the same bits on every device. Like PyTorch's, it counts the second
    /// half from the end, so that a sequence and its reverse are mirror images (but for the middle one of an odd number). Equivalent of `torch.linspace`.
    ///
    /// # Panics
    /// If a number or the step between them is not finite, or there are more than 2^24 numbers.
    ///
    /// ```
    /// # use gpu_core::{Device, Tensor};
    /// assert_eq!(Tensor::linspace(&Device::Cpu, 0.0, 1.0, 5).to_vec()?, [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// # Ok::<(), gpu_core::Error>(())
    /// ```
    #[track_caller]
    pub fn linspace(device: &Device, start: f32, end: f32, n: usize) -> Self {
        let step = if n > 1 { (end - start) / (n - 1) as f32 } else { 0.0 };
        let fits = [start, end, step].iter().all(|v| v.is_finite()) && n <= MOST;
        assert!(fits, "linspace: {n} numbers from {start} to {end} are no sequence of at most 2^24 numbers");
        // A single number is the first.
        sequence(device, n, if n == 1 { 1 } else { n / 2 }, [start, end, step])
    }
}

pub(in crate::ops) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = [1, 2, 17, 260]
        .into_iter()
        .map(|n| Case::new("eye", format!("{n} rows"), Bound::Exact, move |device| vec![Tensor::eye(device, n)]))
        .collect();
    // One more than 65,535 workgroups.
    cases.push(Case::new("eye", "4097 rows".to_owned(), Bound::Exact, |device| vec![Tensor::eye(device, 4097)]));
    for (start, end, n) in
        [(0.0, 1.0, 1), (-0.0, 3.0, 2), (0.1, 0.7, 1031), (-1e30, 3.3e7, 4099), (1e-40, 3e-38, 777), (5.0, -5.0, 64)]
    {
        cases.push(Case::new("linspace", format!("{n} from {start} to {end}"), Bound::Exact, move |device| {
            vec![Tensor::linspace(device, start, end, n)]
        }));
    }
    for (start, end, step) in [(0.0, 1.0, 0.1), (10.0, -3.0, -0.003), (0.0, 1_000_003.0, 1.0), (1e8, 1e8 + 4096.0, 0.3)] {
        cases.push(Case::new("arange", format!("from {start} to {end} by {step}"), Bound::Exact, move |device| {
            vec![Tensor::arange(device, start, end, step)]
        }));
    }
    cases
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    vec![
        Bench::new("eye", "4096 rows", 0, |device| {
            let device = device.clone();
            move || vec![Tensor::eye(&device, 4096)]
        }),
        Bench::new("linspace", "16777216 numbers", 0, |device| {
            let device = device.clone();
            move || vec![Tensor::linspace(&device, 0.0, 1.0, 1 << 24)]
        }),
    ]
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<crate::check::Misuse> {
    use crate::check::misuse;
    vec![
        misuse!("eye", ["65536 rows"], |d| Tensor::eye(d, 65_536)),
        misuse!("arange", ["from 0 to 1 by -1"], |d| Tensor::arange(d, 0.0, 1.0, -1.0)),
        misuse!("arange", ["by 0"], |d| Tensor::arange(d, 0.0, 1.0, 0.0)),
        misuse!("linspace", ["20000000 numbers"], |d| Tensor::linspace(d, 0.0, 1.0, 20_000_000)),
        misuse!("linspace", ["to inf"], |d| Tensor::linspace(d, 0.0, f32::INFINITY, 3)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{self, devices};
    use crate::rng::Stream;

    fn bits(t: &Tensor) -> Vec<u32> {
        t.to_vec().unwrap().into_iter().map(f32::to_bits).collect()
    }

    /// `c + k * b` on the device, for a k below 2^24.
    fn device_sum(device: &Device, k: u32, b: f32, c: f32) -> f32 {
        let y = Tensor::empty(device, [k as usize + 1]);
        let p = Params { len: k + 1, rows: 0, turn: k + 1, start: c, end: 0.0, step: b };
        LINSPACE.launch(p, &[], &[&y], Grid::linear(y.len(), 256));
        y.to_vec().unwrap()[k as usize]
    }

    /// Random exponents and signs: sums that cancel, vanish, overflow or become subnormal.
    #[test]
    fn a_product_and_a_sum_are_rounded_once() {
        let Some(device) = check::gpu() else { return };
        let words = Stream::new(3, 1, 4);
        for i in 0..600 {
            let [k, b, c, near] = words.block(i);
            // A large k in one case of many only: it fills a tensor.
            let k = k >> if i % 50 == 0 { 12 } else { 22 };
            let b = f32::from_bits(if near % 3 == 0 { b } else { (b & 0x83ff_ffff) | 0x3c00_0000 });
            let opposite = (-(f64::from(k) * f64::from(b))) as f32;
            let c = match near % 5 {
                0 => f32::from_bits(c),
                1 => opposite,
                2 => f32::from_bits(opposite.to_bits() ^ (c & 3)),
                3 => f32::from_bits((b.to_bits() & 0x7f80_0000) | (c & 0x807f_ffff)),
                _ => f32::from_bits(c & 0x80ff_ffff),
            } + 0.0;
            if b.is_finite() && c.is_finite() {
                let want = (k as f32).mul_add(b, c);
                let got = device_sum(&device, k, b, c);
                assert!(
                    got.to_bits() == want.to_bits() || (got == 0.0 && want == 0.0),
                    "{c:e} + {k} * {b:e}: {got:e} is not {want:e}"
                );
            }
        }
    }

    /// From `torch.linspace(-1, 1, 7)`, `torch.linspace(0.1, 0.7, 4)` and `torch.arange(0, 1, float(torch.tensor(0.3)))`.
    #[test]
    fn pytorch_gives_the_same_numbers() {
        for device in devices() {
            assert_eq!(
                bits(&Tensor::linspace(&device, -1.0, 1.0, 7)),
                [0xbf800000, 0xbf2aaaaa, 0xbeaaaaaa, 0xb3000000, 0x3eaaaaaa, 0x3f2aaaaa, 0x3f800000]
            );
            assert_eq!(bits(&Tensor::linspace(&device, 0.1, 0.7, 4)), [0x3dcccccd, 0x3e999999, 0x3f000000, 0x3f333333]);
            assert_eq!(bits(&Tensor::arange(&device, 0.0, 1.0, 0.3)), [0, 0x3e99999a, 0x3f19999a, 0x3f666667]);
        }
    }

    #[test]
    fn a_sequence_ends_where_it_should_and_its_reverse_is_its_mirror_image() {
        for (device, n) in devices().into_iter().flat_map(|device| [1usize, 2, 4, 10, 1000].map(|n| (device.clone(), n))) {
            let y = Tensor::linspace(&device, 0.3, 17.9, n).to_vec().unwrap();
            let mut back = Tensor::linspace(&device, 17.9, 0.3, n).to_vec().unwrap();
            assert_eq!((y[0], y.len()), (0.3, n));
            if n > 1 {
                back.reverse();
                assert_eq!((y[n - 1], &y), (17.9, &back));
            }
        }
    }

    #[test]
    fn nothing_is_nothing() {
        for device in devices() {
            let all = [Tensor::eye(&device, 0), Tensor::arange(&device, 1.0, 1.0, 1.0), Tensor::linspace(&device, 0.0, 1.0, 0)];
            assert!(all.iter().all(|t| t.to_vec().unwrap().is_empty()));
        }
    }
}
