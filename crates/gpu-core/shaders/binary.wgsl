// Arithmetic on pairs of tensors (OP, on floats or integers), and one tensor spread over a larger shape.

fn combine(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    // Of integers the low words: the same for both signs.
    if INTEGERS == 1u {
        switch OP {
            case 0u: { return a + b; }
            case 1u: { return a - b; }
            default: {}
        }
        return a * b;
    }
    let l = bitcast<vec4<f32>>(a);
    let r = bitcast<vec4<f32>>(b);
    switch OP {
        case 0u: { return bits(l + r); }
        case 1u: { return bits(l - r); }
        case 2u: { return bits(l * r); }
        case 3u: { return bits(l / r); }
        // A NaN wins; of equal ones, the first.
        case 4u: { return select(b, a, is_nan(l) | ((l >= r) & !is_nan(r))); }
        case 5u: { return select(b, a, is_nan(l) | ((l <= r) & !is_nan(r))); }
        default: {}
    }
    return power(l, r);
}

@compute @workgroup_size(256)
fn binary(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if is_mine(i) {
        let at = sources(i);
        y[i] = combine(words_a(i, at.a), words_b(i, at.b));
    }
}

@compute @workgroup_size(256)
fn spread(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if is_mine(i) {
        y[i] = bits(params.factor * bitcast<vec4<f32>>(words_a(i, sources(i).a)));
    }
}
