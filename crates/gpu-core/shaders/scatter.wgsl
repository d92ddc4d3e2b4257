// Sums of the elements of src (outer, len, inner) into the rows of y (outer, size, inner) that indices name, on top of x or of
// zero.
//
// A line has one index list: all lines the same one (`shared`), or line (o, i) its own. Few indices are walked in order by every
// element of y. Many are sorted first, equal ones staying in order: each element of y then has one segment of the sorted list. The
// sums of whole blocks of the list are taken beforehand where one index fills them, so that a segment of any length is a short
// walk.

struct Params {
    outer: u32,
    size: u32,
    len: u32,
    inner: u32,
    lines: u32, // with an index list of their own: 1 or outer * inner
    block: u32, // elements of a block
    blocks: u32, // of a line; 0 for none
    add: u32, // 1: on top of x
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> index: array<u32>;
@group(0) @binding(2) var<storage, read> src: array<f32>;
@group(0) @binding(3) var<storage, read> keys: array<u32>;
@group(0) @binding(4) var<storage, read> order: array<u32>;
@group(0) @binding(5) var<storage, read> starts: array<u32>;
@group(0) @binding(6) var<storage, read> sums: array<f32>;
@group(0) @binding(7) var<storage, read_write> y: array<f32>;
@group(0) @binding(8) var<storage, read_write> starts_out: array<u32>;
@group(0) @binding(9) var<storage, read_write> sums_out: array<f32>;

// An invocation an element of y.
@compute @workgroup_size(256)
fn scatter_few(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let e = group_index(group, groups) * 256u + lane;
    if e >= params.outer * params.size * params.inner {
        return;
    }
    let i = e % params.inner;
    let row = e / params.inner;
    let first = row / params.size * params.len;
    var sum = 0.0;
    if params.add == 1u {
        sum = x[e];
    }
    for (var j = 0u; j < params.len; j++) {
        let at = (first + j) * params.inner + i;
        if index[select(at, j, params.lines == 1u)] == row % params.size {
            sum += src[at];
        }
    }
    y[e] = sum;
}

// Where the segment of each index begins in its line's sorted list: (lines, size + 1).
@compute @workgroup_size(256)
fn scatter_starts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let e = group_index(group, groups) * 256u + lane;
    if e >= params.lines * (params.size + 1u) {
        return;
    }
    let list = e / (params.size + 1u) * params.len;
    let wanted = e % (params.size + 1u);
    var low = 0u;
    var high = params.len;
    while low < high {
        let middle = (low + high) / 2u;
        if keys[list + middle] < wanted {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    starts_out[e] = low;
}

fn list_of(outer: u32, i: u32) -> u32 {
    return select(outer * params.inner + i, 0u, params.lines == 1u) * params.len;
}

/// Which element stands at `p` of the sorted lists. Clamped: no tensor is trusted to hold indices that are in range.
fn sorted(p: u32) -> u32 {
    return min(order[p], params.len - 1u);
}

// The sums of whole blocks (outer, blocks, inner) of one index each; the others are not asked for.
@compute @workgroup_size(256)
fn scatter_blocks(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let e = group_index(group, groups) * 256u + lane;
    if e >= params.outer * params.blocks * params.inner {
        return;
    }
    let i = e % params.inner;
    let outer = e / params.inner / params.blocks;
    let list = list_of(outer, i);
    let first = list + e / params.inner % params.blocks * params.block;
    let last = first + params.block;
    var sum = 0.0;
    if keys[first] == keys[last - 1u] {
        for (var p = first; p < last; p++) {
            sum += src[(outer * params.len + sorted(p)) * params.inner + i];
        }
    }
    sums_out[e] = sum;
}

// An invocation an element of y.
@compute @workgroup_size(256)
fn scatter_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let e = group_index(group, groups) * 256u + lane;
    if e >= params.outer * params.size * params.inner {
        return;
    }
    let i = e % params.inner;
    let outer = e / params.inner / params.size;
    let list = list_of(outer, i);
    let segment = list / params.len * (params.size + 1u) + e / params.inner % params.size;
    let first = min(starts[segment], params.len);
    let end = min(starts[segment + 1u], params.len);
    var whole = ceil_div(first, params.block);
    var after = end / params.block;
    if params.blocks == 0u || whole >= after {
        // No whole block: all of it is the head.
        whole = 0u;
        after = 0u;
    }
    let has_blocks = whole < after;
    let source = outer * params.len;
    var sum = 0.0;
    if params.add == 1u {
        sum = x[e];
    }
    let head = select(end, whole * params.block, has_blocks);
    for (var p = first; p < head; p++) {
        sum += src[(source + sorted(list + p)) * params.inner + i];
    }
    for (var b = whole; b < after; b++) {
        sum += sums[(outer * params.blocks + b) * params.inner + i];
    }
    for (var p = select(end, after * params.block, has_blocks); p < end; p++) {
        sum += src[(source + sorted(list + p)) * params.inner + i];
    }
    y[e] = sum;
}
