// The mean of each plane of x (planes, inner), and its gradient.

struct Params {
    planes: u32,
    inner: u32,
    scale: f32, // 1 / inner
    parts: u32, // of each plane
}

// Places that a workgroup adds up of a plane that has several.
const PART: u32 = 65536u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;

// A thread a plane: for the few places that are left at the end of a network.
@compute @workgroup_size(64)
fn global_avg_pool(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let plane = group_index(group, groups) * 64u + lane;
    if plane >= params.planes {
        return;
    }
    var sum = 0.0;
    for (var i = 0u; i < params.inner; i++) {
        sum += x[plane * params.inner + i];
    }
    y[plane] = sum * params.scale;
}

// A workgroup a plane.
@compute @workgroup_size(64)
fn global_avg_pool_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let plane = group_index(group, groups);
    let end = select(0u, params.inner, plane < params.planes);
    var sum = 0.0;
    for (var i = lane; i < end; i += 64u) {
        sum += x[plane * params.inner + i];
    }
    let total = workgroup_sum(lane, 64u, sum);
    if lane == 0u && plane < params.planes {
        y[plane] = total * params.scale;
    }
}

// A workgroup a part of a plane, whose sum it leaves to `global_avg_pool`.
@compute @workgroup_size(64)
fn global_avg_pool_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let part = group_index(group, groups);
    let plane = part / params.parts;
    let first = part % params.parts * PART;
    let end = select(0u, min(first + PART, params.inner), plane < params.planes);
    var sum = 0.0;
    for (var i = first + lane; i < end; i += 64u) {
        sum += x[plane * params.inner + i];
    }
    let total = workgroup_sum(lane, 64u, sum);
    if lane == 0u && plane < params.planes {
        y[part] = total;
    }
}

@compute @workgroup_size(256)
fn global_avg_pool_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.planes * params.inner, 4u) {
        return;
    }
    let plane = min((4u * i + vec4<u32>(0u, 1u, 2u, 3u)) / params.inner, vec4<u32>(params.planes - 1u));
    dx[i] = params.scale * vec4<f32>(dy[plane.x], dy[plane.y], dy[plane.z], dy[plane.w]);
}
