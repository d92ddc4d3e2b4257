// Dynamic loss scaling: gradients of a loss that was multiplied are divided again, and a step whose gradients are not finite is taken back.

struct Params {
    len: u32,
    interval: u32, // steps until the scale is doubled
}

@group(0) @binding(0) var<storage, read> words: array<vec4<u32>>; // gradients, or what was before the step, by their bits
@group(0) @binding(1) var<storage, read> found: array<f32>; // how many are not finite, by parts
@group(0) @binding(2) var<storage, read> verdict: array<f32>; // what gradients are multiplied by; whether the step is taken back
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;
@group(0) @binding(4) var<storage, read_write> state: array<f32>; // scale, steps since it changed, steps taken back
@group(0) @binding(5) var<storage, read_write> decided: array<f32>; // as `verdict`
@group(0) @binding(6) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> now: array<vec4<u32>>;

const LEAST = 1.0;
const MOST = 16777216.0;

// Every group counts in its share, in steps of the grid. By bits: WGSL promises nothing about comparisons of what is not finite.
@compute @workgroup_size(256)
fn count_not_finite(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let stride = groups.x * groups.y * 256u;
    let end = ceil_div(params.len, 4u);
    var count = 0.0;
    for (var i = which * 256u + lane; i < end; i += stride) {
        let inside = vec4<u32>(4u * i) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.len);
        let is_finite = (words[i] & vec4<u32>(0x7f800000u)) != vec4<u32>(0x7f800000u);
        let one_each = select(vec4<f32>(1.0), vec4<f32>(0.0), is_finite);
        count += dot(select(vec4<f32>(0.0), one_each, inside), vec4<f32>(1.0));
    }
    let total = workgroup_sum(lane, 256u, count);
    if lane == 0u {
        partials[which] = total;
    }
}

// One group, over `len` counts.
@compute @workgroup_size(256)
fn judge_scale(@builtin(local_invocation_index) lane: u32) {
    var count = 0.0;
    for (var i = lane; i < params.len; i += 256u) {
        count += found[i];
    }
    let total = workgroup_sum(lane, 256u, count);
    if lane == 0u {
        let scale = state[0];
        let is_taken_back = total > 0.0 && scale > LEAST;
        // The reciprocal of a power of two, exactly, which a division need not be.
        decided[0] = bitcast<f32>(0x7f000000u - bitcast<u32>(scale));
        decided[1] = select(0.0, 1.0, is_taken_back);
        let steps = state[1] + 1.0;
        let is_due = steps >= f32(params.interval);
        if is_taken_back {
            state[0] = 0.5 * scale;
            state[2] += 1.0;
        } else if is_due && scale < MOST {
            state[0] = 2.0 * scale;
        }
        state[1] = select(steps, 0.0, is_taken_back || is_due);
    }
}

@compute @workgroup_size(256)
fn unscale(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y[i] *= verdict[0];
    }
}

// As integers: a float may be changed on its way.
@compute @workgroup_size(256)
fn take_back(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    if verdict[1] == 0.0 {
        return; // nothing else is read or written
    }
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        now[i] = words[i];
    }
}
