//! A kernel's text: its name, its source, and the whole that is compiled.

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

    /// The op's WGSL file.
    pub fn wgsl(&self) -> &'static str {
        self.wgsl
    }

    /// The whole WGSL text that a GPU with immediates compiles for it.
    pub fn source(&self, constants: &Constants) -> String {
        source(self.wgsl, constants, true)
    }
}
