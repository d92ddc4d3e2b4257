// Losses of single elements against targets, their sum in two stages of a fixed order, and their derivatives.
//
// Which loss it is stands in the header: see activation.wgsl.

const MSE: u32 = 0u;
const L1: u32 = 1u;
const SMOOTH_L1: u32 = 2u;
const HUBER: u32 = 3u;
const BCE_WITH_LOGITS: u32 = 4u;
const BCE: u32 = 5u;
const KL_DIV: u32 = 6u;
const KL_DIV_LOG: u32 = 7u;

struct Params {
    len: u32, // elements
    part: u32, // quads of a part of the sum
    each: u32, // whether each element has a dy
    // Element i of x has weight (i / inner) % c, and so for the weight of positive targets; c = 0: there is none.
    weight_c: u32,
    weight_inner: u32,
    positive_c: u32,
    positive_inner: u32,
    width: f32, // beta or delta
    scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read> goal: array<vec4<f32>>; // the target
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> positive: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;

/// The weights of the elements `4 * i ..`.
fn weights(i: u32) -> vec4<f32> {
    if params.weight_c == 0u {
        return vec4<f32>(1.0);
    }
    let at = ((4u * i + vec4<u32>(0u, 1u, 2u, 3u)) / params.weight_inner) % params.weight_c;
    return vec4<f32>(weight[at.x], weight[at.y], weight[at.z], weight[at.w]);
}

fn positive_weights(i: u32) -> vec4<f32> {
    if params.positive_c == 0u {
        return vec4<f32>(1.0);
    }
    let at = ((4u * i + vec4<u32>(0u, 1u, 2u, 3u)) / params.positive_inner) % params.positive_c;
    return vec4<f32>(positive[at.x], positive[at.y], positive[at.z], positive[at.w]);
}

/// `ln(1 + exp(-x))`; see `log1p_of_unit` in activation.wgsl for the series.
fn softplus_of_minus(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let e = select(exp(-a), vec4<f32>(0.0), a > vec4<f32>(104.0));
    let s = e / (2.0 + e);
    let t = s * s;
    let soft = 2.0 * s + s * (t * (0.666666746 + t * (0.39998889 + t * (0.286165982 + t * (0.214307383 + t * 0.242895663)))));
    return soft + select(vec4<f32>(0.0), -x, x < vec4<f32>(0.0));
}

/// `sigmoid(-x)`.
fn sigmoid_of_minus(x: vec4<f32>) -> vec4<f32> {
    let a = abs(x);
    let e = select(exp(-a), vec4<f32>(0.0), a > vec4<f32>(104.0));
    return select(e, vec4<f32>(1.0), x < vec4<f32>(0.0)) / (1.0 + e);
}

/// A logarithm that is never below -100, as PyTorch has it for probabilities.
fn ln_above(p: vec4<f32>) -> vec4<f32> {
    let l = log(select(p, vec4<f32>(1.17549435e-38), p < vec4<f32>(1.17549435e-38)));
    return select(l, vec4<f32>(-100.0), p < vec4<f32>(1.17549435e-38));
}

/// `t ln t`, 0 where t is 0.
fn t_ln_t(t: vec4<f32>) -> vec4<f32> {
    return select(t * log(select(t, vec4<f32>(1.0), t == vec4<f32>(0.0))), vec4<f32>(0.0), t == vec4<f32>(0.0));
}

fn loss(i: u32) -> vec4<f32> {
    let v = x[i];
    let t = goal[i];
    let d = v - t;
    let size = abs(d);
    let is_near = size < vec4<f32>(params.width);
    switch KIND {
        case MSE: { return d * d; }
        case L1: { return size; }
        // With a width of 0 nothing is near, and the quotient is not taken.
        case SMOOTH_L1: { return select(size - 0.5 * params.width, 0.5 * d * d / params.width, is_near); }
        case HUBER: { return select(params.width * (size - 0.5 * params.width), 0.5 * d * d, is_near); }
        case BCE_WITH_LOGITS: {
            let soft = softplus_of_minus(v);
            return weights(i) * ((1.0 - t) * v + (1.0 + (positive_weights(i) - 1.0) * t) * soft);
        }
        case BCE: { return weights(i) * -(t * ln_above(v) + (1.0 - t) * ln_above(1.0 - v)); }
        case KL_DIV: { return t_ln_t(t) - t * v; }
        default: {}
    }
    return exp(t) * (t - v);
}

fn bwd_x(i: u32) -> vec4<f32> {
    let v = x[i];
    let t = goal[i];
    let d = v - t;
    let is_near = abs(d) < vec4<f32>(params.width);
    switch KIND {
        case MSE: { return 2.0 * d; }
        case L1: { return sign(d); }
        case SMOOTH_L1: { return select(sign(d), d / params.width, is_near); }
        case HUBER: { return select(params.width * sign(d), d, is_near); }
        case BCE_WITH_LOGITS: {
            let w = 1.0 + (positive_weights(i) - 1.0) * t;
            return weights(i) * (1.0 - t - w * sigmoid_of_minus(v));
        }
        // PyTorch's: no division by less than 1e-12.
        case BCE: {
            let q = (1.0 - v) * v;
            return weights(i) * (d / select(q, vec4<f32>(1e-12), q < vec4<f32>(1e-12)));
        }
        case KL_DIV: { return -t; }
        default: {}
    }
    return -exp(t);
}

fn bwd_target(i: u32) -> vec4<f32> {
    let v = x[i];
    let t = goal[i];
    switch KIND {
        case BCE_WITH_LOGITS: { return weights(i) * ((positive_weights(i) - 1.0) * softplus_of_minus(v) - v); }
        case BCE: { return weights(i) * (ln_above(1.0 - v) - ln_above(v)); }
        case KL_DIV: { return log(t) + 1.0 - v; }
        case KL_DIV_LOG: { return exp(t) * (t - v + 1.0); }
        default: {}
    }
    // A function of the difference.
    return -bwd_x(i);
}

fn dy_of(i: u32) -> vec4<f32> {
    if params.each != 0u {
        return dy[i] * params.scale;
    }
    return vec4<f32>(dy[0].x * params.scale);
}

@compute @workgroup_size(256)
fn pointwise_loss(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        y[i] = loss(i);
    }
}

/// A part of the sum for each workgroup.
@compute @workgroup_size(256)
fn pointwise_loss_sum(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let which = group_index(group, groups);
    let quads = ceil_div(params.len, 4u);
    let first = min(which * params.part, quads);
    let end = min(first + params.part, quads);
    var sum = vec4<f32>(0.0);
    for (var i = first + lane; i < end; i += 256u) {
        // The last quad may reach past the end.
        let inside = 4u * i + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.len);
        sum += select(vec4<f32>(0.0), loss(i), inside);
    }
    let total = workgroup_sum(lane, 256u, (sum.x + sum.y) + (sum.z + sum.w));
    if lane == 0u && which * params.part < quads {
        sums[which] = total * params.scale;
    }
}

/// The parts together: one workgroup, `len` parts.
@compute @workgroup_size(256)
fn pointwise_loss_total(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    for (var i = lane; i < params.len; i += 256u) {
        sum += parts[i];
    }
    let total = workgroup_sum(lane, 256u, sum);
    if lane == 0u {
        sums[0] = total * params.scale;
    }
}

@compute @workgroup_size(256)
fn pointwise_loss_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        y[i] = bwd_x(i) * dy_of(i);
    }
}

@compute @workgroup_size(256)
fn pointwise_loss_bwd_target(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        y[i] = bwd_target(i) * dy_of(i);
    }
}
