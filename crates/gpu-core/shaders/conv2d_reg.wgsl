// Convolution in registers alone, for drivers that run on the CPU: 8 channels by 16 pixels an invocation. `*_row3` is the same for
// kernels three wide with unit step, where ten loaded pixels serve eight outputs three times.

/// Where a pixel reads, for all taps: the division by a stride that runs backwards is done here once, for a position and a tap meet
/// where their remainders do. Software drivers take divisions apart, and one of them took minutes to compile two in each tap.
struct Reach {
    // Where its image begins.
    image: u32,
    row: vec2<i32>,
    column: vec2<i32>,
}

/// What is read at output position `at`: a quotient, and the remainder that taps must have.
fn reach_of(at: u32, stride: u32, padding: u32) -> vec2<i32> {
    if TRANSPOSED == 1u {
        return vec2<i32>(i32((at + padding) / stride), i32((at + padding) % stride));
    }
    return vec2<i32>(i32(at * stride) - i32(padding), 0);
}

/// How far a tap lies from there, and its remainder.
fn tap_of(t: u32, stride: u32, dilation: u32) -> vec2<i32> {
    if TRANSPOSED == 1u {
        return vec2<i32>(-i32(t * dilation / stride), i32(t * dilation % stride));
    }
    return vec2<i32>(i32(t * dilation), 0);
}

fn reach_of_pixel(index: u32) -> Reach {
    let pixel = pixel_of(index);
    let image = pixel.image * params.groups * params.in_c * params.in_h * params.in_w;
    return Reach(image, reach_of(pixel.row, STRIDE_H, PAD_H), reach_of(pixel.column, STRIDE_W, PAD_W));
}

fn read_pixel(pixel: Reach, plane: u32, r: vec2<i32>, s: vec2<i32>) -> f32 {
    let row = select(-1, pixel.row.x + r.x, pixel.row.y == r.y);
    return read_tap(plane + pixel.image, row, select(-1, pixel.column.x + s.x, pixel.column.y == s.y));
}

fn store_sixteen(group: u32, channel: u32, pixel: u32, sums: mat4x4<f32>) {
    var v = array<vec4<f32>, 4>(sums[0], sums[1], sums[2], sums[3]);
    for (var j = 0u; j < 16u; j++) {
        store(group, channel, pixel + j, v[j / 4u][j % 4u]);
    }
}

fn reg(index: u32) {
    let pixel0 = 16u * (index % params.tiles_p);
    let rest = index / params.tiles_p;
    let channel0 = 8u * (rest % params.tiles_c);
    let group = rest / params.tiles_c;
    if group >= params.groups {
        return;
    }
    // Past the end the last pixel or channel is read again and its sums are dropped.
    let last = params.batch * params.out_h * params.out_w - 1u;
    let p0 = reach_of_pixel(min(pixel0 + 0u, last));
    let p1 = reach_of_pixel(min(pixel0 + 1u, last));
    let p2 = reach_of_pixel(min(pixel0 + 2u, last));
    let p3 = reach_of_pixel(min(pixel0 + 3u, last));
    let p4 = reach_of_pixel(min(pixel0 + 4u, last));
    let p5 = reach_of_pixel(min(pixel0 + 5u, last));
    let p6 = reach_of_pixel(min(pixel0 + 6u, last));
    let p7 = reach_of_pixel(min(pixel0 + 7u, last));
    let p8 = reach_of_pixel(min(pixel0 + 8u, last));
    let p9 = reach_of_pixel(min(pixel0 + 9u, last));
    let p10 = reach_of_pixel(min(pixel0 + 10u, last));
    let p11 = reach_of_pixel(min(pixel0 + 11u, last));
    let p12 = reach_of_pixel(min(pixel0 + 12u, last));
    let p13 = reach_of_pixel(min(pixel0 + 13u, last));
    let p14 = reach_of_pixel(min(pixel0 + 14u, last));
    let p15 = reach_of_pixel(min(pixel0 + 15u, last));
    let w_first = group * params.w_group;
    let w0 = w_first + min(channel0 + 0u, params.out_c - 1u) * params.w_out;
    let w1 = w_first + min(channel0 + 1u, params.out_c - 1u) * params.w_out;
    let w2 = w_first + min(channel0 + 2u, params.out_c - 1u) * params.w_out;
    let w3 = w_first + min(channel0 + 3u, params.out_c - 1u) * params.w_out;
    let w4 = w_first + min(channel0 + 4u, params.out_c - 1u) * params.w_out;
    let w5 = w_first + min(channel0 + 5u, params.out_c - 1u) * params.w_out;
    let w6 = w_first + min(channel0 + 6u, params.out_c - 1u) * params.w_out;
    let w7 = w_first + min(channel0 + 7u, params.out_c - 1u) * params.w_out;
    var sums: array<mat4x4<f32>, 8>;
    for (var c = 0u; c < params.in_c; c++) {
        let plane = (group * params.in_c + c) * params.in_h * params.in_w;
        for (var tap = 0u; tap < TAPS; tap++) {
            let r = tap_of(tap / S, STRIDE_H, DILATION_H);
            let s = tap_of(tap % S, STRIDE_W, DILATION_W);
            let b = mat4x4<f32>(
                vec4<f32>(read_pixel(p0, plane, r, s), read_pixel(p1, plane, r, s), read_pixel(p2, plane, r, s), read_pixel(p3, plane, r, s)),
                vec4<f32>(read_pixel(p4, plane, r, s), read_pixel(p5, plane, r, s), read_pixel(p6, plane, r, s), read_pixel(p7, plane, r, s)),
                vec4<f32>(read_pixel(p8, plane, r, s), read_pixel(p9, plane, r, s), read_pixel(p10, plane, r, s), read_pixel(p11, plane, r, s)),
                vec4<f32>(read_pixel(p12, plane, r, s), read_pixel(p13, plane, r, s), read_pixel(p14, plane, r, s), read_pixel(p15, plane, r, s)),
            );
            let at = c * params.w_in + tap;
            let a0 = w[w0 + at];
            let a1 = w[w1 + at];
            let a2 = w[w2 + at];
            let a3 = w[w3 + at];
            let a4 = w[w4 + at];
            let a5 = w[w5 + at];
            let a6 = w[w6 + at];
            let a7 = w[w7 + at];
            sums[0] += a0 * b;
            sums[1] += a1 * b;
            sums[2] += a2 * b;
            sums[3] += a3 * b;
            sums[4] += a4 * b;
            sums[5] += a5 * b;
            sums[6] += a6 * b;
            sums[7] += a7 * b;
        }
    }
    // The sums move up to one site of stores: indexed at run time they would lie in memory as a whole, and with a site for each
    // channel (a loop of constant length becomes that) drivers compiled twice as long.
    let channels = min(8u, params.out_c - channel0);
    for (var i = 0u; i < channels; i++) {
        store_sixteen(group, channel0 + i, pixel0, sums[0]);
        sums[0] = sums[1];
        sums[1] = sums[2];
        sums[2] = sums[3];
        sums[3] = sums[4];
        sums[4] = sums[5];
        sums[5] = sums[6];
        sums[6] = sums[7];
    }
}

@compute @workgroup_size(8)
fn conv2d_reg(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    reg((params.first + group_index(group, groups)) * 8u + lane);
}

@compute @workgroup_size(8)
fn conv2d_bwd_x_reg(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    reg((params.first + group_index(group, groups)) * 8u + lane);
}

// ---- rows of three taps ---------------------------------------------------------------------------------------------------

// Which of a row's three weights meets the leftmost and the rightmost pixel.
const FIRST: u32 = 2u * TRANSPOSED;
const LAST: u32 = 2u - FIRST;

/// Eight neighbours of an output row.
struct Segment {
    image: u32,
    row: u32,
    column: u32,
    inside: bool,
}

fn segment_of(index: u32) -> Segment {
    let per_row = ceil_div(params.out_w, 8u);
    let row = index / per_row;
    return Segment(row / params.out_h, row % params.out_h, 8u * (index % per_row), row < params.batch * params.out_h);
}

/// The pixel under a tap of a unit-step row: with `TRANSPOSED` the taps run backwards, which the weights' order undoes.
fn read_at(base: u32, column: i32, inside: bool) -> f32 {
    let ok = inside && u32(column) < params.in_w;
    let v = x[select(0u, base + u32(column), ok)];
    return select(0.0, v, ok);
}

/// Adds a row's three taps. Column by column: with whole matrices, sums spilled to memory more often on llvmpipe.
fn add_taps(sum: mat4x4<f32>, l: f32, m: f32, r: f32, left: mat4x4<f32>, middle: mat4x4<f32>, right: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(
        sum[0] + (l * left[0] + m * middle[0] + r * right[0]),
        sum[1] + (l * left[1] + m * middle[1] + r * right[1]),
        sum[2] + (l * left[2] + m * middle[2] + r * right[2]),
        sum[3] + (l * left[3] + m * middle[3] + r * right[3]),
    );
}

fn row3(index: u32) {
    let pair = 2u * (index % params.tiles_p);
    let rest = index / params.tiles_p;
    let channel0 = 8u * (rest % params.tiles_c);
    let group = rest / params.tiles_c;
    if group >= params.groups {
        return;
    }
    let a = segment_of(pair);
    let b = segment_of(pair + 1u);
    let first = select(i32(PAD_W), 2 - i32(PAD_W), TRANSPOSED == 1u);
    let a_reach = reach_of(a.row, STRIDE_H, PAD_H);
    let b_reach = reach_of(b.row, STRIDE_H, PAD_H);
    let a_column = i32(a.column) - first;
    let b_column = i32(b.column) - first;
    let w_first = group * params.w_group;
    let w0 = w_first + min(channel0 + 0u, params.out_c - 1u) * params.w_out;
    let w1 = w_first + min(channel0 + 1u, params.out_c - 1u) * params.w_out;
    let w2 = w_first + min(channel0 + 2u, params.out_c - 1u) * params.w_out;
    let w3 = w_first + min(channel0 + 3u, params.out_c - 1u) * params.w_out;
    let w4 = w_first + min(channel0 + 4u, params.out_c - 1u) * params.w_out;
    let w5 = w_first + min(channel0 + 5u, params.out_c - 1u) * params.w_out;
    let w6 = w_first + min(channel0 + 6u, params.out_c - 1u) * params.w_out;
    let w7 = w_first + min(channel0 + 7u, params.out_c - 1u) * params.w_out;
    var sums: array<mat4x4<f32>, 8>;
    for (var c = 0u; c < params.in_c; c++) {
        for (var r = 0u; r < R; r++) {
            let tap = tap_of(r, STRIDE_H, DILATION_H);
            let a_row = select(-1, a_reach.x + tap.x, a_reach.y == tap.y);
            let b_row = select(-1, b_reach.x + tap.x, b_reach.y == tap.y);
            let a_ok = a.inside && u32(a_row) < params.in_h;
            let b_ok = b.inside && u32(b_row) < params.in_h;
            let a_base = (((a.image * params.groups + group) * params.in_c + c) * params.in_h + u32(a_row)) * params.in_w;
            let b_base = (((b.image * params.groups + group) * params.in_c + c) * params.in_h + u32(b_row)) * params.in_w;
            let a0 = read_at(a_base, a_column + 0, a_ok);
            let a1 = read_at(a_base, a_column + 1, a_ok);
            let a2 = read_at(a_base, a_column + 2, a_ok);
            let a3 = read_at(a_base, a_column + 3, a_ok);
            let a4 = read_at(a_base, a_column + 4, a_ok);
            let a5 = read_at(a_base, a_column + 5, a_ok);
            let a6 = read_at(a_base, a_column + 6, a_ok);
            let a7 = read_at(a_base, a_column + 7, a_ok);
            let a8 = read_at(a_base, a_column + 8, a_ok);
            let a9 = read_at(a_base, a_column + 9, a_ok);
            let b0 = read_at(b_base, b_column + 0, b_ok);
            let b1 = read_at(b_base, b_column + 1, b_ok);
            let b2 = read_at(b_base, b_column + 2, b_ok);
            let b3 = read_at(b_base, b_column + 3, b_ok);
            let b4 = read_at(b_base, b_column + 4, b_ok);
            let b5 = read_at(b_base, b_column + 5, b_ok);
            let b6 = read_at(b_base, b_column + 6, b_ok);
            let b7 = read_at(b_base, b_column + 7, b_ok);
            let b8 = read_at(b_base, b_column + 8, b_ok);
            let b9 = read_at(b_base, b_column + 9, b_ok);
            let left = mat4x4<f32>(a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7);
            let middle = mat4x4<f32>(a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8);
            let right = mat4x4<f32>(a2, a3, a4, a5, a6, a7, a8, a9, b2, b3, b4, b5, b6, b7, b8, b9);
            let at = c * params.w_in + r * 3u;
            sums[0] = add_taps(sums[0], w[w0 + at + FIRST], w[w0 + at + 1u], w[w0 + at + LAST], left, middle, right);
            sums[1] = add_taps(sums[1], w[w1 + at + FIRST], w[w1 + at + 1u], w[w1 + at + LAST], left, middle, right);
            sums[2] = add_taps(sums[2], w[w2 + at + FIRST], w[w2 + at + 1u], w[w2 + at + LAST], left, middle, right);
            sums[3] = add_taps(sums[3], w[w3 + at + FIRST], w[w3 + at + 1u], w[w3 + at + LAST], left, middle, right);
            sums[4] = add_taps(sums[4], w[w4 + at + FIRST], w[w4 + at + 1u], w[w4 + at + LAST], left, middle, right);
            sums[5] = add_taps(sums[5], w[w5 + at + FIRST], w[w5 + at + 1u], w[w5 + at + LAST], left, middle, right);
            sums[6] = add_taps(sums[6], w[w6 + at + FIRST], w[w6 + at + 1u], w[w6 + at + LAST], left, middle, right);
            sums[7] = add_taps(sums[7], w[w7 + at + FIRST], w[w7 + at + 1u], w[w7 + at + LAST], left, middle, right);
        }
    }
    // As in `reg`: one site of stores.
    let channels = min(8u, params.out_c - channel0);
    for (var i = 0u; i < channels; i++) {
        store_segments(group, channel0 + i, a, b, sums[0]);
        sums[0] = sums[1];
        sums[1] = sums[2];
        sums[2] = sums[3];
        sums[3] = sums[4];
        sums[4] = sums[5];
        sums[5] = sums[6];
        sums[6] = sums[7];
    }
}

fn store_four(at: u32, room: u32, v: vec4<f32>) {
    if room > 0u { y[at] = v.x; }
    if room > 1u { y[at + 1u] = v.y; }
    if room > 2u { y[at + 2u] = v.z; }
    if room > 3u { y[at + 3u] = v.w; }
}

/// Writes one channel's eight pixels of a segment.
fn store_segment(k: u32, s: Segment, low: vec4<f32>, high: vec4<f32>) {
    if s.inside {
        let at = ((s.image * params.groups * params.out_c + k) * params.out_h + s.row) * params.out_w + s.column;
        let room = params.out_w - s.column;
        store_four(at, room, low);
        store_four(at + 4u, max(room, 4u) - 4u, high);
    }
}

fn store_segments(group: u32, channel: u32, a: Segment, b: Segment, sums: mat4x4<f32>) {
    let k = group * params.out_c + channel;
    let v = bias_of(k);
    store_segment(k, a, sums[0] + v, sums[1] + v);
    store_segment(k, b, sums[2] + v, sums[3] + v);
}

@compute @workgroup_size(8)
fn conv2d_row3(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    row3((params.first + group_index(group, groups)) * 8u + lane);
}

@compute @workgroup_size(8)
fn conv2d_bwd_x_row3(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    row3((params.first + group_index(group, groups)) * 8u + lane);
}
