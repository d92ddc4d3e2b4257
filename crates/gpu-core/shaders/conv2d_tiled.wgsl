// Convolution by workgroup tiles (`product_tiles.wgsl`, which stands before this file): a workgroup owns TILE_A output channels by
// TILE_B pixels and walks (c, r, s) in steps of BK. A small grid is cut along the sum too: each part writes a result of its own,
// and `sum_splits` adds them in order.

/// Words of four pixels of a tile.
const QUADS: u32 = TILE_B / 4u;

struct Tile {
    part: u32,
    group: u32,
    channel: u32, // the first one
    pixel: u32, // the first one, over the batch
    k: u32, // of the sum: from
    end: u32, // and to
}

fn tile_of(index: u32) -> Tile {
    let a = index / params.tiles_p;
    let b = a / params.tiles_c;
    let group = b / params.parts;
    let part = b % params.parts;
    // Past the last tile there is no k.
    let end = select(0u, min((part + 1u) * params.part, params.in_c * TAPS), group < params.groups);
    return Tile(part, group, (a % params.tiles_c) * TILE_A, (index % params.tiles_p) * TILE_B, part * params.part, end);
}

/// Where channel 0 of the tile's group lies in `y`, at the place `within` of an image's plane of `plane` elements.
fn first_of(tile: Tile, image: u32, plane: u32, within: u32) -> u32 {
    return ((tile.part * params.batch + image) * params.groups + tile.group) * params.out_c * plane + within;
}

/// The bias enters with the first part.
fn tile_bias(tile: Tile, channel: u32) -> f32 {
    if tile.part == 0u {
        return bias_of(tile.group * params.out_c + channel);
    }
    return 0.0;
}

fn weight(tile: Tile, row: u32, k: u32) -> f32 {
    let channel = tile.channel + row;
    if channel < params.out_c && k < tile.end {
        return w[tile.group * params.w_group + channel * params.w_out + (k / TAPS) * params.w_in + k % TAPS];
    }
    return 0.0;
}

fn load_weights(tile: Tile, k0: u32, lane: u32) {
    for (var e = lane; e < BK * TILE_A / 4u; e += THREADS) {
        let word = e / BK;
        let row = 4u * word;
        let k = k0 + e % BK;
        a_tile[(e % BK) * (TILE_A / 4u) + word] = vec4<f32>(weight(tile, row, k), weight(tile, row + 1u, k), weight(tile, row + 2u, k), weight(tile, row + 3u, k));
    }
}

/// Where a pixel's taps begin in the input: what an invocation works out once.
struct Place {
    inside: bool,
    row: u32, // of the output
    column: u32,
    first: u32, // channel 0 of its image and group
}

fn place_of(tile: Tile, index: u32) -> Place {
    let pixel = pixel_of(tile.pixel + index);
    let first = (pixel.image * params.groups + tile.group) * params.in_c * params.in_h * params.in_w;
    return Place(pixel.image < params.batch, pixel.row, pixel.column, first);
}

/// Four neighbouring pixels, counted over the batch.
struct Places {
    p0: Place,
    p1: Place,
    p2: Place,
    p3: Place,
}

/// Step k of the sum: a pixel of input channel `plane` under a tap.
fn read_pixel(place: Place, plane: u32, tap: u32, is_step: bool) -> f32 {
    let row = read_row(place.row, tap / S);
    let column = read_column(place.column, tap % S);
    if place.inside && is_step && u32(row) < params.in_h && u32(column) < params.in_w {
        return x[place.first + (plane * params.in_h + u32(row)) * params.in_w + u32(column)];
    }
    return 0.0;
}

/// Where something is read, if it is inside; the first element where it is not, so that no branch is needed.
struct At {
    index: u32,
    inside: bool,
}

fn weight_at(tile: Tile, channel: u32, k: u32) -> At {
    let inside = channel < params.out_c && k < tile.end;
    let index = tile.group * params.w_group + channel * params.w_out + (k / TAPS) * params.w_in + k % TAPS;
    return At(select(0u, index, inside), inside);
}

fn pixel_at(tile: Tile, place: Place, k: u32) -> At {
    let row = read_row(place.row, k % TAPS / S);
    let column = read_column(place.column, k % TAPS % S);
    let inside = place.inside && k < tile.end && u32(row) < params.in_h && u32(column) < params.in_w;
    let index = place.first + ((k / TAPS) * params.in_h + u32(row)) * params.in_w + u32(column);
    return At(select(0u, index, inside), inside);
}

/// A workgroup has WG_Y / 2 invocations for each word of four pixels.
fn load_pixels(tile: Tile, at: Places, k0: u32, lane: u32) {
    for (var kk = lane / QUADS; kk < BK; kk += WG_Y / 2u) {
        let k = k0 + kk;
        let plane = k / TAPS;
        let tap = k % TAPS;
        let is_step = k < tile.end;
        b_tile[kk * QUADS + lane % QUADS] = vec4<f32>(
            read_pixel(at.p0, plane, tap, is_step),
            read_pixel(at.p1, plane, tap, is_step),
            read_pixel(at.p2, plane, tap, is_step),
            read_pixel(at.p3, plane, tap, is_step),
        );
    }
}

/// Eight channels of one pixel: four from the tile's first half and four from its second.
fn store_pixel(tile: Tile, index: u32, y0: u32, low: vec4<f32>, high: vec4<f32>) {
    let plane = params.out_h * params.out_w;
    if index >= params.batch * plane {
        return;
    }
    let first = first_of(tile, index / plane, plane, index % plane);
    for (var i = 0u; i < 4u; i++) {
        let channel = tile.channel + 4u * y0 + i;
        if channel < params.out_c {
            y[first + channel * plane] = low[i] + tile_bias(tile, channel);
        }
        let other = channel + TILE_A / 2u;
        if other < params.out_c {
            y[first + other * plane] = high[i] + tile_bias(tile, other);
        }
    }
}

fn tiled(index: u32, id: vec3<u32>) {
    let tile = tile_of(index);
    let lane = id.y * WG_X + id.x;
    let pixel = 4u * (lane % QUADS);
    let places = Places(place_of(tile, pixel), place_of(tile, pixel + 1u), place_of(tile, pixel + 2u), place_of(tile, pixel + 3u));
    var sums: array<vec4<f32>, 16>;
    for (var k0 = tile.k; k0 < tile.end; k0 += BK) {
        load_weights(tile, k0, lane);
        load_pixels(tile, places, k0, lane);
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    if tile.group < params.groups {
        store_sums(tile, &sums, id);
    }
}

/// Constant indices: one index at run time would put all sums into memory.
fn store_sums(tile: Tile, all: ptr<function, array<vec4<f32>, 16>>, id: vec3<u32>) {
    let sums = *all;
    let at = tile.pixel + 4u * id.x;
    let half = at + TILE_B / 2u;
    store_pixel(tile, at + 0u, id.y, vec4<f32>(sums[0].x, sums[2].x, sums[4].x, sums[6].x), vec4<f32>(sums[8].x, sums[10].x, sums[12].x, sums[14].x));
    store_pixel(tile, at + 1u, id.y, vec4<f32>(sums[0].y, sums[2].y, sums[4].y, sums[6].y), vec4<f32>(sums[8].y, sums[10].y, sums[12].y, sums[14].y));
    store_pixel(tile, at + 2u, id.y, vec4<f32>(sums[0].z, sums[2].z, sums[4].z, sums[6].z), vec4<f32>(sums[8].z, sums[10].z, sums[12].z, sums[14].z));
    store_pixel(tile, at + 3u, id.y, vec4<f32>(sums[0].w, sums[2].w, sums[4].w, sums[6].w), vec4<f32>(sums[8].w, sums[10].w, sums[12].w, sums[14].w));
    store_pixel(tile, half + 0u, id.y, vec4<f32>(sums[1].x, sums[3].x, sums[5].x, sums[7].x), vec4<f32>(sums[9].x, sums[11].x, sums[13].x, sums[15].x));
    store_pixel(tile, half + 1u, id.y, vec4<f32>(sums[1].y, sums[3].y, sums[5].y, sums[7].y), vec4<f32>(sums[9].y, sums[11].y, sums[13].y, sums[15].y));
    store_pixel(tile, half + 2u, id.y, vec4<f32>(sums[1].z, sums[3].z, sums[5].z, sums[7].z), vec4<f32>(sums[9].z, sums[11].z, sums[13].z, sums[15].z));
    store_pixel(tile, half + 3u, id.y, vec4<f32>(sums[1].w, sums[3].w, sums[5].w, sums[7].w), vec4<f32>(sums[9].w, sums[11].w, sums[13].w, sums[15].w));
}

@compute @workgroup_size(WG_X, WG_Y)
fn conv2d_tiled(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    tiled(params.first + group_index(group, groups), id);
}

@compute @workgroup_size(WG_X, WG_Y)
fn conv2d_bwd_x_tiled(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    tiled(params.first + group_index(group, groups), id);
}
