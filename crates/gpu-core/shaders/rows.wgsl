// What functions of rows share (softmax, cross_entropy, metrics). A row is what lies along the middle axis of a
// tensor (outer, C, inner): element c of row `o * inner + i` lies at `(o * C + c) * inner + i`.
//
// LANES invocations share a row, GROUP / LANES rows share a workgroup. With LANES = 1 a row is one invocation's own and no
// barrier is executed; sums over several lanes are trees of a fixed shape. Where rows lie side by side (inner = 1, COLUMNS = 0),
// neighbouring invocations are lanes of one row; else (COLUMNS = 1) they are neighbouring rows: either way they read neighbours.

struct Params {
    n: u32, // rows
    c: u32, // elements of a row
    inner: u32,
    flags: u32,
    ignored: u32, // the label whose rows do not count
    smoothing: f32,
    scale: f32,
}

const WEIGHTED: u32 = 1u; // classes have weights
const DIVIDED: u32 = 2u; // by totals[0]
const EACH: u32 = 4u; // a loss, and a dy, for each row

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> x_quads: array<vec4<f32>>;
@group(0) @binding(0) var<storage, read> predicted: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> goal: array<f32>; // soft targets
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read> totals: array<f32>; // of what the rows count at 0, of the classes' weights at 64
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> y_quads: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> indices: array<u32>;
@group(0) @binding(6) var<storage, read_write> losses: array<f32>;

// Below every finite logit; WGSL has no infinity.
const LOWEST: f32 = -3.4e38;

var<workgroup> shared_value: array<f32, GROUP>;
var<workgroup> shared_index: array<u32, GROUP>;

/// An invocation's part of a row: elements `lane, lane + LANES, ...` below `count`, the first of the row at `base`.
struct Part {
    row: u32,
    base: u32,
    count: u32, // 0 in rows past the end, whose invocations still take part in barriers
    lane: u32,
    local: u32,
}

fn part(group: vec3<u32>, groups: vec3<u32>, local: u32) -> Part {
    let rows = GROUP / LANES;
    let first = group_index(group, groups) * rows;
    if COLUMNS == 0u {
        let row = first + local / LANES;
        return Part(row, row * params.c, select(0u, params.c, row < params.n), local % LANES, local);
    }
    let row = first + local % rows;
    let base = (row / params.inner) * params.c * params.inner + row % params.inner;
    return Part(row, base, select(0u, params.c, row < params.n), local / rows, local);
}

/// Where element `c` of the row lies.
fn place(at: Part, c: u32) -> u32 {
    if COLUMNS == 0u {
        return at.base + c;
    }
    return at.base + c * params.inner;
}

/// How far apart in a workgroup the lanes of a row are.
fn lane_step() -> u32 {
    return select(1u, GROUP / LANES, COLUMNS == 1u);
}

/// The sum over the lanes of a row, the same in each of them.
fn sum_lanes(at: Part, value: f32) -> f32 {
    if LANES == 1u {
        return value;
    }
    shared_value[at.local] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if at.lane < half {
            shared_value[at.local] += shared_value[at.local + half * lane_step()];
        }
        workgroupBarrier();
    }
    let sum = shared_value[at.local - at.lane * lane_step()];
    workgroupBarrier();
    return sum;
}

fn max_lanes(at: Part, value: f32) -> f32 {
    if LANES == 1u {
        return value;
    }
    shared_value[at.local] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half >>= 1u) {
        if at.lane < half {
            shared_value[at.local] = max(shared_value[at.local], shared_value[at.local + half * lane_step()]);
        }
        workgroupBarrier();
    }
    let largest = shared_value[at.local - at.lane * lane_step()];
    workgroupBarrier();
    return largest;
}

fn row_max(at: Part) -> f32 {
    var largest = LOWEST;
    for (var c = at.lane; c < at.count; c += LANES) {
        largest = max(largest, x[place(at, c)]);
    }
    return max_lanes(at, largest);
}

/// Writes softmax of the row into `y`; returns the sum of `exp(x - largest)`.
fn write_softmax(at: Part, largest: f32) -> f32 {
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        let e = exp(x[place(at, c)] - largest);
        y[place(at, c)] = e;
        sum += e;
    }
    let total = sum_lanes(at, sum);
    // A row past the end sums to 0, any other to at least exp(0). No `max`, which might swallow a NaN.
    let scale = 1.0 / select(total, 1.0, total < 1.0);
    for (var c = at.lane; c < at.count; c += LANES) {
        y[place(at, c)] *= scale;
    }
    return total;
}

/// The sum of `exp(x - largest)`; 1 in rows past the end.
fn row_total(at: Part, largest: f32) -> f32 {
    var sum = 0.0;
    for (var c = at.lane; c < at.count; c += LANES) {
        sum += exp(x[place(at, c)] - largest);
    }
    let total = sum_lanes(at, sum);
    return select(total, 1.0, total < 1.0);
}
