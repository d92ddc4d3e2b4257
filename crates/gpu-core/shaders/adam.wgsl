// Adam and AdamW over flat arenas, four elements an invocation.

struct Params {
    len: u32,
}

@group(0) @binding(0) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> hyper: array<f32, 8>; // as AdamHyper::at_step lays it out
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> second: array<vec4<f32>>;

@group(0) @binding(5) var<storage, read_write> largest: array<vec4<f32>>;

struct Moments {
    first: vec4<f32>,
    second: vec4<f32>,
}

/// Brings the moments of vector `i` up to date; the coupled weight decay is part of the gradient.
fn moments(i: u32, w: vec4<f32>) -> Moments {
    let g = grads[i] + hyper[6] * w;
    let m = first[i] + (g - first[i]) * hyper[1];
    let v = second[i] + (g * g - second[i]) * hyper[2];
    first[i] = m;
    second[i] = v;
    return Moments(m, v);
}

/// The step from `w` along the mean, over the root of `square`.
fn stepped(w: vec4<f32>, mean: vec4<f32>, square: vec4<f32>) -> vec4<f32> {
    return w - hyper[5] * w - hyper[0] * mean / (sqrt(square) * hyper[3] + hyper[4]);
}

@compute @workgroup_size(256)
fn adamw_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let w = weights[i];
        let now = moments(i, w);
        weights[i] = stepped(w, now.first, now.second);
    }
}

@compute @workgroup_size(256)
fn adamw_step_amsgrad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let w = weights[i];
        let now = moments(i, w);
        let most = max(largest[i], now.second);
        largest[i] = most;
        weights[i] = stepped(w, now.first, most);
    }
}
