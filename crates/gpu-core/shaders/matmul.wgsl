// Matrix product C = A B, batched, with any strides: transposes are strides, not copies, and a step of 0 repeats a matrix. A long k
// is walked in parts, each into a product of its own, which `matmul_parts` adds in order.
//
// `matmul_tiled`: a workgroup owns a tile of C and walks k in steps of BK through workgroup memory (`product_tiles.wgsl`, which
// stands before this file). `matmul_tiled4` is the same with 16-byte loads and stores.
// `matmul_reg`: no workgroup memory; an invocation owns 8 x 16 of C. For drivers that run on the CPU, where a barrier costs more
// than the loads that it saves.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    part: u32, // of k
    parts: u32,
    batch: u32,
    a_row: u32,
    a_col: u32,
    b_row: u32,
    b_col: u32,
    tiles_m: u32,
    tiles_n: u32,
    first: u32, // tile of this dispatch
    // The leading axes, the last first: three extents, and the steps through a and b.
    d0: u32, d1: u32, d2: u32,
    a0: u32, a1: u32, a2: u32, a3: u32,
    b0: u32, b1: u32, b2: u32, b3: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(0) var<storage, read> a4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b4: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(2) var<storage, read_write> c4: array<vec4<f32>>;
@group(0) @binding(0) var<storage, read> partial: array<f32>;

const TILE: u32 = TILE_A;

fn store_row(which: u32, i: u32, j: u32, v: vec4<f32>) {
    if i < params.m {
        let at = (which * params.m + i) * params.n + j;
        if j < params.n { c[at] = v.x; }
        if j + 1u < params.n { c[at + 1u] = v.y; }
        if j + 2u < params.n { c[at + 2u] = v.z; }
        if j + 3u < params.n { c[at + 3u] = v.w; }
    }
}

fn store_tile(sums: ptr<function, array<vec4<f32>, 16>>, which: u32, i0: u32, j0: u32, x: u32, y: u32) {
    for (var i = 0u; i < 4u; i++) {
        let low = i0 + 4u * y + i;
        store_row(which, low, j0 + 4u * x, (*sums)[2u * i]);
        store_row(which, low, j0 + TILE / 2u + 4u * x, (*sums)[2u * i + 1u]);
        store_row(which, low + TILE / 2u, j0 + 4u * x, (*sums)[2u * i + 8u]);
        store_row(which, low + TILE / 2u, j0 + TILE / 2u + 4u * x, (*sums)[2u * i + 9u]);
    }
}

fn store_row4(which: u32, i: u32, j: u32, v: vec4<f32>) {
    if i < params.m && j < params.n {
        c4[((which * params.m + i) * params.n + j) / 4u] = v;
    }
}

fn store_tile4(sums: ptr<function, array<vec4<f32>, 16>>, which: u32, i0: u32, j0: u32, x: u32, y: u32) {
    for (var i = 0u; i < 4u; i++) {
        let low = i0 + 4u * y + i;
        store_row4(which, low, j0 + 4u * x, (*sums)[2u * i]);
        store_row4(which, low, j0 + TILE / 2u + 4u * x, (*sums)[2u * i + 1u]);
        store_row4(which, low + TILE / 2u, j0 + 4u * x, (*sums)[2u * i + 8u]);
        store_row4(which, low + TILE / 2u, j0 + TILE / 2u + 4u * x, (*sums)[2u * i + 9u]);
    }
}

struct Tile {
    which: u32, // product, a part of k each
    i: u32,
    j: u32,
    k: u32, // from
    end: u32, // and to
    a: u32, // where its factors begin
    b: u32,
}

/// Tile number `index` of tiles of `height` x `width`; past the last one it has no k.
fn tile_of(index: u32, height: u32, width: u32) -> Tile {
    let row = index / params.tiles_n;
    let which = row / params.tiles_m;
    let first = (which % params.parts) * params.part;
    let end = select(0u, min(first + params.part, params.k), which < params.batch * params.parts);
    var rest = which / params.parts;
    var at = (rest % params.d0) * vec2<u32>(params.a0, params.b0);
    rest /= params.d0;
    at += (rest % params.d1) * vec2<u32>(params.a1, params.b1);
    rest /= params.d1;
    at += (rest % params.d2) * vec2<u32>(params.a2, params.b2);
    at += (rest / params.d2) * vec2<u32>(params.a3, params.b3);
    return Tile(which, (row % params.tiles_m) * height, (index % params.tiles_n) * width, first, end, at.x, at.y);
}

fn read_a(tile: Tile, row: u32, k: u32) -> f32 {
    if tile.i + row < params.m && k < tile.end {
        return a[tile.a + (tile.i + row) * params.a_row + k * params.a_col];
    }
    return 0.0;
}

fn read_b(tile: Tile, k: u32, column: u32) -> f32 {
    if tile.j + column < params.n && k < tile.end {
        return b[tile.b + k * params.b_row + (tile.j + column) * params.b_col];
    }
    return 0.0;
}

/// Both tiles of a step. Neighbouring lanes read neighbouring addresses where k is the contiguous axis, and every fourth elsewhere.
fn load_tiles(tile: Tile, k0: u32, lane: u32) {
    for (var e = lane; e < BK * TILE / 4u; e += THREADS) {
        let kk = select(e / (TILE / 4u), e % BK, A_K_CONTIGUOUS == 1u);
        let word = select(e % (TILE / 4u), e / BK, A_K_CONTIGUOUS == 1u);
        let k = k0 + kk;
        let row = 4u * word;
        a_tile[kk * (TILE / 4u) + word] = vec4<f32>(read_a(tile, row, k), read_a(tile, row + 1u, k), read_a(tile, row + 2u, k), read_a(tile, row + 3u, k));
    }
    for (var e = lane; e < BK * TILE / 4u; e += THREADS) {
        let kk = select(e / (TILE / 4u), e % BK, B_K_CONTIGUOUS == 1u);
        let word = select(e % (TILE / 4u), e / BK, B_K_CONTIGUOUS == 1u);
        let k = k0 + kk;
        let column = 4u * word;
        b_tile[kk * (TILE / 4u) + word] = vec4<f32>(read_b(tile, k, column), read_b(tile, k, column + 1u), read_b(tile, k, column + 2u), read_b(tile, k, column + 3u));
    }
}

@compute @workgroup_size(WG_X, WG_Y)
fn matmul_tiled(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    let tile = tile_of(params.first + group_index(group, groups), TILE, TILE);
    let lane = id.y * WG_X + id.x;
    var sums: array<vec4<f32>, 16>;
    for (var k0 = tile.k; k0 < tile.end; k0 += BK) {
        load_tiles(tile, k0, lane);
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    if tile.which < params.batch * params.parts {
        store_tile(&sums, tile.which, tile.i, tile.j, id.x, id.y);
    }
}

/// One of the two factors as `load4` walks it: the rows of A, or the columns of B.
struct Factor {
    start: u32,
    first: u32, // row of the tile
    rows: u32,
    row: u32, // steps from row to row, and along k
    along: u32,
}

fn read4(of_b: bool, at: u32) -> vec4<f32> {
    if of_b {
        return b4[at];
    }
    return a4[at];
}

/// A step of a tile, by words. Along k they are read four rows at a time, and turned.
fn load4(of_b: bool, k_contiguous: bool, f: Factor, k0: u32, end: u32, lane: u32) {
    if k_contiguous {
        for (var e = lane; e < BK * TILE / 16u; e += THREADS) {
            let word = e / (BK / 4u);
            let kk = 4u * (e % (BK / 4u));
            let row = f.first + 4u * word;
            let at = (f.start + row * f.row + k0 + kk) / 4u;
            let next = f.row / 4u;
            if row < f.rows && k0 + kk < end {
                put(of_b, kk, word, read4(of_b, at), read4(of_b, at + next), read4(of_b, at + 2u * next), read4(of_b, at + 3u * next));
            } else {
                put(of_b, kk, word, vec4<f32>(), vec4<f32>(), vec4<f32>(), vec4<f32>());
            }
        }
    } else {
        for (var e = lane; e < BK * TILE / 4u; e += THREADS) {
            let k = k0 + e / (TILE / 4u);
            let row = f.first + 4u * (e % (TILE / 4u));
            var v = vec4<f32>();
            if row < f.rows && k < end {
                v = read4(of_b, (f.start + k * f.along + row) / 4u);
            }
            put_word(of_b, e, v);
        }
    }
}

// Wants m, n, k, the strides that are not 1 and the batch strides to be multiples of 4.
@compute @workgroup_size(WG_X, WG_Y)
fn matmul_tiled4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    let tile = tile_of(params.first + group_index(group, groups), TILE, TILE);
    let lane = id.y * WG_X + id.x;
    let rows = Factor(tile.a, tile.i, params.m, params.a_row, params.a_col);
    let columns = Factor(tile.b, tile.j, params.n, params.b_col, params.b_row);
    var sums: array<vec4<f32>, 16>;
    for (var k0 = tile.k; k0 < tile.end; k0 += BK) {
        load4(OF_A, A_K_CONTIGUOUS == 1u, rows, k0, tile.end, lane);
        // Rows read four at a time keep half of the lanes busy: the other half for this tile.
        load4(OF_B, B_K_CONTIGUOUS == 1u, columns, k0, tile.end, (lane + THREADS / 2u) % THREADS);
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    if tile.which < params.batch * params.parts {
        store_tile4(&sums, tile.which, tile.i, tile.j, id.x, id.y);
    }
}

fn store_sixteen(which: u32, i: u32, j: u32, v: mat4x4<f32>) {
    store_row(which, i, j, v[0]);
    store_row(which, i, j + 4u, v[1]);
    store_row(which, i, j + 8u, v[2]);
    store_row(which, i, j + 12u, v[3]);
}

@compute @workgroup_size(8)
fn matmul_reg(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = tile_of((params.first + group_index(group, groups)) * 8u + lane, 8u, 16u);
    let which = tile.which;
    let i0 = tile.i;
    let j0 = tile.j;
    if which >= params.batch * params.parts {
        return;
    }
    // Past the edge the last row or column is read again and its sums are dropped.
    let at_a0 = tile.a + min(i0 + 0u, params.m - 1u) * params.a_row;
    let at_a1 = tile.a + min(i0 + 1u, params.m - 1u) * params.a_row;
    let at_a2 = tile.a + min(i0 + 2u, params.m - 1u) * params.a_row;
    let at_a3 = tile.a + min(i0 + 3u, params.m - 1u) * params.a_row;
    let at_a4 = tile.a + min(i0 + 4u, params.m - 1u) * params.a_row;
    let at_a5 = tile.a + min(i0 + 5u, params.m - 1u) * params.a_row;
    let at_a6 = tile.a + min(i0 + 6u, params.m - 1u) * params.a_row;
    let at_a7 = tile.a + min(i0 + 7u, params.m - 1u) * params.a_row;
    let at_b0 = tile.b + min(j0 + 0u, params.n - 1u) * params.b_col;
    let at_b1 = tile.b + min(j0 + 1u, params.n - 1u) * params.b_col;
    let at_b2 = tile.b + min(j0 + 2u, params.n - 1u) * params.b_col;
    let at_b3 = tile.b + min(j0 + 3u, params.n - 1u) * params.b_col;
    let at_b4 = tile.b + min(j0 + 4u, params.n - 1u) * params.b_col;
    let at_b5 = tile.b + min(j0 + 5u, params.n - 1u) * params.b_col;
    let at_b6 = tile.b + min(j0 + 6u, params.n - 1u) * params.b_col;
    let at_b7 = tile.b + min(j0 + 7u, params.n - 1u) * params.b_col;
    let at_b8 = tile.b + min(j0 + 8u, params.n - 1u) * params.b_col;
    let at_b9 = tile.b + min(j0 + 9u, params.n - 1u) * params.b_col;
    let at_b10 = tile.b + min(j0 + 10u, params.n - 1u) * params.b_col;
    let at_b11 = tile.b + min(j0 + 11u, params.n - 1u) * params.b_col;
    let at_b12 = tile.b + min(j0 + 12u, params.n - 1u) * params.b_col;
    let at_b13 = tile.b + min(j0 + 13u, params.n - 1u) * params.b_col;
    let at_b14 = tile.b + min(j0 + 14u, params.n - 1u) * params.b_col;
    let at_b15 = tile.b + min(j0 + 15u, params.n - 1u) * params.b_col;
    var sums: array<mat4x4<f32>, 8>;
    for (var kk = tile.k; kk < tile.end; kk++) {
        let ka = kk * params.a_col;
        let kb = kk * params.b_row;
        let b_row = mat4x4<f32>(
            vec4<f32>(b[at_b0 + kb], b[at_b1 + kb], b[at_b2 + kb], b[at_b3 + kb]),
            vec4<f32>(b[at_b4 + kb], b[at_b5 + kb], b[at_b6 + kb], b[at_b7 + kb]),
            vec4<f32>(b[at_b8 + kb], b[at_b9 + kb], b[at_b10 + kb], b[at_b11 + kb]),
            vec4<f32>(b[at_b12 + kb], b[at_b13 + kb], b[at_b14 + kb], b[at_b15 + kb]),
        );
        let a0 = a[at_a0 + ka];
        let a1 = a[at_a1 + ka];
        let a2 = a[at_a2 + ka];
        let a3 = a[at_a3 + ka];
        let a4 = a[at_a4 + ka];
        let a5 = a[at_a5 + ka];
        let a6 = a[at_a6 + ka];
        let a7 = a[at_a7 + ka];
        sums[0] += a0 * b_row;
        sums[1] += a1 * b_row;
        sums[2] += a2 * b_row;
        sums[3] += a3 * b_row;
        sums[4] += a4 * b_row;
        sums[5] += a5 * b_row;
        sums[6] += a6 * b_row;
        sums[7] += a7 * b_row;
    }
    // The sums move up to one site of stores: indexed at run time they would lie in memory as a whole, and with a site for each
    // row (a loop of constant length becomes that) drivers compiled twice as long.
    let rows = min(8u, params.m - i0);
    for (var i = 0u; i < rows; i++) {
        store_sixteen(which, i0 + i, j0, sums[0]);
        sums[0] = sums[1];
        sums[1] = sums[2];
        sums[2] = sums[3];
        sums[3] = sums[4];
        sums[4] = sums[5];
        sums[5] = sums[6];
        sums[6] = sums[7];
    }
}

// Neighbouring invocations add up neighbouring elements.
@compute @workgroup_size(256)
fn matmul_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group_index(group, groups) * 256u + lane;
    let size = params.m * params.n;
    if o >= params.batch * size {
        return;
    }
    var at = (o / size) * params.parts * size + o % size;
    var sum = 0.0;
    for (var part = 0u; part < params.parts; part++) {
        sum += partial[at];
        at += size;
    }
    c[o] = sum;
}
