//! Kernels in the languages of shader compilers, as wgpu hands them over: for checkers that need no GPU.

use crate::Launch;
use naga::back::{hlsl, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::ModuleInfo;
use naga::{AddressSpace, Module, ShaderStage};

pub use naga::back::hlsl::ShaderModel;

/// A kernel for Vulkan.
#[derive(Debug, Clone)]
pub struct Spirv {
    /// SPIR-V 1.6.
    pub words: Vec<u32>,
    /// The bindings of its storage buffers, all in set 0; its parameters are push constants.
    pub slots: Vec<u32>,
}

/// A kernel for Direct3D.
#[derive(Debug, Clone)]
pub struct Hlsl {
    /// The text; each variable has some register of its own.
    pub text: String,
    /// The entry point: its name in WGSL may be a word of HLSL.
    pub entry: String,
}

/// What naga makes of a kernel, in release builds without `checks`.
///
/// ```
/// # use gpu_core::{Device, Tensor, ops};
/// let (device, launches) = proof::counted(&Device::Cpu);
/// ops::relu(&Tensor::zeros(&device, [4]));
/// let relu = &launches.take()[0];
/// let spirv = proof::texts::spirv(relu, false);
/// assert!(spirv.words[0] == 0x0723_0203 && spirv.slots.len() == 2); // what every SPIR-V begins with; input and output
/// let hlsl = proof::texts::hlsl(relu, proof::texts::ShaderModel::V5_1, false);
/// assert!(hlsl.text.contains(&format!("void {}(", hlsl.entry)));
/// ```
///
/// # Panics
/// If naga refuses the kernel.
pub fn spirv(launch: &Launch, checks: bool) -> Spirv {
    let (module, info, at) = parse(launch);
    let uses = info.get_entry_point(at);
    let bound = module
        .global_variables
        .iter()
        .filter(|(handle, global)| matches!(global.space, AddressSpace::Storage { .. }) && !uses[*handle].is_empty());
    let slots = bound.filter_map(|(_, global)| global.binding.as_ref()).map(|b| b.binding).collect();
    let policy = if checks { BoundsCheckPolicy::Restrict } else { BoundsCheckPolicy::Unchecked };
    let options = spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::empty(),
        bounds_check_policies: BoundsCheckPolicies { index: policy, buffer: policy, image_load: policy, binding_array: policy },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: checks,
        emit_int_div_checks: checks,
        ..Default::default()
    };
    let entry = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: launch.kernel.name().to_owned() };
    let words = spv::write_vec(&module, &info, &options, Some(&entry));
    Spirv { words: words.unwrap_or_else(|e| panic!("{}: {e}", launch.kernel.name())), slots }
}

/// The same for Direct3D: FXC takes model 5.1, DXC all from 6.0 on. See [`spirv`].
///
/// # Panics
/// If naga refuses the kernel, as it does one with subgroups below model 6.0.
pub fn hlsl(launch: &Launch, model: ShaderModel, checks: bool) -> Hlsl {
    let (module, info, _) = parse(launch);
    let name = launch.kernel.name();
    let options = hlsl::Options {
        shader_model: model,
        immediates_target: Some(hlsl::BindTarget { space: 7, ..Default::default() }),
        zero_initialize_workgroup_memory: false,
        restrict_indexing: checks,
        force_loop_bounding: checks,
        ..Default::default()
    };
    let entry = hlsl::PipelineOptions { entry_point: Some((ShaderStage::Compute, name.to_owned())) };
    let mut text = String::new();
    let written = hlsl::Writer::new(&mut text, &options, &entry).write(&module, &info, None);
    let mut entries = written.unwrap_or_else(|e| panic!("{name}: {e}")).entry_point_names;
    let entry = entries.pop().expect("there is one").unwrap_or_else(|e| panic!("{name}: {e}"));
    Hlsl { text, entry }
}

/// The kernel's module, what is known of it, and which of its entry points is the kernel.
fn parse(launch: &Launch) -> (Module, ModuleInfo, usize) {
    let name = launch.kernel.name();
    let (module, info) = launch.kernel.module(&launch.constants).unwrap_or_else(|e| panic!("{e}"));
    let at = module.entry_points.iter().position(|e| e.name == name);
    (module, info, at.unwrap_or_else(|| panic!("{name}: there is no such entry point")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpu_core::{Args, Kernel};

    fn nothing(_: &mut Args<'_>) {}

    /// The library's own pooling, and every program that follows its names, would not compile.
    #[test]
    fn no_variable_has_the_name_of_a_namespace_of_dxc() {
        const WGSL: &str = "
            @group(0) @binding(0) var<storage, read_write> dx: array<f32>;
            @compute @workgroup_size(64) fn planted(@builtin(global_invocation_id) id: vec3<u32>) { dx[id.x] = 1.0; }";
        static PLANTED: Kernel = Kernel::new(WGSL, "planted", nothing);
        let form = Launch { kernel: PLANTED.info(), constants: vec![], params_bytes: 0, count: 1, bytes: 0 };
        let declares = |text: &str| text.contains("RWByteAddressBuffer dx ");
        assert!(!declares(&hlsl(&form, ShaderModel::V6_0, false).text));

        let (mut module, info, _) = parse(&form);
        let stored = module.global_variables.iter_mut().find(|(_, variable)| variable.name.as_deref() == Some("d_x"));
        stored.unwrap().1.name = Some("dx".to_owned());
        let mut text = String::new();
        hlsl::Writer::new(&mut text, &hlsl::Options::default(), &Default::default()).write(&module, &info, None).unwrap();
        assert!(declares(&text), "naga renames it itself: {text}");
    }
}
