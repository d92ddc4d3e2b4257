//! The parameters of a recorded step, which stay where and as they were.

use crate::autograd::Param;
use gpu_core::Tensor;

/// A parameter as it was when the step was recorded.
pub(super) struct Used {
    param: Param,
    value: Tensor,
    /// Whether it was frozen; none where that makes no difference.
    frozen: Option<bool>,
}

impl Used {
    /// Of a step that depends on whether it is frozen, or not.
    pub fn new(param: Param, learns: bool) -> Self {
        Self { value: param.value(), frozen: learns.then(|| param.is_frozen()), param }
    }

    #[track_caller]
    pub fn expect_unchanged(&self) {
        let shape = self.value.shape();
        let here = self.param.value().shares_storage(&self.value);
        assert!(
            here,
            "step: a parameter of shape {shape} was moved by an optimizer made after the recording; record the step again"
        );
        let same = self.frozen.is_none_or(|frozen| frozen == self.param.is_frozen());
        assert!(same, "step: a parameter of shape {shape} was frozen or unfrozen after the recording; record the step again");
    }
}
