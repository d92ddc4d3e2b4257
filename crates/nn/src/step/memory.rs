//! The memory of a device with a step on it.

use gpu_core::Device;

/// The memory of a device with a step on it, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPlan {
    /// What the recording owns: activations, gradients, workspaces.
    pub step_bytes: u64,
    /// What was in use besides: parameters, moments, the batch, data.
    pub in_use_bytes: u64,
    /// Both together.
    pub peak_bytes: u64,
    /// The device's budget; `u64::MAX` where there is none.
    pub limit_bytes: u64,
}

impl MemoryPlan {
    pub(super) fn new(device: &Device, in_use_bytes: u64, step_bytes: u64) -> Self {
        let peak_bytes = in_use_bytes.saturating_add(step_bytes);
        Self { step_bytes, in_use_bytes, peak_bytes, limit_bytes: device.memory().limit }
    }
}

/// Bytes that cannot be freed: of tensors, and of the captures that there are.
pub(super) fn in_use(device: &Device) -> u64 {
    device.trim();
    let stats = device.memory();
    stats.live + stats.pooled
}

/// What can still be had.
pub(super) fn available(device: &Device) -> u64 {
    device.trim();
    device.available_bytes()
}
