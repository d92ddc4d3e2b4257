// Resampling of planes to another size: nearest (MODE 0), bilinear (1), bilinear with aligned corners (2).
//
//   y[p,q] = sum over i,j of row(p, i) column(q, j) x[i,j]    two rows and two columns of x at most
//
// The gradient is the transposed sum, an axis at a time: a pass reads (outer, to, inner) and writes (outer, len, inner), each
// element of which gathers the places that read it, and asks each for its weight by the same arithmetic as the forward pass.

struct Params {
    outer: u32, // planes; in a gradient, all that stands before the axis
    h: u32,
    w: u32,
    p: u32, // rows of y
    q: u32, // columns of y
    step_h: f32, // rows of x from one row of y to the next
    step_w: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

/// Between which two elements of `len` a place lies, and the share of the second.
struct Source {
    low: u32,
    high: u32,
    share: f32,
}

fn source_of(at: u32, step: f32, len: u32) -> Source {
    if MODE == 0u {
        let i = min(u32(f32(at) * step), len - 1u);
        return Source(i, i, 0.0);
    }
    var v = f32(at) * step;
    if MODE == 1u {
        v = max((f32(at) + 0.5) * step - 0.5, 0.0);
    }
    let low = min(u32(v), len - 1u);
    return Source(low, min(low + 1u, len - 1u), clamp(v - f32(low), 0.0, 1.0));
}

@compute @workgroup_size(256)
fn upsample2d(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    if o >= params.outer * params.p * params.q {
        return;
    }
    let row = o / params.q;
    let rows = source_of(row % params.p, params.step_h, params.h);
    let columns = source_of(o % params.q, params.step_w, params.w);
    let plane = (row / params.p) * params.h;
    if MODE == 0u {
        y[o] = x[(plane + rows.low) * params.w + columns.low];
        return;
    }
    let top = (plane + rows.low) * params.w;
    let bottom = (plane + rows.high) * params.w;
    let above = (1.0 - columns.share) * x[top + columns.low] + columns.share * x[top + columns.high];
    let below = (1.0 - columns.share) * x[bottom + columns.low] + columns.share * x[bottom + columns.high];
    y[o] = (1.0 - rows.share) * above + rows.share * below;
}

/// The first and one past the last place that may read element `i` of `len`: a place or two more than do.
fn readers(i: u32, step: f32, len: u32, to: u32) -> vec2<u32> {
    // Those of the last element reach to the end, whatever is rounded where.
    let last = i + 1u >= len;
    if step <= 0.0 {
        return vec2<u32>(0u, to);
    }
    let first = max((f32(i) - 1.0) / step - 2.0, 0.0);
    let end = min((f32(i) + 1.5) / step + 2.0, f32(to));
    return vec2<u32>(min(u32(first), to), select(u32(end), to, last));
}

/// How much of element `i` a place reads.
fn weight_of(i: u32, source: Source) -> f32 {
    return select(0.0, 1.0 - source.share, source.low == i) + select(0.0, source.share, source.high == i);
}

// `h` elements of dx from `p` of dy along the axis, `w` = `q` elements after it, `step_h` between them.
@compute @workgroup_size(256)
fn upsample2d_bwd_x(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= params.outer * params.h * params.w {
        return;
    }
    let at = (i / params.w) % params.h;
    let start = (i / (params.w * params.h)) * params.p * params.w + i % params.w;
    let range = readers(at, params.step_h, params.h, params.p);
    var sum = 0.0;
    for (var place = range.x; place < range.y; place++) {
        sum += weight_of(at, source_of(place, params.step_h, params.h)) * x[start + place * params.w];
    }
    y[i] = sum;
}
