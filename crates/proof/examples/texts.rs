//! Writes every form of every kernel that the table of cases launches, as shader compilers are given it:
//! `cargo run --release -p wgrad-proof --features texts --example texts -- FOLDER`.
//!
//! `wgsl/NUMBER_KERNEL.wgsl` is WebGPU's WGSL, `spirv/` and `hlsl/` have what naga makes of it, with bounds checks (`.checked`) and as
//! release builds have it; HLSL for FXC (`.5_1.hlsl`) and for DXC (`.6_0.hlsl`), whose first line names the entry point. `forms.tsv`
//! says which constants a number has, and `operators` what the cases are called.

use gpu_core::KernelInfo;
use proof::texts::{self, ShaderModel};
use proof::{Launch, cases, forms};
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

const MODELS: [ShaderModel; 2] = [ShaderModel::V5_1, ShaderModel::V6_0];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("the folder is missing")?;
    let folder = Path::new(&folder);
    for language in ["wgsl", "spirv", "hlsl"] {
        fs::create_dir_all(folder.join(language))?;
    }
    let operators: BTreeSet<&str> = cases().iter().map(|case| case.name).collect();
    fs::write(folder.join("operators"), operators.into_iter().map(|name| format!("{name}\n")).collect::<String>())?;
    let forms = forms()?;
    let mut table = String::new();
    for (number, form) in forms.iter().enumerate() {
        let id = format!("{number:04}_{}", form.kernel.name());
        table += &format!("{id}\t{:?}\n", form.constants);
        write(folder, &id, form)?;
    }
    fs::write(folder.join("forms.tsv"), table)?;
    println!("{} forms of {} kernels", forms.len(), gpu_core::ops::kernels().len());
    Ok(())
}

fn write(folder: &Path, id: &str, form: &Launch) -> std::io::Result<()> {
    // Neither the web nor Direct3D has matrix units.
    let is_for_all = !form.kernel.has_matrix_units();
    if is_for_all {
        fs::write(folder.join(format!("wgsl/{id}.wgsl")), form.portable_source())?;
    }
    for checks in [false, true] {
        let id = if checks { format!("{id}.checked") } else { id.to_owned() };
        let words = texts::spirv(form, checks).words;
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        fs::write(folder.join(format!("spirv/{id}.spv")), bytes)?;
        for model in MODELS.into_iter().filter(|model| is_for_all && (has_subgroups(*model) || !wants_subgroups(form.kernel))) {
            let hlsl = texts::hlsl(form, model, checks);
            let text = format!("// entry {}\n{}", hlsl.entry, hlsl.text);
            fs::write(folder.join(format!("hlsl/{id}.{}.hlsl", model.to_str())), text)?;
        }
    }
    Ok(())
}

fn has_subgroups(model: ShaderModel) -> bool {
    model >= ShaderModel::V6_0
}

/// Such a kernel runs only where there are some.
fn wants_subgroups(kernel: KernelInfo) -> bool {
    kernel.lanes() > 1
}
