//! From WGSL to pipelines: header, prelude and source parsed once, the slots that an entry binds read from naga.

use super::pipeline::{PARAMS_BYTES, Pipeline, Recipe, rejected};
use super::rewrite::{REWRITE_SLOT, Rewrite};
use super::unchecked;
use super::wgsl::{Constants, KernelInfo, parse, source};
use crate::base::{Error, Result};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Longer than any thread takes to let go of what it has compiled.
const LET_GO: Duration = Duration::from_secs(10);

/// What makes a pipeline another one: the entry, where its source lies and how long it is, the constants, whether it goes without
/// checks, and the edition of a rewritten text.
#[derive(Debug, PartialEq, Eq, Hash, Clone)]
struct PipelineKey {
    entry: &'static str,
    source: (usize, usize),
    constants: Vec<(&'static str, u32)>,
    trusted: bool,
    edition: u64,
}

/// The same without the entry, which a module has several of.
type ModuleKey = ((usize, usize), Constants, bool, u64);

/// Two texts may begin at one place.
fn place_of(text: &'static str) -> (usize, usize) {
    (text.as_ptr() as usize, text.len())
}

/// A parsed source with its constants; its entry points share it.
#[derive(Debug)]
struct Module {
    module: wgpu::ShaderModule,
    entries: Vec<EntryPoint>,
}

/// What an entry point binds.
#[derive(Debug)]
struct EntryPoint {
    name: String,
    /// Binding numbers in order, with whether the kernel writes there.
    slots: Vec<(u32, bool)>,
    params_bytes: usize,
}

/// The pipelines of a device, each made once.
#[derive(Debug)]
pub(super) struct Pipelines {
    device: wgpu::Device,
    /// Whether parameters are immediate data.
    pub immediates: bool,
    checked: bool,
    rewrite: Option<Arc<dyn Rewrite>>,
    /// The layout of the uniform arena's one slot.
    pub params_layout: wgpu::BindGroupLayout,
    pipelines: Mutex<HashMap<PipelineKey, Arc<Pipeline>>>,
    modules: Mutex<HashMap<ModuleKey, Arc<Module>>>,
}

impl Pipelines {
    pub fn new(device: wgpu::Device, immediates: bool, rewrite: Option<Arc<dyn Rewrite>>) -> Self {
        let checked = match std::env::var("WGRAD_CHECKED").as_deref() {
            Ok("0") => false,
            Ok("1") => true,
            _ => cfg!(debug_assertions),
        };
        let params_layout = params_layout(&device);
        Self { device, immediates, checked, rewrite, params_layout, pipelines: Mutex::default(), modules: Mutex::default() }
    }

    /// The pipeline of an entry, whose compilation has begun.
    pub fn get(&self, kernel: &KernelInfo, constants: &Constants, trusted: bool) -> Result<Arc<Pipeline>> {
        let &KernelInfo { entry, wgsl, .. } = kernel;
        let edition = self.edition(wgsl);
        let key = PipelineKey { entry, source: place_of(wgsl), constants: constants.to_vec(), trusted, edition };
        if let Some(pipeline) = self.pipelines.lock().get(&key) {
            return Ok(pipeline.clone());
        }
        let prepared = self.prepare(kernel, constants, trusted)?;
        // A second thread may have been as far; only what lies in the map is ever compiled.
        let pipeline = self.pipelines.lock().entry(key).or_insert(Arc::new(prepared)).clone();
        pipeline.begin();
        Ok(pipeline)
    }

    fn edition(&self, wgsl: &'static str) -> u64 {
        self.rewrite.as_ref().map_or(0, |rewrite| rewrite.edition(wgsl))
    }

    /// Waits for what is being compiled, until the threads that do it have let go: the last owner of a driver unloads it, and that must not
    /// be a thread beside one that ends the process. What nobody has begun with is taken away first, all of it, so that no thread
    /// begins with one while another is waited for.
    pub fn finish(&mut self) {
        let all = std::mem::take(self.pipelines.get_mut()).into_values();
        let begun: Vec<Arc<Pipeline>> = all.filter_map(|pipeline| Arc::try_unwrap(pipeline).err()).collect();
        for pipeline in begun {
            let _ = pipeline.compiled();
            let since = Instant::now();
            while Arc::strong_count(&pipeline) > 1 && since.elapsed() < LET_GO {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// What a launch must know of a kernel, which is parsed; nothing is compiled yet.
    fn prepare(&self, kernel: &KernelInfo, constants: &Constants, trusted: bool) -> Result<Pipeline> {
        let entry = kernel.entry;
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let module = self.module(kernel, constants, trusted)?;
        let Some(&EntryPoint { ref slots, params_bytes, .. }) = module.entries.iter().find(|e| e.name == entry) else {
            let message = "there is no such entry point in its source".to_owned();
            return Err(Error::Kernel { entry: entry.to_owned(), message });
        };
        let mut bound = slots.clone();
        bound.extend(self.rewrite.as_ref().map(|_| (REWRITE_SLOT, true)));
        let layout = storage_layout(&self.device, &bound);
        let immediate_size = if self.immediates && params_bytes > 0 { PARAMS_BYTES as u32 } else { 0 };
        let mut groups = vec![Some(&layout)];
        if !self.immediates && params_bytes > 0 {
            groups.push(Some(&self.params_layout));
        }
        let whole = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(entry),
            bind_group_layouts: &groups,
            immediate_size,
        });
        if let Some(error) = rejected(entry, scope) {
            return Err(error);
        }
        let slots = slots.clone();
        let recipe = Recipe { entry, device: self.device.clone(), module: module.module.clone(), layout: whole, trusted };
        Ok(Pipeline { slots, params_bytes, layout, recipe, compiled: OnceLock::new() })
    }

    fn module(&self, kernel: &KernelInfo, constants: &Constants, trusted: bool) -> Result<Arc<Module>> {
        let &KernelInfo { entry, wgsl, .. } = kernel;
        let key = (place_of(wgsl), constants.clone(), trusted, self.edition(wgsl));
        // Held while it is parsed: a second thread with the same source waits rather than parse it too.
        let mut modules = self.modules.lock();
        if let Some(module) = modules.get(&key) {
            return Ok(module.clone());
        }
        let text = source(kernel, constants, self.immediates);
        let text = self.rewrite.iter().fold(text, |text, rewrite| rewrite.text(wgsl, text));
        let fail = |message: String| Error::Kernel { entry: entry.to_owned(), message };
        let (mut parsed, info) = parse(&text).map_err(fail)?;
        let entries = reflect(&parsed, &info);
        if let Some(rewrite) = &self.rewrite {
            rewrite.module(&mut parsed, &info);
        }
        // Whoever rewrites kernels promises nothing.
        let checked = self.checked || !trusted || self.rewrite.is_some();
        let desc = wgpu::ShaderModuleDescriptor { label: None, source: wgpu::ShaderSource::Naga(std::borrow::Cow::Owned(parsed)) };
        let module = Arc::new(Module { module: unchecked::shader_module(&self.device, desc, checked), entries });
        modules.insert(key, module.clone());
        Ok(module)
    }
}

/// What each entry point binds.
fn reflect(module: &naga::Module, info: &naga::valid::ModuleInfo) -> Vec<EntryPoint> {
    let entry = |(i, point): (usize, &naga::EntryPoint)| {
        let uses = info.get_entry_point(i);
        let used = || module.global_variables.iter().filter(|(handle, _)| !uses[*handle].is_empty());
        let mut slots: Vec<(u32, bool)> = used()
            .filter_map(|(_, global)| match (global.space, &global.binding) {
                (naga::AddressSpace::Storage { access }, Some(b)) => Some((b.binding, access.contains(naga::StorageAccess::STORE))),
                _ => None,
            })
            .collect();
        slots.sort_unstable();
        let is_params = |space| matches!(space, naga::AddressSpace::Immediate | naga::AddressSpace::Uniform);
        let params = used().find(|(_, global)| is_params(global.space));
        let params_bytes = params.map_or(0, |(_, global)| module.types[global.ty].inner.size(module.to_ctx()) as usize);
        EntryPoint { name: point.name.clone(), slots, params_bytes }
    };
    module.entry_points.iter().enumerate().map(entry).collect()
}

fn storage_layout(device: &wgpu::Device, slots: &[(u32, bool)]) -> wgpu::BindGroupLayout {
    let entries: Vec<_> = slots
        .iter()
        .map(|&(binding, written)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: !written },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
}

fn params_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let entry = wgpu::BindGroupLayoutEntry {
        binding: 0,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty: wgpu::BufferBindingType::Uniform, has_dynamic_offset: true, min_binding_size: None },
        count: None,
    };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some("params"), entries: &[entry] })
}

#[cfg(test)]
mod tests {
    use crate::{Device, Kernel, testing};
    use std::sync::{Arc, Barrier};

    #[test]
    fn threads_that_launch_the_same_new_kernel_share_one_pipeline() {
        const WGSL: &str = "
            @group(0) @binding(0) var<storage, read_write> y: array<f32>;
            @compute @workgroup_size(1) fn fresh() { y[0] = f32(N); }";
        static FRESH: Kernel = Kernel::new(WGSL, "fresh", |_| {});
        let Some(Device::Gpu(gpu)) = testing::gpu() else { return };
        let at_once = Barrier::new(8);
        let of = &|n: u32| {
            at_once.wait();
            gpu.pipeline(&FRESH.info(), &vec![("N", n)], false).unwrap()
        };
        let found: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|i| scope.spawn(move || of(i % 2))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        for (i, pipeline) in found.iter().enumerate() {
            assert!(Arc::ptr_eq(pipeline, &found[i % 2]), "thread {i}");
            assert!(std::ptr::eq(pipeline.compiled().unwrap(), found[i % 2].compiled().unwrap()));
        }
        assert!(!Arc::ptr_eq(&found[0], &found[1]));
    }
}
