// Depthwise convolution: every channel has its own taps, and nothing is summed over channels. Bandwidth is all that counts.
//
//   forward  y[n,k,p,q]  = sum over r,s of x[n, k / M, p stride + r dilation - padding, ..] w[k,r,s]     M = outputs per channel
//   bwd_x    dx[n,c,h,w] = sum over the M outputs of channel c and r,s, through the transposed taps
//   bwd_w    dw[k,r,s]   = sum over n,p,q of dy[n,k,p,q] x[n, k / M, ..]
//
// FOURS = 1: three taps a row, one apart, over rows of fours that keep their width. Then all goes by 16 bytes: of a row, four columns
// meet themselves and the two beside them.

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
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
// Bound to `w` again where there is no bias.
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y4: array<vec4<f32>>;

/// The input under a tap of a plane; zero outside.
fn read_tap(plane: u32, row: i32, column: i32) -> f32 {
    let inside = u32(row) < params.in_h && u32(column) < params.in_w;
    let at = select(0u, (plane * params.in_h + u32(row)) * params.in_w + u32(column), inside);
    return select(0.0, x4[at / 4u][at % 4u], inside);
}

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

/// Four neighbours of an output row through all taps of one filter.
fn four_outputs(plane: u32, own: u32, row: u32, column: u32) -> vec4<f32> {
    var sum = vec4<f32>();
    for (var r = 0u; r < R; r++) {
        let from_row = read_row(row, r);
        if FOURS == 1u {
            let t = read_three(plane, from_row, column);
            let at = own * TAPS + r * S;
            // A transposed kernel is turned round.
            sum += t.before * w[at + select(0u, 2u, TRANSPOSED == 1u)] + t.own * w[at + 1u];
            sum += t.after * w[at + select(2u, 0u, TRANSPOSED == 1u)];
            continue;
        }
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

fn store_one(at: u32, v: f32) {
    y4[at / 4u][at % 4u] = v;
}

fn store_four(at: u32, column: u32, v: vec4<f32>) {
    if FOURS == 1u {
        y4[at / 4u] = v;
        return;
    }
    store_one(at, v.x);
    if column + 1u < params.out_w { store_one(at + 1u, v.y); }
    if column + 2u < params.out_w { store_one(at + 2u, v.z); }
    if column + 3u < params.out_w { store_one(at + 3u, v.w); }
}

@compute @workgroup_size(64)
fn depthwise(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = group_index(group, groups) * 64u + lane;
    let fours = ceil_div(params.out_w, 4u);
    let column = 4u * (index % fours);
    let row = (index / fours) % params.out_h;
    let plane = index / (fours * params.out_h);
    if plane >= params.batch * params.out_c {
        return;
    }
    let k = plane % params.out_c;
    let input = (plane / params.out_c) * params.in_c + k / (params.out_c / params.in_c);
    var v = four_outputs(input, k, row, column);
    if HAS_BIAS == 1u {
        v += bias[k];
    }
    store_four((plane * params.out_h + row) * params.out_w + column, column, v);
}

// Here TRANSPOSED is set: `in` is dy with its channels, `out` is dx; with a bias it is a transposed convolution's forward pass.
@compute @workgroup_size(64)
fn depthwise_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = group_index(group, groups) * 64u + lane;
    let fours = ceil_div(params.out_w, 4u);
    let column = 4u * (index % fours);
    let row = (index / fours) % params.out_h;
    let plane = index / (fours * params.out_h);
    if plane >= params.batch * params.out_c {
        return;
    }
    let multiplier = params.in_c / params.out_c;
    let first = (plane % params.out_c) * multiplier;
    var v = vec4<f32>();
    if HAS_BIAS == 1u {
        v += bias[plane % params.out_c];
    }
    for (var m = 0u; m < multiplier; m++) {
        v += four_outputs((plane / params.out_c) * params.in_c + first + m, first + m, row, column);
    }
    store_four((plane * params.out_h + row) * params.out_w + column, column, v);
}

// ---- weight gradient: a workgroup owns one channel's taps over one run of pixels -------------------------------------------

@group(0) @binding(3) var<storage, read> dy4: array<vec4<f32>>;
/// Pixels that a lane takes at once.
const PIXELS: u32 = 1u + 3u * FOURS;
const LANES: u32 = 64u;
var<workgroup> tap_sums: array<f32, LANES * TAPS>;

@compute @workgroup_size(LANES)
fn depthwise_bwd_w(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = group_index(group, groups);
    let k = index % params.out_c;
    let split = index / params.out_c;
    let plane = params.out_h * params.out_w;
    let from_c = k / (params.out_c / params.in_c);
    let end = min((split + 1u) * params.pixels_per_split, params.batch * plane);
    var sums: array<f32, TAPS>;
    for (var pixel = split * params.pixels_per_split + PIXELS * lane; pixel < end; pixel += PIXELS * LANES) {
        let image = pixel / plane;
        let within = pixel % plane;
        let at = (image * params.out_c + k) * plane + within;
        for (var r = 0u; r < R; r++) {
            let row = read_row(within / params.out_w, r);
            if FOURS == 1u {
                let t = read_three(image * params.in_c + from_c, row, within % params.out_w);
                let d = dy4[at / 4u];
                sums[r * S] += dot(d, t.before);
                sums[r * S + 1u] += dot(d, t.own);
                sums[r * S + 2u] += dot(d, t.after);
                continue;
            }
            let d = dy4[at / 4u][at % 4u];
            for (var s = 0u; s < S; s++) {
                sums[r * S + s] += d * read_tap(image * params.in_c + from_c, row, read_column(within % params.out_w, s));
            }
        }
    }
    for (var tap = 0u; tap < TAPS; tap++) {
        tap_sums[tap * LANES + lane] = sums[tap];
    }
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
            store_one((split * params.out_c + k) * TAPS + tap, tap_sums[tap * LANES]);
        }
    }
}
