// Normalisation of each channel of x (n, c, inner) over its samples and places.
// Statistics in two stages: workgroups find the count, mean and squared deviations (M2) of parts of a channel, then one workgroup
// a channel joins them (`join_moments`), so that a large mean does not swallow the variance. Means are counted from the channel's
// first element: a large one then rounds only once.
// VEC = 1: `inner` is a multiple of four, so that four elements in a row share a channel.
// RELU = 1: a ReLU follows; ADD = 1: after a sum with `beside4`. What it let through is found again from x, not read.

struct Params {
    len: u32, // elements of x
    n: u32,
    c: u32,
    inner: u32,
    splits: u32, // parts of a channel
    part: u32, // elements of a part; a multiple of four
    spread_kind: u32, // what slot `spread` holds: RSTD, VARIANCE, or nothing
    eps: f32,
    momentum: f32,
    inverse_count: f32, // 1 / (n * inner); 0 where the statistics are constants
}

const RSTD: u32 = 0u; // 1 / deviation of the batch, through which a gradient flows
const VARIANCE: u32 = 1u; // the running variance; any other kind: deviations stay as they are (demean_norm)

@group(0) @binding(1) var<storage, read> x4: array<XFour>; // f32 or f16, as the header says
@group(0) @binding(3) var<storage, read> dy4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read> beta: array<f32>;
@group(0) @binding(6) var<storage, read> center: array<f32>; // a channel's mean
@group(0) @binding(7) var<storage, read> spread: array<f32>; // rstd or running variance, by `spread_kind`
@group(0) @binding(8) var<storage, read> parts: array<f32>; // what the first stage left
@group(0) @binding(9) var<storage, read> coefficients: array<vec4<f32>>; // of dx, a channel's: see `batch_norm_bwd_sums`
@group(0) @binding(10) var<storage, read> beside4: array<BesideFour>; // what is added to y, or y itself
@group(0) @binding(11) var<storage, read_write> partial: array<f32>;
@group(0) @binding(12) var<storage, read_write> y4: array<YFour>; // y, dx, or dy as a ReLU let it through
@group(0) @binding(13) var<storage, read_write> mean: array<f32>; // or dgamma
@group(0) @binding(14) var<storage, read_write> rstd: array<f32>; // or dbeta
@group(0) @binding(15) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(16) var<storage, read_write> running_var: array<f32>;
@group(0) @binding(17) var<storage, read_write> found: array<vec4<f32>>; // `coefficients`

var<workgroup> moments: array<vec3<f32>, 256>;

/// The walk of a lane over one part of a channel, by 256 units (elements, or vectors of four), without a division a step.
struct Walk {
    unit: u32,
    end: u32,
    sample: u32,
    i: u32,
    row: u32,
    channel: u32,
}

fn walk(which: u32, lane: u32) -> Walk {
    var w: Walk;
    let row = select(params.inner, params.inner / 4u, VEC == 1u);
    let part = select(params.part, params.part / 4u, VEC == 1u);
    let first = (which % params.splits) * part;
    w.row = row;
    w.channel = which / params.splits;
    w.unit = first + lane;
    w.end = select(0u, min(first + part, params.n * row), w.channel < params.c);
    w.sample = w.unit / row;
    w.i = w.unit % row;
    return w;
}

fn place(w: Walk) -> u32 {
    return (w.sample * params.c + w.channel) * w.row + w.i;
}

fn step(w: Walk) -> Walk {
    var next = w;
    next.unit += 256u;
    next.sample += 256u / w.row;
    next.i += 256u % w.row;
    if next.i >= w.row {
        next.i -= w.row;
        next.sample++;
    }
    return next;
}

// One workgroup a part of a channel. Four neighbours are reduced to their own triple first: one division for four elements.
@compute @workgroup_size(256)
fn batch_norm_partial(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let origin = x4_element(min(which / params.splits, params.c - 1u) * params.inner);
    var count = 0.0;
    var m = 0.0;
    var m2 = 0.0;
    for (var w = walk(which, lane); w.unit < w.end; w = step(w)) {
        count += 1.0;
        let share = 1.0 / count;
        if VEC == 1u {
            let v = x_four(x4[place(w)]) - origin;
            let own = 0.25 * ((v.x + v.y) + (v.z + v.w));
            let off = v - own;
            let delta = own - m;
            m += delta * share;
            m2 += dot(off, off) + 4.0 * delta * delta * (count - 1.0) * share;
        } else {
            let delta = x4_element(place(w)) - origin - m;
            m += delta * share;
            m2 += delta * delta * (count - 1.0) * share;
        }
    }
    moments[lane] = vec3<f32>(count * select(1.0, 4.0, VEC == 1u), m, m2);
    for (var half = 128u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            moments[lane] = join_moments(moments[lane], moments[lane + half]);
        }
    }
    if lane == 0u && which < params.c * params.splits {
        partial[4u * which] = moments[0].x;
        partial[4u * which + 1u] = moments[0].y;
        partial[4u * which + 2u] = moments[0].z;
        partial[4u * which + 3u] = origin;
    }
}

/// (count, mean, M2) of a channel from its parts, in lane 0 of 64; the mean is still counted from the channel's first element.
fn join_parts(channel: u32, lane: u32) -> vec3<f32> {
    var own = vec3<f32>(0.0);
    if channel < params.c && lane < params.splits {
        let at = 4u * (channel * params.splits + lane);
        own = vec3<f32>(parts[at], parts[at + 1u], parts[at + 2u]);
    }
    moments[lane] = own;
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            moments[lane] = join_moments(moments[lane], moments[lane + half]);
        }
    }
    return moments[lane];
}

// One workgroup a channel. The biased variance normalises, the unbiased one goes into the running variance: as PyTorch does.
@compute @workgroup_size(64)
fn batch_norm_stats(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let channel = group_index(group, groups);
    let all = join_parts(channel, lane);
    if lane == 0u && channel < params.c {
        let m = all.y + parts[4u * channel * params.splits + 3u];
        mean[channel] = m;
        rstd[channel] = 1.0 / sqrt(all.z * params.inverse_count + params.eps);
        running_mean[channel] += params.momentum * (m - running_mean[channel]);
        running_var[channel] += params.momentum * (all.z / max(all.x - 1.0, 1.0) - running_var[channel]);
    }
}

@compute @workgroup_size(64)
fn demean_norm_stats(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let channel = group_index(group, groups);
    let all = join_parts(channel, lane);
    if lane == 0u && channel < params.c {
        let m = all.y + parts[4u * channel * params.splits + 3u];
        mean[channel] = m;
        running_mean[channel] += params.momentum * (m - running_mean[channel]);
    }
}

/// The channels of vector `i`. Past the end of x they are still channels.
fn channels(i: u32) -> vec4<u32> {
    return ((4u * i + vec4<u32>(0u, 1u, 2u, 3u)) / params.inner) % params.c;
}

/// What a deviation from the channel's mean is multiplied by.
fn factor(channel: u32) -> f32 {
    if params.spread_kind == RSTD {
        return spread[channel];
    }
    if params.spread_kind == VARIANCE {
        return 1.0 / sqrt(spread[channel] + params.eps);
    }
    return 1.0;
}

/// `v`, or zero where a ReLU stands between and `before` did not pass it. A NaN passes.
fn passed(v: vec4<f32>, before: vec4<f32>) -> vec4<f32> {
    return select(v, vec4<f32>(0.0), (before <= vec4<f32>(0.0)) & vec4<bool>(RELU == 1u));
}

@compute @workgroup_size(256)
fn batch_norm_apply(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    var v: vec4<f32>;
    if VEC == 1u {
        let k = (4u * i / params.inner) % params.c;
        v = (x_four(x4[i]) - center[k]) * (factor(k) * gamma[k]) + beta[k];
    } else {
        let k = channels(i);
        let m = vec4<f32>(center[k.x], center[k.y], center[k.z], center[k.w]);
        let r = vec4<f32>(factor(k.x), factor(k.y), factor(k.z), factor(k.w));
        let g = vec4<f32>(gamma[k.x], gamma[k.y], gamma[k.z], gamma[k.w]);
        let b = vec4<f32>(beta[k.x], beta[k.y], beta[k.z], beta[k.w]);
        v = (x_four(x4[i]) - m) * (r * g) + b;
    }
    if ADD == 1u {
        v += beside_four(beside4[i]);
    }
    y4[i] = to_y_four(passed(v, v));
}

/// What a step of a walk reads: four elements of a channel, or one with zeros after it.
struct Step {
    off: vec4<f32>, // x less the channel's mean
    dy: vec4<f32>,
}

fn read_step(at: u32, m: f32) -> Step {
    if VEC == 1u {
        return Step(x_four(x4[at]) - m, dy4[at]);
    }
    return Step(vec4<f32>(x4_element(at) - m, 0.0, 0.0, 0.0), vec4<f32>(dy4[at / 4u][at % 4u], 0.0, 0.0, 0.0));
}

fn store_sums(which: u32, lane: u32, sum: vec4<f32>, product: vec4<f32>) {
    let total = workgroup_sum(lane, 256u, (sum.x + sum.y) + (sum.z + sum.w));
    let total_product = workgroup_sum(lane, 256u, (product.x + product.y) + (product.z + product.w));
    if lane == 0u && which < params.c * params.splits {
        partial[2u * which] = total;
        partial[2u * which + 1u] = total_product;
    }
}

// Sums of dy and of dy * (x - mean) over one part of a channel.
@compute @workgroup_size(256)
fn batch_norm_bwd_partial(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let k = min(which / params.splits, params.c - 1u);
    let m = center[k];
    let f = factor(k) * gamma[k];
    let b = beta[k];
    var sum = vec4<f32>(0.0);
    var product = vec4<f32>(0.0);
    for (var w = walk(which, lane); w.unit < w.end; w = step(w)) {
        let s = read_step(place(w), m);
        let d = passed(s.dy, s.off * f + b);
        sum += d;
        product += d * s.off;
    }
    store_sums(which, lane, sum, product);
}

// The same where y (`beside4`) is that of a sum: dy as the ReLU let it through is written, for dx and for what was added. Only where
// VEC = 1: a vector that two channels share would be written a component at a time, by two invocations, and lose one.
@compute @workgroup_size(256)
fn batch_norm_add_bwd_partial(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let m = center[min(which / params.splits, params.c - 1u)];
    var sum = vec4<f32>(0.0);
    var product = vec4<f32>(0.0);
    for (var w = walk(which, lane); w.unit < w.end; w = step(w)) {
        let at = place(w);
        let d = passed(dy4[at], beside_four(beside4[at]));
        y4[at] = to_y_four(d);
        sum += d;
        product += d * (x_four(x4[at]) - m);
    }
    store_sums(which, lane, sum, product);
}

// What the ReLU after a sum let through, where rows are not of fours: by vectors of the whole tensor; the sums are found after it.
@compute @workgroup_size(256)
fn batch_norm_through(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y4[i] = to_y_four(passed(dy4[i], beside_four(beside4[i])));
    }
}

// Joins the parts; slots `mean` and `rstd` are dgamma and dbeta. What dx needs of a channel is found once:
// dx = gamma * rstd * (dy - mean of dy - xhat * mean of dy * xhat) = z.y * (dy - z.z - z.w * (x - z.x)).
@compute @workgroup_size(64)
fn batch_norm_bwd_sums(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let channel = group_index(group, groups);
    var own = vec3<f32>(0.0);
    if channel < params.c && lane < params.splits {
        let at = 2u * (channel * params.splits + lane);
        own = vec3<f32>(parts[at], parts[at + 1u], 0.0);
    }
    moments[lane] = own;
    for (var half = 32u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            moments[lane] += moments[lane + half];
        }
    }
    if lane == 0u && channel < params.c {
        let r = factor(channel);
        let dgamma = moments[0].y * r;
        mean[channel] = dgamma;
        rstd[channel] = moments[0].x;
        // Constant statistics have no share in dx (`inverse_count` is 0), and a gradient flows through no deviation but the batch's.
        let slope = select(0.0, params.inverse_count * dgamma * r, params.spread_kind == RSTD);
        found[channel] = vec4<f32>(center[channel], r * gamma[channel], params.inverse_count * moments[0].x, slope);
    }
}

// `y4` is dx.
@compute @workgroup_size(256)
fn batch_norm_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    if VEC == 1u {
        let k = (4u * i / params.inner) % params.c;
        let z = coefficients[k];
        let off = x_four(x4[i]) - z.x;
        y4[i] = to_y_four(z.y * (passed(dy4[i], off * z.y + beta[k]) - z.z - z.w * off));
    } else {
        let k = channels(i);
        let z = transpose(mat4x4<f32>(coefficients[k.x], coefficients[k.y], coefficients[k.z], coefficients[k.w]));
        let off = x_four(x4[i]) - z[0];
        let b = vec4<f32>(beta[k.x], beta[k.y], beta[k.z], beta[k.w]);
        y4[i] = to_y_four(z[1] * (passed(dy4[i], off * z[1] + b) - z[2] - z[3] * off));
    }
}
