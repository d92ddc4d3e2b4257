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
}

// Extents of a window.
const SPAN_H: u32 = (KH - 1u) * DH + 1u;
const SPAN_W: u32 = (KW - 1u) * DW + 1u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> chosen: array<u32>; // where in its plane each maximum lies
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;
@group(0) @binding(5) var<storage, read_write> dx4: array<vec4<f32>>;

// By bits: a compiler may assume that no number is a NaN.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

@compute @workgroup_size(256)
fn max_pool2d(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
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
        // No place lies in two windows.
        let row = (at.y + PH) / SH;
        let column = (at.z + PW) / SW;
        if row >= params.p || column >= params.q {
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
    let i = group_index(group, groups) * 256u + lane;
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
    let o = group_index(group, groups) * 256u + lane;
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
    let i = group_index(group, groups) * 256u + lane;
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
