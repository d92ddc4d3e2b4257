// Elements of the middle axis of x (outer, size, inner), picked by indices: y is (outer, len, inner). Words are moved as they are,
// so that any element of four bytes will do.

struct Params {
    elements: u32, // of y
    size: u32,
    len: u32,
    inner: u32,
    outside: u32, // what an index past the end gives
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(0) var<storage, read> x4: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> y4: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> hot: array<f32>;

// index is (outer, len, inner).
@compute @workgroup_size(256)
fn gather(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.elements {
        return;
    }
    let place = index[o];
    var v = params.outside;
    if place < params.size {
        v = x[(o / params.inner / params.len * params.size + place) * params.inner + o % params.inner];
    }
    y[o] = v;
}

// index is (len).
@compute @workgroup_size(256)
fn index_select(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.elements {
        return;
    }
    let row = o / params.inner;
    let place = index[row % params.len];
    var v = params.outside;
    if place < params.size {
        v = x[(row / params.len * params.size + place) * params.inner + o % params.inner];
    }
    y[o] = v;
}

// `inner` is a multiple of four: rows of an embedding.
@compute @workgroup_size(256)
fn index_select4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.elements / 4u {
        return;
    }
    let inner = params.inner / 4u;
    let row = o / inner;
    let place = index[row % params.len];
    var v = vec4<u32>(params.outside);
    if place < params.size {
        v = x4[(row / params.len * params.size + place) * inner + o % inner];
    }
    y4[o] = v;
}

// hot is (len, size).
@compute @workgroup_size(256)
fn one_hot(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o < params.elements {
        hot[o] = select(0.0, 1.0, index[o / params.size] == o % params.size);
    }
}
