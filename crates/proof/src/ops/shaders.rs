//! The law for every kernel, read from its WGSL as it is launched: at most 8 storage buffers, 256 invocations and 16 KiB of
//! workgroup memory, which every adapter has; inputs `read`, outputs `read_write`; parameters that lie as Rust lays them; vectors
//! that invocations share written whole; functions with a result end in a return. And of the files: no long run of lines stands twice.

use super::table::TABLE;
use crate::Launch;
use gpu_core::{Args, Kernel};
use naga::valid::{FunctionInfo, GlobalUse, ModuleInfo};
use naga::{AddressSpace, Block, Expression, Function, GlobalVariable, Handle, Module, Statement, StorageAccess, TypeInner};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

const STORAGE_BUFFERS: usize = 8;
const INVOCATIONS: u32 = 256;
const WORKGROUP_BYTES: u32 = 16 << 10;
const PARAMS_BYTES: usize = 128;
/// So many lines of code that stand in two places are one text written twice.
const RUN: usize = 20;

/// Every kernel with every set of constants that the table of shapes asks for, on every device.
pub(super) fn forms() -> Vec<&'static Launch> {
    let forms = TABLE.iter().flat_map(|ran| ran.on_cpu.iter().chain(ran.gpu.iter().flat_map(|gpu| &gpu.launches)));
    let of_form = |launch: &'static Launch| ((launch.kernel.name(), launch.constants.clone(), launch.params_bytes), launch);
    forms.map(of_form).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// All that breaks the law in one launch.
fn breaches(launch: &Launch) -> Result<Vec<String>, String> {
    let (module, info) = launch.kernel.module(&launch.constants)?;
    let position = module.entry_points.iter().position(|e| e.name == launch.kernel.name()).ok_or("has no such entry point")?;
    let (entry, uses) = (&module.entry_points[position], info.get_entry_point(position));
    let used: Vec<(&GlobalVariable, GlobalUse)> =
        module.global_variables.iter().map(|(handle, global)| (global, uses[handle])).filter(|(_, u)| !u.is_empty()).collect();

    let mut found = Vec::new();
    found.extend(over("invocations", entry.workgroup_size.iter().product(), INVOCATIONS));
    let shared = used.iter().filter(|(global, _)| global.space == AddressSpace::WorkGroup);
    let shared_bytes = shared.map(|(global, _)| size(&module, global).next_multiple_of(16)).sum();
    found.extend(over("bytes of workgroup memory", shared_bytes, WORKGROUP_BYTES));
    found.extend(storage_breaches(&used));
    found.extend(component_breaches(&module, &info, (&entry.function, uses)));
    found.extend(ending_breaches(&module));
    let params = used.iter().find(|(global, _)| global.space == AddressSpace::Immediate);
    if let Some((params, _)) = params {
        found.extend(params_breaches(&module, params, launch.params_bytes));
    }
    Ok(found)
}

fn over<T: PartialOrd + std::fmt::Display>(what: &str, found: T, limit: T) -> Option<String> {
    (found > limit).then(|| format!("{found} {what}, over {limit}"))
}

fn size(module: &Module, global: &GlobalVariable) -> u32 {
    module.types[global.ty].inner.size(module.to_ctx())
}

fn storage_breaches(used: &[(&GlobalVariable, GlobalUse)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut slots = BTreeMap::new();
    for (global, uses) in used {
        let AddressSpace::Storage { access } = global.space else { continue };
        let name = global.name.as_deref().unwrap_or("?");
        let Some(binding) = &global.binding else {
            found.push(format!("{name} has no slot"));
            continue;
        };
        if binding.group != 0 {
            found.push(format!("{name} lies in group {}", binding.group));
        }
        let writable = access.contains(StorageAccess::STORE);
        if writable && !uses.contains(GlobalUse::WRITE) && !uses.contains(GlobalUse::ATOMIC) {
            found.push(format!("{name} is an output (read_write) that the kernel does not write"));
        }
        if slots.insert(binding.binding, writable).is_some() {
            found.push(format!("{name} shares slot {} with another name", binding.binding));
        }
    }
    let last_input = slots.iter().filter(|(_, writable)| !**writable).map(|(slot, _)| *slot).max();
    let first_output = slots.iter().filter(|(_, writable)| **writable).map(|(slot, _)| *slot).min();
    match (last_input, first_output) {
        (_, None) => found.push("no output".to_owned()),
        (Some(input), Some(output)) if input > output => found.push(format!("input slot {input} comes after output slot {output}")),
        _ => {}
    }
    found.extend(over("storage buffers", slots.len(), STORAGE_BUFFERS));
    found
}

/// Functions with a result that end otherwise than in a return. FXC, which compiles for DX12 where there is no DXC, refuses some
/// that end in a `switch` whose cases all return (X3507).
fn ending_breaches(module: &Module) -> Vec<String> {
    let open = module.functions.iter().filter(|(_, function)| function.result.is_some() && !ends_in_return(&function.body));
    open.map(|(_, function)| format!("{} does not end in a return", function.name.as_deref().unwrap_or("?"))).collect()
}

fn ends_in_return(block: &Block) -> bool {
    match block.last() {
        Some(Statement::Return { .. }) => true,
        Some(Statement::Block(block)) => ends_in_return(block),
        Some(Statement::If { accept, reject, .. }) => ends_in_return(accept) && ends_in_return(reject),
        _ => false,
    }
}

/// Vectors in shared memory of which an entry writes one component. A device may do it by reading, changing and writing the vector,
/// and then loses what another invocation wrote to the rest. A component of an invocation's own vector is free.
fn component_breaches(module: &Module, info: &ModuleInfo, entry: (&Function, &FunctionInfo)) -> Vec<String> {
    let (mut found, mut seen, mut functions) = (BTreeSet::new(), BTreeSet::new(), vec![entry]);
    while let Some((function, types)) = functions.pop() {
        for_each_statement(&function.body, &mut |statement| match *statement {
            Statement::Store { pointer, .. } => {
                // A pointer to one component of a vector is of this type, and no other pointer is.
                let space = match types[pointer].ty.inner_with(&module.types) {
                    TypeInner::ValuePointer { size: None, space, .. } => *space,
                    _ => return,
                };
                if matches!(space, AddressSpace::Storage { .. } | AddressSpace::WorkGroup) {
                    let name = global_under(function, pointer).and_then(|global| module.global_variables[global].name.as_deref());
                    found.insert(format!("{} is written by single components of its vectors", name.unwrap_or("?")));
                }
            }
            Statement::Call { function, .. } if seen.insert(function) => {
                functions.push((&module.functions[function], &info[function]))
            }
            _ => {}
        });
    }
    found.into_iter().collect()
}

fn for_each_statement<'a>(block: &'a Block, f: &mut dyn FnMut(&'a Statement)) {
    for statement in block {
        f(statement);
        match statement {
            Statement::Block(block) => for_each_statement(block, f),
            Statement::If { accept, reject, .. } => [accept, reject].into_iter().for_each(|block| for_each_statement(block, f)),
            Statement::Switch { cases, .. } => cases.iter().for_each(|case| for_each_statement(&case.body, f)),
            Statement::Loop { body, continuing, .. } => {
                [body, continuing].into_iter().for_each(|block| for_each_statement(block, f))
            }
            _ => {}
        }
    }
}

/// The variable that a pointer leads into. naga lets no function take a pointer to memory that invocations share: it begins here.
fn global_under(function: &Function, pointer: Handle<Expression>) -> Option<Handle<GlobalVariable>> {
    match function.expressions[pointer] {
        Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => global_under(function, base),
        Expression::GlobalVariable(global) => Some(global),
        _ => None,
    }
}

fn params_breaches(module: &Module, params: &GlobalVariable, passed: usize) -> Vec<String> {
    let TypeInner::Struct { members, span } = &module.types[params.ty].inner else {
        return vec!["Params is not a struct".to_owned()];
    };
    let (mut found, bytes) = (Vec::new(), *span as usize);
    for member in members {
        // Vectors and arrays would be aligned otherwise than in Rust.
        if !matches!(module.types[member.ty].inner, TypeInner::Scalar(scalar) if scalar.width == 4) {
            found.push(format!("Params.{} is not a u32, i32 or f32", member.name.as_deref().unwrap_or("?")));
        }
    }
    found.extend(over("bytes of parameters", bytes, PARAMS_BYTES));
    if bytes != passed {
        found.push(format!("Params are {bytes} bytes, the launch passes {passed}"));
    }
    found
}

/// The files of shaders/, by name.
fn files() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../gpu-core/shaders");
    let paths = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    paths.map(|path| (path.file_name().unwrap().display().to_string(), fs::read_to_string(&path).unwrap())).collect()
}

/// The lines of code of a text with their numbers: white space folded; comments and lone punctuation left out.
fn lines_of_code(text: &str) -> Vec<(usize, String)> {
    let code = |line: &str| line.split("//").next().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, code(line)));
    lines.filter(|(_, line)| line.contains(|c: char| c.is_alphanumeric())).collect()
}

/// The places where a run of `RUN` lines begins that stands somewhere else too.
fn runs_that_stand_twice(files: &[(String, String)]) -> Vec<String> {
    let (mut first, mut found) = (BTreeMap::new(), Vec::new());
    for (name, text) in files {
        for run in lines_of_code(text).windows(RUN) {
            let place = format!("{name}:{}", run[0].0);
            let lines: Vec<String> = run.iter().map(|(_, line)| line.clone()).collect();
            match first.get(&lines) {
                Some(before) => found.push(format!("{place} as at {before}")),
                None => drop(first.insert(lines, place)),
            }
        }
    }
    found
}

#[test]
fn no_run_of_twenty_lines_stands_twice_in_shaders() {
    let files = files();
    let found = runs_that_stand_twice(&files);
    assert!(found.is_empty(), "{}", found.join("\n"));

    let lines = |from: usize, to: usize| (from..to).map(|i| format!("let x{i} = y[{i}u];\n")).collect::<String>();
    let again = format!("{}\n// By the way.\n{{\n  {}}}", lines(0, 7), lines(7, 20).replace('\n', "  // so\n  "));
    let control = |again: String| runs_that_stand_twice(&[("a".to_owned(), lines(0, 20)), ("b".to_owned(), again)]);
    assert_eq!(control(again), ["b:1 as at a:1"]);
    assert!(control(lines(1, 20) + &lines(0, 19)).is_empty());
    assert!(lines_of_code(&files[0].1).len() > RUN);
}

#[test]
fn every_kernel_stays_within_what_every_adapter_has() {
    let mut broken: Vec<String> = Vec::new();
    let launches = forms();
    for launch in &launches {
        let found = breaches(launch).unwrap_or_else(|e| vec![e]);
        broken.extend(found.iter().map(|what| format!("{} {:?}: {what}", launch.kernel.name(), launch.constants)));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));

    // Nothing in shaders/ escapes: each file is the source of a kernel that was launched.
    for (name, text) in files() {
        let launched = launches.iter().any(|l| l.source().contains(&text));
        assert!(launched, "no case launches a kernel of {name}");
    }
}

fn nothing(_: &mut Args<'_>) {}

#[test]
fn a_kernel_that_breaks_the_law_is_noticed() {
    const WGSL: &str = "
        struct Params { size: vec2<u32>, len: u32 }
        var<workgroup> tile: array<f32, 4097>;
        @group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @group(0) @binding(1) var<storage, read> x: array<f32>;
        @group(0) @binding(2) var<storage, read_write> kept: array<f32>;
        @compute @workgroup_size(16, 32) fn greedy(@builtin(local_invocation_index) i: u32) {
            tile[i] = x[i] + kept[i];
            workgroupBarrier();
            y[i] = tile[params.len];
        }
        fn closed(i: u32) -> u32 { if i > 2u { return i; } else { return 2u; } }
        fn open(i: u32) -> u32 { switch i { case 1u: { return closed(i); } default: { return i; } } }";
    static GREEDY: Kernel = Kernel::new(WGSL, "greedy", nothing);
    let found = breaches(&Launch { kernel: GREEDY.info(), constants: vec![], params_bytes: 12, count: 1, bytes: 0 }).unwrap();
    let wanted = [
        "512 invocations, over 256",
        "16400 bytes of workgroup memory, over 16384",
        "kept is an output (read_write) that the kernel does not write",
        "input slot 1 comes after output slot 0",
        "open does not end in a return",
        "Params.size is not a u32, i32 or f32",
        "Params are 16 bytes, the launch passes 12",
    ];
    assert_eq!(found, wanted);
}

/// By a constant index and by one that is not, in a function that the entry calls and in blocks within blocks; whole vectors, columns
/// of a matrix, scalars, and an invocation's own vectors are free, and so is what no entry calls.
#[test]
fn a_single_component_of_a_shared_vector_is_noticed_wherever_it_is_written() {
    const WGSL: &str = "
        struct Both { pair: vec2<f32>, alone: f32 }
        var<workgroup> tile: array<vec4<f32>, 64>;
        var<workgroup> fields: array<Both, 64>;
        var<workgroup> whole: array<vec4<f32>, 64>;
        var<private> kept: vec4<f32>;
        @group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
        @group(0) @binding(1) var<storage, read_write> squares: array<mat2x2<f32>>;
        @group(0) @binding(2) var<storage, read_write> turned: array<mat2x2<f32>>;
        fn store(i: u32) { y[i / 4u][i % 4u] = kept.x; }
        fn unused(i: u32) { whole[i].x = 1.0; }
        fn change(own: ptr<function, vec4<f32>>) { (*own).y = 2.0; }
        @compute @workgroup_size(64) fn careless(@builtin(local_invocation_index) i: u32) {
            var own = vec4<f32>();
            own[i % 4u] = 1.0;
            kept.x = own.x;
            change(&own);
            whole[i] = own;
            fields[i].alone = 1.0;
            turned[i][1] = own.xy;
            squares[i][i % 2u].y = 1.0;
            for (var j = 0u; j < 2u; j++) {
                switch j {
                    case 0u: { if i > 0u { store(i); } else { fields[i].pair.y = 1.0; } }
                    default: { tile[i].z += 1.0; }
                }
            }
            turned[i][0] = whole[63u - i].xy + vec2<f32>(fields[i].alone + tile[i].x);
        }";
    static CARELESS: Kernel = Kernel::new(WGSL, "careless", nothing);
    let found = breaches(&Launch { kernel: CARELESS.info(), constants: vec![], params_bytes: 0, count: 1, bytes: 0 }).unwrap();
    let wanted = ["fields", "squares", "tile", "y"].map(|name| format!("{name} is written by single components of its vectors"));
    assert_eq!(found, wanted);
}
