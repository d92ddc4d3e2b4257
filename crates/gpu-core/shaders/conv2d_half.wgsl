// Convolution of f16 with sums in f32 by workgroup tiles, for GPUs without matrix units: it follows `conv2d_tiled.wgsl`. Two elements lie
// in a word, so that half as much is read; in workgroup memory and in registers all is f32.

@group(0) @binding(0) var<storage, read> x_words: array<u32>;
@group(0) @binding(1) var<storage, read> w_words: array<u32>;

fn half_weight(tile: Tile, row: u32, k: u32) -> f32 {
    let at = weight_at(tile, tile.channel + row, k);
    let v = half_in(w_words[at.index / 2u], at.index);
    return select(0.0, v, at.inside);
}

fn half_pixel(tile: Tile, place: Place, k: u32) -> f32 {
    let at = pixel_at(tile, place, k);
    let v = half_in(x_words[at.index / 2u], at.index);
    return select(0.0, v, at.inside);
}

fn load_halves(tile: Tile, at: Places, k0: u32, lane: u32) {
    for (var e = lane; e < BK * TILE_A / 4u; e += THREADS) {
        let row = 4u * (e / BK);
        let k = k0 + e % BK;
        a_tile[(e % BK) * (TILE_A / 4u) + e / BK] = vec4<f32>(
            half_weight(tile, row, k), half_weight(tile, row + 1u, k), half_weight(tile, row + 2u, k), half_weight(tile, row + 3u, k),
        );
    }
    for (var kk = lane / QUADS; kk < BK; kk += WG_Y / 2u) {
        let k = k0 + kk;
        b_tile[kk * QUADS + lane % QUADS] = vec4<f32>(
            half_pixel(tile, at.p0, k), half_pixel(tile, at.p1, k), half_pixel(tile, at.p2, k), half_pixel(tile, at.p3, k),
        );
    }
}

fn tiled_half(index: u32, id: vec3<u32>) {
    let tile = tile_of(index);
    let lane = id.y * WG_X + id.x;
    let pixel = 4u * (lane % QUADS);
    let places = Places(place_of(tile, pixel), place_of(tile, pixel + 1u), place_of(tile, pixel + 2u), place_of(tile, pixel + 3u));
    var sums: array<vec4<f32>, 16>;
    for (var k0 = tile.k; k0 < tile.end; k0 += BK) {
        load_halves(tile, places, k0, lane);
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    if tile.group < params.groups {
        store_sums(tile, &sums, id);
    }
}

@compute @workgroup_size(WG_X, WG_Y)
fn conv2d_half(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    tiled_half(params.first + group_index(group, groups), id);
}

@compute @workgroup_size(WG_X, WG_Y)
fn conv2d_bwd_x_half(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    tiled_half(params.first + group_index(group, groups), id);
}
