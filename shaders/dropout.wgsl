// Dropout: elements, or whole channels, set to zero at random and the rest scaled up.
//
// Element i takes word i % 4 of the Philox block with counter (i / 4, stream, step, 0); it is dropped iff word < threshold.

struct Params {
    len: u32,
    inner: u32, // elements of a channel
    stream: u32,
    seed_lo: u32,
    seed_hi: u32,
    threshold: u32,
    drop_all: u32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> mask: array<u32>;

/// Which of the elements `4 * block ..` are kept.
fn kept(block: u32) -> vec4<bool> {
    let words = philox4x32(vec4<u32>(block, params.stream, step[0], 0u), vec2<u32>(params.seed_lo, params.seed_hi));
    return (words >= vec4<u32>(params.threshold)) & vec4<bool>(params.drop_all == 0u);
}

@compute @workgroup_size(256)
fn dropout(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        y[i] = select(vec4<f32>(0.0), x[i] * params.scale, kept(i));
    }
}

@compute @workgroup_size(256)
fn dropout2d(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i >= params.len {
        return;
    }
    var channel = 4u * i / params.inner;
    var offset = 4u * i - channel * params.inner;
    var keep = kept(channel / 4u);
    var values = x[i] * params.scale;
    for (var j = 0u; j < 4u; j++) {
        values[j] = select(0.0, values[j], keep[channel % 4u]);
        offset++;
        if offset == params.inner {
            offset = 0u;
            channel++;
            if channel % 4u == 0u {
                keep = kept(channel / 4u);
            }
        }
    }
    y[i] = values;
}

/// One word of 32 elements, the lowest bit first.
@compute @workgroup_size(256)
fn dropout_mask(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 32u * i >= params.len {
        return;
    }
    var word = 0u;
    for (var j = 0u; j < 8u; j++) {
        let bits = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), kept(8u * i + j));
        word |= (bits.x | bits.y | bits.z | bits.w) << (4u * j);
    }
    // No bits past the last element.
    let rest = params.len - 32u * i;
    mask[i] = select(word & ((1u << (rest & 31u)) - 1u), word, rest >= 32u);
}
