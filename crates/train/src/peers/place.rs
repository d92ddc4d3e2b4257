//! Where a peer computes, in words that are equal where the bits are.

use gpu_core::Device;

/// The adapter and its driver, or the processor's instructions that the mirrors make use of.
pub fn place_of(device: &Device) -> String {
    match device {
        Device::Gpu(gpu) => format!("{} ({})", gpu.info().name, gpu.info().driver),
        cpu => format!("{} ({})", cpu.name(), instructions()),
    }
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> &'static str {
    match (is_x86_feature_detected!("avx512f"), is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        (true, _) => "x86-64 with AVX-512",
        (false, true) => "x86-64 with AVX2",
        _ => "x86-64",
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> &'static str {
    std::env::consts::ARCH
}
