// Normalisation of rows: x is (rows, len) in memory, each row with its own statistics. What scales and shifts goes by channel: x is
// (n, c, inner) too, and a sample has `groups` rows. A layer's norm has c = len and inner = 1, a group's norm len = c / groups * inner.
//
// A row's mean is counted from its first element (`offset`): a large mean rounds only once, and deviations from it hardly at all.
// LANES invocations share a row or a part of one, GROUP / LANES of these share a workgroup. With LANES = 1 there is no barrier.
// VEC = 1: `len` is a multiple of four, so that four elements in a row are of one row.

struct Params {
    rows: u32,
    len: u32, // elements of a row
    n: u32,
    c: u32,
    inner: u32,
    groups: u32, // rows of a sample
    per_group: u32, // channels of a row
    splits: u32, // parts of a row, or of a channel where channels are summed
    part: u32, // elements of a part; a multiple of four
    has_gamma: u32,
    has_beta: u32,
    centered: u32, // 0: no mean is taken away (rms_norm)
    eps: f32,
    momentum: f32,
    inverse_len: f32,
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gamma: array<f32>;
@group(0) @binding(3) var<storage, read> beta: array<f32>;
@group(0) @binding(4) var<storage, read> offset: array<f32>;
@group(0) @binding(5) var<storage, read> rstd: array<f32>;
@group(0) @binding(6) var<storage, read> parts: array<f32>; // what the first stage left
@group(0) @binding(7) var<storage, read_write> partial: array<f32>;
@group(0) @binding(8) var<storage, read_write> y4: array<vec4<f32>>; // y or dx
@group(0) @binding(9) var<storage, read_write> first_out: array<f32>; // offset, dgamma or running mean
@group(0) @binding(10) var<storage, read_write> second_out: array<f32>; // rstd, dbeta or running variance

var<workgroup> of_lanes: array<vec3<f32>, GROUP>;

fn x_at(i: u32) -> f32 {
    return x4[i >> 2u][i & 3u];
}

/// What a row's mean is counted from.
fn origin(row: u32) -> f32 {
    if params.centered == 0u {
        return 0.0;
    }
    return x_at(min(row, params.rows - 1u) * params.len);
}

/// A row's mean less its origin.
fn shift(row: u32) -> f32 {
    if params.centered == 0u {
        return 0.0;
    }
    return offset[row];
}

/// The channels of the four elements from 4 i on. Past the end of x they are still channels.
fn channels(i: u32) -> vec4<u32> {
    let at = 4u * i;
    if VEC == 1u && params.inner == 1u {
        return vec4<u32>(at % params.c) + vec4<u32>(0u, 1u, 2u, 3u);
    }
    if params.inner % 4u == 0u {
        return vec4<u32>((at / params.inner) % params.c);
    }
    return ((at + vec4<u32>(0u, 1u, 2u, 3u)) / params.inner) % params.c;
}

/// (x - mean) * rstd of the four elements from 4 i on.
fn normalised(i: u32) -> vec4<f32> {
    if VEC == 1u {
        let row = 4u * i / params.len;
        return ((x4[i] - origin(row)) - shift(row)) * rstd[row];
    }
    let r = min((4u * i + vec4<u32>(0u, 1u, 2u, 3u)) / params.len, vec4<u32>(params.rows - 1u));
    let from_origin = x4[i] - vec4<f32>(origin(r.x), origin(r.y), origin(r.z), origin(r.w));
    let deviation = from_origin - vec4<f32>(shift(r.x), shift(r.y), shift(r.z), shift(r.w));
    return deviation * vec4<f32>(rstd[r.x], rstd[r.y], rstd[r.z], rstd[r.w]);
}

/// xhat * gamma + beta.
fn scaled(i: u32, xhat: vec4<f32>) -> vec4<f32> {
    if params.has_gamma == 0u && params.has_beta == 0u {
        return xhat;
    }
    let k = channels(i);
    var y = xhat;
    if params.has_gamma == 1u {
        y *= vec4<f32>(gamma[k.x], gamma[k.y], gamma[k.z], gamma[k.w]);
    }
    if params.has_beta == 1u {
        y += vec4<f32>(beta[k.x], beta[k.y], beta[k.z], beta[k.w]);
    }
    return y;
}

/// Which part of which row an invocation works on: units (elements, or vectors of four) from `first + lane` by LANES to `end`.
struct Part {
    which: u32,
    row: u32,
    first: u32,
    end: u32, // not after `first` where there is nothing to do; such invocations still take part in barriers
    lane: u32,
    local: u32,
}

fn part_of(group: vec3<u32>, groups: vec3<u32>, local: u32) -> Part {
    let which = group_index(group, groups) * (GROUP / LANES) + local / LANES;
    let row = which / params.splits;
    let from_element = (which % params.splits) * params.part;
    let to_element = min(from_element + params.part, params.len);
    let start = row * params.len;
    let unit = select(1u, 4u, VEC == 1u);
    let end = select(0u, (start + to_element) / unit, row < params.rows);
    return Part(which, row, (start + from_element) / unit, end, local % LANES, local);
}

/// (count, mean, squared deviations) of a lane's units, counted from `o`; without a mean, the squares. Four neighbours are reduced
/// first: one division for four elements.
fn moments(at: Part, o: f32) -> vec3<f32> {
    var count = 0.0;
    var m = 0.0;
    var m2 = 0.0;
    for (var i = at.first + at.lane; i < at.end; i += LANES) {
        count += 1.0;
        let share = 1.0 / count;
        if VEC == 1u {
            let v = x4[i] - o;
            let own = select(0.0, 0.25 * ((v.x + v.y) + (v.z + v.w)), params.centered == 1u);
            let off = v - own;
            let delta = own - m;
            m += delta * share;
            m2 += dot(off, off) + 4.0 * delta * delta * (count - 1.0) * share;
        } else {
            let v = x_at(i) - o;
            let own = select(0.0, v, params.centered == 1u);
            let off = v - own;
            let delta = own - m;
            m += delta * share;
            m2 += off * off + delta * delta * (count - 1.0) * share;
        }
    }
    return vec3<f32>(count * select(1.0, 4.0, VEC == 1u), m, m2);
}

/// The moments of all lanes of a part, in each of them.
fn join_lanes(at: Part, own: vec3<f32>) -> vec3<f32> {
    if LANES == 1u {
        return own;
    }
    of_lanes[at.local] = own;
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if at.lane < half {
            of_lanes[at.local] = join_moments(of_lanes[at.local], of_lanes[at.local + half]);
        }
    }
    workgroupBarrier();
    return of_lanes[at.local - at.lane];
}

fn inverse_deviation(m2: f32) -> f32 {
    return 1.0 / sqrt(m2 * params.inverse_len + params.eps);
}

// Whole rows, whose second reading comes from the cache. VEC = 1 only.
@compute @workgroup_size(GROUP)
fn row_norm(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part_of(group, groups, local);
    let o = origin(at.row);
    let all = join_lanes(at, moments(at, o));
    let r = inverse_deviation(all.z);
    for (var i = at.first + at.lane; i < at.end; i += LANES) {
        y4[i] = scaled(i, ((x4[i] - o) - all.y) * r);
    }
    if at.lane == 0u && at.row < params.rows {
        first_out[at.row] = all.y;
        second_out[at.row] = r;
    }
}

// Rows in parts, in three steps: the moments of parts, those of rows, and y.
@compute @workgroup_size(GROUP)
fn row_norm_partial(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part_of(group, groups, local);
    let all = join_lanes(at, moments(at, origin(at.row)));
    if at.lane == 0u && at.row < params.rows {
        partial[3u * at.which] = all.x;
        partial[3u * at.which + 1u] = all.y;
        partial[3u * at.which + 2u] = all.z;
    }
}

@compute @workgroup_size(64)
fn row_norm_stats(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups) * 64u + lane;
    if row >= params.rows {
        return;
    }
    var all = vec3<f32>(0.0);
    for (var s = 0u; s < params.splits; s++) {
        let at = 3u * (row * params.splits + s);
        all = join_moments(all, vec3<f32>(parts[at], parts[at + 1u], parts[at + 2u]));
    }
    first_out[row] = all.y;
    second_out[row] = inverse_deviation(all.z);
}

@compute @workgroup_size(256)
fn row_norm_apply(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.rows * params.len, 4u) {
        y4[i] = scaled(i, normalised(i));
    }
}

// Where a channel is a row of its own (instance norm): the running statistics move towards the means over the samples of the
// rows' means and unbiased variances. A workgroup a channel.
@compute @workgroup_size(64)
fn row_norm_running(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let channel = group_index(group, groups);
    let count = select(0u, params.n, channel < params.c);
    let base = origin(channel);
    var sums = vec2<f32>(0.0);
    for (var sample = lane; sample < count; sample += 64u) {
        let row = sample * params.c + channel;
        let r = rstd[row];
        sums += vec2<f32>((origin(row) - base) + shift(row), 1.0 / (r * r) - params.eps);
    }
    let mean_sum = workgroup_sum(lane, 64u, sums.x);
    let var_sum = workgroup_sum(lane, 64u, sums.y);
    if lane == 0u && channel < params.c {
        let inverse_n = 1.0 / f32(params.n);
        let length = f32(params.len);
        let unbiased = max(var_sum * inverse_n, 0.0) * (length / max(length - 1.0, 1.0));
        first_out[channel] += params.momentum * (base + mean_sum * inverse_n - first_out[channel]);
        second_out[channel] += params.momentum * (unbiased - second_out[channel]);
    }
}
