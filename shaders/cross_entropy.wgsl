// Functions of the rows of an (N, C) matrix: softmax, cross-entropy, argmax, and what follows from them.
//
// LANES invocations share a row, GROUP / LANES rows share a workgroup. With LANES = 1 a row is one invocation's own and no
// barrier is executed; sums over several lanes are trees of a fixed shape.

struct Params {
    n: u32,
    c: u32,
    smoothing: f32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> x_quads: array<vec4<f32>>;
@group(0) @binding(0) var<storage, read> predicted: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> y_quads: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;

// Below every finite logit; WGSL has no infinity.
const LOWEST: f32 = -3.4e38;

var<workgroup> shared_value: array<f32, GROUP>;
var<workgroup> shared_index: array<u32, GROUP>;

/// An invocation's part of a row: elements `base + lane, base + lane + LANES, ...` below `base + count`.
struct Part {
    row: u32,
    base: u32,
    count: u32, // 0 in rows past the end, whose invocations still take part in barriers
    lane: u32,
    local: u32,
}

fn part(group: vec3<u32>, groups: vec3<u32>, local: u32) -> Part {
    let row = group_index(group, groups) * (GROUP / LANES) + local / LANES;
    return Part(row, row * params.c, select(0u, params.c, row < params.n), local % LANES, local);
}

/// The sum over the lanes of a row, the same in each of them.
fn sum_lanes(at: Part, value: f32) -> f32 {
    if LANES == 1u {
        return value;
    }
    shared_value[at.local] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if at.lane < half {
            shared_value[at.local] += shared_value[at.local + half];
        }
        workgroupBarrier();
    }
    let sum = shared_value[at.local - at.lane];
    workgroupBarrier();
    return sum;
}

fn max_lanes(at: Part, value: f32) -> f32 {
    if LANES == 1u {
        return value;
    }
    shared_value[at.local] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if at.lane < half {
            shared_value[at.local] = max(shared_value[at.local], shared_value[at.local + half]);
        }
        workgroupBarrier();
    }
    let largest = shared_value[at.local - at.lane];
    workgroupBarrier();
    return largest;
}

fn row_max(at: Part) -> f32 {
    var largest = LOWEST;
    for (var c = at.lane; c < at.count; c += LANES) {
        largest = max(largest, x[at.base + c]);
    }
    return max_lanes(at, largest);
}

/// Writes softmax of the row into `y`; returns the sum of `exp(x - largest)`.
fn write_softmax(at: Part, largest: f32) -> f32 {
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        let e = exp(x[at.base + c] - largest);
        y[at.base + c] = e;
        sum += e;
    }
    let total = sum_lanes(at, sum);
    let scale = 1.0 / max(total, 1.0); // a row past the end sums to 0, any other to at least exp(0)
    for (var c = at.lane; c < at.count; c += LANES) {
        y[at.base + c] *= scale;
    }
    return total;
}

@compute @workgroup_size(GROUP)
fn softmax(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    _ = write_softmax(at, row_max(at));
}

@compute @workgroup_size(GROUP)
fn softmax_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    var dot = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        dot += x[at.base + c] * dy[at.base + c];
    }
    let total = sum_lanes(at, dot);
    for (var c = at.lane; c < at.count; c += LANES) {
        y[at.base + c] = x[at.base + c] * (dy[at.base + c] - total);
    }
}

@compute @workgroup_size(GROUP)
fn log_softmax(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    let largest = row_max(at);
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        sum += exp(x[at.base + c] - largest);
    }
    let log_total = log(max(sum_lanes(at, sum), 1.0));
    for (var c = at.lane; c < at.count; c += LANES) {
        y[at.base + c] = x[at.base + c] - largest - log_total;
    }
}

@compute @workgroup_size(GROUP)
fn log_softmax_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        sum += dy[at.base + c];
    }
    let total = sum_lanes(at, sum);
    for (var c = at.lane; c < at.count; c += LANES) {
        y[at.base + c] = dy[at.base + c] - exp(x[at.base + c]) * total;
    }
}

/// Probabilities into `y`, and each row's loss.
@compute @workgroup_size(GROUP)
fn cross_entropy(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    let largest = row_max(at);
    let total = write_softmax(at, largest);
    var sum = 0.0;
    if params.smoothing != 0.0 {
        for (var c = at.lane; c < at.count; c += LANES) {
            sum += x[at.base + c] - largest;
        }
    }
    let shifted = sum_lanes(at, sum);
    if at.count > 0u && at.lane == 0u {
        let label = labels[at.row];
        var loss = 0.0;
        if label < params.c {
            let target_part = (1.0 - params.smoothing) * (x[at.base + label] - largest);
            loss = log(total) - target_part - params.smoothing * (shifted / f32(params.c));
        }
        losses[at.row] = loss;
    }
}

/// `y[row] = scale * sum of x[row * c ..][.. c]`, where `x` has `n` elements in all: one stage of the mean of the rows' losses.
@compute @workgroup_size(GROUP)
fn cross_entropy_mean(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var at = part(group, groups, local);
    at.count = min(params.c, max(params.n, at.base) - at.base);
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        sum += x[at.base + c];
    }
    let total = sum_lanes(at, sum);
    if at.count > 0u && at.lane == 0u {
        y[at.row] = total * params.scale;
    }
}

/// `dlogits = (probs - target) * dloss / N`, four elements an invocation.
@compute @workgroup_size(256)
fn cross_entropy_bwd(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let i = group_index(group, groups) * 256u + local;
    if 4u * i >= params.n * params.c {
        return;
    }
    let scale = dy[0] * params.scale;
    let rest = params.smoothing / f32(params.c);
    let probs = x_quads[i];
    var row = 4u * i / params.c;
    var c = 4u * i - row * params.c;
    var label = labels[row];
    var dx: vec4<f32>;
    for (var j = 0u; j < 4u; j++) {
        let wanted = rest + select(0.0, 1.0 - params.smoothing, c == label);
        dx[j] = select(0.0, (probs[j] - wanted) * scale, label < params.c);
        c++;
        if c == params.c {
            c = 0u;
            row++;
            label = labels[min(row, params.n - 1u)];
        }
    }
    y_quads[i] = dx;
}

@compute @workgroup_size(GROUP)
fn argmax(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    var largest = LOWEST;
    var index = at.lane;
    for (var c = at.lane; c < at.count; c += LANES) {
        let value = x[at.base + c];
        if value > largest {
            largest = value;
            index = c;
        }
    }
    if LANES > 1u {
        shared_value[local] = largest;
        shared_index[local] = index;
        workgroupBarrier();
        for (var half = LANES / 2u; half > 0u; half >>= 1u) {
            if at.lane < half {
                let value = shared_value[local + half];
                let other = shared_index[local + half];
                if value > shared_value[local] || (value == shared_value[local] && other < shared_index[local]) {
                    shared_value[local] = value;
                    shared_index[local] = other;
                }
            }
            workgroupBarrier();
        }
        index = shared_index[local];
    }
    if at.count > 0u && at.lane == 0u {
        indices[at.row] = index;
    }
}

/// `y[0] += loss * N`, `y[1] += ` rows predicted right, `y[2] += N`: one workgroup, whose first row is all there is.
@compute @workgroup_size(GROUP)
fn accumulate_metrics(@builtin(local_invocation_index) local: u32) {
    let at = Part(local / LANES, 0u, select(0u, params.n, local / LANES == 0u), local % LANES, local);
    var correct = 0.0;
    for (var i = at.lane; i < at.count; i += LANES) {
        correct += select(0.0, 1.0, predicted[i] == labels[i]);
    }
    let total = sum_lanes(at, correct);
    if local == 0u {
        y[0] += dy[0] * f32(params.n);
        y[1] += total;
        y[2] += f32(params.n);
    }
}
