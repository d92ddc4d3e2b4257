// Batches from a data set of bytes that stays on the device: gather, crop, flip, normalise, cut out; and the masks of its images, moved
// with them.
//
// Image `b` of a batch takes the Philox block with counter (b, stream, step, 0): word 0 flips, words 1 and 2 shift rows and
// columns, word 3 is the centre of the square cut out.

struct Params {
    images: u32, // of the data set
    batch: u32,
    c: u32,
    h: u32,
    w: u32,
    stream: u32,
    seed_lo: u32,
    seed_hi: u32,
    flip: u32,
    crop_padding: u32,
    cutout: u32,
    outside: u32, // what a mask is where its image is padding
    scale0: f32,
    scale1: f32,
    scale2: f32,
    scale3: f32,
    bias0: f32,
    bias1: f32,
    bias2: f32,
    bias3: f32,
}

@group(0) @binding(0) var<storage, read> images: array<u32>; // four bytes a word, the first the lowest
@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> chosen: array<u32>;

/// What is done to one image.
struct Decision {
    image: u32,
    flip: bool,
    shift: vec2<u32>, // rows, columns: a pixel comes from `shift - crop_padding` further on
    cut_low: vec2<i32>,
    cut_high: vec2<i32>,
}

fn decide(b: u32) -> Decision {
    let words = philox4x32(vec4<u32>(b, params.stream, step[0], 0u), vec2<u32>(params.seed_lo, params.seed_hi));
    let span = 2u * params.crop_padding + 1u;
    let shift = vec2<u32>(mul_wide(words.y, span).x, mul_wide(words.z, span).x);
    let centre = vec2<u32>((words.w >> 16u) * params.h, (words.w & 0xffffu) * params.w) >> vec2<u32>(16u);
    let low = vec2<i32>(centre) - i32(params.cutout / 2u);
    return Decision(indices[b], params.flip != 0u && words.x >= 0x80000000u, shift, low, low + i32(params.cutout));
}

/// Where pixel (`p`, `q`) comes from. Below zero it wraps, and is then past the end too.
fn source(d: Decision, p: u32, q: u32) -> vec2<u32> {
    let column = select(q, params.w - 1u - q, d.flip);
    return vec2<u32>(p, column) + d.shift - vec2<u32>(params.crop_padding);
}

fn byte_at(i: u32) -> u32 {
    return (images[i / 4u] >> (8u * (i % 4u))) & 0xffu;
}

/// Pixel (`p`, `q`) of channel `c` after all that was decided.
fn pixel(d: Decision, c: u32, p: u32, q: u32) -> f32 {
    let at = vec2<i32>(i32(p), i32(q));
    if all(at >= d.cut_low) && all(at < d.cut_high) {
        return 0.0;
    }
    let origin = source(d, p, q);
    var value = 0u;
    if d.image < params.images && origin.x < params.h && origin.y < params.w {
        value = byte_at(((d.image * params.c + c) * params.h + origin.x) * params.w + origin.y);
    }
    let scale = vec4<f32>(params.scale0, params.scale1, params.scale2, params.scale3);
    let bias = vec4<f32>(params.bias0, params.bias1, params.bias2, params.bias3);
    return f32(value) * scale[c] + bias[c];
}

/// Four elements an invocation, in one row where the width allows it.
@compute @workgroup_size(256)
fn augment(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    let plane = params.h * params.w;
    if 4u * i >= params.batch * params.c * plane {
        return;
    }
    var channel = 4u * i / plane; // b * C + c
    var b = channel / params.c;
    var c = channel - b * params.c;
    let rest = 4u * i - channel * plane;
    var p = rest / params.w;
    var q = rest - p * params.w;
    var d = decide(b);
    var values: vec4<f32>;
    for (var j = 0u; j < 4u; j++) {
        values[j] = pixel(d, c, p, q);
        q++;
        if q == params.w {
            q = 0u;
            p++;
            if p == params.h {
                p = 0u;
                c++;
                if c == params.c {
                    c = 0u;
                    b++;
                    // Past the last image the values fall into the padding of `x`.
                    d = decide(min(b, params.batch - 1u));
                }
            }
        }
    }
    x[i] = values;
}

/// One pixel of a mask an invocation.
@compute @workgroup_size(256)
fn augment_masks(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    let plane = params.h * params.w;
    let b = i / plane;
    if b >= params.batch {
        return;
    }
    let d = decide(b);
    let p = (i - b * plane) / params.w;
    let origin = source(d, p, i - b * plane - p * params.w);
    var label = params.outside;
    if d.image < params.images && origin.x < params.h && origin.y < params.w {
        label = byte_at((d.image * params.h + origin.x) * params.w + origin.y);
    }
    chosen[i] = label;
}

@compute @workgroup_size(256)
fn gather_labels(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.batch {
        let image = indices[i];
        var label = 0u;
        if image < params.images {
            label = labels[image];
        }
        chosen[i] = label;
    }
}
