//! A WGSL entry point with its CPU mirror, and its launch: on a GPU, or the mirror on the CPU device.

pub use crate::gpu::{Constants, KernelInfo};
pub use crate::run::{Args, Mirror};

use crate::base::DType;
use crate::gpu::{GpuDispatch, PARAMS_BYTES};
use crate::run::{Array, Device, HostDispatch, Launched, Place, capture};
use crate::tensor::Tensor;
use bytemuck::Pod;

/// llvmpipe ends an invocation's loops after so many iterations, all loops together, without an error.
pub const MAX_TRIPS: u64 = 65_535;

/// How many workgroups run, and the longest run of loop iterations in one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    pub(crate) groups: [u32; 3],
    pub(crate) trips: u64,
}

impl Grid {
    /// One invocation for each of `invocations`, in workgroups of `workgroup`, folded into rows of at most 65,535 groups.
    /// The kernel finds itself by `group_index` (prelude) and skips what is past the end.
    pub fn linear(invocations: usize, workgroup: usize) -> Self {
        Self::folded(invocations.div_ceil(workgroup))
    }

    /// `groups` workgroups, folded into rows of at most 65,535; the kernel finds its own by `group_index`.
    #[track_caller]
    pub fn folded(groups: usize) -> Self {
        const ROW: usize = 65_535;
        let rows = groups.div_ceil(ROW).max(1);
        assert!(rows <= ROW, "Grid: {groups} workgroups do not fit into 65,535 rows");
        Self { groups: [groups.div_ceil(rows).max(1) as u32, rows as u32, 1], trips: 1 }
    }

    /// Sets the most loop iterations that one invocation makes, all loops added.
    pub fn trips(self, trips: usize) -> Self {
        Self { trips: trips as u64, ..self }
    }
}

/// A WGSL entry point with its CPU mirror. There is no way to write down one without the other.
///
/// The WGSL file declares `struct Params` (u32, i32 and f32 fields, at most 128 bytes, in the Rust struct's order) where it has
/// parameters, and its tensors as `@group(0) @binding(slot) var<storage, read>` (inputs) or `read_write` (outputs). A launch hands
/// the inputs to the entry's read slots in ascending order, and the outputs to its written slots. Several kernels may share a
/// mirror.
///
/// It is compiled with bounds checks: an index out of range reads or writes some other element, never memory outside the tensors. A
/// kernel should guard its own edges all the same, since which element that is differs from driver to driver.
/// [`Kernel::new_unchecked`] is without.
///
/// See `examples/custom_kernel.rs`.
#[derive(Debug)]
pub struct Kernel {
    pub(crate) info: KernelInfo,
    pub(crate) mirror: Mirror,
    pub(crate) in_f64: Option<Mirror>,
    /// Whether release builds compile it without checks.
    pub(crate) trusted: bool,
    /// The constants that say of its inputs, and then of its outputs, whether they hold f16.
    pub(crate) halves: &'static [&'static str],
}

impl Kernel {
    /// The entry point `entry` of the source `wgsl`, and the function that computes the same on the CPU.
    pub const fn new(wgsl: &'static str, entry: &'static str, mirror: Mirror) -> Self {
        Self {
            info: KernelInfo { entry, wgsl, lanes: 1, has_matrix_units: false },
            mirror,
            in_f64: None,
            trusted: false,
            halves: &[],
        }
    }

    /// The same with its mirror in double precision, for [`Device::cpu_f64`](crate::Device::cpu_f64).
    pub const fn with_f64(self, mirror: Mirror) -> Self {
        Self { in_f64: Some(mirror), ..self }
    }

    /// The same for devices whose subgroups have at least so many invocations; another kernel must serve the others.
    pub const fn with_subgroups_of(self, lanes: u32) -> Self {
        Self { info: KernelInfo { lanes, ..self.info }, ..self }
    }

    /// The same for tensors that may hold f16: for its inputs, and then its outputs, the constants that are 1 where they do, such
    /// as `X_HALF` of an `array<XFour>`. Before the text stand the type of four elements in memory and the ways from it and to it: `XFour`,
    /// `x_four` and `to_x_four`. Its mirror sees f32.
    pub(crate) const fn with_halves(self, halves: &'static [&'static str]) -> Self {
        Self { halves, ..self }
    }

    /// The same for devices with matrix units: `UNIT` and `LANES` of its header say which, and the types `Left`, `Right` and `Sums` stand
    /// before it.
    pub(crate) const fn with_matrix_units(self) -> Self {
        Self { info: KernelInfo { has_matrix_units: true, ..self.info }, ..self }
    }

    /// Its name and source.
    pub const fn info(&self) -> KernelInfo {
        self.info
    }

    /// The same kernel with constants in its header: a pipeline of its own, compiled at its first launch.
    pub fn with(&'static self, constants: &[(&'static str, u32)]) -> Specialised {
        Specialised { kernel: self, constants: constants.to_vec() }
    }

    /// Runs the kernel, or its mirror on the CPU device; `grid` is for the GPU.
    ///
    /// # Panics
    /// If tensors lie on different devices, if an input shares memory with an output, if outputs overlap, if `grid` promises more than
    /// [`MAX_TRIPS`] iterations, or, on a GPU, if `params` is not of the size of the WGSL `Params`.
    #[track_caller]
    pub fn launch<P: Pod>(&'static self, params: P, inputs: &[&Tensor], outputs: &[&Tensor], grid: Grid) {
        self.with(&[]).launch(params, inputs, outputs, grid);
    }
}

impl KernelInfo {
    /// Whether the device has the subgroups and the matrix units that the kernel wants. Its mirror wants none.
    pub fn runs_on(&self, device: &Device) -> bool {
        let has_units = !self.has_matrix_units || device.matrix_units().is_some();
        !device.is_gpu() || (device.subgroup_lanes() >= self.lanes && has_units)
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
        self.launch_bytes(bytemuck::bytes_of(&params), inputs, outputs, grid);
    }

    /// The same for parameters of any type, once compiled.
    #[track_caller]
    fn launch_bytes(mut self, params: &[u8], inputs: &[&Tensor], outputs: &[&Tensor], grid: Grid) {
        let name = self.kernel.info.entry;
        let device = outputs.first().unwrap_or_else(|| panic!("{name}: a kernel without an output does nothing")).device();
        for t in inputs.iter().chain(outputs) {
            assert!(t.device() == device, "{name}: tensors lie on {} and on {}", device.name(), t.device().name());
        }
        for input in inputs {
            let shared = outputs.iter().any(|o| o.shares_storage(input));
            assert!(!shared, "{name}: an input (shape {}) shares memory with an output", input.shape());
        }
        for (i, output) in outputs.iter().enumerate() {
            let other = outputs[..i].iter().find(|other| other.array().overlaps(output.array()));
            if let Some(other) = other {
                panic!("{name}: two outputs (shapes {} and {}) overlap in memory", other.shape(), output.shape());
            }
        }
        assert!(params.len() <= PARAMS_BYTES, "{name}: {} bytes of parameters are over {PARAMS_BYTES}", params.len());
        if outputs.iter().all(|o| o.shape().is_empty()) {
            return;
        }
        let named = self.kernel.halves.iter().zip(inputs.iter().chain(outputs));
        self.constants.extend(named.filter(|(_, t)| t.dtype() == DType::F16).map(|(name, _)| (*name, 1)));
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
        let Kernel { info: info @ KernelInfo { entry, .. }, mirror, in_f64, trusted, halves } = self.kernel;
        let arrays = || inputs.iter().chain(outputs);
        let is_f64 = || arrays().any(|array| array.dtype == DType::F64);
        match place {
            Place::Cpu => capture::push_host(
                HostDispatch {
                    entry,
                    halves: arrays().enumerate().map(|(i, array)| i < halves.len() && array.dtype == DType::F16).collect(),
                    in_f64: is_f64(),
                    mirror: match is_f64() {
                        true => in_f64.unwrap_or_else(|| panic!("{entry}: there is no mirror in f64")),
                        false => *mirror,
                    },
                    params: params.to_vec(),
                    constants: self.constants.clone(),
                    inputs: inputs.iter().map(|array| array.host_view()).collect(),
                    outputs: outputs.iter().map(|array| array.host_view()).collect(),
                },
                arrays().map(|array| array.host()),
            ),
            Place::Gpu(gpu) => {
                assert!(grid.trips <= MAX_TRIPS, "{entry}: {} loop iterations are over {MAX_TRIPS}; split the work", grid.trips);
                let Some(pipeline) = gpu.pipeline(info, &self.constants, *trusted) else { return };
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
                capture::push_gpu(gpu, dispatch, arrays().map(|array| array.gpu()));
            }
        }
    }
}

/// A kernel whose mirror `$mirror<T: Real>` is generic over the precision.
macro_rules! kernel {
    ($wgsl:expr, $entry:literal, $mirror:ident) => {
        $crate::kernel::Kernel::new_trusted($wgsl, $entry, $mirror::<f32>).with_f64($mirror::<f64>)
    };
}
pub(crate) use kernel;
