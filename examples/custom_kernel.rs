//! A kernel of one's own with its mirror: `cargo run --release --example custom_kernel`
use wgrad::prelude::*;
use wgrad::proof::{Bound, Case, devices, tensor};

const WGSL: &str = "
    struct Params { len: u32 }
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(256)
    fn swish(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
        let i = group_index(group, groups) * 256u + lane;
        if i < params.len { y[i] = x[i] / (1.0 + exp(-x[i])); }
    }";

static SWISH: Kernel = Kernel::new(WGSL, "swish", swish_cpu);

/// What the kernel computes, as plainly as it can be said.
fn swish_cpu(args: &mut Args<'_>) {
    for (y, x) in args.output::<f32>(0).iter_mut().zip(args.input::<f32>(0)) {
        *y = x / (1.0 + (-x).exp());
    }
}

fn swish(x: &Tensor) -> Tensor {
    let y = Tensor::empty(x.device(), x.shape());
    SWISH.launch(x.len() as u32, &[x], &[&y], Grid::linear(x.len(), 256));
    y
}

/// Holds the kernel against its mirror on every device.
pub fn main() -> anyhow::Result<()> {
    let case = Case::new("swish", "10,007 elements".into(), Bound::Relative(4e-6), |d| vec![swish(&tensor(d, [10_007], 1))]);
    for device in devices() {
        let found = case.compare(&device)?;
        println!("{}: {:.1e} from the mirror, {:.1e} is allowed", device.name(), found.error, found.bound);
        anyhow::ensure!(found.ok(), "the kernel and its mirror differ");
    }
    Ok(())
}
