// The stable order of the middle axis of x (outer, len, inner). Row `o * inner + i` of keys and order is the line (o, i).
//
// Elements become keys whose order as u32 is theirs. `sort_tiles` orders tiles of a row in workgroup memory, `sort_merge` joins
// pairs of runs, and `sort_values` fetches what the order names. Merging is by rank: an element's place is its place in its own run
// plus the number of elements of the other run that go before it, which a binary search tells. Equal keys of the left run go first,
// so the order is stable.

struct Params {
    rows: u32, // outer * inner
    len: u32,
    inner: u32,
    keep: u32, // how many of a row are wanted
    width: u32, // of the runs that are merged
    kind: u32, // 0 f32, 1 u32, 2 i32
    flip: u32, // all ones for descending order
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> keys_in: array<u32>;
@group(0) @binding(2) var<storage, read> order_in: array<u32>;
@group(0) @binding(3) var<storage, read_write> keys: array<u32>;
@group(0) @binding(4) var<storage, read_write> order: array<u32>;
@group(0) @binding(4) var<storage, read_write> last: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> y: array<u32>;
@group(0) @binding(6) var<storage, read_write> index: array<u32>;
@group(0) @binding(7) var<storage, read> dy: array<f32>;
@group(0) @binding(8) var<storage, read_write> dx: array<f32>;

const TILE: u32 = 1024u;
// Two halves each: a stage reads one and writes the other.
var<workgroup> tile_keys: array<u32, 2u * TILE>;
var<workgroup> tile_order: array<u32, 2u * TILE>;

/// The two zeros have one key, and a NaN has the last one in either direction.
fn key_of(word: u32) -> u32 {
    if params.kind == 0u {
        let magnitude = word & 0x7fffffffu;
        if magnitude > 0x7f800000u {
            return 0xffffffffu;
        }
        let negative = (word >> 31u) == 1u && magnitude != 0u;
        return select(magnitude | 0x80000000u, ~word, negative) ^ params.flip;
    }
    return word ^ select(0u, 0x80000000u, params.kind == 2u) ^ params.flip;
}

// A workgroup orders a tile of a long row, or several short rows, each in a span of a power of two.
@compute @workgroup_size(256)
fn sort_tiles(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let tiles = ceil_div(params.len, TILE);
    let span = params.width;
    let per_group = TILE / span;
    let row0 = (which / tiles) * per_group;
    let first = (which % tiles) * TILE;
    let count = min(span, params.len - first);
    for (var e = lane; e < TILE; e += 256u) {
        // Neighbouring lanes read neighbouring addresses, whichever axis is contiguous.
        let at = select(e, (e % per_group) * span + e / per_group, params.inner > 1u);
        let row = row0 + at / span;
        let j = at % span;
        if row < params.rows && j < count {
            let line = (row / params.inner) * params.len * params.inner + row % params.inner;
            tile_keys[at] = key_of(x[line + (first + j) * params.inner]);
            tile_order[at] = first + j;
        }
    }
    var side = 0u;
    for (var width = 1u; width < span; width *= 2u) {
        workgroupBarrier();
        for (var e = lane; e < TILE; e += 256u) {
            let row = e / span * span;
            if row0 + e / span < params.rows && e - row < count {
                let pair = e / (2u * width) * 2u * width;
                let is_right = (e & width) != 0u;
                let other = min(select(pair + width, pair, is_right), row + count);
                let key = tile_keys[side + e];
                var low = other;
                var high = min(other + width, row + count);
                while low < high {
                    let middle = (low + high) / 2u;
                    let before = tile_keys[side + middle];
                    if before < key || (is_right && before == key) {
                        low = middle + 1u;
                    } else {
                        high = middle;
                    }
                }
                let to = TILE - side + e - select(0u, width, is_right) + low - other;
                tile_keys[to] = key;
                tile_order[to] = tile_order[side + e];
            }
        }
        side = TILE - side;
    }
    workgroupBarrier();
    for (var e = lane; e < TILE; e += 256u) {
        let row = row0 + e / span;
        if row < params.rows && e % span < count {
            keys[row * params.len + first + e % span] = tile_keys[side + e];
            order[row * params.len + first + e % span] = tile_order[side + e];
        }
    }
}

// An invocation an element. What cannot come under the first `keep` is left where it is.
@compute @workgroup_size(256)
fn sort_merge(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.rows * params.len {
        return;
    }
    let row = o / params.len * params.len;
    let e = o - row;
    let run = e / params.width;
    let place = e - run * params.width;
    if place >= params.keep {
        return;
    }
    let is_right = (run & 1u) == 1u;
    let pair = (run - (run & 1u)) * params.width;
    let other = min(select(pair + params.width, pair, is_right), params.len);
    let key = keys_in[o];
    var low = other;
    var high = min(other + min(params.width, params.keep), params.len);
    while low < high {
        let middle = (low + high) / 2u;
        let before = keys_in[row + middle];
        if before < key || (is_right && before == key) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    let to = place + low - other;
    if to < params.keep {
        keys[row + pair + to] = key;
        order[row + pair + to] = order_in[o];
    }
}

// An invocation an element of y and index (outer, keep, inner).
@compute @workgroup_size(256)
fn sort_values(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.rows * params.keep {
        return;
    }
    let i = o % params.inner;
    let outer = o / params.inner / params.keep;
    let j = o / params.inner % params.keep;
    // Clamped: no tensor is trusted to hold indices that are in range.
    let place = min(order_in[(outer * params.inner + i) * params.len + j], params.len - 1u);
    y[o] = x[(outer * params.len + place) * params.inner + i];
    index[o] = place;
}

// The gradient of what indices took: an element of dx is the dy of the last index along the axis that names it, so that an index
// that stands twice gives the same bits every time. `last` (outer, len, inner) holds zeros; a place among the indices counts from 1.
@compute @workgroup_size(256)
fn sort_last(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.rows * params.keep {
        return;
    }
    let place = order_in[o];
    if place < params.len {
        let j = o / params.inner % params.keep;
        atomicMax(&last[(o / params.inner / params.keep * params.len + place) * params.inner + o % params.inner], j + 1u);
    }
}

// An invocation an element of dx; `keys_in` is what `sort_last` has found.
@compute @workgroup_size(256)
fn sort_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.rows * params.len {
        return;
    }
    let found = keys_in[o];
    let j = min(max(found, 1u), params.keep) - 1u;
    let taken = dy[(o / params.inner / params.len * params.keep + j) * params.inner + o % params.inner];
    dx[o] = select(taken, 0.0, found == 0u);
}
