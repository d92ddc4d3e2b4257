// Sums of the middle axis of x (outer, len, inner), in parts: y is (outer, splits, inner).

struct Params {
    outer: u32,
    len: u32,
    inner: u32,
    splits: u32,
    part: u32, // elements of a part
    scale: f32, // of the sums: 1, or 1 / count for a mean
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

// `inner` is 1 and the parts are long: a workgroup a part, neighbouring lanes read neighbouring elements.
@compute @workgroup_size(64)
fn reduce_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let first = (which % params.splits) * params.part;
    let end = select(0u, min(first + params.part, params.len), which < params.outer * params.splits);
    let start = (which / params.splits) * params.len;
    var sum = 0.0;
    for (var i = first + lane; i < end; i += 64u) {
        sum += x[start + i];
    }
    let total = workgroup_sum(lane, 64u, sum);
    if lane == 0u && which < params.outer * params.splits {
        y[which] = total * params.scale;
    }
}

// A thread an element of y, neighbouring threads in neighbouring columns.
@compute @workgroup_size(256)
fn reduce_columns(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.outer * params.splits * params.inner {
        return;
    }
    let which = o / params.inner;
    let first = (which % params.splits) * params.part;
    let end = min(first + params.part, params.len);
    let start = (which / params.splits) * params.len;
    var sum = 0.0;
    for (var i = first; i < end; i++) {
        sum += x[(start + i) * params.inner + o % params.inner];
    }
    y[o] = sum * params.scale;
}
