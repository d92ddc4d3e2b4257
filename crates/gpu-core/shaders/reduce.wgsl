// Reductions (OP) of the middle axis of x (outer, len, inner), in parts: y is (outer, splits, inner).
//
// What is known of some elements is a state, of one to four words. Two states of neighbours make one: that is all that tells one
// reduction from another. FIRST 1: x holds elements, 0: states of an earlier step. LAST 1: y gets results, 0: states.

const SUM = 0u;
const MAX = 1u;
const MIN = 2u;
const ARG_MAX = 3u;
const ARG_MIN = 4u;
const TIES_MAX = 5u;
const TIES_MIN = 6u;
const VAR = 7u;
const STD = 8u;
const LOG_SUM_EXP = 9u;
const ANY = 10u;
const ALL = 11u;

struct Params {
    outer: u32,
    len: u32,
    inner: u32,
    splits: u32,
    part: u32, // elements of a part
    factor: f32, // of a result: 1, 1 / count for a mean, 1 / (count - correction) for a variance
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

/// What is known of some elements. SUM: `a`. MAX, MIN: `a`. ARG: the value `a` and its place `n`. TIES: the value `a` and how many
/// are `n`. LOG_SUM_EXP: the largest `a`, and the sum `b` of exp(x - a). ANY, ALL: `n`. VAR: the mean is `a + b`, the squares of
/// differences from it sum to `c`, and `n` elements were met; a mean in two pieces, since one alone has lost the digits that
/// the difference of two means needs where they are large and the differences small.
struct State {
    a: f32,
    b: f32,
    c: f32,
    n: u32,
}

fn is_var() -> bool {
    return OP == VAR || OP == STD;
}

/// Of the larger and smaller, whether it is the larger.
fn is_max() -> bool {
    return OP == MAX || OP == ARG_MAX || OP == TIES_MAX || OP == LOG_SUM_EXP;
}

// By the bits: a compiler may assume that there is neither NaN nor infinity.
fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

fn is_finite(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u;
}

/// Whether `w` is further than `v`; a NaN is furthest.
fn beats(w: f32, v: f32) -> bool {
    if is_nan(v) {
        return false;
    }
    return is_nan(w) || select(v > w, w > v, is_max());
}

fn merge(s: State, t: State) -> State {
    switch OP {
        case SUM: { return State(s.a + t.a, 0.0, 0.0, 0u); }
        case ANY: { return State(0.0, 0.0, 0.0, s.n | t.n); }
        case ALL: { return State(0.0, 0.0, 0.0, s.n & t.n); }
        case VAR, STD: {
            if s.n == 0u {
                return t;
            }
            let n = s.n + t.n;
            let gap = (t.a - s.a) + (t.b - s.b);
            let share = f32(t.n) / f32(n);
            return State(s.a, s.b + gap * share, s.c + t.c + gap * gap * f32(s.n) * share, n);
        }
        case LOG_SUM_EXP: {
            let a = select(s.a, t.a, beats(t.a, s.a));
            // What is not finite has no sum: it shows in `a`.
            let l = select(0.0, s.b * exp(s.a - a), is_finite(s.a));
            let r = select(0.0, t.b * exp(t.a - a), is_finite(t.a));
            return State(a, l + r, 0.0, 0u);
        }
        case ARG_MAX, ARG_MIN: {
            let same = s.a == t.a || (is_nan(s.a) && is_nan(t.a));
            if beats(t.a, s.a) || (same && t.n < s.n) {
                return t;
            }
            return s;
        }
        case TIES_MAX, TIES_MIN: {
            let n = select(0u, s.n, !beats(t.a, s.a)) + select(0u, t.n, !beats(s.a, t.a));
            return State(select(s.a, t.a, beats(t.a, s.a)), 0.0, 0.0, n);
        }
        default: {}
    }
    return State(select(s.a, t.a, beats(t.a, s.a)), 0.0, 0.0, 0u);
}

/// A state that leaves any other as it is; `s` is some state of the same elements.
fn neutral(s: State) -> State {
    if OP == SUM || is_var() {
        return State(0.0, 0.0, 0.0, 0u);
    }
    return State(s.a, 0.0, 0.0, select(s.n, 0u, OP == TIES_MAX || OP == TIES_MIN));
}

fn element(i: u32) -> f32 {
    return bitcast<f32>(x[i]);
}

/// Number `i` of x, an element at `place` along the axis or a state.
fn state(i: u32, place: u32) -> State {
    if OP == ANY || OP == ALL {
        if FIRST == 1u {
            // Truths are bytes, four to a word.
            return State(0.0, 0.0, 0.0, (x[i >> 2u] >> (8u * (i & 3u))) & 1u);
        }
        return State(0.0, 0.0, 0.0, x[i]);
    }
    if FIRST == 1u {
        return State(element(i), select(0.0, 1.0, OP == LOG_SUM_EXP), 0.0, select(1u, place, OP == ARG_MAX || OP == ARG_MIN));
    }
    if is_var() {
        return State(element(4u * i), element(4u * i + 1u), element(4u * i + 2u), x[4u * i + 3u]);
    }
    return State(element(2u * i), element(2u * i + 1u), 0.0, x[2u * i + 1u]);
}

/// Of `count` numbers of x, each `step` after the last, their places `pace` apart.
fn gather(start: u32, step: u32, count: u32, place: u32, pace: u32) -> State {
    if FIRST == 1u && is_var() {
        // Twice: the sum of squares is right only about the mean. What the rounded mean lacks is measured on the way.
        var sum = 0.0;
        for (var k = 0u; k < count; k++) {
            sum += element(start + k * step);
        }
        let mean = sum / f32(max(count, 1u));
        var rest = 0.0;
        var squares = 0.0;
        for (var k = 0u; k < count; k++) {
            let d = element(start + k * step) - mean;
            rest += d;
            squares += d * d;
        }
        let shift = rest / f32(max(count, 1u));
        let c = squares - rest * shift;
        return State(mean, shift, select(c, 0.0, c < 0.0), count);
    }
    if FIRST == 1u && OP == LOG_SUM_EXP {
        // Twice: an exponential an element, not two.
        var a = element(start);
        for (var k = 1u; k < count; k++) {
            let v = element(start + k * step);
            a = select(a, v, beats(v, a));
        }
        var total = 0.0;
        for (var k = 0u; k < count; k++) {
            total += exp(element(start + k * step) - a);
        }
        return State(a, total, 0.0, 0u);
    }
    var s = neutral(state(start, place));
    for (var k = 0u; k < count; k++) {
        s = merge(s, state(start + k * step, place + k * pace));
    }
    return s;
}

fn result(s: State) -> u32 {
    switch OP {
        case ARG_MAX, ARG_MIN, ANY, ALL: { return s.n; }
        case TIES_MAX, TIES_MIN: { return bitcast<u32>(f32(s.n)); }
        case VAR: { return bitcast<u32>(s.c * params.factor); }
        case STD: { return bitcast<u32>(sqrt(s.c * params.factor)); }
        case LOG_SUM_EXP: {
            if is_finite(s.a) {
                return bitcast<u32>(s.a + log(s.b));
            }
            return bitcast<u32>(s.a);
        }
        case SUM: { return bitcast<u32>(s.a * params.factor); }
        default: {}
    }
    return bitcast<u32>(s.a);
}

fn put(o: u32, s: State) {
    if LAST == 1u {
        y[o] = result(s);
        return;
    }
    if is_var() {
        y[4u * o] = bitcast<u32>(s.a);
        y[4u * o + 1u] = bitcast<u32>(s.b);
        y[4u * o + 2u] = bitcast<u32>(s.c);
        y[4u * o + 3u] = s.n;
        return;
    }
    y[2u * o] = bitcast<u32>(s.a);
    y[2u * o + 1u] = select(s.n, bitcast<u32>(s.b), OP == LOG_SUM_EXP);
}

var<workgroup> lane_a: array<f32, 64>;
var<workgroup> lane_b: array<f32, 64>;
var<workgroup> lane_c: array<f32, 64>;
var<workgroup> lane_n: array<u32, 64>;

// `inner` is 1 and the parts are long: a workgroup a part, neighbouring lanes read neighbouring elements.
@compute @workgroup_size(64)
fn reduce_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let number = group_index(group, groups);
    // A group past the end repeats the last: every lane comes to the barriers.
    let which = min(number, params.outer * params.splits - 1u);
    let first = (which % params.splits) * params.part;
    let end = min(first + params.part, params.len);
    let start = (which / params.splits) * params.len;
    // A lane without elements has the part's first to be neutral about.
    let mine = min(first + lane, end - 1u);
    let count = select(0u, (end - mine + 63u) / 64u, first + lane < end);
    var s = gather(start + mine, 64u, count, mine, 64u);
    for (var half = 32u; half > 0u; half >>= 1u) {
        lane_a[lane] = s.a;
        if is_var() || OP == LOG_SUM_EXP {
            lane_b[lane] = s.b;
        }
        if is_var() {
            lane_c[lane] = s.c;
        }
        if OP >= ARG_MAX {
            lane_n[lane] = s.n;
        }
        workgroupBarrier();
        if lane < half {
            s = merge(s, State(lane_a[lane + half], lane_b[lane + half], lane_c[lane + half], lane_n[lane + half]));
        }
        workgroupBarrier();
    }
    if lane == 0u && number < params.outer * params.splits {
        put(which, s);
    }
}

// A thread an element of y, neighbouring threads in neighbouring columns.
@compute @workgroup_size(256)
fn reduce_columns(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.outer * params.splits * params.inner {
        return;
    }
    let which = o / params.inner;
    let first = (which % params.splits) * params.part;
    let end = min(first + params.part, params.len);
    let start = (which / params.splits) * params.len + first;
    put(o, gather(start * params.inner + o % params.inner, params.inner, end - first, first, 1u));
}

// Truths from words to bytes, four a thread; `len` counts them.
@compute @workgroup_size(256)
fn reduce_pack(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    var word = 0u;
    for (var k = 0u; k < 4u; k++) {
        word |= x[min(4u * i + k, params.len - 1u)] << (8u * k);
    }
    y[i] = word;
}
