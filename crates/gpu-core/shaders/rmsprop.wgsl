// RMSprop, plain or centred, with momentum or without, over flat arenas, four elements an invocation. An entry for each form, so
// that none binds state that it does not keep.

struct Params {
    len: u32,
}

@group(0) @binding(0) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> hyper: array<f32, 8>; // as RmspropHyper::to_array lays it out
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> square_avg: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> momentum_buf: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> grad_avg: array<vec4<f32>>;

/// The gradient with the weight decay in it.
fn decayed(i: u32) -> vec4<f32> {
    return grads[i] + hyper[3] * weights[i];
}

fn mean_square(i: u32, g: vec4<f32>) -> vec4<f32> {
    let before = square_avg[i];
    let now = before + (g * g - before) * hyper[1];
    square_avg[i] = now;
    return now;
}

/// The variance of the gradient: rounding may leave it a little below zero.
fn variance(i: u32, g: vec4<f32>) -> vec4<f32> {
    let square = mean_square(i, g);
    let before = grad_avg[i];
    let mean = before + (g - before) * hyper[1];
    grad_avg[i] = mean;
    return max(square - mean * mean, vec4<f32>(0.0));
}

fn direct(i: u32, g: vec4<f32>, square: vec4<f32>) {
    weights[i] -= hyper[0] * (g / (sqrt(square) + hyper[2]));
}

fn heavy(i: u32, g: vec4<f32>, square: vec4<f32>) {
    let buf = hyper[4] * momentum_buf[i] + g / (sqrt(square) + hyper[2]);
    momentum_buf[i] = buf;
    weights[i] -= hyper[0] * buf;
}

@compute @workgroup_size(256)
fn rmsprop_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let g = decayed(i);
        direct(i, g, mean_square(i, g));
    }
}

@compute @workgroup_size(256)
fn rmsprop_step_momentum(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let g = decayed(i);
        heavy(i, g, mean_square(i, g));
    }
}

@compute @workgroup_size(256)
fn rmsprop_step_centered(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let g = decayed(i);
        direct(i, g, variance(i, g));
    }
}

@compute @workgroup_size(256)
fn rmsprop_step_centered_momentum(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let g = decayed(i);
        heavy(i, g, variance(i, g));
    }
}
