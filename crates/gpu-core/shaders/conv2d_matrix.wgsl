// Convolution of f16 by a GPU's matrix units, with sums in f32: it follows `conv2d_tiled.wgsl`, and walks its tiles, of 4 x UNIT channels by
// as many pixels, two tiles of the unit at a time (BK). LANES invocations hold a tile of the unit together; the header has their types.
//
// The weights of a step lie in workgroup memory by rows along the sum, its pixels by rows of pixels. Sums go out by way of workgroup
// memory, where the bias is added and images part.

/// From row to row: 16 bytes more than a row has, so that neighbouring rows begin in different banks.
const WEIGHTS: u32 = BK + 8u;
const PIXELS: u32 = TILE_B + 8u;
const INVOCATIONS: u32 = 4u * LANES;

@group(0) @binding(0) var<storage, read> x_half: array<f16>;
@group(0) @binding(1) var<storage, read> w_half: array<f16>;
var<workgroup> weights: array<f16, TILE_A * WEIGHTS>;
var<workgroup> pixels: array<f16, BK * PIXELS>;
/// A tile of each subgroup, on its way out.
var<workgroup> edge: array<f32, 4u * UNIT * UNIT>;

/// An invocation keeps to one pixel, whose place it has worked out.
fn load_step(tile: Tile, place: Place, k0: u32, lane: u32) {
    for (var turn = 0u; turn < TILE_A * BK / INVOCATIONS; turn++) {
        let e = turn * INVOCATIONS + lane;
        let at = weight_at(tile, tile.channel + e / BK, k0 + e % BK);
        weights[(e / BK) * WEIGHTS + e % BK] = select(0.0h, w_half[at.index], at.inside);
    }
    for (var turn = 0u; turn < BK * TILE_B / INVOCATIONS; turn++) {
        let kk = turn * (INVOCATIONS / TILE_B) + lane / TILE_B;
        let at = pixel_at(tile, place, k0 + kk);
        pixels[kk * PIXELS + lane % TILE_B] = select(0.0h, x_half[at.index], at.inside);
    }
}

/// Writes the subgroup's tile in `edge`, from channel `channel` and pixel `first` on. Uniform control flow only.
fn store_unit(tile: Tile, channel: u32, first: u32, lane: u32) {
    workgroupBarrier();
    let plane = params.out_h * params.out_w;
    for (var e = lane % LANES; e < UNIT * UNIT; e += LANES) {
        let k = channel + e / UNIT;
        let pixel = first + e % UNIT;
        if tile.group < params.groups && k < params.out_c && pixel < params.batch * plane {
            y[first_of(tile, pixel / plane, plane, pixel % plane) + k * plane] = edge[lane / LANES * UNIT * UNIT + e] + tile_bias(tile, k);
        }
    }
    workgroupBarrier();
}

fn by_units(index: u32, lane: u32) {
    let tile = tile_of(index);
    let place = place_of(tile, lane % TILE_B);
    let quarter = lane / LANES;
    let top = 2u * UNIT * (quarter / 2u);
    let left = 2u * UNIT * (quarter % 2u);
    // A stride is to have a name: naga 30 takes no constant expression there.
    let weights_pitch = WEIGHTS;
    let pixels_pitch = PIXELS;
    let unit = UNIT;
    var c00: Sums;
    var c01: Sums;
    var c10: Sums;
    var c11: Sums;
    for (var k0 = tile.k; k0 < tile.end; k0 += BK) {
        load_step(tile, place, k0, lane);
        workgroupBarrier();
        for (var kk = 0u; kk < BK; kk += UNIT) {
            let upper = top * WEIGHTS + kk;
            let lower = upper + UNIT * WEIGHTS;
            let first = kk * PIXELS + left;
            let second = first + UNIT;
            let a0 = coopLoadT<Left>(&weights[upper], weights_pitch);
            let a1 = coopLoadT<Left>(&weights[lower], weights_pitch);
            let b0 = coopLoadT<Right>(&pixels[first], pixels_pitch);
            let b1 = coopLoadT<Right>(&pixels[second], pixels_pitch);
            c00 = coopMultiplyAdd(a0, b0, c00);
            c10 = coopMultiplyAdd(a1, b0, c10);
            c01 = coopMultiplyAdd(a0, b1, c01);
            c11 = coopMultiplyAdd(a1, b1, c11);
        }
        workgroupBarrier();
    }
    let mine = quarter * UNIT * UNIT;
    let channel = tile.channel + top;
    let pixel = tile.pixel + left;
    coopStoreT(c00, &edge[mine], unit);
    store_unit(tile, channel, pixel, lane);
    coopStoreT(c01, &edge[mine], unit);
    store_unit(tile, channel, pixel + UNIT, lane);
    coopStoreT(c10, &edge[mine], unit);
    store_unit(tile, channel + UNIT, pixel, lane);
    coopStoreT(c11, &edge[mine], unit);
    store_unit(tile, channel + UNIT, pixel + UNIT, lane);
}

@compute @workgroup_size(INVOCATIONS)
fn conv2d_matrix(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    by_units(params.first + group_index(group, groups), lane);
}

@compute @workgroup_size(INVOCATIONS)
fn conv2d_bwd_x_matrix(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    by_units(params.first + group_index(group, groups), lane);
}
