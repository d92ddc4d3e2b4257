// Adadelta over flat arenas, four elements an invocation.

struct Params {
    len: u32,
}

@group(0) @binding(0) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> hyper: array<f32, 8>; // as AdadeltaHyper::to_array lays it out
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> square_avg: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> acc_delta: array<vec4<f32>>;

@compute @workgroup_size(256)
fn adadelta_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    let w = weights[i];
    let g = grads[i] + hyper[3] * w;
    let square = square_avg[i] + (g * g - square_avg[i]) * hyper[1];
    let before = acc_delta[i];
    let delta = sqrt(before + hyper[2]) / sqrt(square + hyper[2]) * g;
    square_avg[i] = square;
    acc_delta[i] = before + (delta * delta - before) * hyper[1];
    weights[i] = w - hyper[0] * delta;
}
