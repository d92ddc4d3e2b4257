// Functions of one element and their derivatives, four elements a thread.
//
// In memory elements are f32 or f16, as the header says. Which function it is stands there too: a pipeline has the registers of one
// function and compiles in the time of one, where a switch by a parameter would compile all of them for whoever uses one.

const RELU: u32 = 0u;
const LEAKY_RELU: u32 = 1u;
const RELU6: u32 = 2u;
const ELU: u32 = 3u;
const HARDSIGMOID: u32 = 4u;
const HARDSWISH: u32 = 5u;
const SIGMOID: u32 = 6u;
const TANH: u32 = 7u;
const SOFTPLUS: u32 = 8u;
const SILU: u32 = 9u;
const GELU: u32 = 10u;
const GELU_TANH: u32 = 11u;
const MISH: u32 = 12u;
const SOFTSIGN: u32 = 13u;

struct Params {
    len: u32, // elements
    a: f32, // slope, alpha or beta
    b: f32, // scale or threshold
}

@group(0) @binding(0) var<storage, read> x: array<XFour>;
@group(0) @binding(1) var<storage, read> dy: array<DyFour>;
@group(0) @binding(2) var<storage, read_write> y: array<YFour>;

// Throughout, limits are comparisons that let a NaN through, where `max`, `min` and `clamp` might swallow it.

fn limit(x: vec4<f32>, low: f32, high: f32) -> vec4<f32> {
    let above = select(x, vec4<f32>(low), x < vec4<f32>(low));
    return select(above, vec4<f32>(high), above > vec4<f32>(high));
}

/// `exp(-a)` for `a >= 0`. Past where f32 ends it is 0 whatever the driver's `exp` makes of it, also for infinity.
fn decay(a: vec4<f32>) -> vec4<f32> {
    return select(exp(-a), vec4<f32>(0.0), a > vec4<f32>(104.0));
}

/// `ln(1 + e)` for `0 <= e <= 1`, as `2 atanh(e / (2 + e))`: WGSL promises `log` near 1 to 2^-21 only.
fn log1p_of_unit(e: vec4<f32>) -> vec4<f32> {
    let s = e / (2.0 + e);
    let t = s * s;
    return 2.0 * s + s * (t * (0.666666746 + t * (0.39998889 + t * (0.286165982 + t * (0.214307383 + t * 0.242895663)))));
}

/// `tanh(x)` for `|x| < 0.625`: minimax, 4e-9 of it.
fn tanh_near_zero(x: vec4<f32>) -> vec4<f32> {
    let t = x * x;
    return x + x * (t * (-0.333332807 + t * (0.133314416 + t * (-0.0537397154 + t * (0.0206390843 - t * 0.00570498407)))));
}

/// The built-in one overflows on some drivers, and WGSL promises it to 1e-5 only.
fn tanh_anywhere(x: vec4<f32>) -> vec4<f32> {
    let e = decay(2.0 * abs(x));
    let size = (1.0 - e) / (1.0 + e);
    return select(select(size, -size, x < vec4<f32>(0.0)), tanh_near_zero(x), abs(x) < vec4<f32>(0.625));
}

/// `exp(x) - 1` for `x <= 0`, to the last bits near 0 too: `2 t / (1 - t)` with `t = tanh(x / 2)`.
fn expm1_of_negative(x: vec4<f32>) -> vec4<f32> {
    let t = tanh_near_zero(0.5 * x);
    return select(decay(-x) - 1.0, 2.0 * t / (1.0 - t), x > vec4<f32>(-1.25));
}

/// `sigmoid(x)` and `sigmoid(-x)`, neither by subtraction.
struct Sigmoids {
    plus: vec4<f32>,
    minus: vec4<f32>,
}

fn sigmoids(x: vec4<f32>) -> Sigmoids {
    let e = decay(abs(x));
    let large = 1.0 / (1.0 + e);
    let small = e * large;
    let is_negative = x < vec4<f32>(0.0);
    return Sigmoids(select(large, small, is_negative), select(small, large, is_negative));
}

/// Below 1, `x` times a minimax polynomial in `x^2` (1.2e-9 of it); above, `1 - exp(-q)`, where `q` is one for `-ln erfc`, fitted
/// with the weight that it has in the result (1.0e-9). From 4 on it is 1 in f32.
fn erf(x: vec4<f32>) -> vec4<f32> {
    let t = x * x;
    let near = x + x * (0.12837911 + t * (-0.37612626 + t * (0.112835854 + t * (-0.0268538129
        + t * (0.00518832775 + t * (-0.000801019371 + t * 0.0000785386146))))));
    let a = limit(abs(x), 0.0, 4.0) - 2.0;
    let q = 5.36494112 + a * (4.41815948 + a * (0.923753083 + a * (0.0164872725
        + a * (-0.00354368589 + a * (0.000712718873 - a * 0.000185574201)))));
    let size = 1.0 - exp(-q);
    let far = select(size, -size, x < vec4<f32>(0.0));
    return select(far, near, abs(x) < vec4<f32>(1.0));
}

/// The part of a normal distribution below x.
fn normal_cdf(x: vec4<f32>) -> vec4<f32> {
    return 0.5 * (1.0 + erf(0.707106781 * x));
}

/// The argument of GELU's `tanh`.
fn gelu_inner(x: vec4<f32>) -> vec4<f32> {
    return 0.797884561 * (x + 0.044715 * (x * x * x));
}

/// `n = e (e + 2)` with `e = exp(x)`: `tanh(softplus(x)) = n / (n + 2)`. Above 20 that is 1 in f32.
fn mish_exp(x: vec4<f32>) -> vec4<f32> {
    return select(exp(limit(x, -104.0, 20.0)), vec4<f32>(0.0), x < vec4<f32>(-104.0));
}

fn forward(x: vec4<f32>) -> vec4<f32> {
    let zero = vec4<f32>(0.0);
    switch KIND {
        case RELU: { return select(x, zero, x <= zero); }
        case LEAKY_RELU: { return select(params.a * x, x, x > zero); }
        case RELU6: { return limit(x, 0.0, 6.0); }
        case ELU: { return params.b * select(x, params.a * expm1_of_negative(x), x < zero); }
        case HARDSIGMOID: { return limit(x + 3.0, 0.0, 6.0) / 6.0; }
        case HARDSWISH: { return x * limit(x + 3.0, 0.0, 6.0) / 6.0; }
        case SIGMOID: { return sigmoids(x).plus; }
        case TANH: { return tanh_anywhere(x); }
        case SOFTPLUS: {
            let z = params.a * x;
            let soft = limit(z, 0.0, 3.4e38) + log1p_of_unit(decay(abs(z)));
            return select(soft / params.a, x, z > vec4<f32>(params.b));
        }
        case SILU: { return x * sigmoids(x).plus; }
        case GELU: { return x * normal_cdf(x); }
        case GELU_TANH: { return 0.5 * x * (1.0 + tanh_anywhere(gelu_inner(x))); }
        case SOFTSIGN: { return x / (1.0 + abs(x)); }
        default: {}
    }
    let e = mish_exp(x);
    let n = e * (e + 2.0);
    return x * (n / (n + 2.0));
}

/// The derivative at what was kept, times dy: `v` is the output where that will do, else the input.
fn backward(v: vec4<f32>, dy: vec4<f32>) -> vec4<f32> {
    let zero = vec4<f32>(0.0);
    switch KIND {
        case RELU: { return select(dy, zero, v <= zero); }
        case LEAKY_RELU: { return select(params.a * dy, dy, v > zero); }
        case RELU6: { return select(zero, dy, (v > zero) & (v < vec4<f32>(6.0))); }
        case ELU: { return dy * select(vec4<f32>(params.b), v + params.a * params.b, v <= zero); }
        case HARDSIGMOID: { return select(zero, dy / 6.0, (v > zero) & (v < vec4<f32>(1.0))); }
        case HARDSWISH: {
            let rising = select(dy, dy * (v / 3.0 + 0.5), v < vec4<f32>(3.0));
            return select(rising, zero, v <= vec4<f32>(-3.0));
        }
        case SIGMOID: { return dy * (v * (1.0 - v)); }
        case TANH: { return dy * ((1.0 - v) * (1.0 + v)); }
        case SOFTPLUS: {
            let z = params.a * v;
            return select(dy * sigmoids(z).plus, dy, z > vec4<f32>(params.b));
        }
        case SILU: {
            let s = sigmoids(v);
            return dy * (s.plus * (1.0 + v * s.minus));
        }
        case GELU: { return dy * (normal_cdf(v) + v * (0.398942280 * decay(0.5 * v * v))); }
        case GELU_TANH: {
            let t = tanh_anywhere(gelu_inner(v));
            let slope = 0.797884561 * (1.0 + 0.134145 * (v * v));
            return dy * (0.5 * (1.0 + t) + 0.5 * v * ((1.0 - t) * (1.0 + t)) * slope);
        }
        case SOFTSIGN: {
            let d = 1.0 / (1.0 + abs(v));
            return dy * (d * d);
        }
        default: {}
    }
    let e = mish_exp(v);
    let n = e * (e + 2.0);
    let falling = e / (1.0 + e) * 4.0 * (n + 1.0) / ((n + 2.0) * (n + 2.0));
    return dy * (n / (n + 2.0) + v * select(falling, zero, v > vec4<f32>(20.0)));
}

@compute @workgroup_size(256)
fn activation(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y[i] = to_y_four(forward(x_four(x[i])));
    }
}

// Slot `x` holds what was kept, slot `y` is dx.
@compute @workgroup_size(256)
fn activation_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y[i] = to_y_four(backward(x_four(x[i]), dy_four(dy[i])));
    }
}
