//! Tensors made from numbers alone: identities and evenly spaced numbers.
//!
//! A number of a sequence is `start + i * step` rounded once, which the kernel computes by integers (`shaders/exact.wgsl`): a device
//! may fuse a product and a sum or not, and the bits shall be the same everywhere.

use crate::base::Shape;
use crate::kernel::{Args, Grid, Kernel, kernel};
use crate::mirror::threads::{IndexedParallelIterator, IntoParallelRefMutIterator, Loop};
use crate::mirror::{CHUNK, Real};
use crate::run::Device;
use crate::tensor::Tensor;
use bytemuck::{Pod, Zeroable};

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
    args.output::<T>(0).par_iter_mut().enumerate().run_by(CHUNK, |(i, y)| {
        *y = match i as u32 {
            i if i < p.turn => T::of(i).mul_add(step, start),
            i => T::of(last - i).mul_add(-step, end),
        };
    });
}

/// More numbers than this are not all different as f32, nor can they be counted in one.
const MOST: usize = 1 << 24;

/// `len` numbers, each rounded once: `start + i * step` for an `i` below `turn`, `end - (len - 1 - i) * step` for the others.
#[track_caller]
pub fn sequence(device: &Device, len: usize, turn: usize, [start, end, step]: [f32; 3]) -> Tensor {
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
