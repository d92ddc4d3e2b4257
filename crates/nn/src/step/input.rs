//! The named inputs of a step.

use crate::autograd::labels::LabelSlots;
use gpu_core::{DType, Device, Element, Shape, Tensor};

/// A tensor that a step reads, and that is filled before each run.
pub(super) struct Input {
    pub name: String,
    pub slot: Tensor,
}

impl Input {
    pub fn new(name: impl Into<String>, device: &Device, shape: Shape, dtype: DType) -> Self {
        Self { name: name.into(), slot: Tensor::zeros_of(device, shape, dtype) }
    }
}

/// The input called `name` among `inputs`.
#[track_caller]
pub(super) fn find<'a>(inputs: &'a [Input], name: &str) -> &'a Tensor {
    let Some(input) = inputs.iter().find(|input| input.name == name) else {
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        panic!("step: there is no input \"{name}\"; there are: {}", names.join(", "))
    };
    &input.slot
}

/// Refuses labels that a loss would pass over.
#[track_caller]
fn expect_labels<T: Element>(name: &str, slot: &Tensor, values: &[T], known: &LabelSlots) {
    if T::DTYPE == DType::U32 {
        known.expect(&format!("step: the input \"{name}\""), slot, &u32::from_bytes(&T::to_bytes(values)));
    }
}

/// What an input can be filled with: a `Vec`, an array or a slice of f32 or u32, as the input is, or a [`Tensor`] on the same device.
pub trait Values {
    #[doc(hidden)]
    fn fill(&self, name: &str, slot: &Tensor, labels: &LabelSlots);
}

#[track_caller]
fn fill<T: Element>(name: &str, slot: &Tensor, values: &[T], labels: &LabelSlots) {
    assert!(
        values.len() == slot.len() && T::DTYPE == slot.dtype(),
        "step: the input \"{name}\" takes {} values of {} (shape {}), not {} of {}",
        slot.len(),
        slot.dtype(),
        slot.shape(),
        values.len(),
        T::DTYPE
    );
    expect_labels(name, slot, values, labels);
    slot.write(values);
}

/// For the two types alone, so that numbers without a suffix are taken for the right one.
macro_rules! values {
    ($($element:ty),*) => {$(
        values!($element: Vec<$element>);
        values!($element: [$element; N], const N: usize);
        values!($element: &[$element]);
    )*};
    ($element:ty: $values:ty $(, $($parameter:tt)*)?) => {
        impl$(<$($parameter)*>)? Values for $values {
            #[track_caller]
            fn fill(&self, name: &str, slot: &Tensor, labels: &LabelSlots) {
                fill::<$element>(name, slot, self, labels);
            }
        }
    };
}
values!(f32, u32);

impl Values for Tensor {
    #[track_caller]
    fn fill(&self, name: &str, slot: &Tensor, _: &LabelSlots) {
        assert!(
            self.shape() == slot.shape() && self.dtype() == slot.dtype() && self.device() == slot.device(),
            "step: the input \"{name}\" is {} of shape {} on {}, the tensor {self:?}",
            slot.dtype(),
            slot.shape(),
            slot.device().name()
        );
        gpu_core::ops::copy_into(self, slot);
    }
}
