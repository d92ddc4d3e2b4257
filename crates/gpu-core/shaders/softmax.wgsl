// Softmax and its logarithm, with their gradients. Stands behind rows.wgsl.

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
