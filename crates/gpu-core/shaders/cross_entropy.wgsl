// Functions of rows: softmax, cross-entropy, argmax, and what follows from them. A row is what lies along the middle axis of a
// tensor (outer, C, inner): element c of row `o * inner + i` lies at `(o * C + c) * inner + i`.
//
// LANES invocations share a row, GROUP / LANES rows share a workgroup. With LANES = 1 a row is one invocation's own and no
// barrier is executed; sums over several lanes are trees of a fixed shape. Where rows lie side by side (inner = 1, COLUMNS = 0),
// neighbouring invocations are lanes of one row; else (COLUMNS = 1) they are neighbouring rows: either way they read neighbours.

struct Params {
    n: u32, // rows
    c: u32, // elements of a row
    inner: u32,
    flags: u32,
    ignored: u32, // the label whose rows do not count
    smoothing: f32,
    scale: f32,
}

const WEIGHTED: u32 = 1u; // classes have weights
const DIVIDED: u32 = 2u; // by totals[0]
const EACH: u32 = 4u; // a loss, and a dy, for each row

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> x_quads: array<vec4<f32>>;
@group(0) @binding(0) var<storage, read> predicted: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> goal: array<f32>; // soft targets
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> totals: array<f32>; // of what the rows count at 0, of the classes' weights at 64
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> y_quads: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> indices: array<u32>;
@group(0) @binding(6) var<storage, read_write> losses: array<f32>;

// Below every finite logit; WGSL has no infinity.
const LOWEST: f32 = -3.4e38;

var<workgroup> shared_value: array<f32, GROUP>;
var<workgroup> shared_index: array<u32, GROUP>;

/// An invocation's part of a row: elements `lane, lane + LANES, ...` below `count`, the first of the row at `base`.
struct Part {
    row: u32,
    base: u32,
    count: u32, // 0 in rows past the end, whose invocations still take part in barriers
    lane: u32,
    local: u32,
}

fn part(group: vec3<u32>, groups: vec3<u32>, local: u32) -> Part {
    let rows = GROUP / LANES;
    let first = group_index(group, groups) * rows;
    if COLUMNS == 0u {
        let row = first + local / LANES;
        return Part(row, row * params.c, select(0u, params.c, row < params.n), local % LANES, local);
    }
    let row = first + local % rows;
    let base = (row / params.inner) * params.c * params.inner + row % params.inner;
    return Part(row, base, select(0u, params.c, row < params.n), local / rows, local);
}

/// Where element `c` of the row lies.
fn place(at: Part, c: u32) -> u32 {
    if COLUMNS == 0u {
        return at.base + c;
    }
    return at.base + c * params.inner;
}

/// How far apart in a workgroup the lanes of a row are.
fn lane_step() -> u32 {
    return select(1u, GROUP / LANES, COLUMNS == 1u);
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
            shared_value[at.local] += shared_value[at.local + half * lane_step()];
        }
        workgroupBarrier();
    }
    let sum = shared_value[at.local - at.lane * lane_step()];
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
            shared_value[at.local] = max(shared_value[at.local], shared_value[at.local + half * lane_step()]);
        }
        workgroupBarrier();
    }
    let largest = shared_value[at.local - at.lane * lane_step()];
    workgroupBarrier();
    return largest;
}

fn row_max(at: Part) -> f32 {
    var largest = LOWEST;
    for (var c = at.lane; c < at.count; c += LANES) {
        largest = max(largest, x[place(at, c)]);
    }
    return max_lanes(at, largest);
}

/// Writes softmax of the row into `y`; returns the sum of `exp(x - largest)`.
fn write_softmax(at: Part, largest: f32) -> f32 {
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        let e = exp(x[place(at, c)] - largest);
        y[place(at, c)] = e;
        sum += e;
    }
    let total = sum_lanes(at, sum);
    // A row past the end sums to 0, any other to at least exp(0). No `max`, which might swallow a NaN.
    let scale = 1.0 / select(total, 1.0, total < 1.0);
    for (var c = at.lane; c < at.count; c += LANES) {
        y[place(at, c)] *= scale;
    }
    return total;
}

@compute @workgroup_size(GROUP)
fn softmax(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    _ = write_softmax(at, row_max(at));
}

// The slot `x` holds the output in the two gradients.
@compute @workgroup_size(GROUP)
fn softmax_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    var dot = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        dot += x[place(at, c)] * dy[place(at, c)];
    }
    let total = sum_lanes(at, dot);
    for (var c = at.lane; c < at.count; c += LANES) {
        y[place(at, c)] = x[place(at, c)] * (dy[place(at, c)] - total);
    }
}

/// The sum of `exp(x - largest)`; 1 in rows past the end.
fn row_total(at: Part, largest: f32) -> f32 {
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        sum += exp(x[place(at, c)] - largest);
    }
    let total = sum_lanes(at, sum);
    return select(total, 1.0, total < 1.0);
}

@compute @workgroup_size(GROUP)
fn log_softmax(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    let largest = row_max(at);
    let log_total = log(row_total(at, largest));
    for (var c = at.lane; c < at.count; c += LANES) {
        y[place(at, c)] = x[place(at, c)] - largest - log_total;
    }
}

@compute @workgroup_size(GROUP)
fn log_softmax_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        sum += dy[place(at, c)];
    }
    let total = sum_lanes(at, sum);
    for (var c = at.lane; c < at.count; c += LANES) {
        y[place(at, c)] = dy[place(at, c)] - exp(x[place(at, c)]) * total;
    }
}

fn has(flag: u32) -> bool {
    return (params.flags & flag) != 0u;
}

fn weight_of(c: u32) -> f32 {
    if has(WEIGHTED) {
        return weights[c];
    }
    return 1.0;
}

/// Whether the row has a class: its label is one, and not the ignored one.
fn is_class(label: u32) -> bool {
    return label < params.c && label != params.ignored;
}

/// What the losses are multiplied by: one over the sum of the rows' weights, if they are to be divided by it.
fn share() -> f32 {
    if has(DIVIDED) {
        return 1.0 / totals[0];
    }
    return 1.0;
}

/// The same for derivatives: where no row counts the loss is not a number, but no logit moves it.
fn bwd_share() -> f32 {
    if has(DIVIDED) && totals[0] == 0.0 {
        return 0.0;
    }
    return params.scale * share();
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
            sum += weight_of(c) * (x[place(at, c)] - largest);
        }
    }
    let shifted = sum_lanes(at, sum);
    if at.count > 0u && at.lane == 0u {
        let label = labels[at.row];
        var loss = 0.0;
        if is_class(label) {
            let log_total = log(total);
            loss = (1.0 - params.smoothing) * weight_of(label) * (log_total - (x[place(at, label)] - largest));
            if params.smoothing != 0.0 {
                loss += params.smoothing / f32(params.c) * (all_weights() * log_total - shifted);
            }
        }
        losses[at.row] = loss * share();
    }
}

/// The sum of the classes' weights, which only smoothing asks for.
fn all_weights() -> f32 {
    if has(WEIGHTED) && params.smoothing != 0.0 {
        return totals[64];
    }
    return select(f32(params.c), 0.0, has(WEIGHTED));
}

/// `y[row] = scale * sum of x[row * c ..][.. c]`, where `x` has `n` elements in all: one stage of the sum of the rows' losses.
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

/// What each row counts in the mean: its class' weight, 0 if its label is ignored.
@compute @workgroup_size(256)
fn cross_entropy_counts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group, groups) * 256u + local;
    if row >= params.n {
        return;
    }
    let label = labels[row];
    var count = select(1.0, 0.0, label == params.ignored);
    if has(WEIGHTED) {
        count = 0.0;
        if is_class(label) {
            count = weights[label];
        }
    }
    y[row] = count;
}

/// Where an element of a tensor (outer, c, inner) lies: its row, and its class.
struct Place {
    row: u32,
    c: u32,
}

fn place_of(i: u32) -> Place {
    let plane = i / params.inner;
    let outer = plane / params.c;
    return Place(outer * params.inner + i % params.inner, plane % params.c);
}

/// The derivative to one logit from its probability; with a probability of 0 and no smoothing, that of the loss without softmax.
fn bwd_of(i: u32, p: f32) -> f32 {
    let at = place_of(i);
    // The last quad may reach past the end.
    if at.row >= params.n {
        return 0.0;
    }
    let label = labels[at.row];
    if !is_class(label) {
        return 0.0;
    }
    let hit = (1.0 - params.smoothing) * weight_of(label);
    let rest = params.smoothing / f32(params.c);
    let wanted = rest * weight_of(at.c) + select(0.0, hit, at.c == label);
    var all = 1.0;
    if has(WEIGHTED) {
        all = hit + rest * all_weights();
    }
    return (p * all - wanted) * dy[select(0u, at.row, has(EACH))];
}

/// `dlogits = (probs - wanted) * dloss`, shared among the rows, four elements an invocation.
@compute @workgroup_size(256)
fn cross_entropy_bwd(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let i = 4u * (group_index(group, groups) * 256u + local);
    if i >= params.n * params.c {
        return;
    }
    let p = x_quads[i / 4u];
    let dx = vec4<f32>(bwd_of(i, p.x), bwd_of(i + 1u, p.y), bwd_of(i + 2u, p.z), bwd_of(i + 3u, p.w));
    y_quads[i / 4u] = dx * bwd_share();
}

/// Each row's loss from log-probabilities.
@compute @workgroup_size(256)
fn nll_loss(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let row = group_index(group, groups) * 256u + local;
    if row >= params.n {
        return;
    }
    let label = labels[row];
    var loss = 0.0;
    if is_class(label) {
        loss = -weight_of(label) * x[((row / params.inner) * params.c + label) * params.inner + row % params.inner];
    }
    losses[row] = loss * share();
}

@compute @workgroup_size(256)
fn nll_loss_bwd(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let i = 4u * (group_index(group, groups) * 256u + local);
    if i >= params.n * params.c {
        return;
    }
    let dx = vec4<f32>(bwd_of(i, 0.0), bwd_of(i + 1u, 0.0), bwd_of(i + 2u, 0.0), bwd_of(i + 3u, 0.0));
    y_quads[i / 4u] = dx * bwd_share();
}

/// The smoothed soft target of class c, times its weight.
fn goal_of(at: Part, c: u32) -> f32 {
    return weight_of(c) * ((1.0 - params.smoothing) * goal[place(at, c)] + params.smoothing / f32(params.c));
}

/// Probabilities into `y`, and each row's loss, against probabilities.
@compute @workgroup_size(GROUP)
fn soft_cross_entropy(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    let largest = row_max(at);
    let total = write_softmax(at, largest);
    let log_total = log(select(total, 1.0, total < 1.0));
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        sum += goal_of(at, c) * (log_total - (x[place(at, c)] - largest));
    }
    let loss = sum_lanes(at, sum);
    if at.count > 0u && at.lane == 0u {
        losses[at.row] = loss;
    }
}

/// The upstream gradient of a row.
fn dy_of(at: Part) -> f32 {
    if at.count == 0u {
        return 0.0;
    }
    return dy[select(0u, at.row, has(EACH))] * params.scale;
}

/// The slot `x` holds the probabilities.
@compute @workgroup_size(GROUP)
fn soft_cross_entropy_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        sum += goal_of(at, c);
    }
    let all = sum_lanes(at, sum);
    for (var c = at.lane; c < at.count; c += LANES) {
        y[place(at, c)] = (x[place(at, c)] * all - goal_of(at, c)) * dy_of(at);
    }
}

/// Minus the log-probabilities, weighted.
@compute @workgroup_size(GROUP)
fn soft_cross_entropy_bwd_target(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    let largest = row_max(at);
    let log_total = log(row_total(at, largest));
    for (var c = at.lane; c < at.count; c += LANES) {
        let minus_log = log_total - (x[place(at, c)] - largest);
        y[place(at, c)] = (1.0 - params.smoothing) * weight_of(c) * minus_log * dy_of(at);
    }
}

@compute @workgroup_size(GROUP)
fn argmax(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    var largest = LOWEST;
    var index = at.lane;
    for (var c = at.lane; c < at.count; c += LANES) {
        let value = x[place(at, c)];
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
                let value = shared_value[local + half * lane_step()];
                let other = shared_index[local + half * lane_step()];
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

/// `y[0] += loss * N`, `y[1] += ` rows predicted right, `y[2] += N`: one workgroup, whose first row is all there is. Rows of one
/// image (`inner` of them) count one together.
@compute @workgroup_size(GROUP)
fn accumulate_metrics(@builtin(local_invocation_index) local: u32) {
    let at = Part(local / LANES, 0u, select(0u, params.n, local / LANES == 0u), local % LANES, local);
    var correct = 0.0;
    for (var i = at.lane; i < at.count; i += LANES) {
        correct += select(0.0, 1.0, predicted[i] == labels[i]);
    }
    let total = sum_lanes(at, correct);
    if local == 0u {
        let images = f32(params.n / params.inner);
        y[0] += dy[0] * images;
        y[1] += total / f32(params.inner);
        y[2] += images;
    }
}
