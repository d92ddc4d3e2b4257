//! Proof: kernels held against their mirrors, with every output poisoned first, and faults planted to prove the proof.

mod bench;
mod bound;
mod case;
mod gradient;
mod inputs;
#[cfg(test)]
mod misuse;

pub use bench::Bench;
pub(crate) use bound::floats;
pub use bound::{Bound, Difference, difference};
pub use case::Case;
pub use gradient::{difference_quotients, gradients, relative_error};
pub use inputs::{devices, gpu, integers, tensor, values};
#[cfg(test)]
pub(crate) use misuse::{Misuse, misuse};

use crate::dtype::DType;
use crate::kernel::{self, Constants, Kernel};
use crate::ops;
use crate::tensor::Tensor;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// A kernel as it was launched.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// The constants of its header.
    pub constants: Constants,
    /// Bytes of its parameters.
    pub params_bytes: usize,
    /// How often it was launched.
    pub count: usize,
    /// Bytes of the tensors that it was given, each once, over all these launches: what it has to move at least.
    pub bytes: u64,
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
    static MAGNITUDES: Cell<bool> = const { Cell::new(false) };
    static FLOAT: Cell<DType> = const { Cell::new(DType::F32) };
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

/// Runs `f` with the mirrors in double precision: on the CPU device, every tensor that this thread makes and that would hold f32 holds f64,
/// and kernels run their f64 mirrors. `write` and `read` of f32 convert.
///
/// ```
/// # use gpu_core::{Device, Tensor, check, ops};
/// let third = check::in_f64(|| ops::div(&Tensor::scalar(&Device::Cpu, 1.0), &Tensor::scalar(&Device::Cpu, 3.0)));
/// assert_eq!(third.read::<f64>()?, [1.0 / 3.0]);
/// # Ok::<(), gpu_core::Error>(())
/// ```
pub fn in_f64<R>(f: impl FnOnce() -> R) -> R {
    let before = FLOAT.replace(DType::F64);
    let _restore = Restore(move || FLOAT.set(before));
    f()
}

/// Runs `f` with [`values`] giving absolute values: what sums of products come to where nothing cancels.
pub(crate) fn with_magnitudes<R>(f: impl FnOnce() -> R) -> R {
    let before = MAGNITUDES.replace(true);
    let _restore = Restore(move || MAGNITUDES.set(before));
    f()
}

/// The type that "f32" stands for on this thread: f64 inside [`in_f64`].
pub(crate) fn float() -> DType {
    FLOAT.get()
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
    if POISON.get() && !tensor.is_empty() {
        // The fill is part of the test bench: it is neither counted nor spoiled.
        quietly(|| ops::fill_word(tensor, u32::MAX));
    }
}

/// Bytes of a launch's tensors. One that is bound twice, as elements and as vectors of four, has to be read once.
fn moved(inputs: &[&Tensor], outputs: &[&Tensor]) -> u64 {
    let is_new = |(i, t): &(usize, &&Tensor)| !inputs[..*i].iter().any(|before| before.is_same_memory(t));
    let read: usize = inputs.iter().enumerate().filter(is_new).map(|(_, t)| t.bytes()).sum();
    (read + outputs.iter().map(|t| t.bytes()).sum::<usize>()) as u64
}

pub(crate) fn record(kernel: &'static Kernel, constants: &Constants, params_bytes: usize, inputs: &[&Tensor], outputs: &[&Tensor]) {
    LAUNCHED.with_borrow_mut(|l| {
        if let Some(launches) = l {
            let key = (kernel.name(), constants.clone(), params_bytes);
            let fresh = || Launch { kernel, constants: constants.clone(), params_bytes, count: 0, bytes: 0 };
            let launch = launches.entry(key).or_insert_with(fresh);
            launch.count += 1;
            launch.bytes += moved(inputs, outputs);
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
    fn a_tensor_that_is_bound_twice_is_moved_once() {
        let arena = Tensor::zeros(&crate::Device::Cpu, [128]);
        let (a, b) = (arena.view(0, [4]), arena.view(64, [8]));
        assert_eq!(moved(&[&a, &a, &b], &[&b]), 4 * (4 + 8 + 8));
        assert_eq!(moved(&[&a, &a.reshape([2, 2])], &[]), 16);
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
