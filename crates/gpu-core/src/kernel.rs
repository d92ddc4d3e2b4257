//! A WGSL entry point with its CPU mirror.

use bytemuck::Pod;

/// llvmpipe ends an invocation's loops after so many iterations, all loops together, without an error.
pub const MAX_TRIPS: u64 = 65_535;

/// Constants of a kernel's header: tile sizes, switches, geometry.
pub type Constants = Vec<(&'static str, u32)>;

/// Helpers that every kernel may use: indices, sums over a workgroup, random bits.
const PRELUDE: &str = wgsl!("prelude.wgsl");

/// The whole text that is compiled: header, prelude, and the op's file. Lines of an error message count from here.
pub(crate) fn source(wgsl: &str, constants: &Constants, immediates: bool) -> String {
    let mut text = String::with_capacity(wgsl.len() + PRELUDE.len() + 256);
    if wgsl.contains("struct Params") {
        text.push_str(match immediates {
            true => "var<immediate> params: Params;\n",
            false => "@group(1) @binding(0) var<uniform> params: Params;\n",
        });
    }
    for (name, value) in constants {
        text.push_str(&format!("const {name}: u32 = {value}u;\n"));
    }
    text + PRELUDE + wgsl
}

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

/// In how many parts to sum each of `rows` rows of `len` elements, a workgroup a part: enough groups to fill a large GPU, enough
/// elements a group to pay for its tree, few enough parts that one thread adds them up.
pub(crate) fn splits(rows: usize, len: usize) -> usize {
    (1024 / rows.max(1)).clamp(1, 64).min(len.div_ceil(4096)).max(1)
}

/// What a mirror is called with: the parameters, the inputs and the outputs of a launch, in the launch's order.
pub struct Args<'a> {
    params: &'a [u8],
    constants: &'a Constants,
    inputs: Vec<&'a [u8]>,
    outputs: Vec<Option<&'a mut [u8]>>,
}

impl<'a> Args<'a> {
    pub(crate) fn new(
        params: &'a [u8],
        constants: &'a Constants,
        inputs: Vec<&'a [u8]>,
        outputs: Vec<Option<&'a mut [u8]>>,
    ) -> Self {
        Self { params, constants, inputs, outputs }
    }

    /// The launch's parameters.
    pub fn params<P: Pod>(&self) -> P {
        bytemuck::pod_read_unaligned(self.params)
    }

    /// The constant `name` of the kernel's header.
    ///
    /// # Panics
    /// If the launch has none of that name.
    pub fn constant(&self, name: &str) -> u32 {
        let found = self.constants.iter().find(|(n, _)| *n == name);
        found.unwrap_or_else(|| panic!("the launch gives no constant {name}")).1
    }

    /// Input `i`.
    pub fn input<T: Pod>(&self, i: usize) -> &'a [T] {
        bytemuck::cast_slice(self.inputs[i])
    }

    /// Output `i`; it holds what was there before.
    ///
    /// # Panics
    /// If it was taken already.
    pub fn output<T: Pod>(&mut self, i: usize) -> &'a mut [T] {
        bytemuck::cast_slice_mut(self.outputs[i].take().expect("an output is taken once"))
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
}

/// A kernel's name and source. It cannot be launched by this: the library's own kernels are, by its operators alone, which check the
/// shapes.
#[derive(Debug, Clone, Copy)]
pub struct KernelInfo {
    pub(crate) entry: &'static str,
    pub(crate) wgsl: &'static str,
    /// Invocations that must run together and read each other's values.
    pub(crate) lanes: u32,
}

/// What computes on the CPU what a kernel computes on the GPU.
pub type Mirror = fn(&mut Args<'_>);

impl Kernel {
    /// The entry point `entry` of the source `wgsl`, and the function that computes the same on the CPU.
    pub const fn new(wgsl: &'static str, entry: &'static str, mirror: Mirror) -> Self {
        Self { info: KernelInfo { entry, wgsl, lanes: 1 }, mirror, in_f64: None, trusted: false }
    }

    /// The same with its mirror in double precision, for [`Device::cpu_f64`](crate::Device::cpu_f64).
    pub const fn with_f64(self, mirror: Mirror) -> Self {
        Self { in_f64: Some(mirror), ..self }
    }

    /// The same for devices whose subgroups have at least so many invocations; another kernel must serve the others.
    pub const fn with_subgroups_of(self, lanes: u32) -> Self {
        Self { info: KernelInfo { lanes, ..self.info }, ..self }
    }

    /// Its name and source.
    pub const fn info(&self) -> KernelInfo {
        self.info
    }
}

impl KernelInfo {
    /// The entry point's name, which is the kernel's name everywhere.
    pub fn name(&self) -> &'static str {
        self.entry
    }

    /// The op's WGSL file.
    pub fn wgsl(&self) -> &'static str {
        self.wgsl
    }

    /// The whole WGSL text that a GPU with immediates compiles for it.
    pub fn source(&self, constants: &Constants) -> String {
        source(self.wgsl, constants, true)
    }
}

/// A kernel whose mirror `$mirror<T: Real>` is generic over the precision.
macro_rules! kernel {
    ($wgsl:expr, $entry:literal, $mirror:ident) => {
        $crate::kernel::Kernel::new_trusted($wgsl, $entry, $mirror::<f32>).with_f64($mirror::<f64>)
    };
}
pub(crate) use kernel;
