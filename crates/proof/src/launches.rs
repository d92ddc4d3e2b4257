//! What a device launched.

use gpu_core::{Array, Constants, Device, KernelInfo, Launched, Observer, Place};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A kernel as it was launched.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The kernel.
    pub kernel: KernelInfo,
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
        self.kernel.source(&self.constants)
    }

    /// The same for other compilers than naga; see [`KernelInfo::portable_source`].
    pub fn portable_source(&self) -> String {
        self.kernel.portable_source(&self.constants)
    }
}

/// The kernels that an observed device launched, each once with every set of constants.
#[derive(Debug, Default)]
pub struct Launches(Mutex<BTreeMap<(&'static str, Constants, usize), Launch>>);

impl Launches {
    /// The launches since the last call.
    pub fn take(&self) -> Vec<Launch> {
        std::mem::take(&mut *self.0.lock()).into_values().collect()
    }

    /// The names of the kernels that were launched since the last call of [`take`](Self::take).
    pub fn names(&self) -> BTreeSet<&'static str> {
        self.0.lock().values().map(|launch| launch.kernel.name()).collect()
    }
}

impl Observer for Launches {
    fn launched(&self, _on: &Place, launched: &Launched<'_>) {
        let &Launched { kernel, constants, params_bytes, inputs, outputs } = launched;
        let mut launches = self.0.lock();
        let fresh = || Launch { kernel, constants: constants.clone(), params_bytes, count: 0, bytes: 0 };
        let launch = launches.entry((kernel.name(), constants.clone(), params_bytes)).or_insert_with(fresh);
        launch.count += 1;
        launch.bytes += moved(inputs, outputs);
    }
}

/// The device, and what it launches from now on.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (device, launches) = proof::counted(&Device::Cpu);
/// let x = Tensor::from_slice(&device, [2], &[1.0f32, 2.0]);
/// ops::add(&ops::scale(&x, 2.0), &x);
/// assert!(launches.names().iter().eq(&["binary", "scale"]));
/// ```
pub fn counted(device: &Device) -> (Device, Arc<Launches>) {
    let launches = Arc::new(Launches::default());
    (device.observed_by(launches.clone()), launches)
}

/// Bytes of a launch's tensors. One that is bound twice, as elements and as vectors of four, has to be read once.
fn moved(inputs: &[&Array], outputs: &[&Array]) -> u64 {
    let is_new = |(i, array): &(usize, &&Array)| !inputs[..*i].iter().any(|before| before.is_same_memory(array));
    let read: usize = inputs.iter().enumerate().filter(is_new).map(|(_, array)| array.bytes()).sum();
    (read + outputs.iter().map(|array| array.bytes()).sum::<usize>()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_core::Tensor;
    use gpu_core::ops;

    #[test]
    fn a_tensor_that_is_bound_twice_is_moved_once() {
        let (device, launches) = counted(&Device::Cpu);
        let arena = Tensor::zeros(&device, [128]);
        let (a, b) = (arena.view(0, [4]), arena.view(64, [4]));
        let moved = |x: &Tensor, y: &Tensor| {
            launches.take();
            ops::add(x, y);
            launches.take()[0].bytes
        };
        assert_eq!(moved(&a, &a), 16 + 16);
        assert_eq!(moved(&a, &a.reshape([4])), 16 + 16);
        assert_eq!(moved(&a, &b), 16 + 16 + 16);
    }
}
