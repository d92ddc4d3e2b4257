// The gradients of row_norm.wgsl, which stands before this file.

fn dy_at(i: u32) -> f32 {
    return dy4[i >> 2u][i & 3u];
}

/// The gradient of xhat: dy * gamma.
fn of_xhat(i: u32) -> vec4<f32> {
    if params.has_gamma == 0u {
        return dy4[i];
    }
    let k = channels(i);
    return dy4[i] * vec4<f32>(gamma[k.x], gamma[k.y], gamma[k.z], gamma[k.w]);
}

/// The sum over all lanes of a part, in each of them.
fn sum_lanes(at: Part, own: vec2<f32>) -> vec2<f32> {
    if LANES == 1u {
        return own;
    }
    of_lanes[at.local] = vec3<f32>(own, 0.0);
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if at.lane < half {
            of_lanes[at.local] += of_lanes[at.local + half];
        }
    }
    workgroupBarrier();
    return of_lanes[at.local - at.lane].xy;
}

/// Sums of g = dy * gamma and of g * xhat over a lane's units.
fn gradient_sums(at: Part) -> vec2<f32> {
    let row = min(at.row, params.rows - 1u);
    let o = origin(row);
    let m = shift(row);
    let r = rstd[row];
    var sum = vec4<f32>(0.0);
    var product = vec4<f32>(0.0);
    for (var i = at.first + at.lane; i < at.end; i += LANES) {
        if VEC == 1u {
            let g = of_xhat(i);
            sum += g;
            product += g * ((x4[i] - o) - m);
        } else {
            var g = dy_at(i);
            if params.has_gamma == 1u {
                g *= gamma[(i / params.inner) % params.c];
            }
            sum.x += g;
            product.x += g * ((x_at(i) - o) - m);
        }
    }
    return vec2<f32>((sum.x + sum.y) + (sum.z + sum.w), ((product.x + product.y) + (product.z + product.w)) * r);
}

/// The means of g and of g * xhat, as dx wants them: no gradient flows through a mean that was not taken away.
fn gradient_means(sums: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(select(0.0, sums.x, params.centered == 1u), sums.y) * params.inverse_len;
}

// dx = rstd * (g - mean of g - xhat * mean of g * xhat), of whole rows. VEC = 1 only.
@compute @workgroup_size(GROUP)
fn row_norm_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part_of(group, groups, local);
    let means = gradient_means(sum_lanes(at, gradient_sums(at)));
    let row = min(at.row, params.rows - 1u);
    let o = origin(row);
    let m = shift(row);
    let r = rstd[row];
    for (var i = at.first + at.lane; i < at.end; i += LANES) {
        let xhat = ((x4[i] - o) - m) * r;
        y4[i] = r * (of_xhat(i) - means.x - xhat * means.y);
    }
}

// The same in three steps.
@compute @workgroup_size(GROUP)
fn row_norm_bwd_partial(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part_of(group, groups, local);
    let sums = sum_lanes(at, gradient_sums(at));
    if at.lane == 0u && at.row < params.rows {
        partial[2u * at.which] = sums.x;
        partial[2u * at.which + 1u] = sums.y;
    }
}

@compute @workgroup_size(64)
fn row_norm_bwd_means(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = group_index(group, groups) * 64u + lane;
    if row >= params.rows {
        return;
    }
    var sums = vec2<f32>(0.0);
    for (var s = 0u; s < params.splits; s++) {
        let at = 2u * (row * params.splits + s);
        sums += vec2<f32>(parts[at], parts[at + 1u]);
    }
    let means = gradient_means(sums);
    partial[2u * row] = means.x;
    partial[2u * row + 1u] = means.y;
}

@compute @workgroup_size(256)
fn row_norm_bwd_apply(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.rows * params.len, 4u) {
        return;
    }
    let xhat = normalised(i);
    if VEC == 1u {
        let row = 4u * i / params.len;
        y4[i] = rstd[row] * (of_xhat(i) - parts[2u * row] - xhat * parts[2u * row + 1u]);
    } else {
        let r = min((4u * i + vec4<u32>(0u, 1u, 2u, 3u)) / params.len, vec4<u32>(params.rows - 1u));
        let at = 2u * r;
        let mean = vec4<f32>(parts[at.x], parts[at.y], parts[at.z], parts[at.w]);
        let slope = vec4<f32>(parts[at.x + 1u], parts[at.y + 1u], parts[at.z + 1u], parts[at.w + 1u]);
        y4[i] = vec4<f32>(rstd[r.x], rstd[r.y], rstd[r.z], rstd[r.w]) * (of_xhat(i) - mean - xhat * slope);
    }
}

// dgamma and dbeta where `inner` is 1: neighbouring threads sum neighbouring channels (VEC = 1: four each), each a part of the samples.
@compute @workgroup_size(256)
fn row_norm_bwd_w_columns(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups) * 256u + lane;
    let unit = select(1u, 4u, VEC == 1u);
    let columns = params.c / unit;
    if which >= columns * params.splits {
        return;
    }
    let column = which % columns;
    let s = which / columns;
    let end = min((s + 1u) * params.part, params.n);
    var sum = vec4<f32>(0.0);
    var product = vec4<f32>(0.0);
    for (var sample = s * params.part; sample < end; sample++) {
        let row = sample * params.groups + column * unit / params.per_group;
        let i = sample * columns + column;
        let o = origin(row);
        let m = shift(row);
        if VEC == 1u {
            sum += dy4[i];
            product += dy4[i] * (((x4[i] - o) - m) * rstd[row]);
        } else {
            sum.x += dy_at(i);
            product.x += dy_at(i) * (((x_at(i) - o) - m) * rstd[row]);
        }
    }
    let step = 2u * params.splits;
    let at = column * unit * step + 2u * s;
    partial[at] = sum.x;
    partial[at + 1u] = product.x;
    if VEC == 1u {
        partial[at + step] = sum.y;
        partial[at + step + 1u] = product.y;
        partial[at + 2u * step] = sum.z;
        partial[at + 2u * step + 1u] = product.z;
        partial[at + 3u * step] = sum.w;
        partial[at + 3u * step + 1u] = product.w;
    }
}

// The same where `inner` is more: a workgroup sums a part of a channel. A lane walks by 256 units over the channel's samples in a
// row, without a division a step. Here VEC = 1: `inner` is a multiple of four.
@compute @workgroup_size(256)
fn row_norm_bwd_w_planes(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let channel = which / params.splits;
    let unit = select(1u, 4u, VEC == 1u);
    let plane = params.inner / unit;
    let first = (which % params.splits) * params.part / unit;
    let end = select(0u, min(first + params.part / unit, params.n * plane), channel < params.c);
    var sample = (first + lane) / plane;
    var i = (first + lane) % plane;
    var sum = vec4<f32>(0.0);
    var product = vec4<f32>(0.0);
    for (var u = first + lane; u < end; u += 256u) {
        let row = sample * params.groups + channel / params.per_group;
        let at = (sample * params.c + channel) * plane + i;
        let o = origin(row);
        let m = shift(row);
        if VEC == 1u {
            sum += dy4[at];
            product += dy4[at] * (((x4[at] - o) - m) * rstd[row]);
        } else {
            sum.x += dy_at(at);
            product.x += dy_at(at) * (((x_at(at) - o) - m) * rstd[row]);
        }
        sample += 256u / plane;
        i += 256u % plane;
        if i >= plane {
            i -= plane;
            sample++;
        }
    }
    let total = workgroup_sum(lane, 256u, (sum.x + sum.y) + (sum.z + sum.w));
    let total_product = workgroup_sum(lane, 256u, (product.x + product.y) + (product.z + product.w));
    if lane == 0u && channel < params.c {
        partial[2u * which] = total;
        partial[2u * which + 1u] = total_product;
    }
}

// Joins the parts of a channel: a workgroup a channel.
@compute @workgroup_size(64)
fn row_norm_bwd_w(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let channel = group_index(group, groups);
    let count = select(0u, params.splits, channel < params.c);
    var sums = vec2<f32>(0.0);
    for (var s = lane; s < count; s += 64u) {
        let at = 2u * (channel * params.splits + s);
        sums += vec2<f32>(parts[at], parts[at + 1u]);
    }
    let total = workgroup_sum(lane, 64u, sums.x);
    let total_product = workgroup_sum(lane, 64u, sums.y);
    if lane == 0u && channel < params.c {
        first_out[channel] = total_product;
        second_out[channel] = total;
    }
}
