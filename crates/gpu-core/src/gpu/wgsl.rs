//! A kernel's text: its name, its source, the whole that is compiled, and what naga reads in it.

use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use std::collections::BTreeMap;

/// Constants of a kernel's header: tile sizes, switches, geometry.
pub type Constants = Vec<(&'static str, u32)>;

/// Helpers that every kernel may use: indices, sums over a workgroup, random bits.
const PRELUDE: &str = wgsl!("prelude.wgsl");

/// The whole text that is compiled: header, prelude, and the op's file. Lines of an error message count from here.
pub(super) fn source(kernel: &KernelInfo, constants: &Constants, immediates: bool) -> String {
    let wgsl = kernel.wgsl;
    let mut text = String::with_capacity(wgsl.len() + PRELUDE.len() + 512);
    if kernel.has_matrix_units {
        text.push_str(&matrix_units(constants));
    }
    text.push_str(&fours(wgsl, constants));
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

/// For each tensor of a text that is an `array<XFour>`, and so may hold f16: the type of four elements in memory, `XFour`, the ways from it
/// and to it, `x_four` and `to_x_four`, and the element at a place, which is named by the variable: `x_element` of `x`. Where the constant
/// `X_HALF` is 1 it holds f16, and else f32. `half_of` and `half_in` are in `halves.wgsl`: how a device packs two halves is its own affair.
fn fours(wgsl: &str, constants: &Constants) -> String {
    // `... var<storage, read> x: array<XFour>;`
    let declared = wgsl.lines().filter_map(|line| {
        let (variable, rest) = line.split_once(": array<")?;
        Some((rest.split_once("Four>")?.0, variable.rsplit_once(' ')?.1))
    });
    let declared: BTreeMap<&str, &str> = declared.collect();
    let of_one = |(name, variable): (&str, &str)| {
        let (lower, constant) = (name.to_lowercase(), format!("{}_HALF", name.to_uppercase()));
        let (stored, from, to, element) = match constants.iter().any(|(known, value)| *known == constant && *value == 1) {
            true => (
                "vec2<u32>",
                "vec4<f32>(unpack2x16float(v.x), unpack2x16float(v.y))",
                "vec2<u32>(half_of(bitcast<u32>(v.x)) | (half_of(bitcast<u32>(v.y)) << 16u), half_of(bitcast<u32>(v.z)) | (half_of(bitcast<u32>(v.w)) << 16u))",
                format!("half_in({variable}[at / 4u][at / 2u % 2u], at)"),
            ),
            false => ("vec4<f32>", "v", "v", format!("{variable}[at / 4u][at % 4u]")),
        };
        format!(
            "alias {name}Four = {stored};\n\
             fn {lower}_four(v: {name}Four) -> vec4<f32> {{ return {from}; }}\n\
             fn to_{lower}_four(v: vec4<f32>) -> {name}Four {{ return {to}; }}\n\
             fn {variable}_element(at: u32) -> f32 {{ return {element}; }}\n"
        )
    };
    declared.into_iter().map(of_one).collect()
}

/// What a kernel for matrix units begins with: the types of its tiles, which no constant could choose, by the size that the header's
/// `UNIT` says.
fn matrix_units(constants: &Constants) -> String {
    let unit = constants.iter().find(|(name, _)| *name == "UNIT").map_or(16, |(_, unit)| *unit);
    let tile = |name: &str, element: &str, role: &str| format!("alias {name} = coop_mat{unit}x{unit}<{element}, {role}>;\n");
    let tiles = [tile("Left", "f16", "A"), tile("Right", "f16", "B"), tile("Sums", "f32", "C")].concat();
    format!("enable f16;\nenable wgpu_cooperative_matrix;\n{tiles}")
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
    /// Whether it is written for matrix units.
    pub(crate) has_matrix_units: bool,
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

    /// Whether it is written for matrix units, which Vulkan and Metal alone have.
    pub fn has_matrix_units(&self) -> bool {
        self.has_matrix_units
    }

    /// The op's WGSL file.
    pub fn wgsl(&self) -> &'static str {
        self.wgsl
    }

    /// The whole WGSL text that a GPU with immediates compiles for it.
    pub fn source(&self, constants: &Constants) -> String {
        source(self, constants, true)
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
        enable.to_owned() + &source(self, constants, false)
    }
}
