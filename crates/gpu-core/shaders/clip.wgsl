// Gradients clipped in place: the norm of all in two stages of fixed order, then the clipping.

struct Params {
    len: u32,
    at: u32, // where the partial sums begin
    limit: f32, // the largest norm or value
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> norm: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;
@group(0) @binding(5) var<storage, read_write> root: array<f32>;

// Every group sums its share of x, in steps of the grid. What lies behind the tensor does not count.
@compute @workgroup_size(256)
fn square_sums(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let stride = groups.x * groups.y * 256u;
    let end = ceil_div(params.len, 4u);
    var sum = 0.0;
    for (var i = which * 256u + lane; i < end; i += stride) {
        let inside = vec4<u32>(4u * i) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.len);
        let v = select(vec4<f32>(0.0), x[i], inside);
        sum += dot(v, v);
    }
    let total = workgroup_sum(lane, 256u, sum);
    if lane == 0u {
        partials[params.at + which] = total;
    }
}

// One group: the root of `len` sums.
@compute @workgroup_size(256)
fn norm_of_sums(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var i = lane; i < params.len; i += 256u) {
        sum += sums[i];
    }
    let total = workgroup_sum(lane, 256u, sum);
    if lane == 0u {
        root[0] = sqrt(total);
    }
}

@compute @workgroup_size(256)
fn clip_norm(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let divisor = norm[0] + 1e-6;
    if divisor <= params.limit {
        return; // nothing else is read or written where nothing is too large
    }
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y[i] *= params.limit / divisor;
    }
}

@compute @workgroup_size(256)
fn clip_value(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y[i] = clamp(y[i], vec4<f32>(-params.limit), vec4<f32>(params.limit));
    }
}
