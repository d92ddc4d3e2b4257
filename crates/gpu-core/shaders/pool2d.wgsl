// Maximum and mean over windows of planes. The window is constant: KH KW (kernel), SH SW (stride), PH PW (padding), DH DW
// (dilation). A mean multiplies by `scale` (COUNT 0) or divides by the taps that it counts, with the padding (1) or without (2).
// Gradients gather: each element of dx looks at the windows that cover it, so nothing is added to twice and no order is left open.

struct Params {
    planes: u32, // n * c
    h: u32,
    w: u32,
    p: u32, // rows of y
    q: u32, // columns of y
    scale: f32,
    first: u32, // of this dispatch's workgroups
}

// Extents of a window.
const SPAN_H: u32 = (KH - 1u) * DH + 1u;
const SPAN_W: u32 = (KW - 1u) * DW + 1u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> chosen: array<u32>; // where in its plane each maximum lies
@group(0) @binding(2) var<storage, read> chosen4: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;
@group(0) @binding(4) var<storage, read_write> indices4: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> dx4: array<vec4<f32>>;

// By bits: a compiler may assume that no number is a NaN.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(256)
fn max_pool2d(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = (params.first + group_index(group, groups)) * 256u + lane;
    if o >= params.planes * params.p * params.q {
        return;
    }
    let row = o / params.q;
    let start = (row / params.p) * params.h * params.w;
    // Padding never wins: the window is cut to the plane. Its corner may lie before it, where u32 wraps.
    let top = (row % params.p) * SH - PH;
    let left = (o % params.q) * SW - PW;
    let first_r = select(0u, ceil_div(0u - top, DH) * DH, top > 0x7fffffffu);
    let first_s = select(0u, ceil_div(0u - left, DW) * DW, left > 0x7fffffffu);
    var at = (top + first_r) * params.w + left + first_s;
    var best = x[start + at];
    for (var r = 0u; r < KH; r++) {
        for (var s = 0u; s < KW; s++) {
            let i = top + r * DH;
            let j = left + s * DW;
            if i < params.h && j < params.w {
                let v = x[start + i * params.w + j];
                // Strictly greater: the first maximum wins.
                if v > best || is_nan(v) {
                    best = v;
                    at = i * params.w + j;
                }
            }
        }
    }
    y[o] = best;
    indices[o] = at;
}

/// The first and one past the last window (along one axis) within whose span place `i` lies.
fn covering(i: u32, span: u32, stride: u32, padding: u32, windows: u32) -> vec2<u32> {
    let at = i + padding;
    return vec2<u32>(select(0u, (at - span) / stride + 1u, at >= span), min(at / stride + 1u, windows));
}

/// How many taps of window `at` (along one axis) a mean counts.
fn counted(at: u32, kernel: u32, stride: u32, padding: u32, dilation: u32, extent: u32) -> u32 {
    let start = at * stride;
    let end = extent + padding + select(padding, 0u, COUNT == 2u);
    let last = min(ceil_div(max(end, start) - start, dilation), kernel);
    return last - select(0u, ceil_div(max(padding, start) - start, dilation), COUNT == 2u);
}

/// What a window of a mean is multiplied by.
fn weight(row: u32, column: u32) -> f32 {
    if COUNT == 0u {
        return params.scale;
    }
    return 1.0 / f32(counted(row, KH, SH, PH, DH, params.h) * counted(column, KW, SW, PW, DW, params.w));
}

/// (plane, row, column) of an element of x.
fn place(i: u32) -> vec3<u32> {
    let row = i / params.w;
    let plane = row / params.h;
    return vec3<u32>(plane, row - plane * params.h, i - row * params.w);
}

/// The element after it: a division a thread, not an element.
fn next(at: vec3<u32>) -> vec3<u32> {
    if at.z + 1u < params.w {
        return at + vec3<u32>(0u, 0u, 1u);
    }
    return select(vec3<u32>(at.x + 1u, 0u, 0u), vec3<u32>(at.x, at.y + 1u, 0u), at.y + 1u < params.h);
}

fn max_gradient(at: vec3<u32>) -> f32 {
    if at.x >= params.planes {
        return 0.0;
    }
    let own = at.y * params.w + at.z;
    let start = at.x * params.p * params.q;
    if SPAN_H <= SH && SPAN_W <= SW {
        // No place lies in two windows; between two it lies in none.
        let row = (at.y + PH) / SH;
        let column = (at.z + PW) / SW;
        let between = at.y + PH - row * SH >= SPAN_H || at.z + PW - column * SW >= SPAN_W;
        if row >= params.p || column >= params.q || between {
            return 0.0;
        }
        let o = start + row * params.q + column;
        return select(0.0, dy[o], chosen[o] == own);
    }
    let rows = covering(at.y, SPAN_H, SH, PH, params.p);
    let columns = covering(at.z, SPAN_W, SW, PW, params.q);
    var sum = 0.0;
    for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
            let o = start + row * params.q + column;
            sum += select(0.0, dy[o], chosen[o] == own);
        }
    }
    return sum;
}

fn avg_gradient(at: vec3<u32>) -> f32 {
    if at.x >= params.planes {
        return 0.0;
    }
    let rows = covering(at.y, SPAN_H, SH, PH, params.p);
    let columns = covering(at.z, SPAN_W, SW, PW, params.q);
    var sum = 0.0;
    for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
            // Between two taps a dilated window passes over the place.
            if (at.y + PH - row * SH) % DH == 0u && (at.z + PW - column * SW) % DW == 0u {
                sum += dy[(at.x * params.p + row) * params.q + column] * weight(row, column);
            }
        }
    }
    return sum;
}

// Four neighbours a thread.
@compute @workgroup_size(256)
fn max_pool2d_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = (params.first + group_index(group, groups)) * 256u + lane;
    if i >= ceil_div(params.planes * params.h * params.w, 4u) {
        return;
    }
    var at = place(4u * i);
    var sums: vec4<f32>;
    sums.x = max_gradient(at);
    at = next(at);
    sums.y = max_gradient(at);
    at = next(at);
    sums.z = max_gradient(at);
    sums.w = max_gradient(next(at));
    dx4[i] = sums;
}

@compute @workgroup_size(256)
fn avg_pool2d(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = (params.first + group_index(group, groups)) * 256u + lane;
    if o >= params.planes * params.p * params.q {
        return;
    }
    let row = o / params.q;
    let start = (row / params.p) * params.h * params.w;
    let top = (row % params.p) * SH - PH;
    let left = (o % params.q) * SW - PW;
    var sum = 0.0;
    for (var r = 0u; r < KH; r++) {
        for (var s = 0u; s < KW; s++) {
            let i = top + r * DH;
            let j = left + s * DW;
            if i < params.h && j < params.w {
                sum += x[start + i * params.w + j];
            }
        }
    }
    y[o] = sum * weight(row % params.p, o % params.q);
}

@compute @workgroup_size(256)
fn avg_pool2d_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = (params.first + group_index(group, groups)) * 256u + lane;
    if i >= ceil_div(params.planes * params.h * params.w, 4u) {
        return;
    }
    var at = place(4u * i);
    var sums: vec4<f32>;
    sums.x = avg_gradient(at);
    at = next(at);
    sums.y = avg_gradient(at);
    at = next(at);
    sums.z = avg_gradient(at);
    sums.w = avg_gradient(next(at));
    dx4[i] = sums;
}

// The common windows, by 16 bytes: 2x2, or 3x3 with a padding of one, two apart, over rows of eights. A thread has four windows
// in a row. Column 2j of x is the middle of window j (the left of two), 2j + 1 its right column, 2j - 1 its left.

/// (row of y in all planes, plane, row in the plane, which four of the row), of vector `o` of rows of `rows` a plane.
fn four(o: u32, rows: u32) -> vec4<u32> {
    let row = o / (params.w / 8u);
    let plane = row / rows;
    return vec4<u32>(row, plane, row - plane * rows, o - row * (params.w / 8u));
}

/// What four windows find in one row of x: in their left, middle and right columns. The padding is zeros.
struct Taps {
    left: vec4<f32>,
    middle: vec4<f32>,
    right: vec4<f32>,
}

fn taps(row: u32, fours: u32) -> Taps {
    let at = 2u * (row * (params.w / 8u) + fours);
    let a = x4[at];
    let b = x4[at + 1u];
    var t: Taps;
    t.middle = vec4<f32>(a.xz, b.xz);
    t.right = vec4<f32>(a.yw, b.yw);
    if KW == 3u {
        t.left = vec4<f32>(select(0.0, x4[max(at, 1u) - 1u].w, fours > 0u), t.right.xyz);
    }
    return t;
}

struct Largest {
    value: vec4<f32>,
    at: vec4<u32>,
}

fn larger(best: Largest, value: vec4<f32>, at: vec4<u32>, first: bool) -> Largest {
    let is_nan = (bitcast<vec4<u32>>(value) & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u);
    let wins = (value > best.value) | is_nan | vec4<bool>(first);
    return Largest(select(best.value, value, wins), select(best.at, at, wins));
}

// In the place of a tap in the padding stands its neighbour inside: the same maximum, found where it is found first.
@compute @workgroup_size(256)
fn max_pool2d_by4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = (params.first + group_index(group, groups)) * 256u + lane;
    let at = four(o, params.p);
    if at.y >= params.planes {
        return;
    }
    let edge = vec4<bool>(at.w == 0u, false, false, false);
    var best: Largest;
    for (var r = 0u; r < KH; r++) {
        let i = min(max(2u * at.z + r, PH) - PH, params.h - 1u);
        let t = taps(at.y * params.h + i, at.w);
        let middle = i * params.w + 8u * at.w + vec4<u32>(0u, 2u, 4u, 6u);
        if KW == 3u {
            best = larger(best, select(t.left, t.middle, edge), select(middle - 1u, middle, edge), r == 0u);
        }
        best = larger(best, t.middle, middle, r == 0u && KW == 2u);
        best = larger(best, t.right, middle + 1u, false);
    }
    y4[o] = best.value;
    indices4[o] = best.at;
}

/// `weight` of four windows in a row.
fn weights(row: u32, column: u32) -> vec4<f32> {
    return vec4<f32>(weight(row, column), weight(row, column + 1u), weight(row, column + 2u), weight(row, column + 3u));
}

@compute @workgroup_size(256)
fn avg_pool2d_by4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = (params.first + group_index(group, groups)) * 256u + lane;
    let at = four(o, params.p);
    if at.y >= params.planes {
        return;
    }
    var sum = vec4<f32>(0.0);
    for (var r = 0u; r < KH; r++) {
        let i = 2u * at.z + r - PH;
        if i < params.h {
            let t = taps(at.y * params.h + i, at.w);
            sum += t.left + t.middle + t.right;
        }
    }
    y4[o] = sum * weights(at.z, 4u * at.w);
}

/// Two neighbours of each of four windows, of one row of dx: columns 2j and 2j + 1.
struct Pair {
    even: vec4<f32>,
    odd: vec4<f32>,
}

fn store(row: u32, fours: u32, of_row: Pair) {
    let at = 2u * (row * (params.w / 8u) + fours);
    dx4[at] = vec4<f32>(of_row.even.x, of_row.odd.x, of_row.even.y, of_row.odd.y);
    dx4[at + 1u] = vec4<f32>(of_row.even.z, of_row.odd.z, of_row.even.w, of_row.odd.w);
}

/// Four windows in a row of y, and for each the one after it: an odd column is the left one of that, too.
struct Windows {
    dy: vec4<f32>,
    next_dy: vec4<f32>,
    chosen: vec4<u32>,
    next_chosen: vec4<u32>,
}

/// Those of row `row`; zeros give nothing.
fn windows(at: vec4<u32>, row: u32) -> Windows {
    var w: Windows;
    if row < params.p {
        let o = (at.y * params.p + row) * (params.w / 8u) + at.w;
        w.dy = dy4[o];
        w.chosen = chosen4[o];
        if KW == 3u {
            let after = select(0u, 1u, at.w + 1u < params.w / 8u);
            w.next_dy = vec4<f32>(w.dy.yzw, select(0.0, dy4[o + after].x, after == 1u));
            w.next_chosen = vec4<u32>(w.chosen.yzw, chosen4[o + after].x);
        }
    }
    return w;
}

/// Adds what windows give to the row of x whose first place is `place`.
fn add_chosen(sums: Pair, w: Windows, place: u32) -> Pair {
    let even = place + vec4<u32>(0u, 2u, 4u, 6u);
    var s = sums;
    s.even += select(vec4<f32>(0.0), w.dy, w.chosen == even);
    s.odd += select(vec4<f32>(0.0), w.dy, w.chosen == even + 1u);
    if KW == 3u {
        s.odd += select(vec4<f32>(0.0), w.next_dy, w.next_chosen == even + 1u);
    }
    return s;
}

// Two rows of eight.
@compute @workgroup_size(256)
fn max_pool2d_bwd_x_by4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = four((params.first + group_index(group, groups)) * 256u + lane, ceil_div(params.h, 2u));
    if at.y >= params.planes {
        return;
    }
    let own = windows(at, at.z);
    let place = 2u * at.z * params.w + 8u * at.w;
    let row = at.y * params.h + 2u * at.z;
    store(row, at.w, add_chosen(Pair(), own, place));
    if 2u * at.z + 1u < params.h {
        var sums = add_chosen(Pair(), own, place + params.w);
        if KH == 3u {
            sums = add_chosen(sums, windows(at, at.z + 1u), place + params.w);
        }
        store(row + 1u, at.w, sums);
    }
}

/// What the windows of row `row` of y give to each row of x that they meet.
fn share(at: vec4<u32>, row: u32) -> Pair {
    var s: Pair;
    if row < params.p {
        let o = (at.y * params.p + row) * (params.w / 8u) + at.w;
        s.even = dy4[o] * weights(row, 4u * at.w);
        s.odd = s.even;
        if KW == 3u {
            let after = select(0u, 1u, at.w + 1u < params.w / 8u);
            let next = select(0.0, dy4[o + after].x * weight(row, 4u * at.w + 4u), after == 1u);
            s.odd += vec4<f32>(s.even.yzw, next);
        }
    }
    return s;
}

@compute @workgroup_size(256)
fn avg_pool2d_bwd_x_by4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = four((params.first + group_index(group, groups)) * 256u + lane, ceil_div(params.h, 2u));
    if at.y >= params.planes {
        return;
    }
    let row = at.y * params.h + 2u * at.z;
    var own = share(at, at.z);
    store(row, at.w, own);
    if 2u * at.z + 1u < params.h {
        if KH == 3u {
            let below = share(at, at.z + 1u);
            own = Pair(own.even + below.even, own.odd + below.odd);
        }
        store(row + 1u, at.w, own);
    }
}
