// Lion over flat arenas, four elements an invocation: every weight moves by the learning rate, up or down.

struct Params {
    len: u32,
}

@group(0) @binding(0) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> hyper: array<f32, 8>; // as LionHyper::to_array lays it out
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> mean: array<vec4<f32>>;

@compute @workgroup_size(256)
fn lion_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    let w = weights[i];
    let m = mean[i];
    let change = grads[i] - m;
    mean[i] = m + change * hyper[2];
    weights[i] = w - hyper[3] * w - hyper[0] * sign(m + change * hyper[1]);
}
