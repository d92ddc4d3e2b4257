//! A kernel as a driver compiles it.
//!
//! A launch wants to know what its kernel binds, and that is known once the source is parsed. The pipeline itself is first wanted
//! when the list is sent: until then drivers compile on all cores, beside the capture that goes on.

use crate::base::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// Bytes that a kernel's `Params` may take: what adapters with immediates offer at least.
pub(crate) const PARAMS_BYTES: usize = 128;

/// An entry point with its constants: the slots that it binds, and the pipeline once it is compiled.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Binding numbers in order, with whether the kernel writes there.
    pub slots: Vec<(u32, bool)>,
    /// Bytes of the parameters that it reads; 0 for none.
    pub params_bytes: usize,
    pub layout: wgpu::BindGroupLayout,
    pub(super) recipe: Recipe,
    pub(super) compiled: OnceLock<Result<wgpu::ComputePipeline>>,
}

/// What the driver is given.
#[derive(Debug)]
pub(super) struct Recipe {
    pub entry: &'static str,
    pub device: wgpu::Device,
    pub module: wgpu::ShaderModule,
    pub layout: wgpu::PipelineLayout,
    pub trusted: bool,
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
            module: &self.module,
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
pub(super) fn rejected(entry: &str, scope: wgpu::ErrorScopeGuard) -> Option<Error> {
    pollster::block_on(scope.pop()).map(|e| Error::Kernel { entry: entry.to_owned(), message: e.to_string() })
}
