// Running sums along the middle axis of x (outer, len, inner), from its beginning or, `reverse`, from its end: element `j` counts
// from there.
//
// The axis is cut into parts. Their totals are summed first and run over by the same kernels; then each part begins with the total
// of those before it. `inner` is 1 and the axis long: a workgroup a part, in tiles of 1024. Else an invocation a part, neighbours
// in neighbouring columns.

struct Params {
    outer: u32,
    len: u32,
    inner: u32,
    part: u32, // elements of a part
    parts: u32,
    reverse: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> carries: array<f32>; // running totals (outer, parts, inner); read where there are several parts
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn place(j: u32) -> u32 {
    return select(j, params.len - 1u - j, params.reverse == 1u);
}

// y is the totals (outer, parts).
@compute @workgroup_size(256)
fn cumsum_row_totals(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let start = which / params.parts * params.len;
    let first = which % params.parts * params.part;
    let end = select(0u, min(first + params.part, params.len), which < params.outer * params.parts);
    var sum = 0.0;
    for (var j = first + lane; j < end; j += 256u) {
        sum += x[start + place(j)];
    }
    let total = workgroup_sum(lane, 256u, sum);
    if lane == 0u && which < params.outer * params.parts {
        y[which] = total;
    }
}

// y is the totals (outer, parts, inner).
@compute @workgroup_size(256)
fn cumsum_column_totals(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.outer * params.parts * params.inner {
        return;
    }
    let which = o / params.inner;
    let start = which / params.parts * params.len;
    let first = which % params.parts * params.part;
    var sum = 0.0;
    for (var j = first; j < min(first + params.part, params.len); j++) {
        sum += x[(start + place(j)) * params.inner + o % params.inner];
    }
    y[o] = sum;
}

// Two halves: a step reads one and writes the other.
var<workgroup> scanned: array<f32, 512>;

/// The sums of `v` over the lanes up to each, by a fixed tree of eight steps. Uniform control flow only.
fn workgroup_scan(lane: u32, v: f32) {
    workgroupBarrier(); // an earlier scan may still be read
    scanned[lane] = v;
    var side = 0u;
    for (var step = 1u; step < 256u; step *= 2u) {
        workgroupBarrier();
        var sum = scanned[side + lane];
        if lane >= step {
            sum += scanned[side + lane - step];
        }
        side = 256u - side;
        scanned[side + lane] = sum;
    }
    workgroupBarrier();
}

@compute @workgroup_size(256)
fn cumsum_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let start = which / params.parts * params.len;
    let part = which % params.parts;
    let end = select(0u, min((part + 1u) * params.part, params.len), which < params.outer * params.parts);
    var carry = 0.0;
    if part > 0u && end > 0u {
        carry = carries[which - 1u];
    }
    for (var tile = part * params.part; tile < end; tile += 1024u) {
        let j = tile + 4u * lane;
        var v = vec4<f32>();
        if j < end { v.x = x[start + place(j)]; }
        if j + 1u < end { v.y = x[start + place(j + 1u)]; }
        if j + 2u < end { v.z = x[start + place(j + 2u)]; }
        if j + 3u < end { v.w = x[start + place(j + 3u)]; }
        v.y += v.x;
        v.z += v.y;
        v.w += v.z;
        workgroup_scan(lane, v.w);
        var before = carry;
        if lane > 0u {
            before += scanned[lane - 1u];
        }
        if j < end { y[start + place(j)] = before + v.x; }
        if j + 1u < end { y[start + place(j + 1u)] = before + v.y; }
        if j + 2u < end { y[start + place(j + 2u)] = before + v.z; }
        if j + 3u < end { y[start + place(j + 3u)] = before + v.w; }
        carry += scanned[255];
    }
}

@compute @workgroup_size(256)
fn cumsum_columns(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.outer * params.parts * params.inner {
        return;
    }
    let which = o / params.inner;
    let i = o % params.inner;
    let start = which / params.parts * params.len;
    let first = which % params.parts * params.part;
    var sum = 0.0;
    if which % params.parts > 0u {
        sum = carries[o - params.inner];
    }
    for (var j = first; j < min(first + params.part, params.len); j++) {
        let at = (start + place(j)) * params.inner + i;
        sum += x[at];
        y[at] = sum;
    }
}
