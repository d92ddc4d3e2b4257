//! A kernel's text: its name, its source, the whole that is compiled, and what naga reads in it.

use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};

/// Constants of a kernel's header: tile sizes, switches, geometry.
pub type Constants = Vec<(&'static str, u32)>;

/// Helpers that every kernel may use: indices, sums over a workgroup, random bits.
const PRELUDE: &str = wgsl!("prelude.wgsl");

/// The whole text that is compiled: header, prelude, and the op's file. Lines of an error message count from here.
pub(super) fn source(wgsl: &str, constants: &Constants, immediates: bool) -> String {
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

/// The module of a whole text as wgpu is given it, and what naga knows of it; or naga's complaint, with the lines.
pub(super) fn parse(text: &str) -> Result<(naga::Module, ModuleInfo), String> {
    let mut module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module);
    let info = info.map_err(|e| e.emit_to_string(text))?;
    rename(&mut module);
    Ok((module, info))
}

/// DXC has a namespace `dx` since 1.9, beside which nothing may have that name, and naga 30 does not know it.
fn rename(module: &mut naga::Module) {
    let variables = module.global_variables.iter_mut().map(|(_, variable)| &mut variable.name);
    let constants = module.constants.iter_mut().map(|(_, constant)| &mut constant.name);
    let functions = module.functions.iter_mut().map(|(_, function)| &mut function.name);
    for name in variables.chain(constants).chain(functions).filter(|name| name.as_deref() == Some("dx")) {
        *name = Some("d_x".to_owned());
    }
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

impl KernelInfo {
    /// The entry point's name, which is the kernel's name everywhere.
    pub fn name(&self) -> &'static str {
        self.entry
    }

    /// Invocations that must run together and read each other's values; 1 for none.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// The op's WGSL file.
    pub fn wgsl(&self) -> &'static str {
        self.wgsl
    }

    /// The whole WGSL text that a GPU with immediates compiles for it.
    pub fn source(&self, constants: &Constants) -> String {
        source(self.wgsl, constants, true)
    }

    /// The module of that text, as wgpu is given it, and what naga knows of it.
    ///
    /// # Errors
    /// What naga has against the text.
    pub fn module(&self, constants: &Constants) -> Result<(naga::Module, ModuleInfo), String> {
        parse(&self.source(constants))
    }

    /// The text as WebGPU has it, for other compilers than naga: parameters in a uniform buffer, and the line that a kernel with
    /// subgroups must begin with, which naga 30 refuses.
    pub fn portable_source(&self, constants: &Constants) -> String {
        let enable = if self.lanes > 1 { "enable subgroups;\n" } else { "" };
        enable.to_owned() + &source(self.wgsl, constants, false)
    }
}
