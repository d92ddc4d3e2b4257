// Losses against classes and against probabilities. Stands behind rows.wgsl.

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
