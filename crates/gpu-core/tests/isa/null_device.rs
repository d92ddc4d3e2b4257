//! A GPU that is not there: RADV compiles for any AMD family on request, and prints the machine code and what it needs.
//!
//! wgpu cannot open such a device (it is given no semaphores), so this is the little of Vulkan that a compilation takes, with the
//! options and features that wgpu asks for when runtime checks are off.
#![allow(unsafe_code)]

use ash::vk;
use naga::AddressSpace;
use naga::back::spv;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use proof::Launch;
use std::ffi::CString;
use std::path::PathBuf;
use std::process::Command;

/// The generation of the cards of 2020 to 2022.
const FAMILY: &str = "navi21";
/// Stands before each kernel in what the child prints.
const MARK: &str = "### kernel ";
const IMMEDIATES: u32 = 128;

/// Where the loader finds RADV, if it is installed.
fn icd() -> Option<PathBuf> {
    let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten().map(|file| file.path());
    files.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("radeon_icd"))).min()
}

/// What RADV prints for each kernel that the ignored test `child` compiles, in its order; nothing where RADV is not installed.
pub fn listings(child: &str) -> Option<Vec<String>> {
    let Some(icd) = icd() else {
        println!("skipped: RADV is not installed (mesa-vulkan-drivers)");
        return None;
    };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", child, "--ignored", "--nocapture"]);
    command.envs([("VK_ICD_FILENAMES", &icd), ("VK_DRIVER_FILES", &icd)]);
    command.envs([("RADV_FORCE_FAMILY", FAMILY), ("RADV_DEBUG", "shaders,shaderstats,nocache")]);
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{printed}", String::from_utf8_lossy(&output.stdout));
    Some(printed.split(MARK).skip(1).map(str::to_owned).collect())
}

/// What wgpu hands to Vulkan for a kernel, and the slots that it binds.
fn spirv(launch: &Launch) -> (Vec<u32>, Vec<u32>) {
    let source = launch.source();
    let module = naga::front::wgsl::parse_str(&source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(&source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module).unwrap();
    let at = module.entry_points.iter().position(|e| e.name == launch.kernel.name()).unwrap();
    let uses = info.get_entry_point(at);
    let bound = module
        .global_variables
        .iter()
        .filter(|(handle, global)| matches!(global.space, AddressSpace::Storage { .. }) && !uses[*handle].is_empty());
    let slots = bound.filter_map(|(_, global)| global.binding.as_ref()).map(|b| b.binding).collect();
    let options = spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::empty(),
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..Default::default()
    };
    let entry = spv::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point: launch.kernel.name().to_owned() };
    (spv::write_vec(&module, &info, &options, Some(&entry)).unwrap(), slots)
}

/// Compiles each kernel; the driver prints. For a child of [`listings`].
pub fn compile(launches: &[Launch]) {
    // SAFETY: every call gets structures built here, whose pointers outlive it, and handles of the instance and the device made
    // here. Nothing is destroyed: the process ends.
    unsafe {
        let vulkan = ash::Entry::load().expect("libvulkan is installed with the driver");
        let app = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let instance = vulkan.create_instance(&vk::InstanceCreateInfo::default().application_info(&app), None).unwrap();
        let physical = instance.enumerate_physical_devices().unwrap()[0];
        let device = open(&instance, physical);
        for launch in launches {
            let (code, slots) = spirv(launch);
            eprintln!("{MARK}{}", launch.kernel.name());
            pipeline(&device, launch.kernel.name(), &code, &slots);
        }
        eprintln!();
    }
}

/// # Safety
/// `physical` belongs to `instance`.
unsafe fn open(instance: &ash::Instance, physical: vk::PhysicalDevice) -> ash::Device {
    let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
    let features = vk::PhysicalDeviceFeatures::default().robust_buffer_access(true);
    let mut robust = vk::PhysicalDeviceRobustness2FeaturesEXT::default().robust_buffer_access2(true);
    let mut subgroups = vk::PhysicalDeviceSubgroupSizeControlFeatures::default().subgroup_size_control(true);
    let extensions = [ash::ext::robustness2::NAME.as_ptr()];
    let wanted = vk::DeviceCreateInfo::default().queue_create_infos(&queues).enabled_features(&features);
    let wanted = wanted.enabled_extension_names(&extensions).push_next(&mut robust).push_next(&mut subgroups);
    // SAFETY: by this function's contract; all that `wanted` points to lives here.
    unsafe { instance.create_device(physical, &wanted, None) }.unwrap()
}

/// # Safety
/// `code` is valid SPIR-V with the entry point `entry`, which binds no more than `slots`.
unsafe fn pipeline(device: &ash::Device, entry: &str, code: &[u32], slots: &[u32]) {
    let binding = |&slot: &u32| {
        let buffer = vk::DescriptorSetLayoutBinding::default().descriptor_type(vk::DescriptorType::STORAGE_BUFFER);
        buffer.binding(slot).descriptor_count(1).stage_flags(vk::ShaderStageFlags::COMPUTE)
    };
    let bindings: Vec<_> = slots.iter().map(binding).collect();
    let immediates = [vk::PushConstantRange::default().stage_flags(vk::ShaderStageFlags::COMPUTE).size(IMMEDIATES)];
    let name = CString::new(entry).unwrap();
    // SAFETY: by this function's contract; the device made all handles, and all that the structures point to lives here.
    unsafe {
        let module = device.create_shader_module(&vk::ShaderModuleCreateInfo::default().code(code), None).unwrap();
        let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        let sets = [device.create_descriptor_set_layout(&set, None).unwrap()];
        let layout = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets).push_constant_ranges(&immediates);
        let layout = device.create_pipeline_layout(&layout, None).unwrap();
        let stage = vk::PipelineShaderStageCreateInfo::default().stage(vk::ShaderStageFlags::COMPUTE).module(module).name(&name);
        let stage = stage.flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE);
        let wanted = [vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout)];
        device.create_compute_pipelines(vk::PipelineCache::null(), &wanted, None).unwrap();
    }
}
