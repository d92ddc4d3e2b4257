// Random tensors: elements are pure functions of (seed, stream, step, index), drawn four at a time from the Philox block with
// counter (index / 4, stream, step, 0); integers take two words each, from block index / 2.

struct Params {
    len: u32,
    stream: u32,
    seed_lo: u32,
    seed_hi: u32,
    // uniform: the bits of the step between two neighbours, of the lowest, and of the highest that may come.
    // normal: the bits of the standard deviation and of the mean. bernoulli: the threshold, and whether all are true.
    // randint: how many there are, and the lowest.
    // permutation: rows and columns of the square, and how often an element may have to be moved on.
    a: u32,
    b: u32,
    c: u32,
}

@group(0) @binding(0) var<storage, read> step: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<u32>>;

fn words(block: u32, use_of_it: u32) -> vec4<u32> {
    return philox4x32(vec4<u32>(block, params.stream, step[0], use_of_it), vec2<u32>(params.seed_lo, params.seed_hi));
}

/// The bits of floats, in the order of the floats: a comparison of floats may take the smallest for zero.
fn ordered(v: u32) -> u32 {
    return select(v | 0x80000000u, ~v, (v >> 31u) == 1u);
}

fn uniform_of(word: u32) -> u32 {
    let v = multiple_plus(word >> 8u, params.a, params.b);
    // A sum that is rounded up to the end itself becomes the last before it.
    return select(v, params.c, ordered(v) > ordered(params.c));
}

@compute @workgroup_size(256)
fn uniform_random(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        let w = words(i, 0u);
        y4[i] = vec4<u32>(uniform_of(w.x), uniform_of(w.y), uniform_of(w.z), uniform_of(w.w));
    }
}

/// `-2 ln u` for `u = (word + 1) / 2^32`, by a series: what a device's own logarithm is worth is not said near 1.
fn minus_two_log(word: u32) -> f32 {
    let n = word + 1u; // 0 stands for 2^32
    // u = (1 + f) 2^(e - 32), with 1 + f between sqrt(1/2) and sqrt(2); f is exact before it is rounded.
    var e = 32u;
    var f = 0.0;
    if n != 0u {
        e = firstLeadingBit(n);
        let over = n << (31u - e);
        if over > 0xb504f333u {
            f = -f32(0u - over) / 4294967296.0;
            e += 1u;
        } else {
            f = f32(over - 0x80000000u) / 2147483648.0;
        }
    }
    let s = f / (2.0 + f);
    let z = s * s;
    let series = 2.0 * s * (1.0 + z * (1.0 / 3.0 + z * (0.2 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * (1.0 / 11.0))))));
    return -2.0 * (series - f32(32u - e) * 0.6931471805599453);
}

/// Cosine and sine of `word / 2^32` turns: the nearest quarter by integers, the rest by series.
fn on_the_circle(word: u32) -> vec2<f32> {
    let quarter = (word + 0x20000000u) >> 30u;
    let a = f32(bitcast<i32>(word - (quarter << 30u))) * 1.4629180792671596e-9;
    let z = a * a;
    let sine = a * (1.0 + z * (-1.0 / 6.0 + z * (1.0 / 120.0 + z * (-1.0 / 5040.0 + z * (1.0 / 362880.0)))));
    let cosine = 1.0 + z * (-0.5 + z * (1.0 / 24.0 + z * (-1.0 / 720.0 + z * (1.0 / 40320.0 + z * (-1.0 / 3628800.0)))));
    switch quarter {
        case 0u: { return vec2<f32>(cosine, sine); }
        case 1u: { return vec2<f32>(-sine, cosine); }
        case 2u: { return vec2<f32>(-cosine, -sine); }
        default: {}
    }
    return vec2<f32>(sine, -cosine);
}

@compute @workgroup_size(256)
fn normal_random(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        let w = words(i, 0u);
        let first = sqrt(minus_two_log(w.x)) * on_the_circle(w.y);
        let second = sqrt(minus_two_log(w.z)) * on_the_circle(w.w);
        y4[i] = bitcast<vec4<u32>>(bitcast<f32>(params.b) + bitcast<f32>(params.a) * vec4<f32>(first, second));
    }
}

/// Four truths a word, one to a byte.
@compute @workgroup_size(256)
fn bernoulli(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        let hits = (words(i, 0u) < vec4<u32>(params.a)) | vec4<bool>(params.b != 0u);
        let bytes = select(vec4<u32>(0u), vec4<u32>(1u, 0x100u, 0x10000u, 0x1000000u), hits);
        y[i] = bytes.x | bytes.y | bytes.z | bytes.w;
    }
}

/// The high word of `n` times a number of 64 random bits.
fn below(n: u32, high: u32, low: u32) -> u32 {
    let p = mul_wide(high, n);
    return p.x + select(0u, 1u, p.y + mul_wide(low, n).x < p.y);
}

@compute @workgroup_size(256)
fn randint(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        let v = words(2u * i, 0u);
        let w = words(2u * i + 1u, 0u);
        let n = params.a;
        y4[i] = params.b + vec4<u32>(below(n, v.x, v.y), below(n, v.z, v.w), below(n, w.x, w.y), below(n, w.z, w.w));
    }
}

var<workgroup> keys: array<vec2<u32>, 1024>;

/// At most 1024 elements in one workgroup: each goes where its random key stands among all keys.
@compute @workgroup_size(256)
fn permutation_ranks(@builtin(local_invocation_index) lane: u32) {
    for (var i = lane; i < params.len; i += 256u) {
        keys[i] = words(i, 0u).xy;
    }
    workgroupBarrier();
    for (var i = lane; i < params.len; i += 256u) {
        let key = keys[i];
        var rank = 0u;
        for (var j = 0u; j < params.len; j++) {
            let other = keys[j];
            let same = all(other == key);
            let less = other.x < key.x || (other.x == key.x && other.y < key.y);
            rank += select(0u, 1u, less || (same && j < i));
        }
        y[rank] = i;
    }
}

/// Element `i` moves about a rectangle of `a` rows and `b` columns by rounds that can each be undone, until it is below `len`.
@compute @workgroup_size(256)
fn permutation(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= params.len {
        return;
    }
    var at = i;
    for (var walk = 0u; walk < params.c; walk++) {
        var row = at / params.b;
        var column = at - row * params.b;
        for (var round = 1u; round <= 8u; round += 2u) {
            let w = words(column, round);
            row += below(params.a, w.x, w.y);
            row -= select(0u, params.a, row >= params.a);
            let v = words(row, round + 1u);
            column += below(params.b, v.x, v.y);
            column -= select(0u, params.b, column >= params.b);
        }
        at = row * params.b + column;
        if at < params.len {
            break;
        }
    }
    y[i] = at;
}
