//! What unit tests of internals run on.

use crate::base::Shape;
use crate::base::rng::Stream;
use crate::ops;
use crate::run::Array;
use crate::run::{Device, Launched, Observer, Place};
use crate::tensor::Tensor;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// The GPU, opened once; `None`, with a line on stderr, where there is none, and a panic if `WGRAD_REQUIRE_GPU=1`.
pub(crate) fn gpu() -> Option<Device> {
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    let open = || match Device::gpu() {
        Ok(device) => Some(device),
        Err(e) => {
            assert!(std::env::var("WGRAD_REQUIRE_GPU").as_deref() != Ok("1"), "WGRAD_REQUIRE_GPU=1: {e}");
            eprintln!("skipped on the GPU: {e}");
            None
        }
    };
    GPU.get_or_init(open).clone()
}

/// Uniform in [-1, 1): a pure function of the seed.
#[track_caller]
pub(crate) fn uniform(device: &Device, shape: impl Into<Shape>, seed: u64) -> Tensor {
    let (shape, stream) = (shape.into(), Stream::new(seed, 0, 0));
    let values: Vec<f32> = (0..shape.len() as u64).map(|i| 2.0 * stream.uniform(i) - 1.0).collect();
    Tensor::from_slice(device, shape, &values)
}

/// Counts the launches of tiled kernels. Tensors are filled with NaN when they are made, so that an element that no dispatch writes
/// shows.
#[derive(Default)]
pub(crate) struct TiledLaunches(Mutex<BTreeMap<&'static str, usize>>);

impl TiledLaunches {
    /// The device, observed, and its launches.
    pub(crate) fn of(device: &Device) -> (Device, Arc<Self>) {
        let launches = Arc::new(Self::default());
        (device.observed_by(launches.clone()), launches)
    }

    /// The launches of each kernel since the last call.
    pub(crate) fn take(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut self.0.lock())
    }
}

impl Observer for TiledLaunches {
    fn made(&self, on: &Place, array: &Array) {
        ops::internals::fill_word(&Tensor::of_array(on, array), u32::MAX);
    }

    fn launched(&self, _on: &Place, launched: &Launched<'_>) {
        if launched.kernel.name().contains("tiled") {
            *self.0.lock().entry(launched.kernel.name()).or_default() += 1;
        }
    }
}
