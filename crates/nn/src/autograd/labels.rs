//! Labels that a program fills from the host, and what the losses of a recorded pass take for classes in them.
//!
//! On a device a label that is no class goes unnoticed: its row has no loss and no gradient. Here it is still a number in a slice.

use gpu_core::Tensor;
use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;

/// Tensors of labels, each with the classes of the losses that read it.
#[derive(Clone, Default)]
pub struct LabelSlots(Arc<Mutex<Vec<Slot>>>);

struct Slot {
    labels: Tensor,
    read: Vec<Classes>,
}

/// What one loss takes for a label: a number below `count`, and the one that it passes over.
#[derive(Clone, Copy)]
struct Classes {
    count: usize,
    ignored: Option<u32>,
}

impl Classes {
    fn has(self, label: u32) -> bool {
        (label as usize) < self.count || self.ignored == Some(label)
    }
}

impl LabelSlots {
    pub fn of(labels: impl Iterator<Item = Tensor>) -> Self {
        Self(Arc::new(Mutex::new(labels.map(|labels| Slot { labels, read: Vec::new() }).collect())))
    }

    /// That a loss reads `labels`, or a part of them.
    pub fn note(&self, labels: &Tensor, count: usize, ignored: Option<u32>) {
        for slot in self.0.lock().iter_mut().filter(|slot| slot.labels.shares_storage(labels)) {
            slot.read.push(Classes { count, ignored });
        }
    }

    /// Refuses `values` for the slot `labels` if a loss that reads it would pass over one of them in silence.
    #[track_caller]
    pub fn expect(&self, what: &str, labels: &Tensor, values: &[u32]) {
        let slots = self.0.lock();
        for slot in slots.iter().filter(|slot| slot.labels.shares_storage(labels)) {
            for classes in &slot.read {
                let Some(at) = values.iter().position(|&label| !classes.has(label)) else { continue };
                let (label, count, shape) = (values[at], classes.count, labels.shape());
                panic!(
                    "{what}: label {label}, number {at} of shape {shape}, is none of the {count} classes of the loss, which count from 0"
                );
            }
        }
    }
}

impl fmt::Debug for LabelSlots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LabelSlots({})", self.0.lock().len())
    }
}
