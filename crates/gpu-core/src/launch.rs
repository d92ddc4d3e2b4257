//! The launch of a kernel: on a GPU, or its mirror on the CPU device.

use crate::array::Array;
use crate::capture;
use crate::device::Device;
use crate::dtype::DType;
use crate::gpu::{GpuDispatch, PARAMS_BYTES};
use crate::host::HostDispatch;
use crate::kernel::{Constants, Grid, Kernel, KernelInfo, MAX_TRIPS};
use crate::observer::Launched;
use crate::place::Place;
use crate::tensor::Tensor;
use bytemuck::Pod;

impl KernelInfo {
    /// Whether the device has the subgroups that the kernel wants. Its mirror wants none.
    pub fn runs_on(&self, device: &Device) -> bool {
        !device.is_gpu() || device.subgroup_lanes() >= self.lanes
    }
}

impl Kernel {
    /// The same kernel with constants in its header: a pipeline of its own, compiled at its first launch.
    pub fn with(&'static self, constants: &[(&'static str, u32)]) -> Specialised {
        Specialised { kernel: self, constants: constants.to_vec() }
    }

    /// Runs the kernel, or its mirror on the CPU device; `grid` is for the GPU.
    ///
    /// # Panics
    /// If tensors lie on different devices, if an input shares memory with an output, if `grid` promises more than
    /// [`MAX_TRIPS`] iterations, or, on a GPU, if `params` is not of the size of the WGSL `Params`.
    #[track_caller]
    pub fn launch<P: Pod>(&'static self, params: P, inputs: &[&Tensor], outputs: &[&Tensor], grid: Grid) {
        self.with(&[]).launch(params, inputs, outputs, grid);
    }
}

/// A [`Kernel`] with constants.
#[derive(Debug)]
pub struct Specialised {
    kernel: &'static Kernel,
    constants: Constants,
}

impl Specialised {
    /// See [`Kernel::launch`].
    #[track_caller]
    pub fn launch<P: Pod>(self, params: P, inputs: &[&Tensor], outputs: &[&Tensor], grid: Grid) {
        let name = self.kernel.info.entry;
        let device = outputs.first().unwrap_or_else(|| panic!("{name}: a kernel without an output does nothing")).device();
        for t in inputs.iter().chain(outputs) {
            assert!(t.device() == device, "{name}: tensors lie on {} and on {}", device.name(), t.device().name());
        }
        for input in inputs {
            let shared = outputs.iter().any(|o| o.shares_storage(input));
            assert!(!shared, "{name}: an input (shape {}) shares memory with an output", input.shape());
        }
        let params = bytemuck::bytes_of(&params);
        assert!(params.len() <= PARAMS_BYTES, "{name}: {} bytes of parameters are over {PARAMS_BYTES}", params.len());
        if outputs.iter().all(|o| o.shape().is_empty()) {
            return;
        }
        let inputs: Vec<&Array> = inputs.iter().map(|t| t.array()).collect();
        let outputs: Vec<&Array> = outputs.iter().map(|t| t.array()).collect();
        self.dispatch(&device.place(), params, &inputs, &outputs, grid);
        if let Some(observed) = device.observed() {
            let (kernel, constants) = (self.kernel.info, &self.constants);
            let (inputs, outputs) = (&inputs, &outputs);
            observed.launched(&Launched { kernel, constants, params_bytes: params.len(), inputs, outputs });
        }
    }

    #[track_caller]
    fn dispatch(&self, place: &Place, params: &[u8], inputs: &[&Array], outputs: &[&Array], grid: Grid) {
        let Kernel { info: KernelInfo { entry, wgsl, .. }, mirror, in_f64, trusted } = self.kernel;
        let uses = inputs.iter().chain(outputs).map(|array| &array.storage);
        match place {
            Place::Cpu => capture::push_host(
                HostDispatch {
                    entry,
                    mirror: match inputs.iter().chain(outputs).any(|array| array.dtype == DType::F64) {
                        true => in_f64.unwrap_or_else(|| panic!("{entry}: there is no mirror in f64")),
                        false => *mirror,
                    },
                    params: params.to_vec(),
                    constants: self.constants.clone(),
                    inputs: inputs.iter().map(|array| array.host_view()).collect(),
                    outputs: outputs.iter().map(|array| array.host_view()).collect(),
                },
                uses,
            ),
            Place::Gpu(gpu) => {
                assert!(grid.trips <= MAX_TRIPS, "{entry}: {} loop iterations are over {MAX_TRIPS}; split the work", grid.trips);
                let Some(pipeline) = gpu.pipeline(entry, wgsl, &self.constants, *trusted) else { return };
                let written = pipeline.slots.iter().filter(|(_, written)| *written).count();
                let slots = (pipeline.slots.len() - written, written);
                let given = (inputs.len(), outputs.len());
                assert!(slots == given, "{entry}: binds {slots:?} inputs and outputs, the launch gives {given:?}");
                let (wanted, passed) = (pipeline.params_bytes, params.len());
                assert!(wanted == 0 || wanted == passed, "{entry}: its Params are {wanted} bytes, the launch passes {passed}");
                let inputs_at: Vec<_> = inputs.iter().map(|array| array.gpu_view()).collect();
                let outputs_at: Vec<_> = outputs.iter().map(|array| array.gpu_view()).collect();
                let bind_group = gpu.bind(&pipeline, &inputs_at, &outputs_at);
                let dispatch = GpuDispatch { entry, pipeline, bind_group, params: params.to_vec(), groups: grid.groups };
                capture::push_gpu(gpu, dispatch, uses);
            }
        }
    }
}
