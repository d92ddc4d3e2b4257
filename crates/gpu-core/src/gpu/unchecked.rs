//! Kernels that are compiled without bounds checks, and why that is sound.
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
