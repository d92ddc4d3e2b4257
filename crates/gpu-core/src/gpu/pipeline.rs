//! From WGSL to a pipeline: header, prelude and source parsed once, the slots that an entry binds read from naga.
//!
//! A launch wants to know what its kernel binds, and that is known once the source is parsed. The pipeline itself is first wanted
//! when the list is sent: until then drivers compile on all cores, beside the capture that goes on.

use super::{Gpu, REWRITE_SLOT, place_of};
use crate::error::{Error, Result};
use crate::kernel::{Constants, source};
use crate::recording::PARAMS_BYTES;
use crate::unchecked;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// An entry point with its constants: the slots that it binds, and the pipeline once it is compiled.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Binding numbers in order, with whether the kernel writes there.
    pub slots: Vec<(u32, bool)>,
    /// Bytes of the parameters that it reads; 0 for none.
    pub params_bytes: usize,
    pub layout: wgpu::BindGroupLayout,
    recipe: Recipe,
    compiled: OnceLock<Result<wgpu::ComputePipeline>>,
}

/// What the driver is given.
#[derive(Debug)]
struct Recipe {
    entry: &'static str,
    device: wgpu::Device,
    module: Arc<Module>,
    layout: wgpu::PipelineLayout,
    trusted: bool,
}

impl Pipeline {
    /// The pipeline, compiled here if no other thread has begun. Whoever waits never waits for a job that has not begun, so that
    /// any thread may, those of the pool that runs the jobs too.
    pub fn compiled(&self) -> Result<&wgpu::ComputePipeline> {
        self.compiled.get_or_init(|| self.recipe.compile()).as_ref().map_err(Error::clone)
    }

    /// Has another thread compile it, unless nobody wants it any more by then.
    pub(super) fn begin(self: &Arc<Self>) {
        let wanted = Arc::downgrade(self);
        rayon::spawn(move || {
            let Some(pipeline) = wanted.upgrade() else { return };
            // A panic in a job would end the process; here it leaves the work to whoever needs the pipeline, and panics there.
            let _ = catch_unwind(AssertUnwindSafe(|| pipeline.compiled().map(drop)));
        });
    }
}

impl Recipe {
    fn compile(&self) -> Result<wgpu::ComputePipeline> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(self.entry),
            layout: Some(&self.layout),
            module: &self.module.module,
            entry_point: Some(self.entry),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[],
                // A trusted kernel writes what it reads of workgroup memory.
                zero_initialize_workgroup_memory: !self.trusted,
            },
            cache: None,
        });
        rejected(self.entry, scope).map_or(Ok(pipeline), Err)
    }
}

/// What a scope caught while an entry point was prepared.
fn rejected(entry: &str, scope: wgpu::ErrorScopeGuard) -> Option<Error> {
    pollster::block_on(scope.pop()).map(|e| Error::Kernel { entry: entry.to_owned(), message: e.to_string() })
}

/// A parsed source with its constants; its entry points share it.
#[derive(Debug)]
pub(super) struct Module {
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

impl Gpu {
    /// What a launch must know of a kernel, which is parsed; nothing is compiled yet.
    pub(super) fn prepare(
        &self,
        entry: &'static str,
        wgsl: &'static str,
        constants: &Constants,
        trusted: bool,
    ) -> Result<Pipeline> {
        let module = self.module(entry, wgsl, constants, trusted)?;
        let Some(&EntryPoint { ref slots, params_bytes, .. }) = module.entries.iter().find(|e| e.name == entry) else {
            let message = "there is no such entry point in its source".to_owned();
            return Err(Error::Kernel { entry: entry.to_owned(), message });
        };
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let mut bound = slots.clone();
        bound.extend(self.rewritten.as_ref().map(|_| (REWRITE_SLOT, true)));
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
        let recipe = Recipe { entry, device: self.device.clone(), module, layout: whole, trusted };
        Ok(Pipeline { slots, params_bytes, layout, recipe, compiled: OnceLock::new() })
    }

    fn module(&self, entry: &str, wgsl: &'static str, constants: &Constants, trusted: bool) -> Result<Arc<Module>> {
        let key = (place_of(wgsl), constants.clone(), trusted);
        // Held while it is parsed: a second thread with the same source waits rather than parse it too.
        let mut modules = self.modules.lock();
        if let Some(module) = modules.get(&key) {
            return Ok(module.clone());
        }
        let text = source(wgsl, constants, self.immediates);
        let fail = |message: String| Error::Kernel { entry: entry.to_owned(), message };
        let mut parsed = naga::front::wgsl::parse_str(&text).map_err(|e| fail(e.emit_to_string(&text)))?;
        let capabilities = naga::valid::Capabilities::all();
        let info = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities)
            .validate(&parsed)
            .map_err(|e| fail(e.emit_to_string(&text)))?;
        let entries = reflect(&parsed, &info);
        if let Some(rewritten) = &self.rewritten {
            (rewritten.rewrite)(&mut parsed, &info);
        }
        // Whoever rewrites kernels promises nothing.
        let checked = self.checked || !trusted || self.rewritten.is_some();
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

/// The layout of the uniform arena's one slot.
pub(super) fn params_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
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
    use crate::{Device, testing};
    use std::sync::{Arc, Barrier};

    #[test]
    fn threads_that_launch_the_same_new_kernel_share_one_pipeline() {
        const WGSL: &str = "
            @group(0) @binding(0) var<storage, read_write> y: array<f32>;
            @compute @workgroup_size(1) fn fresh() { y[0] = f32(N); }";
        let Some(Device::Gpu(gpu)) = testing::gpu() else { return };
        let at_once = Barrier::new(8);
        let of = &|n: u32| {
            at_once.wait();
            gpu.pipeline("fresh", WGSL, &vec![("N", n)], false).unwrap()
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
