// The weight gradient of f16 by a GPU's matrix units, with sums in f32: it follows `conv2d_bwd_w_tiled.wgsl`, and walks its tiles, of 4 x
// UNIT output channels by as many columns (c, r, s), two tiles of the unit at a time (BK pixels). LANES invocations hold a tile of the unit
// together; the header has their types. Both factors lie in workgroup memory by rows of pixels, along the sum.

/// From row to row: 16 bytes more than a row has, so that neighbouring rows begin in different banks.
const PITCH: u32 = BK + 8u;
const INVOCATIONS: u32 = 4u * LANES;

@group(0) @binding(0) var<storage, read> x_half: array<f16>;
@group(0) @binding(1) var<storage, read> dy_half: array<f16>;
var<workgroup> dy_rows: array<f16, TILE_A * PITCH>;
var<workgroup> x_rows: array<f16, TILE_B * PITCH>;
/// A tile of each subgroup, on its way out.
var<workgroup> edge: array<f32, 4u * UNIT * UNIT>;

/// An invocation keeps to one pixel of a step, so that neighbours read neighbours.
fn load_step(tile: Tile, pixel: Pixel, lane: u32) {
    let kk = lane % BK;
    for (var turn = 0u; turn < TILE_A * BK / INVOCATIONS; turn++) {
        let row = turn * (INVOCATIONS / BK) + lane / BK;
        let at = dy_at(pixel, tile.k * TILE_A + row);
        dy_rows[row * PITCH + kk] = select(0.0h, dy_half[at.index], at.inside);
    }
    for (var turn = 0u; turn < TILE_B * BK / INVOCATIONS; turn++) {
        let row = turn * (INVOCATIONS / BK) + lane / BK;
        let at = column_at(pixel, tile.j * TILE_B + row);
        x_rows[row * PITCH + kk] = select(0.0h, x_half[at.index], at.inside);
    }
}

/// Writes the subgroup's tile in `edge`, from output channel `k` and column `j` on. Uniform control flow only.
fn store_unit(tile: Tile, k: u32, j: u32, lane: u32) {
    workgroupBarrier();
    for (var e = lane % LANES; e < UNIT * UNIT; e += LANES) {
        if tile.split < params.splits {
            store(tile, k + e / UNIT, j + e % UNIT, edge[lane / LANES * UNIT * UNIT + e]);
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(INVOCATIONS)
fn conv2d_bwd_w_matrix(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = tile_of(params.first + group_index(group, groups));
    let end = end_of(tile);
    let quarter = lane / LANES;
    let top = 2u * UNIT * (quarter / 2u);
    let left = 2u * UNIT * (quarter % 2u);
    // A stride is to have a name: naga 30 takes no constant expression there.
    let pitch = PITCH;
    let unit = UNIT;
    var c00: Sums;
    var c01: Sums;
    var c10: Sums;
    var c11: Sums;
    for (var step = start_of(tile); step < end; step += BK) {
        load_step(tile, pixel_of(tile, step + lane % BK, end), lane);
        workgroupBarrier();
        for (var kk = 0u; kk < BK; kk += UNIT) {
            let upper = top * PITCH + kk;
            let lower = upper + UNIT * PITCH;
            let first = left * PITCH + kk;
            let second = first + UNIT * PITCH;
            let a0 = coopLoadT<Left>(&dy_rows[upper], pitch);
            let a1 = coopLoadT<Left>(&dy_rows[lower], pitch);
            let b0 = coopLoad<Right>(&x_rows[first], pitch);
            let b1 = coopLoad<Right>(&x_rows[second], pitch);
            c00 = coopMultiplyAdd(a0, b0, c00);
            c10 = coopMultiplyAdd(a1, b0, c10);
            c01 = coopMultiplyAdd(a0, b1, c01);
            c11 = coopMultiplyAdd(a1, b1, c11);
        }
        workgroupBarrier();
    }
    let mine = quarter * UNIT * UNIT;
    let k = tile.k * TILE_A + top;
    let j = tile.j * TILE_B + left;
    coopStoreT(c00, &edge[mine], unit);
    store_unit(tile, k, j, lane);
    coopStoreT(c01, &edge[mine], unit);
    store_unit(tile, k, j + UNIT, lane);
    coopStoreT(c10, &edge[mine], unit);
    store_unit(tile, k + UNIT, j, lane);
    coopStoreT(c11, &edge[mine], unit);
    store_unit(tile, k + UNIT, j + UNIT, lane);
}
