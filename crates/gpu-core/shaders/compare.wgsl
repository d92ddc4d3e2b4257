// Comparisons (OP) of floats, integers or truths (TYPE): four results to a word, a byte each, so that a thread owns its word.

@group(0) @binding(4) var<storage, read_write> results: array<u32>;
@group(0) @binding(5) var<storage, read_write> negated: array<vec4<u32>>;

fn packed(v: vec4<bool>) -> u32 {
    return dot(select(vec4<u32>(0u), vec4<u32>(1u), v), vec4<u32>(1u, 0x100u, 0x10000u, 0x1000000u));
}

fn compared(a: vec4<u32>, b: vec4<u32>) -> vec4<bool> {
    if TYPE == 0u {
        let l = bitcast<vec4<f32>>(a);
        let r = bitcast<vec4<f32>>(b);
        let ordered = !(is_nan(l) | is_nan(r));
        switch OP {
            case 0u: { return ordered & (l == r); }
            case 1u: { return !(ordered & (l == r)); }
            case 2u: { return ordered & (l < r); }
            case 3u: { return ordered & (l <= r); }
            case 4u: { return ordered & (l > r); }
            default: {}
        }
        return ordered & (l >= r);
    }
    // The sign turned over, integers are in the order of words.
    let flip = vec4<u32>(select(0u, SIGN, TYPE == 1u));
    let l = a ^ flip;
    let r = b ^ flip;
    switch OP {
        case 0u: { return l == r; }
        case 1u: { return l != r; }
        case 2u: { return l < r; }
        case 3u: { return l <= r; }
        case 4u: { return l > r; }
        case 5u: { return l >= r; }
        case 6u: { return (l & r) != vec4<u32>(0u); }
        default: {}
    }
    return (l | r) != vec4<u32>(0u);
}

@compute @workgroup_size(256)
fn compare(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if is_mine(i) {
        let at = sources(i);
        if TYPE == 3u {
            results[i] = packed(compared(bytes_a(i, at.a), bytes_b(i, at.b)));
        } else {
            results[i] = packed(compared(words_a(i, at.a), words_b(i, at.b)));
        }
    }
}

// `len` counts words here: sixteen truths a thread.
@compute @workgroup_size(256)
fn logical_not(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if is_mine(i) {
        negated[i] = a[i] ^ vec4<u32>(0x01010101u);
    }
}
