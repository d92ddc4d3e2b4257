//! A GPU on which one text at a time is a mutant's.

use super::{Mutant, PRELUDE};
use gpu_core::{Device, Place, Result, Rewrite};
use parking_lot::Mutex;
use std::sync::Arc;

/// The mutant that is compiled now, and the text that it belongs to: a kernel's, or the one that stands before all of them.
#[derive(Debug, Default)]
struct Planted(Mutex<(u64, Option<(&'static str, Mutant)>)>);

/// Whether a mutant of the text `of` changes the kernels of `wgsl`.
fn concerns(of: &'static str, wgsl: &'static str) -> bool {
    of == wgsl || of == PRELUDE
}

impl Rewrite for Planted {
    fn edition(&self, wgsl: &'static str) -> u64 {
        let planted = self.0.lock();
        match &planted.1 {
            Some((of, _)) if concerns(of, wgsl) => planted.0,
            _ => 0,
        }
    }

    fn text(&self, wgsl: &'static str, text: String) -> String {
        match &self.0.lock().1 {
            Some((of, mutant)) if concerns(of, wgsl) => mutant.within(&text, of),
            _ => text,
        }
    }
}

/// The device, and what is planted on it.
pub(super) struct MutantGpu {
    pub device: Device,
    planted: Arc<Planted>,
}

impl MutantGpu {
    pub fn open() -> Result<Self> {
        let planted = Arc::new(Planted::default());
        Ok(Self { device: Place::rewritten(planted.clone())?.0.into(), planted })
    }

    /// From now on kernels of the text `of` are the mutant's.
    pub fn plant(&self, of: &'static str, mutant: &Mutant) {
        let mut planted = self.planted.0.lock();
        *planted = (planted.0 + 1, Some((of, mutant.clone())));
    }

    pub fn restore(&self) {
        self.planted.0.lock().1 = None;
    }
}
