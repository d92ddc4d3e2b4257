//! Proof: kernels held against their mirrors, with every output poisoned first, and faults planted to prove the proof.

use crate::device::Device;
use crate::dtype::DType;
use crate::error::Result;
use crate::kernel::{self, Constants, Kernel};
use crate::ops;
use crate::rng::Stream;
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// A kernel as it was launched.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// The constants of its header.
    pub constants: Constants,
    /// Bytes of its parameters.
    pub params_bytes: usize,
}

impl Launch {
    /// The whole WGSL text that a GPU with immediates compiles for it.
    pub fn source(&self) -> String {
        kernel::source(self.kernel.wgsl(), &self.constants, true)
    }
}

/// Each kind of launch once.
type Launches = BTreeMap<(&'static str, Constants, usize), Launch>;

thread_local! {
    static POISON: Cell<bool> = const { Cell::new(false) };
    static FAULT: Cell<Option<&'static str>> = const { Cell::new(None) };
    static LAUNCHED: RefCell<Option<Launches>> = const { RefCell::new(None) };
}

/// Restores a thread-local switch, on a panic too.
struct Restore<F: FnMut()>(F);
impl<F: FnMut()> Drop for Restore<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Runs `f` with every tensor that this thread makes filled with NaN (integers: all ones) first, so that an element that a
/// kernel forgot to write shows.
pub fn poisoned<R>(f: impl FnOnce() -> R) -> R {
    let before = POISON.replace(true);
    let _restore = Restore(move || POISON.set(before));
    f()
}

/// Runs `f` with one element of every output of kernel `entry` changed after each launch from this thread.
pub fn with_fault<R>(entry: &'static str, f: impl FnOnce() -> R) -> R {
    let before = FAULT.replace(Some(entry));
    let _restore = Restore(move || FAULT.set(before));
    f()
}

/// The names of the kernels that `f` launches from this thread.
pub fn launched<R>(f: impl FnOnce() -> R) -> (R, BTreeSet<&'static str>) {
    let (result, launches) = launches(f);
    (result, launches.iter().map(|l| l.kernel.name()).collect())
}

/// The kernels that `f` launches from this thread, each once with every set of constants.
pub fn launches<R>(f: impl FnOnce() -> R) -> (R, Vec<Launch>) {
    let before = LAUNCHED.replace(Some(Launches::new()));
    let mut before = Some(before);
    let _restore = Restore(|| {
        if let Some(b) = before.take() {
            LAUNCHED.set(b);
        }
    });
    let result = f();
    let launches = LAUNCHED.with_borrow_mut(|l| l.take().unwrap_or_default());
    (result, launches.into_values().collect())
}

pub(crate) fn poison(tensor: &Tensor) {
    if POISON.get() && tensor.dtype().bytes() == 4 && !tensor.is_empty() {
        // The fill is part of the test bench: it is neither counted nor spoiled.
        quietly(|| ops::fill_word(tensor, u32::MAX));
    }
}

pub(crate) fn record(kernel: &'static Kernel, constants: &Constants, params_bytes: usize) {
    LAUNCHED.with_borrow_mut(|l| {
        if let Some(launches) = l {
            let key = (kernel.name(), constants.clone(), params_bytes);
            launches.entry(key).or_insert_with(|| Launch { kernel, constants: constants.clone(), params_bytes });
        }
    });
}

pub(crate) fn spoil(entry: &'static str, outputs: &[&Tensor]) {
    if FAULT.get() == Some(entry) {
        quietly(|| outputs.iter().for_each(|t| ops::spoil(t)));
    }
}

fn quietly(f: impl FnOnce()) {
    let (fault, launches) = (FAULT.replace(None), LAUNCHED.replace(None));
    f();
    FAULT.set(fault);
    LAUNCHED.set(launches);
}

/// How far a kernel may be from its mirror.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// The same bits.
    Exact,
    /// A sum of `terms` products of at most `magnitude` each, in any order: `2 K 2^-24 K magnitude`.
    Sum {
        /// How many products are summed.
        terms: usize,
        /// The largest product.
        magnitude: f32,
    },
    /// A fraction of the largest element of the wanted tensor: for functions that WGSL does not round exactly.
    Relative(f32),
}

impl Bound {
    /// The largest difference allowed from a tensor whose largest element is `largest`.
    pub fn absolute(self, largest: f32) -> f32 {
        match self {
            Self::Exact => 0.0,
            Self::Sum { terms, magnitude } => 2.0 * (terms as f32).powi(2) * magnitude * 2f32.powi(-24),
            Self::Relative(fraction) => fraction * largest.max(f32::MIN_POSITIVE),
        }
    }
}

/// One row of the table: an operator on certain shapes, with inputs that are a pure function of the case.
pub struct Case {
    /// The operator.
    pub name: &'static str,
    /// The shapes and options.
    pub what: String,
    /// How far GPU and CPU may differ.
    pub bound: Bound,
    run: Box<dyn Fn(&Device) -> Vec<Tensor> + Send + Sync>,
}

impl Case {
    /// `run` makes its inputs (see [`values`]) on the device that it is given and returns what it computed.
    pub fn new(
        name: &'static str,
        what: String,
        bound: Bound,
        run: impl Fn(&Device) -> Vec<Tensor> + Send + Sync + 'static,
    ) -> Self {
        Self { name, what, bound, run: Box::new(run) }
    }

    /// Runs it with poisoned outputs.
    pub fn run(&self, device: &Device) -> Vec<Tensor> {
        poisoned(|| (self.run)(device))
    }

    /// The largest difference between `device` and the mirrors, and the largest allowed, of the tensor that comes nearest to (or
    /// goes furthest over) its bound. A NaN is an infinite difference.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn compare(&self, device: &Device) -> Result<Difference> {
        self.compare_with(device, || self.run(device))
    }

    /// The same with what the device computes given by `run`: the place for a planted fault.
    ///
    /// # Errors
    /// A fault of the device.
    pub fn compare_with(&self, device: &Device, run: impl FnOnce() -> Vec<Tensor>) -> Result<Difference> {
        let (got, want) = (run(), self.run(&Device::Cpu));
        device.flush()?;
        assert!(got.len() == want.len(), "{}: {} outputs against {}", self.name, got.len(), want.len());
        let mut worst = Difference { error: 0.0, bound: self.bound.absolute(0.0) };
        for (g, w) in got.iter().zip(&want) {
            assert!(g.shape() == w.shape(), "{}: shapes {} against {}", self.name, g.shape(), w.shape());
            let difference = difference(&floats(g)?, &floats(w)?, self.bound);
            if difference.excess() >= worst.excess() {
                worst = difference;
            }
        }
        Ok(worst)
    }
}

/// A difference found and the one allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The largest absolute difference of an element.
    pub error: f32,
    /// The largest allowed.
    pub bound: f32,
}

impl Difference {
    /// Whether the difference is allowed.
    pub fn ok(&self) -> bool {
        self.error <= self.bound
    }

    fn excess(&self) -> f32 {
        if self.error == 0.0 { 0.0 } else { self.error / self.bound.max(f32::MIN_POSITIVE) }
    }
}

/// The largest difference of two lists and what `bound` allows for them.
pub fn difference(got: &[f32], want: &[f32], bound: Bound) -> Difference {
    let largest = want.iter().fold(0f32, |m, v| m.max(v.abs()));
    let error = got.iter().zip(want).fold(0f32, |m, (g, w)| {
        // Comparisons with NaN are false: it must not slip through `max`.
        let d = (g - w).abs();
        if g.to_bits() == w.to_bits() {
            m
        } else if d.is_nan() {
            f32::INFINITY
        } else {
            m.max(d)
        }
    });
    Difference { error, bound: bound.absolute(largest) }
}

/// A tensor's elements as f32, whatever it holds. Integers above 2^24 are compared by halves.
fn floats(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(match tensor.dtype() {
        DType::F32 => tensor.read::<f32>()?,
        DType::U32 => tensor.read::<u32>()?.iter().flat_map(|v| [(v >> 16) as f32, (v & 0xffff) as f32]).collect(),
        DType::U8 => tensor.read::<u8>()?.iter().map(|&v| f32::from(v)).collect(),
    })
}

/// Values in [-1, 1) that are a pure function of the seed and the position.
pub fn values(len: usize, seed: u64) -> Vec<f32> {
    let stream = Stream::new(seed, 0, 0);
    (0..len.div_ceil(4))
        .flat_map(|block| stream.block(block as u32))
        .take(len)
        .map(|word| 2.0 * crate::rng::unit_f32(word) - 1.0)
        .collect()
}

/// Small integers in -4..=4: products and sums of them are exact in f32, whatever the order.
pub fn integers(len: usize, seed: u64) -> Vec<f32> {
    values(len, seed).into_iter().map(|v| (v * 4.5).round()).collect()
}

/// A tensor of [`values`].
#[track_caller]
pub fn tensor(device: &Device, shape: impl Into<Shape>, seed: u64) -> Tensor {
    let shape = shape.into();
    Tensor::from_slice(device, shape, &values(shape.len(), seed))
}

/// The GPU that tests use, opened once; `None`, with a line on stderr, where there is none.
///
/// # Panics
/// If there is none and `WGRAD_REQUIRE_GPU=1`.
pub fn gpu() -> Option<Device> {
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    GPU.get_or_init(|| match Device::gpu() {
        Ok(device) => Some(device),
        Err(e) => {
            assert!(std::env::var("WGRAD_REQUIRE_GPU").as_deref() != Ok("1"), "WGRAD_REQUIRE_GPU=1: {e}");
            eprintln!("skipped on the GPU: {e}");
            None
        }
    })
    .clone()
}

/// The CPU device, and the GPU where there is one: what a test that holds on every device runs on.
pub fn devices() -> Vec<Device> {
    [Some(Device::Cpu), gpu()].into_iter().flatten().collect()
}

/// Holds every case of an operator against the mirrors on the test GPU.
///
/// # Panics
/// At the first case over its bound, or at a fault of the device.
#[track_caller]
pub fn hold(cases: &[Case]) {
    let Some(device) = gpu() else { return };
    for case in cases {
        let difference = case.compare(&device).unwrap_or_else(|e| panic!("{} {}: {e}", case.name, case.what));
        let Difference { error, bound } = difference;
        assert!(difference.ok(), "{} {}: the kernel is {error:e} from its mirror, {bound:e} is allowed", case.name, case.what);
    }
}

/// Holds derivatives against central differences: `forward` maps inputs to one output, `backward` maps `dy` to the inputs'
/// gradients. Both run on the CPU device in f32, so the step is 1e-2 and the functions tested should be of small degree or smooth.
///
/// # Panics
/// If a gradient is further than `tolerance` (relative to its largest element) from the difference quotient.
#[track_caller]
pub fn gradients(
    inputs: &[Tensor],
    tolerance: f32,
    forward: impl Fn(&[Tensor]) -> Tensor,
    backward: impl Fn(&[Tensor], &Tensor) -> Vec<Tensor>,
) {
    const STEP: f32 = 1e-2;
    let read = |t: &Tensor| t.to_vec().expect("the CPU device reads");
    let dy = tensor(&Device::Cpu, forward(inputs).shape(), 99);
    let weights = read(&dy);
    let loss = |inputs: &[Tensor]| -> f64 {
        read(&forward(inputs)).iter().zip(&weights).map(|(y, d)| f64::from(*y) * f64::from(*d)).sum()
    };
    let got = backward(inputs, &dy);
    for (which, gradient) in got.iter().enumerate() {
        assert!(gradient.shape() == inputs[which].shape(), "gradient {which}: {} of {}", gradient.shape(), inputs[which].shape());
        let start = read(&inputs[which]);
        let numeric: Vec<f32> = (0..start.len())
            .map(|i| {
                let at = |delta: f32| {
                    let mut moved = start.clone();
                    moved[i] += delta;
                    let mut inputs = inputs.to_vec();
                    inputs[which] = Tensor::from_slice(&Device::Cpu, gradient.shape(), &moved);
                    loss(&inputs)
                };
                ((at(STEP) - at(-STEP)) / f64::from(2.0 * STEP)) as f32
            })
            .collect();
        let Difference { error, bound } = difference(&read(gradient), &numeric, Bound::Relative(tolerance));
        assert!(error <= bound, "gradient {which} is {error:e} from the difference quotient, {bound:e} is allowed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_notices_a_difference_and_a_nan() {
        let want = [1.0, -2.0, 3.0];
        assert!(difference(&want, &want, Bound::Exact).ok());
        assert!(!difference(&[1.0, -2.0, 3.000001], &want, Bound::Exact).ok());
        assert!(!difference(&[1.0, f32::NAN, 3.0], &want, Bound::Relative(1.0)).ok());
        assert!(difference(&[1.0, -2.0, 3.02], &want, Bound::Relative(0.01)).ok());
        assert!(!difference(&[1.0, -2.0, 3.04], &want, Bound::Relative(0.01)).ok());
    }

    #[test]
    fn a_planted_fault_is_seen_and_gone_afterwards() {
        for device in devices() {
            let make = || Tensor::full(&device, [5], 2.0).to_vec().unwrap();
            assert_eq!(with_fault("fill", make), [2.0, 2.0, 5.0, 2.0, 2.0]);
            assert_eq!(make(), [2.0; 5]);
        }
    }

    #[test]
    fn a_poisoned_tensor_holds_nan() {
        for device in devices() {
            assert!(poisoned(|| Tensor::empty(&device, [3])).to_vec().unwrap().iter().all(|v| v.is_nan()));
        }
    }
}
