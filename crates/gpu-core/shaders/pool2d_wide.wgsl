// Windows so large that one invocation would loop too often: a workgroup for each element of y, or of dx. Stands behind pool2d.wgsl.

const WIDE: u32 = 256u;
const NOWHERE: u32 = 0xffffffffu;

@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

var<workgroup> lane_best: array<f32, WIDE>;
var<workgroup> lane_at: array<u32, WIDE>;

/// Whether a window that is walked row by row keeps `v` (at place i), not `best` (at place j): the first of equal numbers, the last NaN.
fn beats(v: f32, i: u32, best: f32, j: u32) -> bool {
    if i == NOWHERE || j == NOWHERE {
        return j == NOWHERE;
    }
    if is_nan(v) || is_nan(best) {
        return is_nan(v) && (!is_nan(best) || i > j);
    }
    return v > best || (v == best && i < j);
}

/// Where a window lies: its plane's first element, and its corner in the plane.
struct Window {
    start: u32,
    top: u32,
    left: u32,
    taps: u32, // none past the last window
}

/// The window of element `o` of y.
fn window_at(o: u32) -> Window {
    let row = o / params.q;
    let taps = select(0u, KH * KW, o < params.planes * params.p * params.q);
    return Window((row / params.p) * params.h * params.w, (row % params.p) * SH - PH, (o % params.q) * SW - PW, taps);
}

/// Where tap `tap` of the window whose corner is (top, left) lies in its plane.
fn tap_place(top: u32, left: u32, tap: u32) -> u32 {
    let i = top + tap / KW * DH;
    let j = left + tap % KW * DW;
    return select(NOWHERE, i * params.w + j, i < params.h && j < params.w);
}

@compute @workgroup_size(WIDE)
fn max_pool2d_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = params.first + group_index(group, groups);
    let window = window_at(o);
    var best = 0.0;
    var at = NOWHERE;
    for (var tap = lane; tap < window.taps; tap += WIDE) {
        let i = tap_place(window.top, window.left, tap);
        if i != NOWHERE {
            let v = x[window.start + i];
            if beats(v, i, best, at) {
                best = v;
                at = i;
            }
        }
    }
    lane_best[lane] = best;
    lane_at[lane] = at;
    for (var half = WIDE / 2u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half && beats(lane_best[lane + half], lane_at[lane + half], lane_best[lane], lane_at[lane]) {
            lane_best[lane] = lane_best[lane + half];
            lane_at[lane] = lane_at[lane + half];
        }
    }
    if lane == 0u && window.taps > 0u {
        y[o] = lane_best[0];
        indices[o] = lane_at[0];
    }
}

@compute @workgroup_size(WIDE)
fn avg_pool2d_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = params.first + group_index(group, groups);
    let window = window_at(o);
    var sum = 0.0;
    for (var tap = lane; tap < window.taps; tap += WIDE) {
        let i = tap_place(window.top, window.left, tap);
        if i != NOWHERE {
            sum += x[window.start + i];
        }
    }
    let total = workgroup_sum(lane, WIDE, sum);
    if lane == 0u && window.taps > 0u {
        y[o] = total * weight((o / params.q) % params.p, o % params.q);
    }
}

/// The windows that cover an element of x, along both axes.
struct Covering {
    rows: vec2<u32>,
    columns: vec2<u32>,
    count: u32,
}

fn covering_of(at: vec3<u32>) -> Covering {
    let rows = covering(at.y, SPAN_H, SH, PH, params.p);
    let columns = covering(at.z, SPAN_W, SW, PW, params.q);
    let count = (max(rows.x, rows.y) - rows.x) * (max(columns.x, columns.y) - columns.x);
    return Covering(rows, columns, select(0u, count, at.x < params.planes));
}

/// The window number `k` of them: row and column.
fn window_of(c: Covering, k: u32) -> vec2<u32> {
    let across = max(c.columns.y - c.columns.x, 1u);
    return vec2<u32>(c.rows.x + k / across, c.columns.x + k % across);
}

@compute @workgroup_size(WIDE)
fn max_pool2d_bwd_x_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = params.first + group_index(group, groups);
    let at = place(i);
    let c = covering_of(at);
    var sum = 0.0;
    for (var k = lane; k < c.count; k += WIDE) {
        let window = window_of(c, k);
        let o = (at.x * params.p + window.x) * params.q + window.y;
        sum += select(0.0, dy[o], chosen[o] == at.y * params.w + at.z);
    }
    let total = workgroup_sum(lane, WIDE, sum);
    if lane == 0u && at.x < params.planes {
        dx[i] = total;
    }
}

@compute @workgroup_size(WIDE)
fn avg_pool2d_bwd_x_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = params.first + group_index(group, groups);
    let at = place(i);
    let c = covering_of(at);
    var sum = 0.0;
    for (var k = lane; k < c.count; k += WIDE) {
        let window = window_of(c, k);
        // Between two taps a dilated window passes over the place.
        if (at.y + PH - window.x * SH) % DH == 0u && (at.z + PW - window.y * SW) % DW == 0u {
            sum += dy[(at.x * params.p + window.x) * params.q + window.y] * weight(window.x, window.y);
        }
    }
    let total = workgroup_sum(lane, WIDE, sum);
    if lane == 0u && at.x < params.planes {
        dx[i] = total;
    }
}
