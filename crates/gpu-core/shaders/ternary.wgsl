// Functions of three tensors: what the gradients of pairs and of reductions are made of.

fn combine(a: vec4<f32>, b: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
    let zero = vec4<f32>(0.0);
    switch OP {
        // maximum and minimum: a tie is split, and neither side of a NaN is cut off.
        case 0u: { return select(select(c, zero, ordered(a, b) & (a < b)), 0.5 * c, ordered(a, b) & (a == b)); }
        case 1u: { return select(select(c, zero, ordered(a, b) & (a > b)), 0.5 * c, ordered(a, b) & (a == b)); }
        // -c a / b^2 as PyTorch has it, which overflows later.
        case 2u: { return -c * ((a / b) / b); }
        case 3u: { return select(c * (b * bitcast<vec4<f32>>(power(a, b - 1.0))), zero, is_zero(b)); }
        case 4u: {
            let slope = bitcast<vec4<f32>>(power(a, b)) * bitcast<vec4<f32>>(logarithm(a));
            return select(c * slope, zero, is_zero(a) & (b >= zero));
        }
        case 5u: { return select(zero, c, ordered(a, b) & (a == b)); }
        case 6u: { return params.factor * (a - b) * c; }
        default: {}
    }
    return c * bitcast<vec4<f32>>(exponential(a - b));
}

fn ordered(a: vec4<f32>, b: vec4<f32>) -> vec4<bool> {
    return !(is_nan(a) | is_nan(b));
}

@compute @workgroup_size(256)
fn ternary(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if is_mine(i) {
        let at = sources(i);
        let l = bitcast<vec4<f32>>(words_a(i, at.a));
        let m = bitcast<vec4<f32>>(words_b(i, at.b));
        y[i] = bits(combine(l, m, bitcast<vec4<f32>>(words_c(i, at.c))));
    }
}
