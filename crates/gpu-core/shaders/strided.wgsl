// Elements moved along up to six axes, with a step through x and a step through y for each. Floats are words here: their bits are
// not touched.

struct Params {
    len: u32, // what is moved: elements, groups of four, tiles, or (narrow) words of y
    rank: u32,
    bytes: u32, // of a narrow element
    x_first: u32,
    y_first: u32,
    // Extents and steps, the innermost axis first; unused axes are not read. Steps below zero wrap.
    d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
    x0: u32, x1: u32, x2: u32, x3: u32, x4: u32, x5: u32,
    y0: u32, y1: u32, y2: u32, y3: u32, y4: u32, y5: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(0) var<storage, read> x4: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<u32>>;

/// Where number `number` of the axes from the third on begins in x and in y. Division is what costs: the last axis needs none.
fn outer(number: u32) -> vec2<u32> {
    var rest = number;
    var at = vec2<u32>(params.x_first, params.y_first);
    if params.rank < 3u {
        return at;
    }
    if params.rank == 3u {
        return at + rest * vec2<u32>(params.x2, params.y2);
    }
    var above = rest / params.d2;
    at += (rest - above * params.d2) * vec2<u32>(params.x2, params.y2);
    if params.rank == 4u {
        return at + above * vec2<u32>(params.x3, params.y3);
    }
    rest = above;
    above = rest / params.d3;
    at += (rest - above * params.d3) * vec2<u32>(params.x3, params.y3);
    if params.rank == 5u {
        return at + above * vec2<u32>(params.x4, params.y4);
    }
    rest = above;
    above = rest / params.d4;
    return at + (rest - above * params.d4) * vec2<u32>(params.x4, params.y4) + above * vec2<u32>(params.x5, params.y5);
}

/// Where element `i` comes from and goes to.
fn places(i: u32) -> vec2<u32> {
    if params.rank == 1u {
        return vec2<u32>(params.x_first, params.y_first) + i * vec2<u32>(params.x0, params.y0);
    }
    let row = i / params.d0;
    let at = (i - row * params.d0) * vec2<u32>(params.x0, params.y0);
    if params.rank == 2u {
        return at + vec2<u32>(params.x_first, params.y_first) + row * vec2<u32>(params.x1, params.y1);
    }
    let plane = row / params.d1;
    return at + (row - plane * params.d1) * vec2<u32>(params.x1, params.y1) + outer(plane);
}

@compute @workgroup_size(256)
fn strided(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.len {
        let at = places(i);
        y[at.y] = x[at.x];
    }
}

// Four neighbours of y, which lie in one row of it and on a multiple of four.
@compute @workgroup_size(256)
fn strided4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.len / 4u {
        let at = places(4u * i);
        let step = params.x0;
        y4[at.y / 4u] = vec4<u32>(x[at.x], x[at.x + step], x[at.x + 2u * step], x[at.x + 3u * step]);
    }
}

// Extents and steps count groups of four.
@compute @workgroup_size(256)
fn strided_vec4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.len {
        let at = places(i);
        y4[at.y] = x4[at.x];
    }
}

// A column more than the tile has: lanes that walk down a column hit different banks.
var<workgroup> tile: array<u32, 1056>;

// y is dense along axis 0, x along axis 1: a tile of 32 x 32 is read along x and written along y.
@compute @workgroup_size(256)
fn strided_tiled(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group_index(group, groups);
    if number >= params.len {
        return;
    }
    let across = ceil_div(params.d0, 32u);
    let down = ceil_div(params.d1, 32u);
    let row_of_tiles = number / across;
    let plane = row_of_tiles / down;
    let corner = 32u * vec2<u32>(number - row_of_tiles * across, row_of_tiles - plane * down);
    let at = outer(plane);
    let column = lane % 32u;
    let row = lane / 32u;
    for (var j = row; j < 32u; j += 8u) {
        let i = corner + vec2<u32>(j, column);
        if i.x < params.d0 && i.y < params.d1 {
            tile[33u * j + column] = x[at.x + i.x * params.x0 + i.y];
        }
    }
    workgroupBarrier();
    for (var j = row; j < 32u; j += 8u) {
        let i = corner + vec2<u32>(column, j);
        if i.x < params.d0 && i.y < params.d1 {
            y[at.y + i.x + i.y * params.y1] = tile[33u * column + j];
        }
    }
}

const NONE: u32 = 0xffffffffu;

/// Where element `e` of y comes from, or NONE, and how many more follow it in its row: the walk backwards, which the growing steps through
/// y allow.
fn source(e: u32) -> vec2<u32> {
    if e < params.y_first {
        return vec2<u32>(NONE, 0u);
    }
    var rest = e - params.y_first;
    var at = params.x_first;
    var fits = true;
    if params.rank > 5u {
        let i = rest / params.y5;
        fits = fits && i < params.d5;
        rest -= i * params.y5;
        at += i * params.x5;
    }
    if params.rank > 4u {
        let i = rest / params.y4;
        fits = fits && i < params.d4;
        rest -= i * params.y4;
        at += i * params.x4;
    }
    if params.rank > 3u {
        let i = rest / params.y3;
        fits = fits && i < params.d3;
        rest -= i * params.y3;
        at += i * params.x3;
    }
    if params.rank > 2u {
        let i = rest / params.y2;
        fits = fits && i < params.d2;
        rest -= i * params.y2;
        at += i * params.x2;
    }
    if params.rank > 1u {
        let i = rest / params.y1;
        fits = fits && i < params.d1;
        rest -= i * params.y1;
        at += i * params.x1;
    }
    if params.y0 == 1u {
        return select(vec2<u32>(NONE, 0u), vec2<u32>(at + rest * params.x0, params.d0 - 1u - rest), fits && rest < params.d0);
    }
    let i = rest / params.y0;
    fits = fits && i < params.d0 && rest == i * params.y0;
    return vec2<u32>(select(NONE, at + i * params.x0, fits), 0u);
}

// A word of y an invocation, so that no two write one word; what is not moved stays as it is.
@compute @workgroup_size(256)
fn strided_narrow(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= params.len {
        return;
    }
    let bits = 8u * params.bytes;
    let each = select(2u, 4u, params.bytes == 1u);
    let mask = (1u << bits) - 1u;
    let shift = select(1u, 2u, params.bytes == 1u);
    let word = (params.y_first >> shift) + i;
    var moved = 0u;
    var kept = 0u;
    var at = vec2<u32>(NONE, 0u);
    for (var j = 0u; j < each; j++) {
        if at.y == 0u {
            at = source(word * each + j);
        } else {
            at += vec2<u32>(params.x0, 0xffffffffu);
        }
        if at.x == NONE {
            kept |= mask << (bits * j);
        } else {
            moved |= ((x[at.x >> shift] >> (bits * (at.x & (each - 1u)))) & mask) << (bits * j);
        }
    }
    if kept != 0u {
        moved |= y[word] & kept;
    }
    y[word] = moved;
}
