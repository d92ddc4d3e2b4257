// Batches from a data set of bytes: each picture moved, resized, turned, recoloured, blanked and mixed with another, as its words say.
// All in whole numbers until the last product, so that every device gives the same bits. The masks of pictures are moved with them.

struct Params {
    images: u32, // of the data set
    batch: u32,
    c: u32,
    h: u32,
    w: u32,
    rows: u32, // of the result
    columns: u32,
    outside: u32, // what a mask is where there is nothing of its picture
    mean0: i32, // in 256ths of a byte
    mean1: i32,
    mean2: i32,
    mean3: i32,
    scale0: f32,
    scale1: f32,
    scale2: f32,
    scale3: f32,
}

@group(0) @binding(0) var<storage, read> images: array<u32>; // four bytes a word, the first the lowest
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> warps: array<i32>;
@group(0) @binding(3) var<storage, read_write> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> labels: array<u32>;

// The words of a picture.
const WORDS = 28u;
const PLACE = 0u;
const COLOUR = 6u;
const BLANK = 18u;
const PARTNER = 22u;
const SHARE = 23u;
const WINDOW = 24u;

const WHOLE = 65536u;
const WHITE = 65280; // 255 in 256ths

/// Below zero is past the end too.
fn is_there(image: u32, row: i32, column: i32) -> bool {
    return image < params.images && u32(row) < params.h && u32(column) < params.w;
}

fn byte_of(image: u32, c: u32, row: i32, column: i32) -> u32 {
    if !is_there(image, row, column) {
        return 0u;
    }
    let i = ((image * params.c + c) * params.h + u32(row)) * params.w + u32(column);
    return (images[i / 4u] >> (8u * (i % 4u))) & 0xffu;
}

/// The mean of the four pixels around a place in 65536ths, in 256ths of a byte.
fn sample(image: u32, c: u32, row: i32, column: i32) -> i32 {
    let p = row >> 16u;
    let q = column >> 16u;
    let down = u32(row >> 8u) & 0xffu;
    let right = u32(column >> 8u) & 0xffu;
    let upper = byte_of(image, c, p, q) * (256u - right) + byte_of(image, c, p, q + 1) * right;
    let lower = byte_of(image, c, p + 1, q) * (256u - right) + byte_of(image, c, p + 1, q + 1) * right;
    return i32((upper * (256u - down) + lower * down + 128u) >> 8u);
}

fn is_inside(window: u32, p: u32, q: u32) -> bool {
    let rows = p >= u32(warps[window]) && p < u32(warps[window + 1u]);
    return rows && q >= u32(warps[window + 2u]) && q < u32(warps[window + 3u]);
}

/// One row of the matrix of colours, in 1024ths.
fn recoloured(row: u32, colour: vec3<i32>) -> i32 {
    let sum = warps[row] * colour.x + warps[row + 1u] * colour.y + warps[row + 2u] * colour.z;
    return ((sum + 512) >> 10u) + warps[row + 3u];
}

/// Where pixel (`p`, `q`) comes from by the words at `at`, row and column in 65536ths.
fn place(at: u32, p: u32, q: u32) -> vec2<i32> {
    let row = warps[at] + i32(p) * warps[at + 1u] + i32(q) * warps[at + 2u];
    let column = warps[at + 3u] + i32(p) * warps[at + 4u] + i32(q) * warps[at + 5u];
    return vec2<i32>(row, column);
}

/// All channels of pixel (`p`, `q`) of picture `b`, before it is mixed.
fn pixel(b: u32, p: u32, q: u32) -> vec4<i32> {
    let at = b * WORDS;
    if is_inside(at + BLANK, p, q) {
        return vec4<i32>(params.mean0, params.mean1, params.mean2, params.mean3);
    }
    let source = place(at, p, q);
    var v = vec4<i32>(0);
    for (var c = 0u; c < params.c; c++) {
        // FXC takes no component by a counter on the left of an assignment.
        v = select(v, vec4<i32>(sample(indices[b], c, source.x, source.y)), vec4<u32>(0u, 1u, 2u, 3u) == vec4<u32>(c));
    }
    let colour = at + COLOUR;
    if params.c == 3u {
        v = vec4<i32>(recoloured(colour, v.xyz), recoloured(colour + 4u, v.xyz), recoloured(colour + 8u, v.xyz), 0);
    } else {
        v = ((v * warps[colour] + 512) >> vec4<u32>(10u)) + warps[colour + 3u];
    }
    return clamp(v, vec4<i32>(0), vec4<i32>(WHITE));
}

/// One pixel of all channels an invocation.
@compute @workgroup_size(256)
fn warp(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    let plane = params.rows * params.columns;
    let b = i / plane;
    if b >= params.batch {
        return;
    }
    let rest = i - b * plane;
    let p = rest / params.columns;
    let q = rest - p * params.columns;
    var v = pixel(b, p, q);

    let at = b * WORDS;
    let partner = u32(warps[at + PARTNER]);
    let share = select(min(u32(warps[at + SHARE]), WHOLE), 0u, is_inside(at + WINDOW, p, q));
    if share < WHOLE && partner < params.batch {
        let mixed = vec4<u32>(v) * share + vec4<u32>(pixel(partner, p, q)) * (WHOLE - share);
        v = vec4<i32>((mixed + 32768u) >> vec4<u32>(16u));
    }
    let mean = vec4<i32>(params.mean0, params.mean1, params.mean2, params.mean3);
    let scale = vec4<f32>(params.scale0, params.scale1, params.scale2, params.scale3);
    let y = vec4<f32>(v - mean) * scale;
    for (var c = 0u; c < params.c; c++) {
        x[(b * params.c + c) * plane + rest] = y[c];
    }
}

/// One pixel of a mask an invocation: the nearest one, since there is nothing between two classes.
@compute @workgroup_size(256)
fn warp_masks(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    let plane = params.rows * params.columns;
    let b = i / plane;
    if b >= params.batch {
        return;
    }
    let p = (i - b * plane) / params.columns;
    let nearest = (place(b * WORDS, p, i - b * plane - p * params.columns) + vec2<i32>(32768)) >> vec2<u32>(16u);
    var label = params.outside;
    if is_there(indices[b], nearest.x, nearest.y) {
        label = byte_of(indices[b], 0u, nearest.x, nearest.y);
    }
    labels[i] = label;
}
