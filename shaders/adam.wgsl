// Adam and AdamW over flat arenas, four elements an invocation.

struct Params {
    len: u32,
}

@group(0) @binding(0) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> hyper: array<f32, 8>; // as AdamHyper::at_step lays it out
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> second: array<vec4<f32>>;

@compute @workgroup_size(256)
fn adamw_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i >= params.len {
        return;
    }
    let w = weights[i];
    let g = grads[i] + hyper[6] * w;
    let m = first[i] + (g - first[i]) * hyper[1];
    let v = second[i] + (g * g - second[i]) * hyper[2];
    first[i] = m;
    second[i] = v;
    let denominator = sqrt(v) * hyper[3] + hyper[4];
    weights[i] = w - hyper[5] * w - hyper[0] * m / denominator;
}
