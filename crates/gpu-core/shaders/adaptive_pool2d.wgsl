// Maximum and mean over windows that divide a plane into p by q parts, which may overlap:
// part i of n along an axis of e elements is floor(i e / n) .. ceil((i + 1) e / n).
// Gradients gather: each element of dx looks at the parts that it lies in.

struct Params {
    planes: u32, // n * c
    h: u32,
    w: u32,
    p: u32, // rows of y
    q: u32, // columns of y
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> chosen: array<u32>; // where in its plane each maximum lies
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> indices: array<u32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

/// The first and one past the last element of part `i` of `n`, of `e` elements. With `e` and `n` in each other's place: the parts
/// in which element `i` lies.
fn part(i: u32, e: u32, n: u32) -> vec2<u32> {
    return vec2<u32>(i * e / n, ceil_div((i + 1u) * e, n));
}

/// A window: its first row and column, its extents.
struct Window {
    plane: u32,
    top: u32,
    left: u32,
    rows: u32,
    columns: u32,
}

fn window_of(o: u32) -> Window {
    let rows = part((o / params.q) % params.p, params.h, params.p);
    let columns = part(o % params.q, params.w, params.q);
    return Window(o / (params.p * params.q), rows.x, columns.x, rows.y - rows.x, columns.y - columns.x);
}

/// Where in its plane element `i` of a window lies.
fn place(window: Window, i: u32) -> u32 {
    return (window.top + i / window.columns) * params.w + window.left + i % window.columns;
}

// By bits: a compiler may assume that no number is a NaN.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

/// A value and where it lies.
struct Best {
    value: f32,
    at: u32,
}

/// The sum of every `step`th element of a window from `first` on.
fn sum_of(window: Window, first: u32, step: u32) -> f32 {
    let start = window.plane * params.h * params.w;
    var sum = 0.0;
    for (var i = first; i < window.rows * window.columns; i += step) {
        sum += x[start + place(window, i)];
    }
    return sum;
}

/// The largest of every `step`th element from `first` on: the first of equals, the last NaN.
fn best_of(window: Window, first: u32, step: u32) -> Best {
    let start = window.plane * params.h * params.w;
    // A lane past the end begins at the window's last element, which another lane has too.
    let size = window.rows * window.columns;
    var best: Best;
    best.at = place(window, min(first, size - 1u));
    best.value = x[start + best.at];
    for (var i = first + step; i < size; i += step) {
        let at = place(window, i);
        let v = x[start + at];
        if v > best.value || is_nan(v) {
            best = Best(v, at);
        }
    }
    return best;
}

// ---- an invocation a window ------------------------------------------------------------------------------------------------

@compute @workgroup_size(64)
fn adaptive_avg_pool2d(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 64u + lane;
    if o < params.planes * params.p * params.q {
        let window = window_of(o);
        y[o] = sum_of(window, 0u, 1u) / f32(window.rows * window.columns);
    }
}

@compute @workgroup_size(64)
fn adaptive_max_pool2d(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 64u + lane;
    if o < params.planes * params.p * params.q {
        let best = best_of(window_of(o), 0u, 1u);
        y[o] = best.value;
        indices[o] = best.at;
    }
}

// ---- a workgroup a window --------------------------------------------------------------------------------------------------

@compute @workgroup_size(64)
fn adaptive_avg_pool2d_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups);
    let outputs = params.planes * params.p * params.q;
    let window = window_of(min(o, outputs - 1u));
    let sum = workgroup_sum(lane, 64u, sum_of(window, lane, 64u));
    if lane == 0u && o < outputs {
        y[o] = sum / f32(window.rows * window.columns);
    }
}

var<workgroup> bests: array<Best, 64>;

/// Of two: a NaN before a number, the last of NaNs, the larger of numbers, the first of equals. As if in one run.
fn better(a: Best, b: Best) -> Best {
    let a_nan = is_nan(a.value);
    let b_nan = is_nan(b.value);
    if a_nan || b_nan {
        if a_nan && b_nan {
            return Best(a.value, max(a.at, b.at));
        }
        if a_nan {
            return a;
        }
        return b;
    }
    if a.value > b.value || (a.value == b.value && a.at < b.at) {
        return a;
    }
    return b;
}

@compute @workgroup_size(64)
fn adaptive_max_pool2d_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups);
    let outputs = params.planes * params.p * params.q;
    bests[lane] = best_of(window_of(min(o, outputs - 1u)), lane, 64u);
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            bests[lane] = better(bests[lane], bests[lane + half]);
        }
    }
    if lane == 0u && o < outputs {
        y[o] = bests[0].value;
        indices[o] = bests[0].at;
    }
}

// ---- gradients -------------------------------------------------------------------------------------------------------------

@compute @workgroup_size(256)
fn adaptive_avg_pool2d_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= params.planes * params.h * params.w {
        return;
    }
    let rows = part((i / params.w) % params.h, params.p, params.h);
    let columns = part(i % params.w, params.q, params.w);
    let start = i / (params.h * params.w) * params.p;
    var sum = 0.0;
    for (var row = rows.x; row < rows.y; row++) {
        let of_row = part(row, params.h, params.p);
        for (var column = columns.x; column < columns.y; column++) {
            let of_column = part(column, params.w, params.q);
            sum += dy[(start + row) * params.q + column] / f32((of_row.y - of_row.x) * (of_column.y - of_column.x));
        }
    }
    dx[i] = sum;
}

@compute @workgroup_size(256)
fn adaptive_max_pool2d_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= params.planes * params.h * params.w {
        return;
    }
    let rows = part((i / params.w) % params.h, params.p, params.h);
    let columns = part(i % params.w, params.q, params.w);
    let start = i / (params.h * params.w) * params.p;
    let own = i % (params.h * params.w);
    var sum = 0.0;
    for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
            let o = (start + row) * params.q + column;
            sum += select(0.0, dy[o], chosen[o] == own);
        }
    }
    dx[i] = sum;
}
