// The matrix product of f16 factors by a GPU's matrix units, with sums in f32: it follows `matmul.wgsl`.
//
// The unit multiplies tiles of UNIT x UNIT, which LANES invocations hold together; the header has their types, `Left`, `Right` and
// `Sums`. Four subgroups make a workgroup, which owns 4 x 4 tiles of C, 2 x 2 of them each, and walks k two tiles at a time.
//
// A factor lies in workgroup memory as in the tensor: in rows along k or in columns, whichever is contiguous, and the unit reads either.
// Where all is a multiple of four (BY_FOURS) it is loaded by 8 bytes. Past an edge the first element is read, and dropped: without a
// branch loads do not wait for each other.

const BLOCK: u32 = 4u * UNIT;
const STEP: u32 = 2u * UNIT;
/// Elements of a row in workgroup memory, STEP or BLOCK, and from one row to the next: by 16 bytes more, so that neighbouring rows
/// begin in different banks.
const A_LENGTH: u32 = BLOCK - A_K_CONTIGUOUS * (BLOCK - STEP);
const B_LENGTH: u32 = BLOCK - B_K_CONTIGUOUS * (BLOCK - STEP);
const A_PITCH: u32 = A_LENGTH + 8u;
const B_PITCH: u32 = B_LENGTH + 8u;

@group(0) @binding(0) var<storage, read> a_half: array<f16>;
@group(0) @binding(1) var<storage, read> b_half: array<f16>;
@group(0) @binding(2) var<storage, read> a_fours: array<vec4<f16>>;
@group(0) @binding(3) var<storage, read> b_fours: array<vec4<f16>>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
var<workgroup> a_rows: array<f16, BLOCK * (STEP + 8u)>;
var<workgroup> b_rows: array<f16, BLOCK * (STEP + 8u)>;
/// A tile of each subgroup, on its way over the edge of C.
var<workgroup> edge: array<f32, 4u * UNIT * UNIT>;

/// Of a factor, what a step multiplies: rows from `row` on and the elements of each from `first` on, `pitch` from row to row.
struct Rows {
    start: u32,
    row: u32,
    rows: u32,
    pitch: u32,
    first: u32,
    end: u32,
}

fn rows_of(k_contiguous: bool, start: u32, i: u32, extent: u32, k0: u32, end: u32, pitch: u32) -> Rows {
    if k_contiguous {
        return Rows(start, i, extent, pitch, k0, end);
    }
    return Rows(start, k0, end, pitch, i, extent);
}

/// Loads them into workgroup memory, zeros past the edges.
fn load_rows(of_b: bool, length: u32, source: Rows, lane: u32) {
    let width = 1u + 3u * BY_FOURS;
    // As many for every invocation: the loop has no end to ask for, and its loads go together.
    for (var turn = 0u; turn < BLOCK * STEP / (width * 4u * LANES); turn++) {
        let e = turn * 4u * LANES + lane;
        let row = e / (length / width);
        let element = width * (e % (length / width));
        let is_inside = source.row + row < source.rows && source.first + element < source.end;
        let at = select(0u, source.start + (source.row + row) * source.pitch + source.first + element, is_inside);
        let to = row * (length + 8u) + element;
        if BY_FOURS == 1u {
            let v = select(vec4<f16>(), four_of(of_b, at / 4u), is_inside);
            keep(of_b, to, v.x);
            keep(of_b, to + 1u, v.y);
            keep(of_b, to + 2u, v.z);
            keep(of_b, to + 3u, v.w);
        } else {
            keep(of_b, to, select(0.0h, one_of(of_b, at), is_inside));
        }
    }
}

fn one_of(of_b: bool, at: u32) -> f16 {
    if of_b {
        return b_half[at];
    }
    return a_half[at];
}

fn four_of(of_b: bool, at: u32) -> vec4<f16> {
    if of_b {
        return b_fours[at];
    }
    return a_fours[at];
}

fn keep(of_b: bool, at: u32, v: f16) {
    if of_b {
        b_rows[at] = v;
    } else {
        a_rows[at] = v;
    }
}

/// Where in workgroup memory the tile begins that lies `across` rows (of B: columns) and `along` steps of k from the first.
fn tile_in(k_contiguous: bool, pitch: u32, across: u32, along: u32) -> u32 {
    if k_contiguous {
        return across * pitch + along;
    }
    return along * pitch + across;
}

/// Writes what of the subgroup's tile in `edge` lies inside of C, from row `i` and column `j` on. Uniform control flow only.
fn store_edge(which: u32, i: u32, j: u32, lane: u32) {
    workgroupBarrier();
    let mine = lane / LANES * UNIT * UNIT;
    if which < params.batch * params.parts {
        for (var e = lane % LANES; e < UNIT * UNIT; e += LANES) {
            let row = i + e / UNIT;
            let column = j + e % UNIT;
            if row < params.m && column < params.n {
                y[(which * params.m + row) * params.n + column] = edge[mine + e];
            }
        }
    }
    workgroupBarrier();
}

@compute @workgroup_size(4u * LANES)
fn matmul_matrix(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = tile_of(params.first + group_index(group, groups), BLOCK, BLOCK);
    let quarter = lane / LANES;
    let top = 2u * UNIT * (quarter / 2u);
    let left = 2u * UNIT * (quarter % 2u);
    let of_a = A_K_CONTIGUOUS == 1u;
    let of_b = B_K_CONTIGUOUS == 1u;
    // A stride is to have a name: naga 30 takes no constant expression there.
    let a_pitch = A_PITCH;
    let b_pitch = B_PITCH;
    let unit = UNIT;
    var c00: Sums;
    var c01: Sums;
    var c10: Sums;
    var c11: Sums;
    for (var k0 = tile.k; k0 < tile.end; k0 += STEP) {
        load_rows(OF_A, A_LENGTH, rows_of(of_a, tile.a, tile.i, params.m, k0, tile.end, max(params.a_row, params.a_col)), lane);
        load_rows(OF_B, B_LENGTH, rows_of(of_b, tile.b, tile.j, params.n, k0, tile.end, max(params.b_row, params.b_col)), lane);
        workgroupBarrier();
        for (var kk = 0u; kk < STEP; kk += UNIT) {
            let upper = tile_in(of_a, A_PITCH, top, kk);
            let lower = tile_in(of_a, A_PITCH, top + UNIT, kk);
            let first = tile_in(of_b, B_PITCH, left, kk);
            let second = tile_in(of_b, B_PITCH, left + UNIT, kk);
            var a0: Left;
            var a1: Left;
            var b0: Right;
            var b1: Right;
            if A_K_CONTIGUOUS == 1u {
                a0 = coopLoadT<Left>(&a_rows[upper], a_pitch);
                a1 = coopLoadT<Left>(&a_rows[lower], a_pitch);
            } else {
                a0 = coopLoad<Left>(&a_rows[upper], a_pitch);
                a1 = coopLoad<Left>(&a_rows[lower], a_pitch);
            }
            if B_K_CONTIGUOUS == 1u {
                b0 = coopLoad<Right>(&b_rows[first], b_pitch);
                b1 = coopLoad<Right>(&b_rows[second], b_pitch);
            } else {
                b0 = coopLoadT<Right>(&b_rows[first], b_pitch);
                b1 = coopLoadT<Right>(&b_rows[second], b_pitch);
            }
            c00 = coopMultiplyAdd(a0, b0, c00);
            c10 = coopMultiplyAdd(a1, b0, c10);
            c01 = coopMultiplyAdd(a0, b1, c01);
            c11 = coopMultiplyAdd(a1, b1, c11);
        }
        workgroupBarrier();
    }
    let i = tile.i + top;
    let j = tile.j + left;
    let n = params.n;
    // The unit stores whole tiles, in rows that begin at 16 bytes.
    let is_whole = tile.i + BLOCK <= params.m && tile.j + BLOCK <= params.n && params.n % 4u == 0u;
    if is_whole && tile.which < params.batch * params.parts {
        let upper = (tile.which * params.m + i) * n + j;
        let lower = upper + UNIT * n;
        let upper_right = upper + UNIT;
        let lower_right = lower + UNIT;
        coopStoreT(c00, &y[upper], n);
        coopStoreT(c01, &y[upper_right], n);
        coopStoreT(c10, &y[lower], n);
        coopStoreT(c11, &y[lower_right], n);
    } else {
        let mine = quarter * UNIT * UNIT;
        coopStoreT(c00, &edge[mine], unit);
        store_edge(tile.which, i, j, lane);
        coopStoreT(c01, &edge[mine], unit);
        store_edge(tile.which, i, j + UNIT, lane);
        coopStoreT(c10, &edge[mine], unit);
        store_edge(tile.which, i + UNIT, j, lane);
        coopStoreT(c11, &edge[mine], unit);
        store_edge(tile.which, i + UNIT, j + UNIT, lane);
    }
}
