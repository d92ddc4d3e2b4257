// The tiles of `conv2d_tiled.wgsl`, which stands before this file, by 16-byte accesses: for rows of one tap, or of three with unit
// step and one zero around, over planes whose rows are whole words of four pixels. Four neighbouring pixels of all taps of a row
// come from one word and a pixel on either side of it: for three taps, three loads serve twelve elements of a tile.

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w4: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y4: array<vec4<f32>>;

/// Rows of taps in a step of the sum.
const TAP_ROWS: u32 = BK / S;

/// Four neighbouring pixels of the output, counted over the batch.
struct Quad {
    image: u32,
    row: u32,
    word: u32, // of the row
}

fn quad_of(index: u32) -> Quad {
    let words = params.out_w / 4u;
    let plane = params.out_h * words;
    let within = index % plane;
    return Quad(index / plane, within / words, within % words);
}

fn load_quads(tile: Tile, quad: Quad, k0: u32, lane: u32) {
    let words = params.in_w / 4u;
    let first = (quad.image * params.groups + tile.group) * params.in_c;
    // A workgroup has WG_Y / 2 invocations for each of its quads.
    for (var t = lane / QUADS; t < TAP_ROWS; t += WG_Y / 2u) {
        let line = k0 / S + t; // counted over (c, r)
        let row = read_row(quad.row, line % R);
        var word = vec4<f32>();
        var before = 0.0;
        var after = 0.0;
        if quad.image < params.batch && line * S < tile.end && u32(row) < params.in_h {
            let at = ((first + line / R) * params.in_h + u32(row)) * words + quad.word;
            word = x4[at];
            if S == 3u {
                if quad.word > 0u {
                    before = x4[at - 1u].w;
                }
                if quad.word + 1u < words {
                    after = x4[at + 1u].x;
                }
            }
        }
        let to = t * S * QUADS + lane % QUADS;
        if S == 3u {
            // The transposed direction runs the taps backwards.
            let left = vec4<f32>(before, word.xyz);
            let right = vec4<f32>(word.yzw, after);
            b_tile[to] = select(left, right, TRANSPOSED == 1u);
            b_tile[to + QUADS] = word;
            b_tile[to + 2u * QUADS] = select(right, left, TRANSPOSED == 1u);
        } else {
            b_tile[to] = word;
        }
    }
}

/// Four steps of the sum of a channel, by a load.
fn weights_along_k(tile: Tile, channel: u32, k: u32) -> vec4<f32> {
    if channel < params.out_c && k < tile.end {
        return w4[(tile.group * params.w_group + channel * params.w_out + k) / 4u];
    }
    return vec4<f32>();
}

fn load_weights_along_k(tile: Tile, k0: u32, lane: u32) {
    for (var e = lane; e < TILE_A * BK / 16u; e += THREADS) {
        let word = e / (BK / 4u);
        let step = 4u * (e % (BK / 4u));
        let channel = tile.channel + 4u * word;
        let k = k0 + step;
        put(
            OF_A,
            step,
            word,
            weights_along_k(tile, channel, k),
            weights_along_k(tile, channel + 1u, k),
            weights_along_k(tile, channel + 2u, k),
            weights_along_k(tile, channel + 3u, k),
        );
    }
}

/// Four channels of one step of the sum, by a load: where there is one tap, output channels are neighbours in the other direction.
fn load_weights_across(tile: Tile, k0: u32, lane: u32) {
    for (var e = lane; e < TILE_A * BK / 4u; e += THREADS) {
        let step = e / (TILE_A / 4u);
        let channel = tile.channel + 4u * (e % (TILE_A / 4u));
        var v = vec4<f32>();
        if channel < params.out_c && k0 + step < tile.end {
            v = w4[(tile.group * params.w_group + (k0 + step) * params.w_in + channel) / 4u];
        }
        a_tile[e] = v;
    }
}

fn one_weight(tile: Tile, channel: u32, k: u32) -> f32 {
    if channel < params.out_c && k < tile.end {
        let at = tile.group * params.w_group + channel * params.w_out + (k / TAPS) * params.w_in + k % TAPS;
        return w4[at / 4u][at % 4u];
    }
    return 0.0;
}

/// One by one: the taps of an input channel are neighbours, and so are output channels, a whole filter apart.
fn load_weights_singly(tile: Tile, k0: u32, lane: u32) {
    for (var e = lane; e < TILE_A * BK / 4u; e += THREADS) {
        let word = e / BK;
        let channel = tile.channel + 4u * word;
        let k = k0 + e % BK;
        a_tile[(e % BK) * (TILE_A / 4u) + word] = vec4<f32>(
            one_weight(tile, channel, k),
            one_weight(tile, channel + 1u, k),
            one_weight(tile, channel + 2u, k),
            one_weight(tile, channel + 3u, k),
        );
    }
}

fn store_quad(tile: Tile, first: u32, plane: u32, channel: u32, v: vec4<f32>) {
    if channel < params.out_c {
        y4[first + channel * plane] = v + tile_bias(tile, channel);
    }
}

/// Eight channels of four pixels.
fn store_quads(tile: Tile, index: u32, y0: u32, v0: vec4<f32>, v1: vec4<f32>, v2: vec4<f32>, v3: vec4<f32>, v4: vec4<f32>, v5: vec4<f32>, v6: vec4<f32>, v7: vec4<f32>) {
    let plane = params.out_h * params.out_w / 4u;
    if index >= params.batch * plane {
        return;
    }
    let first = first_of(tile, index / plane, plane, index % plane);
    let channel = tile.channel + 4u * y0;
    store_quad(tile, first, plane, channel + 0u, v0);
    store_quad(tile, first, plane, channel + 1u, v1);
    store_quad(tile, first, plane, channel + 2u, v2);
    store_quad(tile, first, plane, channel + 3u, v3);
    store_quad(tile, first, plane, channel + TILE_A / 2u + 0u, v4);
    store_quad(tile, first, plane, channel + TILE_A / 2u + 1u, v5);
    store_quad(tile, first, plane, channel + TILE_A / 2u + 2u, v6);
    store_quad(tile, first, plane, channel + TILE_A / 2u + 3u, v7);
}

fn tiled4(index: u32, id: vec3<u32>) {
    let tile = tile_of(index);
    let lane = id.y * WG_X + id.x;
    let quad = quad_of(tile.pixel / 4u + lane % QUADS);
    var sums: array<vec4<f32>, 16>;
    for (var k0 = tile.k; k0 < tile.end; k0 += BK) {
        if TRANSPOSED == 0u {
            load_weights_along_k(tile, k0, lane);
        } else if TAPS == 1u {
            load_weights_across(tile, k0, lane);
        } else {
            load_weights_singly(tile, k0, lane);
        }
        load_quads(tile, quad, k0, lane);
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    if tile.group >= params.groups {
        return;
    }
    let at = tile.pixel / 4u + id.x;
    store_quads(tile, at, id.y, sums[0], sums[2], sums[4], sums[6], sums[8], sums[10], sums[12], sums[14]);
    store_quads(tile, at + WG_X, id.y, sums[1], sums[3], sums[5], sums[7], sums[9], sums[11], sums[13], sums[15]);
}

@compute @workgroup_size(WG_X, WG_Y)
fn conv2d_tiled4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    tiled4(params.first + group_index(group, groups), id);
}

@compute @workgroup_size(WG_X, WG_Y)
fn conv2d_bwd_x_tiled4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    tiled4(params.first + group_index(group, groups), id);
}
