// Noise on activations: elements, or whole channels, dropped at random; factors from a normal distribution.
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
    scale: f32, // of what is kept; the deviation of normal factors
    shift: f32, // added to what is kept; the mean of normal factors
    dropped: f32, // what a dropped element becomes
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> mask: array<u32>;

fn words(block: u32) -> vec4<u32> {
    return philox4x32(vec4<u32>(block, params.stream, step[0], 0u), vec2<u32>(params.seed_lo, params.seed_hi));
}

/// Which of the elements `4 * block ..` are kept.
fn kept(block: u32) -> vec4<bool> {
    return (words(block) >= vec4<u32>(params.threshold)) & vec4<bool>(params.drop_all == 0u);
}

/// The same in four bits, the lowest first.
fn kept_bits(block: u32) -> u32 {
    let bits = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), kept(block));
    return bits.x | bits.y | bits.z | bits.w;
}

/// Which of the elements `4 * i ..` lie in a channel that is kept: four elements lie in at most four channels, and so in two
/// blocks.
fn kept_by_channel(i: u32) -> vec4<bool> {
    let channels = (4u * i + vec4<u32>(0u, 1u, 2u, 3u)) / params.inner;
    let block = channels.x / 4u;
    var bits = kept_bits(block);
    if channels.w / 4u != block {
        bits |= kept_bits(block + 1u) << 4u;
    }
    return ((vec4<u32>(bits) >> (channels - 4u * block)) & vec4<u32>(1u)) == vec4<u32>(1u);
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
    if 4u * i < params.len {
        y[i] = select(vec4<f32>(0.0), x[i] * params.scale, kept_by_channel(i));
    }
}

@compute @workgroup_size(256)
fn alpha_dropout(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        y[i] = select(vec4<f32>(params.dropped), x[i] * params.scale + params.shift, kept(i));
    }
}

@compute @workgroup_size(256)
fn feature_alpha_dropout(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        y[i] = select(vec4<f32>(params.dropped), x[i] * params.scale + params.shift, kept_by_channel(i));
    }
}

/// `ln(u)` for normal numbers up to 1, to the last bits also near 1, where WGSL promises `log` to 2^-21 only: the exponent, and
/// `2 atanh((m - 1) / (m + 1))` of the mantissa between sqrt(1/2) and sqrt(2).
fn ln(u: vec2<f32>) -> vec2<f32> {
    let bits = bitcast<vec2<u32>>(u) - vec2<u32>(0x3f3504f3u);
    let exponent = bitcast<vec2<i32>>(bits) >> vec2<u32>(23u);
    let m = bitcast<vec2<f32>>((bits & vec2<u32>(0x7fffffu)) + vec2<u32>(0x3f3504f3u));
    let s = (m - 1.0) / (m + 1.0);
    let t = s * s;
    let mantissa = 2.0 * s + s * (t * (0.666666746 + t * (0.39998889 + t * (0.286165982 + t * (0.214307383 + t * 0.242895663)))));
    return vec2<f32>(exponent) * 0.693147181 + mantissa;
}

/// Cosine (x) and sine (y) of a whole turn times `word / 2^32`: the quarter turn that is nearest, and a polynomial for the rest.
/// WGSL promises its own to 2^-11 only.
fn cos_sin(word: u32) -> vec2<f32> {
    let quarter = (word + 0x20000000u) >> 30u;
    let a = f32(bitcast<i32>(word - (quarter << 30u))) * 1.46291808e-9;
    let t = a * a;
    let cosine = 1.0 - 0.5 * t + t * t * (0.0416666679 + t * (-0.00138888834 + t * 0.0000247995195));
    let sine = a + a * (t * (-0.166666672 + t * (0.00833332911 + t * (-0.000198393347 + t * 0.00000271831163))));
    let turned = select(vec2<f32>(cosine, sine), vec2<f32>(-sine, cosine), (quarter & 1u) == 1u);
    return select(turned, -turned, (quarter & 2u) == 2u);
}

/// Normal factors of the elements `4 * block ..`, by Box and Muller: words 0 and 1 give the first two, words 2 and 3 the others.
fn normals(block: u32) -> vec4<f32> {
    let w = words(block);
    // In (0, 1], exact: its logarithm is finite.
    let u = vec2<f32>((w.xz >> vec2<u32>(8u)) + 1u) * (1.0 / 16777216.0);
    let radius = sqrt(-2.0 * ln(u));
    return params.shift + params.scale * vec4<f32>(radius.x * cos_sin(w.y), radius.y * cos_sin(w.w));
}

@compute @workgroup_size(256)
fn gaussian_noise(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        y[i] = x[i] * normals(i);
    }
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
        word |= kept_bits(8u * i + j) << (4u * j);
    }
    // No bits past the last element.
    let rest = params.len - 32u * i;
    mask[i] = select(word & ((1u << (rest & 31u)) - 1u), word, rest >= 32u);
}
