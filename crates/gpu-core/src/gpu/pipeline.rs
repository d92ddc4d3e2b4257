//! From WGSL to a pipeline: header, prelude and source parsed once, the slots that an entry binds read from naga.

use super::Gpu;
use crate::audited;
use crate::error::{Error, Result};
use crate::kernel::{Constants, source};
use crate::recording::{PARAMS_BYTES, Pipeline};
use std::sync::Arc;

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
    pub(super) fn compile(&self, entry: &'static str, wgsl: &'static str, constants: &Constants) -> Result<Pipeline> {
        let module = self.module(entry, wgsl, constants)?;
        let Some(&EntryPoint { ref slots, params_bytes, .. }) = module.entries.iter().find(|e| e.name == entry) else {
            let message = "there is no such entry point in its source".to_owned();
            return Err(Error::Kernel { entry: entry.to_owned(), message });
        };
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let layout = storage_layout(&self.device, slots);
        let immediate_size = if self.immediates && params_bytes > 0 { PARAMS_BYTES as u32 } else { 0 };
        let mut groups = vec![Some(&layout)];
        if !self.immediates && params_bytes > 0 {
            groups.push(Some(&self.params_layout));
        }
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(entry),
            bind_group_layouts: &groups,
            immediate_size,
        });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry),
            layout: Some(&pipeline_layout),
            module: &module.module,
            entry_point: Some(entry),
            // Every kernel writes what it reads of workgroup memory.
            compilation_options: wgpu::PipelineCompilationOptions { constants: &[], zero_initialize_workgroup_memory: false },
            cache: None,
        });
        match pollster::block_on(scope.pop()) {
            Some(e) => Err(Error::Kernel { entry: entry.to_owned(), message: e.to_string() }),
            None => Ok(Pipeline { pipeline, layout, slots: slots.clone(), params_bytes }),
        }
    }

    fn module(&self, entry: &str, wgsl: &'static str, constants: &Constants) -> Result<Arc<Module>> {
        let key = (wgsl.as_ptr() as usize, constants.clone());
        if let Some(module) = self.modules.lock().get(&key) {
            return Ok(module.clone());
        }
        let text = source(wgsl, constants, self.immediates);
        let fail = |message: String| Error::Kernel { entry: entry.to_owned(), message };
        let parsed = naga::front::wgsl::parse_str(&text).map_err(|e| fail(e.emit_to_string(&text)))?;
        let capabilities = naga::valid::Capabilities::all();
        let info = naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities)
            .validate(&parsed)
            .map_err(|e| fail(e.emit_to_string(&text)))?;
        let entries = reflect(&parsed, &info);
        let desc = wgpu::ShaderModuleDescriptor { label: None, source: wgpu::ShaderSource::Naga(std::borrow::Cow::Owned(parsed)) };
        let module = Arc::new(Module { module: audited::shader_module(&self.device, desc, self.checked), entries });
        self.modules.lock().insert(key, module.clone());
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
