// Arithmetic on pairs of tensors, four elements a thread where the shapes are equal, one where one repeats.

struct Params {
    len: u32, // elements of y
    op: u32, // 0 add, 1 sub, 2 mul, 3 div
    scale: f32,
    rank: u32,
    // Extents of y, and the steps through a and b, the last axis first; unused axes are not read.
    d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
    a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32,
    b0: u32, b1: u32, b2: u32, b3: u32, b4: u32, b5: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> a4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> b4: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y4: array<vec4<f32>>;

fn combine(a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    switch params.op {
        case 0u: { return a + b; }
        case 1u: { return a - b; }
        case 2u: { return a * b; }
        default: { return a / b; }
    }
}

@compute @workgroup_size(256)
fn binary(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y4[i] = combine(a4[i], b4[i]);
    }
}

@compute @workgroup_size(256)
fn add_scaled(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y4[i] = a4[i] + params.scale * b4[i];
    }
}

@compute @workgroup_size(256)
fn scale(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y4[i] = params.scale * a4[i];
    }
}

@compute @workgroup_size(256)
fn copy(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y4[i] = a4[i];
    }
}

/// Where element `i` of y comes from in a and b.
fn sources(i: u32) -> vec2<u32> {
    var rest = i;
    var at = (rest % params.d0) * vec2<u32>(params.a0, params.b0);
    if params.rank > 1u {
        rest /= params.d0;
        at += (rest % params.d1) * vec2<u32>(params.a1, params.b1);
    }
    if params.rank > 2u {
        rest /= params.d1;
        at += (rest % params.d2) * vec2<u32>(params.a2, params.b2);
    }
    if params.rank > 3u {
        rest /= params.d2;
        at += (rest % params.d3) * vec2<u32>(params.a3, params.b3);
    }
    if params.rank > 4u {
        rest /= params.d3;
        at += (rest % params.d4) * vec2<u32>(params.a4, params.b4);
    }
    if params.rank > 5u {
        rest /= params.d4;
        at += (rest % params.d5) * vec2<u32>(params.a5, params.b5);
    }
    return at;
}

@compute @workgroup_size(256)
fn binary_broadcast(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.len {
        let at = sources(i);
        y[i] = combine(vec4<f32>(a[at.x]), vec4<f32>(b[at.y])).x;
    }
}

// The last axis of y is a multiple of four: a thread's four elements lie in one row of a and of b.
@compute @workgroup_size(256)
fn binary_broadcast4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.len / 4u {
        let at = sources(4u * i);
        let from_a = at.x + params.a0 * vec4<u32>(0u, 1u, 2u, 3u);
        let from_b = at.y + params.b0 * vec4<u32>(0u, 1u, 2u, 3u);
        let left = vec4<f32>(a[from_a.x], a[from_a.y], a[from_a.z], a[from_a.w]);
        y4[i] = combine(left, vec4<f32>(b[from_b.x], b[from_b.y], b[from_b.z], b[from_b.w]));
    }
}
