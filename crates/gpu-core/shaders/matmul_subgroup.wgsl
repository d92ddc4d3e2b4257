// The matrix product for software drivers whose invocations can hand each other values: it follows `matmul.wgsl`.
//
// Eight invocations own 32 x 32 of C, each 32 rows of four columns. What costs there is a load, not a multiplication: an
// invocation loads four of the 32 rows of A, which all eight pass round, and its own four columns of B. That is 16 multiply-adds
// a load, where `matmul_reg` does 5.3.

/// A column of A, of which each invocation holds a row, times a row of B: rows 0 to 3.
fn rows_low(a: f32, b: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(subgroupBroadcast(a, 0u) * b, subgroupBroadcast(a, 1u) * b, subgroupBroadcast(a, 2u) * b, subgroupBroadcast(a, 3u) * b);
}

/// The same: rows 4 to 7.
fn rows_high(a: f32, b: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(subgroupBroadcast(a, 4u) * b, subgroupBroadcast(a, 5u) * b, subgroupBroadcast(a, 6u) * b, subgroupBroadcast(a, 7u) * b);
}

fn store_four_rows(tile: Tile, row: u32, j: u32, v: mat4x4<f32>) {
    store_row(tile.which, tile.i + row, j, v[0]);
    store_row(tile.which, tile.i + row + 1u, j, v[1]);
    store_row(tile.which, tile.i + row + 2u, j, v[2]);
    store_row(tile.which, tile.i + row + 3u, j, v[3]);
}

@compute @workgroup_size(8)
fn matmul_subgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    let tile = tile_of(params.first + group_index(group, groups), 32u, 32u);
    if tile.which >= params.batch * params.parts {
        return;
    }
    let j0 = tile.j + 4u * lane;
    // Past the edge the last row or column is read again and its sums are dropped.
    let at_a0 = tile.a + min(tile.i + 0u + lane, params.m - 1u) * params.a_row;
    let at_a1 = tile.a + min(tile.i + 8u + lane, params.m - 1u) * params.a_row;
    let at_a2 = tile.a + min(tile.i + 16u + lane, params.m - 1u) * params.a_row;
    let at_a3 = tile.a + min(tile.i + 24u + lane, params.m - 1u) * params.a_row;
    let at_b0 = tile.b + min(j0 + 0u, params.n - 1u) * params.b_col;
    let at_b1 = tile.b + min(j0 + 1u, params.n - 1u) * params.b_col;
    let at_b2 = tile.b + min(j0 + 2u, params.n - 1u) * params.b_col;
    let at_b3 = tile.b + min(j0 + 3u, params.n - 1u) * params.b_col;
    var sums: array<mat4x4<f32>, 8>;
    for (var kk = tile.k; kk < tile.end; kk++) {
        let kb = kk * params.b_row;
        let b0 = vec4<f32>(b[at_b0 + kb], b[at_b1 + kb], b[at_b2 + kb], b[at_b3 + kb]);
        let a0 = a[at_a0 + kk * params.a_col];
        let a1 = a[at_a1 + kk * params.a_col];
        let a2 = a[at_a2 + kk * params.a_col];
        let a3 = a[at_a3 + kk * params.a_col];
        sums[0] += rows_low(a0, b0);
        sums[1] += rows_high(a0, b0);
        sums[2] += rows_low(a1, b0);
        sums[3] += rows_high(a1, b0);
        sums[4] += rows_low(a2, b0);
        sums[5] += rows_high(a2, b0);
        sums[6] += rows_low(a3, b0);
        sums[7] += rows_high(a3, b0);
    }
    // Constant indices: one index at run time would put all sums into memory.
    store_four_rows(tile, 0u, j0, sums[0]);
    store_four_rows(tile, 4u, j0, sums[1]);
    store_four_rows(tile, 8u, j0, sums[2]);
    store_four_rows(tile, 12u, j0, sums[3]);
    store_four_rows(tile, 16u, j0, sums[4]);
    store_four_rows(tile, 20u, j0, sums[5]);
    store_four_rows(tile, 24u, j0, sums[6]);
    store_four_rows(tile, 28u, j0, sums[7]);
}
