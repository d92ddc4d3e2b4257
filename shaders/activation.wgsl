// The rectifier and its derivative, four elements a thread.

struct Params {
    len: u32, // elements
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

// Comparisons that let a NaN through, where `max` might swallow it.
@compute @workgroup_size(256)
fn relu(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let v = x[i];
        y[i] = select(v, vec4<f32>(0.0), v <= vec4<f32>(0.0));
    }
}

// Slot `x` holds the output of `relu` here, slot `y` is dx.
@compute @workgroup_size(256)
fn relu_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y[i] = select(dy[i], vec4<f32>(0.0), x[i] <= vec4<f32>(0.0));
    }
}
