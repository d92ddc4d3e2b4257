// The matrix product of f16 factors with sums in f32, for GPUs without matrix units: it follows `matmul.wgsl`. Two elements lie in a
// word, so that half as much is read; in workgroup memory and in registers all is f32.

@group(0) @binding(0) var<storage, read> a_words: array<u32>;
@group(0) @binding(1) var<storage, read> b_words: array<u32>;

fn half_a(tile: Tile, row: u32, k: u32) -> f32 {
    if tile.i + row < params.m && k < tile.end {
        let at = tile.a + (tile.i + row) * params.a_row + k * params.a_col;
        return half_in(a_words[at / 2u], at);
    }
    return 0.0;
}

fn half_b(tile: Tile, column: u32, k: u32) -> f32 {
    if tile.j + column < params.n && k < tile.end {
        let at = tile.b + k * params.b_row + (tile.j + column) * params.b_col;
        return half_in(b_words[at / 2u], at);
    }
    return 0.0;
}

/// Both tiles of a step, as `load_tiles` does it for f32.
fn load_half_tiles(tile: Tile, k0: u32, lane: u32) {
    const WORDS: u32 = TILE / 4u;
    for (var e = lane; e < BK * WORDS; e += THREADS) {
        let kk = select(e / WORDS, e % BK, A_K_CONTIGUOUS == 1u);
        let word = select(e % WORDS, e / BK, A_K_CONTIGUOUS == 1u);
        let row = 4u * word;
        a_tile[kk * WORDS + word] = vec4<f32>(
            half_a(tile, row, k0 + kk), half_a(tile, row + 1u, k0 + kk), half_a(tile, row + 2u, k0 + kk), half_a(tile, row + 3u, k0 + kk),
        );
    }
    for (var e = lane; e < BK * WORDS; e += THREADS) {
        let kk = select(e / WORDS, e % BK, B_K_CONTIGUOUS == 1u);
        let word = select(e % WORDS, e / BK, B_K_CONTIGUOUS == 1u);
        let column = 4u * word;
        b_tile[kk * WORDS + word] = vec4<f32>(
            half_b(tile, column, k0 + kk), half_b(tile, column + 1u, k0 + kk), half_b(tile, column + 2u, k0 + kk), half_b(tile, column + 3u, k0 + kk),
        );
    }
}

@compute @workgroup_size(WG_X, WG_Y)
fn matmul_tiled_half(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    let tile = tile_of(params.first + group_index(group, groups), TILE, TILE);
    let lane = id.y * WG_X + id.x;
    var sums: array<vec4<f32>, 16>;
    for (var k0 = tile.k; k0 < tile.end; k0 += BK) {
        load_half_tiles(tile, k0, lane);
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    if tile.which < params.batch * params.parts {
        store_tile(&sums, tile.which, tile.i, tile.j, id.x, id.y);
    }
}
