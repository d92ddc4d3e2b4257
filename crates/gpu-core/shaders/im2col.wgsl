// The explicit way of a convolution: columns laid out in memory, then a plain matrix product.
//
//   im2col  columns[n, (c,r,s), (p,q)] = x[n, c, p stride + r dilation - padding, ..]
//   col2im  dx[n,c,h,w] = sum over r,s of columns[n, (c,r,s), (p,q)] where (p,q) reads (h,w) through that tap: a gather, no atomics

struct Params {
    planes: u32, // images by channels
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    channels: u32, // of the output
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
// Bound to the columns again where there is no bias.
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn im2col(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    let pixels = params.out_h * params.out_w;
    if i >= params.planes * TAPS * pixels {
        return;
    }
    let within = i % pixels;
    let tap = (i / pixels) % TAPS;
    let plane = i / (pixels * TAPS);
    let row = read_row(within / params.out_w, tap / S);
    let column = read_column(within % params.out_w, tap % S);
    var v = 0.0;
    if u32(row) < params.in_h && u32(column) < params.in_w {
        v = x[(plane * params.in_h + u32(row)) * params.in_w + u32(column)];
    }
    y[i] = v;
}

// Here TRANSPOSED is set: `in` is (p, q), `out` is (h, w).
@compute @workgroup_size(256)
fn col2im(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    let pixels = params.out_h * params.out_w;
    if i >= params.planes * pixels {
        return;
    }
    let within = i % pixels;
    let plane = (i / pixels) * TAPS;
    var sum = 0.0;
    if HAS_BIAS == 1u {
        sum = bias[(i / pixels) % params.channels];
    }
    for (var tap = 0u; tap < TAPS; tap++) {
        let row = read_row(within / params.out_w, tap / S);
        let column = read_column(within % params.out_w, tap % S);
        if u32(row) < params.in_h && u32(column) < params.in_w {
            sum += x[((plane + tap) * params.in_h + u32(row)) * params.in_w + u32(column)];
        }
    }
    y[i] = sum;
}
