// Weight gradient of a 2-D convolution: dw[k,c,r,s] = sum over n,p,q of dy[n,k,p,q] x[n, c, p stride + r dilation - padding, ..].
//
// A product of dy (channels by pixels) with the columns of im2col (pixels by taps), gathered while they are loaded. The sum runs
// over all pixels of the batch, so it is split by output rows: each split writes a partial dw, and `sum_splits` adds them in
// order. No atomics: the same bits every time.
//
// This file is what all forms share, and the register forms. `conv2d_bwd_w_tiled.wgsl` may follow it, and that for f16
// `conv2d_bwd_w_half.wgsl` or `conv2d_bwd_w_matrix.wgsl`.

struct Params {
    groups: u32,
    in_c: u32, // per group
    out_c: u32, // per group
    in_h: u32,
    in_w: u32,
    out_h: u32,
    out_w: u32,
    rows: u32, // output rows of the whole batch
    rows_per_split: u32,
    splits: u32,
    tiles_k: u32,
    tiles_j: u32,
    len: u32, // elements of dw
    first: u32, // tile, or workgroup, of this dispatch
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> partial: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;

/// What a workgroup or an invocation owns: a split, a group, a tile of output channels, a tile of columns.
struct Tile {
    split: u32,
    group: u32,
    k: u32,
    j: u32,
}

fn tile_of(index: u32) -> Tile {
    let j = index % params.tiles_j;
    let a = index / params.tiles_j;
    let k = a % params.tiles_k;
    let b = a / params.tiles_k;
    return Tile(b / params.groups, b % params.groups, k, j);
}

/// Adds nothing: every element of a split's partial is written by one invocation.
fn store(tile: Tile, k: u32, j: u32, v: f32) {
    let columns = params.in_c * TAPS;
    if k < params.out_c && j < columns {
        dw[tile.split * params.len + (tile.group * params.out_c + k) * columns + j] = v;
    }
}

/// x under column j = (c, r, s) at a pixel; zero outside.
fn read_column_of(plane0: u32, j: u32, p: u32, q: u32) -> f32 {
    let row = read_row(p, (j % TAPS) / S);
    let column = read_column(q, j % S);
    let inside = u32(row) < params.in_h && u32(column) < params.in_w;
    let v = x[select(0u, plane0 + ((j / TAPS) * params.in_h + u32(row)) * params.in_w + u32(column), inside)];
    return select(0.0, v, inside);
}

// ---- registers alone: 8 output channels by 16 columns ---------------------------------------------------------------------

fn store_sixteen(tile: Tile, k: u32, j: u32, sums: mat4x4<f32>) {
    var v = array<vec4<f32>, 4>(sums[0], sums[1], sums[2], sums[3]);
    for (var i = 0u; i < 16u; i++) {
        store(tile, k, j + i, v[i / 4u][i % 4u]);
    }
}

@compute @workgroup_size(8)
fn conv2d_bwd_w_reg(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = tile_of((params.first + group_index(group, groups)) * 8u + lane);
    if tile.split >= params.splits {
        return;
    }
    let plane = params.out_h * params.out_w;
    let k0 = 8u * tile.k;
    let j0 = 16u * tile.j;
    let last_j = params.in_c * TAPS - 1u;
    let end = min((tile.split + 1u) * params.rows_per_split, params.rows) * params.out_w;
    var sums: array<mat4x4<f32>, 8>;
    for (var pixel = min(tile.split * params.rows_per_split, params.rows) * params.out_w; pixel < end; pixel++) {
        let image = (pixel / plane) * params.groups + tile.group;
        let p = (pixel % plane) / params.out_w;
        let q = pixel % params.out_w;
        let plane0 = image * params.in_c * params.in_h * params.in_w;
        let dy0 = image * params.out_c * plane + pixel % plane;
        let b = mat4x4<f32>(
            vec4<f32>(read_column_of(plane0, min(j0 + 0u, last_j), p, q), read_column_of(plane0, min(j0 + 1u, last_j), p, q), read_column_of(plane0, min(j0 + 2u, last_j), p, q), read_column_of(plane0, min(j0 + 3u, last_j), p, q)),
            vec4<f32>(read_column_of(plane0, min(j0 + 4u, last_j), p, q), read_column_of(plane0, min(j0 + 5u, last_j), p, q), read_column_of(plane0, min(j0 + 6u, last_j), p, q), read_column_of(plane0, min(j0 + 7u, last_j), p, q)),
            vec4<f32>(read_column_of(plane0, min(j0 + 8u, last_j), p, q), read_column_of(plane0, min(j0 + 9u, last_j), p, q), read_column_of(plane0, min(j0 + 10u, last_j), p, q), read_column_of(plane0, min(j0 + 11u, last_j), p, q)),
            vec4<f32>(read_column_of(plane0, min(j0 + 12u, last_j), p, q), read_column_of(plane0, min(j0 + 13u, last_j), p, q), read_column_of(plane0, min(j0 + 14u, last_j), p, q), read_column_of(plane0, min(j0 + 15u, last_j), p, q)),
        );
        let a0 = dy[dy0 + min(k0 + 0u, params.out_c - 1u) * plane];
        let a1 = dy[dy0 + min(k0 + 1u, params.out_c - 1u) * plane];
        let a2 = dy[dy0 + min(k0 + 2u, params.out_c - 1u) * plane];
        let a3 = dy[dy0 + min(k0 + 3u, params.out_c - 1u) * plane];
        let a4 = dy[dy0 + min(k0 + 4u, params.out_c - 1u) * plane];
        let a5 = dy[dy0 + min(k0 + 5u, params.out_c - 1u) * plane];
        let a6 = dy[dy0 + min(k0 + 6u, params.out_c - 1u) * plane];
        let a7 = dy[dy0 + min(k0 + 7u, params.out_c - 1u) * plane];
        sums[0] += a0 * b;
        sums[1] += a1 * b;
        sums[2] += a2 * b;
        sums[3] += a3 * b;
        sums[4] += a4 * b;
        sums[5] += a5 * b;
        sums[6] += a6 * b;
        sums[7] += a7 * b;
    }
    // The sums move up to one site of stores: indexed at run time they would lie in memory as a whole, and with a site for each
    // channel (a loop of constant length becomes that) drivers compiled three times as long.
    let channels = min(8u, params.out_c - k0);
    for (var i = 0u; i < channels; i++) {
        store_sixteen(tile, k0 + i, j0, sums[0]);
        sums[0] = sums[1];
        sums[1] = sums[2];
        sums[2] = sums[3];
        sums[3] = sums[4];
        sums[4] = sums[5];
        sums[5] = sums[6];
        sums[6] = sums[7];
    }
}

// ---- registers alone, rows of three taps with unit step: 8 output channels by 4 input channels by one row of taps -----------

/// One pixel of four neighbouring channels, zero outside.
fn read_four(at: vec4<u32>, column: i32) -> vec4<f32> {
    let inside = u32(column) < params.in_w;
    let i = at + select(0u, u32(column), inside);
    return select(vec4<f32>(), vec4<f32>(x[i.x], x[i.y], x[i.z], x[i.w]), inside);
}

/// Three taps of four channels; past the last channel, `store` drops them.
fn store_taps(tile: Tile, k: u32, column: u32, sums: mat3x4<f32>) {
    var v = array<vec4<f32>, 3>(sums[0], sums[1], sums[2]);
    for (var c = 0u; c < 4u; c++) {
        for (var s = 0u; s < 3u; s++) {
            store(tile, k, column + c * TAPS + s, v[s][c]);
        }
    }
}

@compute @workgroup_size(8)
fn conv2d_bwd_w_row3(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = tile_of((params.first + group_index(group, groups)) * 8u + lane);
    if tile.split >= params.splits {
        return;
    }
    let r = tile.j % R;
    let c0 = 4u * (tile.j / R);
    let first_k = 8u * tile.k;
    let plane = params.out_h * params.out_w;
    let channels = min(vec4<u32>(c0, c0 + 1u, c0 + 2u, c0 + 3u), vec4<u32>(params.in_c - 1u));
    let k0 = min(first_k + 0u, params.out_c - 1u) * plane;
    let k1 = min(first_k + 1u, params.out_c - 1u) * plane;
    let k2 = min(first_k + 2u, params.out_c - 1u) * plane;
    let k3 = min(first_k + 3u, params.out_c - 1u) * plane;
    let k4 = min(first_k + 4u, params.out_c - 1u) * plane;
    let k5 = min(first_k + 5u, params.out_c - 1u) * plane;
    let k6 = min(first_k + 6u, params.out_c - 1u) * plane;
    let k7 = min(first_k + 7u, params.out_c - 1u) * plane;
    let end = min((tile.split + 1u) * params.rows_per_split, params.rows);
    var sums: array<mat3x4<f32>, 8>;
    for (var row = min(tile.split * params.rows_per_split, params.rows); row < end; row++) {
        let image = (row / params.out_h) * params.groups + tile.group;
        let p = row % params.out_h;
        let x_row = read_row(p, r);
        if u32(x_row) < params.in_h {
            let at = ((image * params.in_c + channels) * params.in_h + u32(x_row)) * params.in_w;
            let dy0 = image * params.out_c * plane + p * params.out_w;
            var e0 = read_four(at, -i32(PAD_W));
            var e1 = read_four(at, 1 - i32(PAD_W));
            for (var q = 0u; q < params.out_w; q++) {
                let e = mat3x4<f32>(e0, e1, read_four(at, i32(q + 2u) - i32(PAD_W)));
                let d0 = dy[dy0 + k0 + q];
                let d1 = dy[dy0 + k1 + q];
                let d2 = dy[dy0 + k2 + q];
                let d3 = dy[dy0 + k3 + q];
                let d4 = dy[dy0 + k4 + q];
                let d5 = dy[dy0 + k5 + q];
                let d6 = dy[dy0 + k6 + q];
                let d7 = dy[dy0 + k7 + q];
                sums[0] += d0 * e;
                sums[1] += d1 * e;
                sums[2] += d2 * e;
                sums[3] += d3 * e;
                sums[4] += d4 * e;
                sums[5] += d5 * e;
                sums[6] += d6 * e;
                sums[7] += d7 * e;
                e0 = e[1];
                e1 = e[2];
            }
        }
    }
    let column = c0 * TAPS + r * S;
    // As in `conv2d_bwd_w_reg`: one site of stores.
    let rows = min(8u, params.out_c - first_k);
    for (var i = 0u; i < rows; i++) {
        store_taps(tile, first_k + i, column, sums[0]);
        sums[0] = sums[1];
        sums[1] = sums[2];
        sums[2] = sums[3];
        sums[3] = sums[4];
        sums[4] = sums[5];
        sums[5] = sums[6];
        sums[6] = sums[7];
    }
}

// ---- the splits' sum -------------------------------------------------------------------------------------------------------

@compute @workgroup_size(64)
fn sum_splits(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 64u + lane;
    if i < params.len {
        var sum = 0.0;
        for (var split = 0u; split < params.splits; split++) {
            sum += partial[split * params.len + i];
        }
        dw[i] = sum;
    }
}
