//! The approximation of the error function in the shader, which no function of the library calls alone.

use super::functions::{Params, grid};
use crate::kernel::{Args, Kernel};
use crate::run::Device;
use crate::tensor::Tensor;

/// The shader with an entry of its own for the error function.
const ERF_WGSL: &str = concat!(
    wgsl!("activation.wgsl"),
    "@compute @workgroup_size(256)
    fn erf_alone(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
        let i = group_index(group, groups) * 256u + lane;
        if i < ceil_div(params.len, 4u) {
            y[i] = erf(x[i]);
        }
    }"
);

fn erf_cpu(args: &mut Args<'_>) {
    crate::mirror::map(args.input(0), args.output(0), libm::erff);
}

static ERF: Kernel = Kernel::new(ERF_WGSL, "erf_alone", erf_cpu);

fn erf(x: &Tensor) -> Tensor {
    let y = Tensor::empty(x.device(), x.shape());
    ERF.with(&[("KIND", 0)]).launch(Params { len: x.len() as u32, a: 0.0, b: 0.0 }, &[x], &[&y], grid(x.len()));
    y
}

#[test]
fn the_approximation_of_the_error_function_is_right_to_four_units_of_the_last_place() {
    let values: Vec<f32> = (-200_000..200_000).map(|i| i as f32 * 4e-5).chain([1e-20, -1e-20, 1e-5, 20.0, -20.0]).collect();
    for device in [Some(Device::Cpu), Device::gpu().ok()].into_iter().flatten() {
        let y = erf(&Tensor::from_slice(&device, [values.len()], &values)).to_vec().unwrap();
        for (&x, &y) in values.iter().zip(&y) {
            let want = libm::erf(x.into());
            let unit = f64::from((want as f32).abs().next_up()) - f64::from((want as f32).abs());
            let units = (f64::from(y) - want).abs() / unit;
            assert!(units <= 4.0, "erf is {units:.1} units of the last place off at {x}, on {}", device.name());
        }
    }
}
