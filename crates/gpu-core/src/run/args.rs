//! What a mirror is called with.

use crate::gpu::Constants;
use bytemuck::Pod;

/// What computes on the CPU what a kernel computes on the GPU.
pub type Mirror = fn(&mut Args<'_>);

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
