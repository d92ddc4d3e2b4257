// Depthwise convolution: every channel has its own taps, and nothing is summed over channels. Bandwidth is all that counts.
//
//   forward  y[n,k,p,q]  = sum over r,s of x[n, k / M, p stride + r dilation - padding, ..] w[k,r,s]     M = outputs per channel
//   bwd_x    dx[n,c,h,w] = sum over the M outputs of channel c and r,s, through the transposed taps
//   bwd_w    dw[k,r,s]   = sum over n,p,q of dy[n,k,p,q] x[n, k / M, ..]
//
// The common taps have entries of their own, by 16 bytes (`_by4`), and other names for their slots: to write one component of a
// vector may write its neighbours too, so one that several invocations share is written whole or not at all.

struct Params {
    batch: u32,
    in_c: u32,
    out_c: u32,
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    pixels_per_split: u32,
    splits: u32,
    first: u32, // workgroup of this dispatch
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>; // `w` again where there is no bias
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> y4: array<vec4<f32>>;

/// The input under a tap of a plane; zero outside.
fn read_tap(plane: u32, row: i32, column: i32) -> f32 {
    let inside = u32(row) < params.in_h && u32(column) < params.in_w;
    let v = x[select(0u, (plane * params.in_h + u32(row)) * params.in_w + u32(column), inside)];
    return select(0.0, v, inside);
}

/// Four neighbours of an output row, counted over all planes.
struct Four {
    plane: u32,
    row: u32,
    column: u32,
}

fn four_of(index: u32) -> Four {
    let fours = ceil_div(params.out_w, 4u);
    return Four(index / (fours * params.out_h), (index / fours) % params.out_h, 4u * (index % fours));
}

/// Where they lie in the output.
fn place(o: Four) -> u32 {
    return (o.plane * params.out_h + o.row) * params.out_w + o.column;
}

/// The plane of the input whose outputs lie in plane `plane`.
fn input_of(plane: u32) -> u32 {
    return (plane / params.out_c) * params.in_c + (plane % params.out_c) / (params.out_c / params.in_c);
}

/// The first plane of the input that meets plane `plane` of dx, and its filter.
fn first_of(plane: u32) -> vec2<u32> {
    let own = (plane % params.out_c) * (params.in_c / params.out_c);
    return vec2<u32>((plane / params.out_c) * params.in_c + own, own);
}

/// What a channel's sums begin with.
fn bias_of(plane: u32) -> vec4<f32> {
    if HAS_BIAS == 1u {
        return vec4<f32>(bias[plane % params.out_c]);
    }
    return vec4<f32>();
}

/// Four neighbours of an output row through all taps of one filter.
fn four_outputs(plane: u32, own: u32, row: u32, column: u32) -> vec4<f32> {
    var sum = vec4<f32>();
    for (var r = 0u; r < R; r++) {
        let from_row = read_row(row, r);
        for (var s = 0u; s < S; s++) {
            let v = vec4<f32>(
                read_tap(plane, from_row, read_column(column, s)),
                read_tap(plane, from_row, read_column(column + 1u, s)),
                read_tap(plane, from_row, read_column(column + 2u, s)),
                read_tap(plane, from_row, read_column(column + 3u, s)),
            );
            sum += v * w[own * TAPS + r * S + s];
        }
    }
    return sum;
}

fn store_four(o: Four, v: vec4<f32>) {
    let at = place(o);
    y[at] = v.x;
    if o.column + 1u < params.out_w { y[at + 1u] = v.y; }
    if o.column + 2u < params.out_w { y[at + 2u] = v.z; }
    if o.column + 3u < params.out_w { y[at + 3u] = v.w; }
}

@compute @workgroup_size(64)
fn depthwise(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = four_of((params.first + group_index(group, groups)) * 64u + lane);
    if o.plane >= params.batch * params.out_c {
        return;
    }
    let v = four_outputs(input_of(o.plane), o.plane % params.out_c, o.row, o.column) + bias_of(o.plane);
    store_four(o, v);
}

// Here TRANSPOSED is set: `in` is dy with its channels, `out` is dx; with a bias it is a transposed convolution's forward pass.
@compute @workgroup_size(64)
fn depthwise_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = four_of((params.first + group_index(group, groups)) * 64u + lane);
    if o.plane >= params.batch * params.out_c {
        return;
    }
    let first = first_of(o.plane);
    var v = bias_of(o.plane);
    for (var m = 0u; m < params.in_c / params.out_c; m++) {
        v += four_outputs(first.x + m, first.y + m, o.row, o.column);
    }
    store_four(o, v);
}

// ---- by 16 bytes: up to three rows of three taps, one apart, over rows of fours that keep their width ----------------------

/// What four columns meet of a row of the input: through the taps before them, over them and after them.
struct Three {
    before: vec4<f32>,
    own: vec4<f32>,
    after: vec4<f32>,
}

fn read_three(plane: u32, row: i32, column: u32) -> Three {
    var t: Three;
    if u32(row) < params.in_h {
        let at = ((plane * params.in_h + u32(row)) * params.in_w + column) / 4u;
        t.own = x4[at];
        t.before = vec4<f32>(select(0.0, x4[max(at, 1u) - 1u].w, column > 0u), t.own.xyz);
        let last = column + 4u == params.in_w;
        t.after = vec4<f32>(t.own.yzw, select(x4[at + select(1u, 0u, last)].x, 0.0, last));
    }
    return t;
}

fn four_outputs_by4(plane: u32, own: u32, row: u32, column: u32) -> vec4<f32> {
    var sum = vec4<f32>();
    for (var r = 0u; r < R; r++) {
        let t = read_three(plane, read_row(row, r), column);
        let at = own * TAPS + r * S;
        // A transposed kernel is turned round.
        sum += t.before * w[at + select(0u, 2u, TRANSPOSED == 1u)] + t.own * w[at + 1u];
        sum += t.after * w[at + select(2u, 0u, TRANSPOSED == 1u)];
    }
    return sum;
}

@compute @workgroup_size(64)
fn depthwise_by4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = four_of((params.first + group_index(group, groups)) * 64u + lane);
    if o.plane >= params.batch * params.out_c {
        return;
    }
    let v = four_outputs_by4(input_of(o.plane), o.plane % params.out_c, o.row, o.column) + bias_of(o.plane);
    y4[place(o) / 4u] = v;
}

@compute @workgroup_size(64)
fn depthwise_bwd_x_by4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = four_of((params.first + group_index(group, groups)) * 64u + lane);
    if o.plane >= params.batch * params.out_c {
        return;
    }
    let first = first_of(o.plane);
    var v = bias_of(o.plane);
    for (var m = 0u; m < params.in_c / params.out_c; m++) {
        v += four_outputs_by4(first.x + m, first.y + m, o.row, o.column);
    }
    y4[place(o) / 4u] = v;
}

// ---- weight gradient: a workgroup owns one channel's taps over one run of pixels -------------------------------------------

const LANES: u32 = 64u;
var<workgroup> tap_sums: array<f32, LANES * TAPS>;

/// The sums of all lanes together, and then the split's partial of dw. Uniform control flow only.
fn store_tap_sums(k: u32, split: u32, lane: u32) {
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            for (var tap = 0u; tap < TAPS; tap++) {
                tap_sums[tap * LANES + lane] += tap_sums[tap * LANES + lane + half];
            }
        }
    }
    workgroupBarrier();
    if split < params.splits {
        for (var tap = lane; tap < TAPS; tap += LANES) {
            y[(split * params.out_c + k) * TAPS + tap] = tap_sums[tap * LANES];
        }
    }
}

@compute @workgroup_size(LANES)
fn depthwise_bwd_w(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = (params.first + group_index(group, groups));
    let k = index % params.out_c;
    let split = index / params.out_c;
    let plane = params.out_h * params.out_w;
    let from_c = k / (params.out_c / params.in_c);
    let end = min((split + 1u) * params.pixels_per_split, params.batch * plane);
    var sums: array<f32, TAPS>;
    for (var pixel = split * params.pixels_per_split + lane; pixel < end; pixel += LANES) {
        let image = pixel / plane;
        let within = pixel % plane;
        let d = dy[(image * params.out_c + k) * plane + within];
        for (var r = 0u; r < R; r++) {
            let row = read_row(within / params.out_w, r);
            for (var s = 0u; s < S; s++) {
                sums[r * S + s] += d * read_tap(image * params.in_c + from_c, row, read_column(within % params.out_w, s));
            }
        }
    }
    for (var tap = 0u; tap < TAPS; tap++) {
        tap_sums[tap * LANES + lane] = sums[tap];
    }
    store_tap_sums(k, split, lane);
}

/// What four pixels and the taps of a row give: a sum a tap.
fn row_sums(d: vec4<f32>, plane: u32, row: i32, column: u32) -> vec3<f32> {
    let t = read_three(plane, row, column);
    return vec3<f32>(dot(d, t.before), dot(d, t.own), dot(d, t.after));
}

fn keep_row(r: u32, lane: u32, sums: vec3<f32>) {
    if r < R {
        tap_sums[r * S * LANES + lane] = sums.x;
        tap_sums[(r * S + 1u) * LANES + lane] = sums.y;
        tap_sums[(r * S + 2u) * LANES + lane] = sums.z;
    }
}

// A lane takes four pixels at once. The sums of a row of taps have a name: an array that a loop indexes would lie in memory.
@compute @workgroup_size(LANES)
fn depthwise_bwd_w_by4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = (params.first + group_index(group, groups));
    let k = index % params.out_c;
    let split = index / params.out_c;
    let plane = params.out_h * params.out_w;
    let end = min((split + 1u) * params.pixels_per_split, params.batch * plane);
    var top: vec3<f32>;
    var middle: vec3<f32>;
    var bottom: vec3<f32>;
    for (var pixel = split * params.pixels_per_split + 4u * lane; pixel < end; pixel += 4u * LANES) {
        let of_dy = (pixel / plane) * params.out_c + k;
        let of_x = input_of(of_dy);
        let row = (pixel % plane) / params.out_w;
        let column = pixel % params.out_w;
        let d = dy4[(of_dy * plane + pixel % plane) / 4u];
        top += row_sums(d, of_x, read_row(row, 0u), column);
        if R > 1u { middle += row_sums(d, of_x, read_row(row, 1u), column); }
        if R > 2u { bottom += row_sums(d, of_x, read_row(row, 2u), column); }
    }
    keep_row(0u, lane, top);
    keep_row(1u, lane, middle);
    keep_row(2u, lane, bottom);
    store_tap_sums(k, split, lane);
}
