// 2-D convolution as an implicit matrix product: the columns of im2col are gathered while tiles are loaded, never stored.
//
//   forward     y[n,k,p,q]  = sum over c,r,s of x[n, c, p stride + r dilation - padding, ..] w[k,c,r,s]
//   transposed  dx[n,c,h,w] = sum over k,r,s of dy[n, k, (h + padding - r dilation) / stride, ..] w[k,c,r,s], where that divides
//
// Both gather: `x` is read, `y` is written, each element of `y` by one invocation in one order. The transposed form is the
// convolution's input gradient and the forward pass of a transposed convolution; only where a tap reads differs. The geometry
// (R, S, strides, padding, dilation) stands in constants, so that no invocation divides by a runtime value per tap.
//
// This file is what all forms share. `conv2d_reg.wgsl` follows it, or `conv2d_tiled.wgsl`, and that `conv2d_tiled4.wgsl`, or for f16
// `conv2d_half.wgsl` or `conv2d_matrix.wgsl`.

struct Params {
    batch: u32,
    groups: u32,
    in_c: u32, // per group
    out_c: u32, // per group
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    w_group: u32, // steps in w: from group to group, from output channel to output channel, from input channel to input channel
    w_out: u32,
    w_in: u32,
    tiles_c: u32,
    tiles_p: u32,
    part: u32, // of the sum, for the tiled forms
    parts: u32,
    first: u32, // tile of this dispatch
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
// Bound to `w` again where there is no bias.
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

/// The input under a tap, zero outside; `plane` is where the channel's plane begins.
fn read_tap(plane: u32, row: i32, column: i32) -> f32 {
    let inside = u32(row) < params.in_h && u32(column) < params.in_w;
    let v = x[plane + select(0u, u32(row) * params.in_w + u32(column), inside)];
    return select(0.0, v, inside);
}

fn bias_of(channel: u32) -> f32 {
    if HAS_BIAS == 1u {
        return bias[channel];
    }
    return 0.0;
}

/// A pixel of the output, counted over the batch.
struct Pixel {
    image: u32,
    row: u32,
    column: u32,
}

fn pixel_of(index: u32) -> Pixel {
    let image = index / (params.out_h * params.out_w);
    let within = index % (params.out_h * params.out_w);
    return Pixel(image, within / params.out_w, within % params.out_w);
}

fn store(group: u32, channel: u32, index: u32, v: f32) {
    let plane = params.out_h * params.out_w;
    if channel < params.out_c && index < params.batch * plane {
        let k = group * params.out_c + channel;
        y[((index / plane) * params.groups * params.out_c + k) * plane + index % plane] = v + bias_of(k);
    }
}

