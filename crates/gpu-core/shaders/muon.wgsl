// What Muon adds to matrix products: its momentum, the norm that the iteration starts from, its polynomial, and the step.

struct Params {
    len: u32, // of all matrices together
    each: u32, // of one matrix
    p: f32,
    q: f32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> hyper: array<f32, 8>; // as MuonHyper::to_array lays it out
@group(0) @binding(3) var<storage, read> a1: array<f32>;
@group(0) @binding(4) var<storage, read> squares: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> y1: array<f32>;
@group(0) @binding(7) var<storage, read_write> state: array<vec4<f32>>;

// a: gradients, state: momentum, y: the direction.
@compute @workgroup_size(256)
fn muon_momentum(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let g = a[i];
        let buf = state[i] + (g - state[i]) * hyper[1];
        state[i] = buf;
        y[i] = select(buf, g + (buf - g) * hyper[2], hyper[2] > 0.0);
    }
}

// a1: matrices, squares: the sum of squares of each.
@compute @workgroup_size(256)
fn muon_normalise(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.len {
        y1[i] = a1[i] / max(sqrt(squares[i / params.each]), params.p);
    }
}

@compute @workgroup_size(256)
fn muon_combine(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y[i] = params.p * a[i] + params.q * b[i];
    }
}

// a: orthogonal directions, state: weights.
@compute @workgroup_size(256)
fn muon_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let w = state[i];
        state[i] = w - hyper[3] * w - (hyper[0] * params.p) * a[i];
    }
}
