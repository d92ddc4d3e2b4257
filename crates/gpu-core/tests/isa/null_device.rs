//! GPUs that are not there: a driver compiles for a card that a shim of Mesa's pretends to see, and tells the machine code and what
//! it needs.
//!
//! wgpu cannot run anything there, so this is the little of Vulkan that a compilation takes, with the options and features that wgpu
//! asks for when runtime checks are off. The driver lives in a child process, which brings its own C library: `scripts/test` unpacks a
//! newer Mesa beside the system's.
#![allow(unsafe_code)]

use ash::khr::{cooperative_matrix, pipeline_executable_properties as executables};
use ash::vk;
use proof::Launch;
use proof::texts::{Spirv, spirv};
use std::ffi::{CStr, CString};
use std::io::{BufRead, Write, stdin};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, thread};

/// Stands before each kernel in what the child prints.
const MARK: &str = "### kernel ";
const IMMEDIATES: u32 = 128;

/// A card, as a shim is told to be it.
#[derive(Debug, Clone, Copy)]
pub struct Card {
    /// The driver's file among those of the loader.
    icd: &'static str,
    shim: &'static str,
    variables: &'static [(&'static str, &'static str)],
}

/// AMD's, by the name that Mesa's shim has for it.
macro_rules! amd {
    ($name:literal) => {
        Card { icd: "radeon_icd.json", shim: "libamdgpu_noop_drm_shim.so", variables: &[("AMDGPU_GPU_ID", $name)] }
    };
}

/// NVIDIA's, by the number of the chip.
macro_rules! nvidia {
    ($chip:literal) => {
        Card {
            icd: "nouveau_icd.json",
            shim: "libnouveau_noop_drm_shim.so",
            variables: &[("NOUVEAU_CHIPSET", $chip), ("NVK_I_WANT_A_BROKEN_VULKAN_DRIVER", "1")],
        }
    };
}

/// The cards of 2020 to 2022, of 2022 to 2024, and of 2025.
pub const NAVI21: Card = amd!("navi21");
pub const NAVI31: Card = amd!("navi31");
pub const GFX1201: Card = amd!("gfx1201");
/// The cards of 2018 to 2020, and of 2022 to 2024.
pub const TURING: Card = nvidia!("162");
pub const ADA: Card = nvidia!("192");

/// The Mesa that `WGRAD_MESA` names, or the one that `scripts/test` unpacks under the target folder.
fn mesa() -> Option<PathBuf> {
    let test = env::current_exe().unwrap();
    let mesa = env::var_os("WGRAD_MESA").map_or_else(|| test.ancestors().nth(3).unwrap().join("mesa"), PathBuf::from);
    if mesa.join("usr/lib/x86_64-linux-gnu").join(NAVI21.shim).is_file() {
        return Some(mesa);
    }
    eprintln!("skipped: {} is no Mesa with its shims; see WGRAD_MESA", mesa.display());
    None
}

/// What the driver of a card says of each kernel, in their order: the kernel's name, statistics and the machine code, or why it is
/// refused. Nothing where that Mesa is not there.
pub fn listings(card: Card, kernels: &[Launch]) -> Option<Vec<String>> {
    let mesa = mesa()?;
    let libraries = mesa.join("usr/lib/x86_64-linux-gnu");
    let icd = mesa.join("usr/share/vulkan/icd.d").join(card.icd);
    let mut command = Command::new(libraries.join("ld-linux-x86-64.so.2"));
    command.arg("--library-path").arg(&libraries).arg("--preload").arg(libraries.join(card.shim));
    command.arg(env::current_exe().unwrap()).args(["--exact", "null_device::compilation", "--ignored", "--nocapture"]);
    command.envs([("VK_ICD_FILENAMES", &icd), ("VK_DRIVER_FILES", &icd)]).envs(card.variables.iter().copied());
    command.env("MESA_SHADER_CACHE_DISABLE", "true");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // A child that ends early reads no further, and its exit status says so.
        scope.spawn(move || kernels.iter().try_for_each(|kernel| write(&mut input, kernel.kernel.name(), &spirv(kernel, false))));
        child.wait_with_output().unwrap()
    });
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{printed}", String::from_utf8_lossy(&output.stderr));
    let listings: Vec<String> = printed.split(MARK).skip(1).map(str::to_owned).collect();
    assert_eq!(listings.len(), kernels.len());
    Some(listings)
}

/// A line: the name, the slots, and the words.
fn write(to: &mut impl Write, name: &str, Spirv { words, slots }: &Spirv) -> std::io::Result<()> {
    writeln!(to, "{name}\t{slots:?}\t{words:?}")
}

fn read(line: &str) -> (&str, Spirv) {
    let [name, slots, words] = <[&str; 3]>::try_from(line.split('\t').collect::<Vec<_>>()).unwrap();
    let numbers = |list: &str| list.trim_matches(['[', ']']).split(", ").filter_map(|number| number.parse().ok()).collect();
    (name, Spirv { words: numbers(words), slots: numbers(slots) })
}

#[test]
#[ignore = "a child of `listings`"]
fn compilation() {
    // SAFETY: every call gets structures built here, whose pointers outlive it, and handles of the instance and the device made
    // here. Nothing is destroyed: the process ends.
    unsafe {
        let vulkan = ash::Entry::load().expect("the loader is unpacked with the driver");
        let app = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let instance = vulkan.create_instance(&vk::InstanceCreateInfo::default().application_info(&app), None).unwrap();
        let physical = instance.enumerate_physical_devices().unwrap()[0];
        let device = open(&instance, physical);
        let told = executables::Device::new(&instance, &device);
        for line in stdin().lock().lines().map(Result::unwrap) {
            let (name, spirv) = read(&line);
            println!("{MARK}{name}");
            match pipeline(&device, name, &spirv) {
                Ok(pipeline) => show(&told, pipeline),
                Err(e) => println!("refused: {e}"),
            }
        }
    }
}

/// # Safety
/// `physical` belongs to `instance`.
unsafe fn open(instance: &ash::Instance, physical: vk::PhysicalDevice) -> ash::Device {
    let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
    let features = vk::PhysicalDeviceFeatures::default().robust_buffer_access(true);
    let mut robust = vk::PhysicalDeviceRobustness2FeaturesEXT::default().robust_buffer_access2(true);
    let mut subgroups = vk::PhysicalDeviceSubgroupSizeControlFeatures::default().subgroup_size_control(true);
    let mut told = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default().pipeline_executable_info(true);
    let mut extensions = vec![ash::ext::robustness2::NAME.as_ptr(), executables::NAME.as_ptr()];
    // What kernels for matrix units want, where the card has some.
    let mut units = vk::PhysicalDeviceCooperativeMatrixFeaturesKHR::default().cooperative_matrix(true);
    let mut memory = vk::PhysicalDeviceVulkanMemoryModelFeatures::default().vulkan_memory_model(true);
    let mut halves = vk::PhysicalDeviceShaderFloat16Int8Features::default().shader_float16(true);
    let mut stored = vk::PhysicalDevice16BitStorageFeatures::default().storage_buffer16_bit_access(true);
    // SAFETY: by this function's contract.
    let known = unsafe { instance.enumerate_device_extension_properties(physical) }.unwrap();
    let has_units = known.iter().any(|known| known.extension_name_as_c_str() == Ok(cooperative_matrix::NAME));
    let wanted = vk::DeviceCreateInfo::default().queue_create_infos(&queues).enabled_features(&features);
    let mut wanted = wanted.push_next(&mut robust).push_next(&mut subgroups).push_next(&mut told);
    if has_units {
        extensions.push(cooperative_matrix::NAME.as_ptr());
        wanted = wanted.push_next(&mut units).push_next(&mut memory).push_next(&mut halves).push_next(&mut stored);
    }
    let wanted = wanted.enabled_extension_names(&extensions);
    // SAFETY: by this function's contract; all that `wanted` points to lives here.
    unsafe { instance.create_device(physical, &wanted, None) }.unwrap()
}

/// # Safety
/// The words are valid SPIR-V with the entry point `entry`, which binds no more than the slots.
unsafe fn pipeline(device: &ash::Device, entry: &str, spirv: &Spirv) -> Result<vk::Pipeline, vk::Result> {
    let binding = |&slot: &u32| {
        let buffer = vk::DescriptorSetLayoutBinding::default().descriptor_type(vk::DescriptorType::STORAGE_BUFFER);
        buffer.binding(slot).descriptor_count(1).stage_flags(vk::ShaderStageFlags::COMPUTE)
    };
    let bindings: Vec<_> = spirv.slots.iter().map(binding).collect();
    let immediates = [vk::PushConstantRange::default().stage_flags(vk::ShaderStageFlags::COMPUTE).size(IMMEDIATES)];
    let name = CString::new(entry).unwrap();
    let told = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
    // SAFETY: by this function's contract; the device made all handles, and all that the structures point to lives here.
    unsafe {
        let module = device.create_shader_module(&vk::ShaderModuleCreateInfo::default().code(&spirv.words), None)?;
        let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        let sets = [device.create_descriptor_set_layout(&set, None).unwrap()];
        let layout = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets).push_constant_ranges(&immediates);
        let layout = device.create_pipeline_layout(&layout, None).unwrap();
        let stage = vk::PipelineShaderStageCreateInfo::default().stage(vk::ShaderStageFlags::COMPUTE).module(module).name(&name);
        let stage = stage.flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE);
        let wanted = [vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout).flags(told)];
        let pipelines = device.create_compute_pipelines(vk::PipelineCache::null(), &wanted, None);
        pipelines.map(|pipelines| pipelines[0]).map_err(|(_, error)| error)
    }
}

/// Prints the statistics of a pipeline, a line each, and what it was last compiled to.
///
/// # Safety
/// `pipeline` belongs to the device, and was made to be told of.
unsafe fn show(device: &executables::Device, pipeline: vk::Pipeline) {
    let of = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline);
    // SAFETY: by this function's contract. The second call writes `size` bytes, as many as the first said, to memory that lives here;
    // a name ends in a zero, and a statistic is of the type that stands beside it.
    unsafe {
        for statistic in device.get_pipeline_executable_statistics(&of).unwrap() {
            let name = CStr::from_ptr(statistic.name.as_ptr()).to_string_lossy();
            match statistic.format {
                vk::PipelineExecutableStatisticFormatKHR::FLOAT64 => println!("{name}: {}", statistic.value.f64),
                _ => println!("{name}: {}", statistic.value.u64),
            }
        }
        let mut forms = device.get_pipeline_executable_internal_representations(&of).unwrap();
        let mut texts: Vec<Vec<u8>> = forms.iter().map(|form| vec![0; form.data_size]).collect();
        for (form, text) in forms.iter_mut().zip(&mut texts) {
            form.p_data = text.as_mut_ptr().cast();
        }
        let (ask, count) = (device.fp().get_pipeline_executable_internal_representations_khr, &mut (forms.len() as u32));
        ask(device.device(), &of, count, forms.as_mut_ptr()).result().unwrap();
        if let Some(code) = texts.last() {
            println!("machine code:\n{}", String::from_utf8_lossy(code));
        }
    }
}
