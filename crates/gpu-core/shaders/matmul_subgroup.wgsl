// The matrix product for software drivers whose invocations can hand each other values: it follows `matmul.wgsl`.
//
// Eight invocations own 32 x 32 of C, each 32 rows of four columns. What costs there is a load, not a multiplication: an
// invocation loads four of the 32 rows of A, which all eight pass round, and its own four columns of B. That is 16 multiply-adds
// a load, where `matmul_reg` does 5.3.

@compute @workgroup_size(8)
fn matmul_subgroup(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
    let tile = tile_of(group_index(group, groups), 32u, 32u);
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
    var sums: array<vec4<f32>, 32>;
    for (var kk = tile.k; kk < tile.end; kk++) {
        let kb = kk * params.b_row;
        let b0 = vec4<f32>(b[at_b0 + kb], b[at_b1 + kb], b[at_b2 + kb], b[at_b3 + kb]);
        let a0 = a[at_a0 + kk * params.a_col];
        let a1 = a[at_a1 + kk * params.a_col];
        let a2 = a[at_a2 + kk * params.a_col];
        let a3 = a[at_a3 + kk * params.a_col];
        sums[0] += subgroupBroadcast(a0, 0u) * b0;
        sums[1] += subgroupBroadcast(a0, 1u) * b0;
        sums[2] += subgroupBroadcast(a0, 2u) * b0;
        sums[3] += subgroupBroadcast(a0, 3u) * b0;
        sums[4] += subgroupBroadcast(a0, 4u) * b0;
        sums[5] += subgroupBroadcast(a0, 5u) * b0;
        sums[6] += subgroupBroadcast(a0, 6u) * b0;
        sums[7] += subgroupBroadcast(a0, 7u) * b0;
        sums[8] += subgroupBroadcast(a1, 0u) * b0;
        sums[9] += subgroupBroadcast(a1, 1u) * b0;
        sums[10] += subgroupBroadcast(a1, 2u) * b0;
        sums[11] += subgroupBroadcast(a1, 3u) * b0;
        sums[12] += subgroupBroadcast(a1, 4u) * b0;
        sums[13] += subgroupBroadcast(a1, 5u) * b0;
        sums[14] += subgroupBroadcast(a1, 6u) * b0;
        sums[15] += subgroupBroadcast(a1, 7u) * b0;
        sums[16] += subgroupBroadcast(a2, 0u) * b0;
        sums[17] += subgroupBroadcast(a2, 1u) * b0;
        sums[18] += subgroupBroadcast(a2, 2u) * b0;
        sums[19] += subgroupBroadcast(a2, 3u) * b0;
        sums[20] += subgroupBroadcast(a2, 4u) * b0;
        sums[21] += subgroupBroadcast(a2, 5u) * b0;
        sums[22] += subgroupBroadcast(a2, 6u) * b0;
        sums[23] += subgroupBroadcast(a2, 7u) * b0;
        sums[24] += subgroupBroadcast(a3, 0u) * b0;
        sums[25] += subgroupBroadcast(a3, 1u) * b0;
        sums[26] += subgroupBroadcast(a3, 2u) * b0;
        sums[27] += subgroupBroadcast(a3, 3u) * b0;
        sums[28] += subgroupBroadcast(a3, 4u) * b0;
        sums[29] += subgroupBroadcast(a3, 5u) * b0;
        sums[30] += subgroupBroadcast(a3, 6u) * b0;
        sums[31] += subgroupBroadcast(a3, 7u) * b0;
    }
    // Constant indices: one index at run time would put all sums into memory.
    store_row(tile.which, tile.i + 0u, j0, sums[0]);
    store_row(tile.which, tile.i + 1u, j0, sums[1]);
    store_row(tile.which, tile.i + 2u, j0, sums[2]);
    store_row(tile.which, tile.i + 3u, j0, sums[3]);
    store_row(tile.which, tile.i + 4u, j0, sums[4]);
    store_row(tile.which, tile.i + 5u, j0, sums[5]);
    store_row(tile.which, tile.i + 6u, j0, sums[6]);
    store_row(tile.which, tile.i + 7u, j0, sums[7]);
    store_row(tile.which, tile.i + 8u, j0, sums[8]);
    store_row(tile.which, tile.i + 9u, j0, sums[9]);
    store_row(tile.which, tile.i + 10u, j0, sums[10]);
    store_row(tile.which, tile.i + 11u, j0, sums[11]);
    store_row(tile.which, tile.i + 12u, j0, sums[12]);
    store_row(tile.which, tile.i + 13u, j0, sums[13]);
    store_row(tile.which, tile.i + 14u, j0, sums[14]);
    store_row(tile.which, tile.i + 15u, j0, sums[15]);
    store_row(tile.which, tile.i + 16u, j0, sums[16]);
    store_row(tile.which, tile.i + 17u, j0, sums[17]);
    store_row(tile.which, tile.i + 18u, j0, sums[18]);
    store_row(tile.which, tile.i + 19u, j0, sums[19]);
    store_row(tile.which, tile.i + 20u, j0, sums[20]);
    store_row(tile.which, tile.i + 21u, j0, sums[21]);
    store_row(tile.which, tile.i + 22u, j0, sums[22]);
    store_row(tile.which, tile.i + 23u, j0, sums[23]);
    store_row(tile.which, tile.i + 24u, j0, sums[24]);
    store_row(tile.which, tile.i + 25u, j0, sums[25]);
    store_row(tile.which, tile.i + 26u, j0, sums[26]);
    store_row(tile.which, tile.i + 27u, j0, sums[27]);
    store_row(tile.which, tile.i + 28u, j0, sums[28]);
    store_row(tile.which, tile.i + 29u, j0, sums[29]);
    store_row(tile.which, tile.i + 30u, j0, sums[30]);
    store_row(tile.which, tile.i + 31u, j0, sums[31]);
}
