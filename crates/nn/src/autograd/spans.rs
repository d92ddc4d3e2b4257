//! Which layer asked for which of the launches that a capture records: what their times are added up by.

use gpu_core::Device;
use parking_lot::Mutex;
use std::sync::Arc;

/// Launches from one on, up to the first of the next span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The layer's number; none for what is of no layer.
    pub layer: Option<usize>,
    /// Whether they are of the backward pass.
    pub backward: bool,
    pub first: usize,
}

/// The spans of a capture; nothing is noted where nobody asked for them. Cloning it clones a handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Option<Arc<Noted>>);

/// While it lives, a layer is at work; then what was before.
pub(crate) struct AtWork<'a> {
    before: Option<(&'a Noted, Span)>,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        if let Some((noted, before)) = self.before {
            noted.begin(before.layer, before.backward);
        }
    }
}

#[derive(Debug)]
struct Noted {
    device: Device,
    spans: Mutex<Vec<Span>>,
}

impl Spans {
    /// Of the capture on `device` that this thread is in.
    pub fn on(device: &Device) -> Self {
        let first = Span { layer: None, backward: false, first: device.recorded_launches() };
        Self(Some(Arc::new(Noted { device: device.clone(), spans: Mutex::new(vec![first]) })))
    }

    /// The layer at work.
    pub fn layer(&self) -> Option<usize> {
        self.0.as_ref()?.now().layer
    }

    /// Has a layer at work until what this gives is dropped. What a backward pass computes again is its own.
    pub fn at_work(&self, layer: Option<usize>, backward: bool) -> AtWork<'_> {
        let before = self.0.as_deref().map(|noted| {
            let before = noted.now();
            noted.begin(layer, backward || before.backward);
            (noted, before)
        });
        AtWork { before }
    }

    /// All of them, in order.
    pub fn all(&self) -> Vec<Span> {
        self.0.as_ref().map_or_else(Vec::new, |noted| noted.spans.lock().clone())
    }
}

impl Noted {
    fn now(&self) -> Span {
        *self.spans.lock().last().expect("there is a first span")
    }

    fn begin(&self, layer: Option<usize>, backward: bool) {
        self.spans.lock().push(Span { layer, backward, first: self.device.recorded_launches() });
    }
}
