// Edges added, and rotations: y[i] = x[inside(i - before)], axis by axis, or a value where no index of x stands.

struct Params {
    len: u32, // elements of y, or of dx
    rank: u32,
    mode: u32, // 0 a value, 1 mirror image, 2 the edge repeated, 3 the other end
    value: u32,
    bytes: u32, // of a narrow element
    // The innermost axis first: extents of y, steps through x, what y has before x, extents of x. Unused axes are not read.
    d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
    x0: u32, x1: u32, x2: u32, x3: u32, x4: u32, x5: u32,
    b0: i32, b1: i32, b2: i32, b3: i32, b4: i32, b5: i32,
    n0: u32, n1: u32, n2: u32, n3: u32, n4: u32, n5: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<u32>>;
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;

/// The index of an axis of `extent` that stands `place - before` from its beginning; negative where there is none.
fn inside(place: u32, before: i32, extent: u32) -> i32 {
    let i = i32(place) - before;
    let n = i32(extent);
    switch params.mode {
        case 0u: { return select(-1, i, i < n); }
        case 1u: { return select(abs(i), 2 * (n - 1) - i, i >= n); }
        case 2u: { return clamp(i, 0, n - 1); }
        default: {}
    }
    return i + select(0, n, i < 0) - select(0, n, i >= n);
}

/// Where row `number` of y begins in x; negative where it is all value. Division is what costs: the last axis needs none.
fn row_of(number: u32) -> i32 {
    if params.rank == 1u {
        return 0;
    }
    var place = number;
    var rest = 0u;
    if params.rank > 2u {
        rest = place / params.d1;
        place -= rest * params.d1;
    }
    var i = inside(place, params.b1, params.n1);
    var outside = i; // its highest bit
    var at = i * i32(params.x1);
    if params.rank > 2u {
        place = rest;
        if params.rank > 3u {
            rest = place / params.d2;
            place -= rest * params.d2;
        }
        i = inside(place, params.b2, params.n2);
        outside |= i;
        at += i * i32(params.x2);
    }
    if params.rank > 3u {
        place = rest;
        if params.rank > 4u {
            rest = place / params.d3;
            place -= rest * params.d3;
        }
        i = inside(place, params.b3, params.n3);
        outside |= i;
        at += i * i32(params.x3);
    }
    if params.rank > 4u {
        place = rest;
        if params.rank > 5u {
            rest = place / params.d4;
            place -= rest * params.d4;
        }
        i = inside(place, params.b4, params.n4);
        outside |= i;
        at += i * i32(params.x4);
    }
    if params.rank > 5u {
        i = inside(rest, params.b5, params.n5);
        outside |= i;
        at += i * i32(params.x5);
    }
    return select(at, -1, outside < 0);
}

/// The element of x that stands at `place` of a row that begins at `row`; negative where there is none.
fn place_in(row: i32, place: u32) -> i32 {
    let i = inside(place, params.b0, params.n0);
    return select(row + i, -1, (row | i) < 0);
}

fn element(at: i32) -> u32 {
    if at < 0 {
        return params.value;
    }
    return x[at];
}

@compute @workgroup_size(256)
fn pad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.len {
        let row = i / params.d0;
        y[i] = element(place_in(row_of(row), i - row * params.d0));
    }
}

// Four neighbours in one row of y.
@compute @workgroup_size(256)
fn pad4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.len / 4u {
        let row = 4u * i / params.d0;
        let place = 4u * i - row * params.d0;
        let at = row_of(row);
        y4[i] = vec4<u32>(
            element(place_in(at, place)),
            element(place_in(at, place + 1u)),
            element(place_in(at, place + 2u)),
            element(place_in(at, place + 3u)),
        );
    }
}

// A word of four bytes or two halves.
@compute @workgroup_size(256)
fn pad_narrow(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    let shift = select(1u, 2u, params.bytes == 1u);
    let bits = 8u * params.bytes;
    let each = 1u << shift;
    if each * i >= params.len {
        return;
    }
    let mask = (1u << bits) - 1u;
    var row = each * i / params.d0;
    var place = each * i - row * params.d0;
    var first = row_of(row);
    var word = 0u;
    for (var j = 0u; j < each; j++) {
        if place == params.d0 {
            place = 0u;
            // Past the end the last row stands again.
            row = min(row + 1u, (params.len - 1u) / params.d0);
            first = row_of(row);
        }
        let at = place_in(first, place);
        var v = params.value;
        if at >= 0 {
            v = x[u32(at) >> shift] >> (bits * (u32(at) & (each - 1u)));
        }
        word |= (v & mask) << (bits * j);
        place++;
    }
    y[i] = word;
}

// One axis: d0 elements of dy fold onto n0 of dx; x0 elements lie inside. The copies in front are added first.
@compute @workgroup_size(256)
fn pad_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= params.len {
        return;
    }
    let row = i / params.x0;
    let inner = i - row * params.x0;
    let plane = row / params.n0;
    let at = i32(row - plane * params.n0);
    let first = plane * params.d0 * params.x0 + inner;
    let m = i32(params.d0);
    let n = i32(params.n0);
    let before = params.b0;
    var sum = dy[first + u32(at + before) * params.x0];
    // At most one range in front and one behind.
    var front = vec2<i32>(0, 0);
    var behind = vec2<i32>(0, 0);
    switch params.mode {
        case 1u: {
            if at >= 1 && at <= before {
                front = vec2<i32>(before - at, before - at + 1);
            }
            let mirrored = before + 2 * (n - 1) - at;
            if at <= n - 2 && mirrored < m {
                behind = vec2<i32>(mirrored, mirrored + 1);
            }
        }
        case 2u: {
            if at == 0 {
                front = vec2<i32>(0, before);
            }
            if at == n - 1 {
                behind = vec2<i32>(before + n, m);
            }
        }
        default: {
            if at + before >= n {
                front = vec2<i32>(at + before - n, at + before - n + 1);
            }
            if at + before + n < m {
                behind = vec2<i32>(at + before + n, at + before + n + 1);
            }
        }
    }
    for (var j = front.x; j < front.y; j++) {
        sum += dy[first + u32(j) * params.x0];
    }
    for (var j = behind.x; j < behind.y; j++) {
        sum += dy[first + u32(j) * params.x0];
    }
    dx[i] = sum;
}
