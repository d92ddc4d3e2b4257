//! Kernels that are compiled without bounds checks, and what wgpu calls experimental; and why that is sound.
#![allow(unsafe_code)]

/// A shader module, with naga's bounds checks and loop counters or without: they cost time.
///
/// Debug builds keep the checks for every kernel; `WGRAD_CHECKED=1` keeps and `WGRAD_CHECKED=0` drops them in any build, but never
/// those of [`Kernel::new`](crate::Kernel::new).
pub(super) fn shader_module(device: &wgpu::Device, desc: wgpu::ShaderModuleDescriptor<'_>, checked: bool) -> wgpu::ShaderModule {
    if checked {
        return device.create_shader_module(desc);
    }
    // SAFETY: only kernels of `Kernel::new_unchecked` are compiled so, whose makers promise what the checks would hold.
    unsafe { device.create_shader_module_trusted(desc, wgpu::ShaderRuntimeChecks::unchecked()) }
}

/// Leave to ask for these features, where one of them is experimental.
pub(super) fn experimental(features: wgpu::Features) -> wgpu::ExperimentalFeatures {
    if features.intersects(wgpu::Features::all_experimental_mask()) {
        // SAFETY: what is asked for are matrix units alone. Only kernels of this library get the line that allows their use, which has to
        // stand before the prelude, and operators launch them after a check of all shapes.
        return unsafe { wgpu::ExperimentalFeatures::enabled() };
    }
    wgpu::ExperimentalFeatures::disabled()
}
