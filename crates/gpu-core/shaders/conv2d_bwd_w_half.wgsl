// The weight gradient of f16 with sums in f32 by workgroup tiles, for GPUs without matrix units: it follows `conv2d_bwd_w_tiled.wgsl`, and
// is to it what `conv2d_half.wgsl` is to the forward pass.

@group(0) @binding(0) var<storage, read> x_words: array<u32>;
@group(0) @binding(1) var<storage, read> dy_words: array<u32>;

fn half_dy(pixel: Pixel, k: u32) -> f32 {
    let at = dy_at(pixel, k);
    let v = half_in(dy_words[at.index / 2u], at.index);
    return select(0.0, v, at.inside);
}

fn half_column(pixel: Pixel, j: u32) -> f32 {
    let at = column_at(pixel, j);
    let v = half_in(x_words[at.index / 2u], at.index);
    return select(0.0, v, at.inside);
}

@compute @workgroup_size(WG_X, WG_Y)
fn conv2d_bwd_w_half(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    let tile = tile_of(params.first + group_index(group, groups));
    let lane = id.y * WG_X + id.x;
    let end = end_of(tile);
    let kk = lane % BK;
    var sums: array<vec4<f32>, 16>;
    for (var first = start_of(tile); first < end; first += BK) {
        let pixel = pixel_of(tile, first + kk, end);
        for (var word = lane / BK; word < TILE_A / 4u; word += THREADS / BK) {
            let k = tile.k * TILE_A + 4u * word;
            a_tile[kk * (TILE_A / 4u) + word] = vec4<f32>(half_dy(pixel, k), half_dy(pixel, k + 1u), half_dy(pixel, k + 2u), half_dy(pixel, k + 3u));
        }
        for (var word = lane / BK; word < TILE_B / 4u; word += THREADS / BK) {
            let j = tile.j * TILE_B + 4u * word;
            b_tile[kk * (TILE_B / 4u) + word] = vec4<f32>(half_column(pixel, j), half_column(pixel, j + 1u), half_column(pixel, j + 2u), half_column(pixel, j + 3u));
        }
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    store_tile(tile, &sums, id.x, id.y);
}
