// One number a channel, added everywhere; x is (n, c, inner).
// VEC = 1: `inner` is a multiple of four, so that four elements in a row share a channel.

struct Params {
    len: u32, // elements of x
    n: u32,
    c: u32,
    inner: u32,
    splits: u32, // parts in which a channel is summed
    part: u32, // elements of a part; a multiple of four
}

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> dy4: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> partial: array<f32>; // (c, splits)
@group(0) @binding(5) var<storage, read_write> y4: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> sums: array<f32>; // (c, splits)
@group(0) @binding(7) var<storage, read_write> db: array<f32>;

@compute @workgroup_size(256)
fn add_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    if VEC == 1u {
        y4[i] = x4[i] + b[(4u * i / params.inner) % params.c];
    } else {
        // Past the end of x the channel is still one of b's.
        let channel = ((4u * i + vec4<u32>(0u, 1u, 2u, 3u)) / params.inner) % params.c;
        y4[i] = x4[i] + vec4<f32>(b[channel.x], b[channel.y], b[channel.z], b[channel.w]);
    }
}

// One workgroup sums one part of one channel. A lane walks by 256 units (elements, or vectors of four) over the channel's samples
// in a row, without a division a step.
@compute @workgroup_size(256)
fn add_bias_bwd_b_partial(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let channel = which / params.splits;
    let row = select(params.inner, params.inner / 4u, VEC == 1u); // units of a plane
    let part = select(params.part, params.part / 4u, VEC == 1u);
    let first = (which % params.splits) * part;
    let end = min(first + part, params.n * row);
    var sample = (first + lane) / row;
    var i = (first + lane) % row;
    let whole = 256u / row;
    let left = 256u % row;
    var sum = vec4<f32>(0.0);
    if channel < params.c {
        for (var unit = first + lane; unit < end; unit += 256u) {
            let at = (sample * params.c + channel) * row + i;
            if VEC == 1u {
                sum += dy4[at];
            } else {
                sum.x += dy[at];
            }
            sample += whole;
            i += left;
            if i >= row {
                i -= row;
                sample++;
            }
        }
    }
    let total = workgroup_sum(lane, 256u, (sum.x + sum.y) + (sum.z + sum.w));
    if lane == 0u && channel < params.c {
        sums[which] = total;
    }
}

@compute @workgroup_size(256)
fn add_bias_bwd_b(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let channel = group_index(group, groups) * 256u + lane;
    if channel >= params.c {
        return;
    }
    var sum = 0.0;
    for (var s = 0u; s < params.splits; s++) {
        sum += partial[channel * params.splits + s];
    }
    db[channel] = sum;
}

// `inner` is 1: neighbouring threads sum neighbouring channels, each a part of the samples.
@compute @workgroup_size(256)
fn add_bias_bwd_b_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= params.c * params.splits {
        return;
    }
    let first = (i / params.c) * params.part;
    let end = min(first + params.part, params.n);
    var sum = 0.0;
    for (var sample = first; sample < end; sample++) {
        sum += dy[sample * params.c + i % params.c];
    }
    sums[(i % params.c) * params.splits + i / params.c] = sum;
}
