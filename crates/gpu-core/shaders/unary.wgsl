// Functions of one element (OP), their gradients, and tests of floats; four elements a thread.

struct Params {
    len: u32,
    p: f32, // what the function is of besides x: a bound, an exponent, a base
    q: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> results: array<u32>; // truths, four to a word

/// Sine and cosine of one angle. WGSL promises 2^-11, and that between -pi and pi only: here it is 3 units in the last place up
/// to 8192 quarter turns, by taking off multiples of pi/2 in three pieces that multiply without rounding.
struct Turn {
    sine: vec4<f32>,
    cosine: vec4<f32>,
}

fn turn(v: vec4<f32>) -> Turn {
    let quarters = round(v * 0.63661975);
    let r = ((v - quarters * 1.5703125) - quarters * 4.8375129e-4) - quarters * 7.5497899e-8;
    let s = r * r;
    let sine = r + r * s * (-0.16666664 + s * (0.0083327489 + s * -0.00019588009));
    let cosine = (1.0 - 0.5 * s) + s * s * (0.041666664 + s * (-0.0013888304 + s * 2.454804e-5));
    // An infinite angle is given to no integer.
    let which = vec4<u32>(vec4<i32>(clamp(quarters, vec4<f32>(-1e9), vec4<f32>(1e9)))) & vec4<u32>(3u);
    let swapped = (which & vec4<u32>(1u)) == vec4<u32>(1u);
    let sine_turned = which >= vec4<u32>(2u);
    let cosine_turned = (which == vec4<u32>(1u)) | (which == vec4<u32>(2u));
    let s0 = select(sine, cosine, swapped);
    let c0 = select(cosine, sine, swapped);
    return Turn(select(s0, -s0, sine_turned), select(c0, -c0, cosine_turned));
}

/// The error function: an odd polynomial up to 1, one minus the exponential of a polynomial above.
fn error_function(v: vec4<f32>) -> vec4<f32> {
    let s = v * v;
    let small = v * (1.1283791 + s * (-0.37612626 + s * (0.112836 + s * (-0.026854444 + s * (0.0051895357 + s * (-0.00080208428 + s * 7.8891244e-5))))));
    let t = min(abs(v), vec4<f32>(4.0));
    let q = 0.00035374073 + t * (1.1270399 + t * (0.63822579 + t * (0.10303725 + t * (-0.021805262 + t * (0.0029395937 + t * -0.00018557266)))));
    let large = 1.0 - exp(-q);
    return select(small, select(large, -large, v < vec4<f32>(0.0)), abs(v) > vec4<f32>(1.0));
}

/// ln(1 + v): near zero by the series of the inverse hyperbolic tangent, where the sum would have lost its digits.
fn log_one_plus(v: vec4<f32>) -> vec4<u32> {
    let z = v / (2.0 + v);
    let s = z * z;
    let near = 2.0 * z * (1.0 + s * (0.33333333 + s * (0.2 + s * (0.14285714 + s * 0.11111111))));
    let y = select(logarithm(1.0 + v), bits(near), abs(v) < vec4<f32>(0.25));
    return select(y, sign_bit(v), is_zero(v));
}

/// e^v - 1, near zero by its series.
fn exp_minus_one(v: vec4<f32>) -> vec4<u32> {
    let near = v * (1.0 + v * (0.5 + v * (0.16666667 + v * (0.041666667 + v * (0.0083333333 + v * (0.0013888889 + v * (0.00019841270 + v * 2.4801587e-5)))))));
    let far = exponential(v);
    let y = select(bits(bitcast<vec4<f32>>(far) - 1.0), far, far == vec4<u32>(INFINITY));
    return select(y, bits(near), abs(v) < vec4<f32>(0.5));
}

/// A power with one exponent: the small ones by multiplication, as exact as that.
fn raised(v: vec4<f32>, e: f32) -> vec4<u32> {
    if e == 1.0 {
        return bits(v);
    }
    if e == 2.0 {
        return bits(v * v);
    }
    if e == 3.0 {
        return bits(v * v * v);
    }
    return power(v, vec4<f32>(e));
}

fn sign_of(v: vec4<f32>) -> vec4<f32> {
    let one = vec4<f32>(1.0);
    let zero = vec4<f32>(0.0);
    return select(select(select(zero, one, v > zero), -one, v < zero), zero, is_nan(v));
}

fn value(v: vec4<f32>) -> vec4<u32> {
    let none = vec4<u32>(NAN);
    switch OP {
        case 0u: { return bits(v) ^ vec4<u32>(SIGN); }
        case 1u: { return bits(v) & vec4<u32>(~SIGN); }
        case 2u: { return bits(sign_of(v)); }
        case 3u: { return bits(v * v); }
        case 4u: { return square_root(v); }
        case 5u: {
            let y = select(bits(inverseSqrt(v)), none, is_signed(v));
            return select(select(y, vec4<u32>(INFINITY) | sign_bit(v), is_zero(v)), vec4<u32>(0u), bits(v) == vec4<u32>(INFINITY));
        }
        case 6u: { return exponential(v); }
        case 7u: { return logarithm(v); }
        case 8u: { return log_one_plus(v); }
        case 9u: { return exp_minus_one(v); }
        case 10u: { return select(select(bits(turn(v).sine), none, is_infinite(v)), bits(v), is_zero(v)); }
        case 11u: { return select(bits(turn(v).cosine), none, is_infinite(v)); }
        case 12u: {
            let t = turn(v);
            return select(select(bits(t.sine / t.cosine), none, is_infinite(v)), bits(v), is_zero(v));
        }
        case 13u: { return bits(floor(v)); }
        case 14u: { return bits(ceil(v)); }
        case 15u: { return bits(round(v)); }
        case 16u: { return inverse(v); }
        case 17u: { return bits(error_function(v)); }
        case 18u: {
            let raised = select(v, vec4<f32>(params.p), v < vec4<f32>(params.p));
            return bits(select(raised, vec4<f32>(params.q), raised > vec4<f32>(params.q)));
        }
        case 19u: { return bits(v + params.p); }
        case 20u: { return raised(v, params.p); }
        default: {}
    }
    return power(vec4<f32>(params.p), v);
}

@compute @workgroup_size(256)
fn unary(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    let v = x[i];
    // The sign of a NaN is 0, and powers have their own rules.
    if OP == 2u || OP >= 20u {
        y[i] = value(v);
    } else {
        y[i] = select(value(v), bits(v), is_nan(v));
    }
}

/// The slope, from x or from what the function gave.
fn slope(k: vec4<f32>) -> vec4<f32> {
    let p = vec4<f32>(params.p);
    switch OP {
        case 0u: { return sign_of(k); }
        case 1u: { return 2.0 * k; }
        case 2u: { return bitcast<vec4<f32>>(inverse(2.0 * k)); }
        case 3u: { return -0.5 * (k * k * k); }
        case 4u: { return bitcast<vec4<f32>>(inverse(1.0 + k)); }
        case 5u: { return 1.0 + k; }
        case 6u: { return turn(k).cosine; }
        case 7u: { return -turn(k).sine; }
        case 8u: { return 1.0 + k * k; }
        case 9u: { return -k * k; }
        case 10u: { return 1.1283792 * exp(-(k * k)); }
        case 11u: { return select(vec4<f32>(0.0), vec4<f32>(1.0), (k >= p) & (k <= vec4<f32>(params.q)) & !is_nan(k)); }
        // The exponent, and the exponent less one.
        case 12u: { return select(p * bitcast<vec4<f32>>(raised(k, params.q)), vec4<f32>(0.0), is_zero(p)); }
        // The base, and its logarithm. Nought to a power is flat from exponent nought on.
        case 13u: {
            let flat = is_zero(p) & (k >= vec4<f32>(0.0));
            return select(bitcast<vec4<f32>>(power(p, k)) * params.q, vec4<f32>(0.0), flat);
        }
        default: {}
    }
    // A root of nought has no slope: none is passed on, as in PyTorch's `std`.
    return select(0.5 / k, vec4<f32>(0.0), is_zero(k));
}

@compute @workgroup_size(256)
fn unary_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y[i] = bits(dy[i] * slope(x[i]));
    }
}

@compute @workgroup_size(256)
fn unary_test(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    var v = is_nan(x[i]);
    if OP == 1u {
        v = is_infinite(x[i]);
    }
    if OP == 2u {
        v = !(is_nan(x[i]) | is_infinite(x[i]));
    }
    results[i] = dot(select(vec4<u32>(0u), vec4<u32>(1u), v), vec4<u32>(1u, 0x100u, 0x10000u, 0x1000000u));
}
