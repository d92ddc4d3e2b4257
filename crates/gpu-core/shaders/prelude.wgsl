// What every kernel may use. It stands before each op's file; `params` and the constants stand before it.

/// This workgroup's number in a grid that `Grid::folded` may have folded into rows.
fn group_index(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.x + groups.x * (group.y + groups.y * group.z);
}

fn ceil_div(a: u32, b: u32) -> u32 {
    return (a + b - 1u) / b;
}

/// High and low word of a product, by 16-bit halves: WGSL has no wide multiply.
fn mul_wide(a: u32, b: u32) -> vec2<u32> {
    let a_lo = a & 0xffffu;
    let a_hi = a >> 16u;
    let b_lo = b & 0xffffu;
    let b_hi = b >> 16u;
    let mid = a_hi * b_lo + ((a_lo * b_lo) >> 16u);
    let mid2 = a_lo * b_hi + (mid & 0xffffu);
    return vec2<u32>(a_hi * b_hi + (mid >> 16u) + (mid2 >> 16u), a * b);
}

/// Philox 4x32-10: the same bits as `rng::philox4x32`.
fn philox4x32(counter: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var key = seed;
    for (var round = 0u; round < 10u; round++) {
        let p0 = mul_wide(0xD2511F53u, c.x);
        let p1 = mul_wide(0xCD9E8D57u, c.z);
        c = vec4<u32>(p1.x ^ c.y ^ key.x, p1.y, p0.x ^ c.w ^ key.y, p0.y);
        key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

var<workgroup> lane_sums: array<f32, 256>;

/// The sum of `v` over a workgroup of `lanes` (a power of two, at most 256), for every lane, by a fixed tree. Uniform control flow
/// only.
fn workgroup_sum(lane: u32, lanes: u32, v: f32) -> f32 {
    workgroupBarrier(); // an earlier sum may still be read
    lane_sums[lane] = v;
    for (var half = lanes / 2u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if lane < half {
            lane_sums[lane] += lane_sums[lane + half];
        }
    }
    workgroupBarrier();
    return lane_sums[0];
}

/// (count, mean, squared deviations from it) of two samples together, without ever squaring a mean (Chan, Golub, LeVeque 1979).
fn join_moments(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
    let count = a.x + b.x;
    let share = b.x / max(count, 1.0);
    let delta = b.y - a.y;
    return vec3<f32>(count, a.y + delta * share, a.z + b.z + delta * delta * a.x * share);
}
