// The weight gradient by workgroup tiles (`product_tiles.wgsl`, before this file): TILE_A output channels by TILE_B columns
// (c, r, s), BK pixels at a time.

/// All sums of an invocation: rows 4 y .. and 4 y + TILE_A / 2 .., columns likewise.
fn store_tile(tile: Tile, sums: ptr<function, array<vec4<f32>, 16>>, x0: u32, y0: u32) {
    if tile.split >= params.splits {
        return;
    }
    let k = tile.k * TILE_A + 4u * y0;
    let j = tile.j * TILE_B + 4u * x0;
    // Constant indices: one index at run time would put all sums into memory.
    store_four(tile, k + 0u, j, (*sums)[0], (*sums)[1]);
    store_four(tile, k + 1u, j, (*sums)[2], (*sums)[3]);
    store_four(tile, k + 2u, j, (*sums)[4], (*sums)[5]);
    store_four(tile, k + 3u, j, (*sums)[6], (*sums)[7]);
    store_four(tile, k + TILE_A / 2u + 0u, j, (*sums)[8], (*sums)[9]);
    store_four(tile, k + TILE_A / 2u + 1u, j, (*sums)[10], (*sums)[11]);
    store_four(tile, k + TILE_A / 2u + 2u, j, (*sums)[12], (*sums)[13]);
    store_four(tile, k + TILE_A / 2u + 3u, j, (*sums)[14], (*sums)[15]);
}

/// Four columns of each half of the tile.
fn store_four(tile: Tile, k: u32, j: u32, low: vec4<f32>, high: vec4<f32>) {
    for (var i = 0u; i < 4u; i++) {
        store(tile, k, j + i, low[i]);
        store(tile, k, j + TILE_B / 2u + i, high[i]);
    }
}

/// The pixels over which a tile sums: from, and to.
fn start_of(tile: Tile) -> u32 {
    return min(tile.split * params.rows_per_split, params.rows) * params.out_w;
}

fn end_of(tile: Tile) -> u32 {
    return min((tile.split + 1u) * params.rows_per_split, params.rows) * params.out_w;
}

/// A pixel of the output, counted over the batch: what an invocation works out once a step.
struct Pixel {
    inside: bool,
    row: u32,
    column: u32,
    dy: u32, // where it lies in channel 0 of its image and group
    x: u32, // where the input of these begins
}

fn pixel_of(tile: Tile, index: u32, end: u32) -> Pixel {
    let plane = params.out_h * params.out_w;
    let image = (index / plane) * params.groups + tile.group;
    let within = index % plane;
    return Pixel(index < end, within / params.out_w, within % params.out_w, image * params.out_c * plane + within, image * params.in_c * params.in_h * params.in_w);
}

/// Where something is read, if it is inside; the first element where it is not, so that no branch is needed.
struct At {
    index: u32,
    inside: bool,
}

fn dy_at(pixel: Pixel, k: u32) -> At {
    let inside = pixel.inside && k < params.out_c;
    return At(select(0u, pixel.dy + k * params.out_h * params.out_w, inside), inside);
}

/// Column j = (c, r, s) of the product.
fn column_at(pixel: Pixel, j: u32) -> At {
    let row = read_row(pixel.row, (j % TAPS) / S);
    let column = read_column(pixel.column, j % S);
    let inside = pixel.inside && j < params.in_c * TAPS && u32(row) < params.in_h && u32(column) < params.in_w;
    let index = pixel.x + ((j / TAPS) * params.in_h + u32(row)) * params.in_w + u32(column);
    return At(select(0u, index, inside), inside);
}

fn read_dy(at: u32, inside: bool) -> f32 {
    if inside {
        return dy[at];
    }
    return 0.0;
}

fn read_x(pixel: Pixel, j: u32) -> f32 {
    if pixel.inside && j < params.in_c * TAPS {
        return read_column_of(pixel.x, j, pixel.row, pixel.column);
    }
    return 0.0;
}

@compute @workgroup_size(WG_X, WG_Y)
fn conv2d_bwd_w_tiled(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    let tile = tile_of(params.first + group_index(group, groups));
    let lane = id.y * WG_X + id.x;
    let plane = params.out_h * params.out_w;
    let end = end_of(tile);
    // A lane keeps its place among the pixels, so neighbours read neighbours.
    let kk = lane % BK;
    var sums: array<vec4<f32>, 16>;
    for (var first = start_of(tile); first < end; first += BK) {
        let pixel = pixel_of(tile, first + kk, end);
        for (var word = lane / BK; word < TILE_A / 4u; word += THREADS / BK) {
            let k = tile.k * TILE_A + 4u * word;
            let at = pixel.dy + k * plane;
            a_tile[kk * (TILE_A / 4u) + word] = vec4<f32>(
                read_dy(at, pixel.inside && k < params.out_c),
                read_dy(at + plane, pixel.inside && k + 1u < params.out_c),
                read_dy(at + 2u * plane, pixel.inside && k + 2u < params.out_c),
                read_dy(at + 3u * plane, pixel.inside && k + 3u < params.out_c),
            );
        }
        for (var word = lane / BK; word < TILE_B / 4u; word += THREADS / BK) {
            let j = tile.j * TILE_B + 4u * word;
            b_tile[kk * (TILE_B / 4u) + word] = vec4<f32>(
                read_x(pixel, j),
                read_x(pixel, j + 1u),
                read_x(pixel, j + 2u),
                read_x(pixel, j + 3u),
            );
        }
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    store_tile(tile, &sums, id.x, id.y);
}

// ---- by 16-byte loads: rows of one tap, or of three with unit step and one zero around, over planes of whole words ----------

@group(0) @binding(0) var<storage, read> x4: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dy4: array<vec4<f32>>;

@group(0) @binding(3) var<storage, read_write> dw4: array<vec4<f32>>;

/// Words of a row of a step. A lane has one of four neighbouring rows of either tile: there are 4 THREADS / QUADS of them.
const QUADS: u32 = BK / 4u;

/// A column (c, r, s) of the product: what a lane works out once.
struct Column {
    first: u32, // where its channel begins, in words
    r: u32,
    s: u32,
    inside: bool,
}

fn column_of(j: u32) -> Column {
    let words = params.in_w / 4u;
    return Column((j / TAPS) * params.in_h * words, (j % TAPS) / S, j % S, j < params.in_c * TAPS);
}

/// Four pixels of a column: their word and, for the outer taps of three, the pixel beside it.
fn read_word(column: Column, plane0: u32, p: u32, word: u32) -> vec4<f32> {
    let words = params.in_w / 4u;
    let row = read_row(p, column.r);
    if !column.inside || u32(row) >= params.in_h {
        return vec4<f32>();
    }
    let at = plane0 + column.first + u32(row) * words + word;
    let v = x4[at];
    if S == 1u {
        return v;
    }
    // The word beside this one, or this one where the row ends.
    let beside = word + column.s - 1u;
    let ends = beside >= words;
    let edge = x4[at + select(column.s - 1u, 0u, ends)][select(0u, 3u, column.s == 0u)];
    let other = select(edge, 0.0, ends);
    let shifted = select(vec4<f32>(v.yzw, other), vec4<f32>(other, v.xyz), column.s == 0u);
    return select(shifted, v, column.s == 1u);
}

/// Four columns of each half of the tile.
fn store_words(tile: Tile, k: u32, j: u32, low: vec4<f32>, high: vec4<f32>) {
    let columns = params.in_c * TAPS;
    let first = tile.split * params.len + (tile.group * params.out_c + k) * columns;
    if k < params.out_c && j < columns {
        dw4[(first + j) / 4u] = low;
    }
    if k < params.out_c && j + TILE_B / 2u < columns {
        dw4[(first + j + TILE_B / 2u) / 4u] = high;
    }
}

@compute @workgroup_size(WG_X, WG_Y)
fn conv2d_bwd_w_tiled4(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    let tile = tile_of(params.first + group_index(group, groups));
    let lane = id.y * WG_X + id.x;
    let words = params.out_w / 4u;
    let plane = params.out_h * words;
    let start = min(tile.split * params.rows_per_split, params.rows) * words;
    let end = min((tile.split + 1u) * params.rows_per_split, params.rows) * words;
    // A lane keeps its place among the pixels and its rows of the tiles.
    let quad = lane % QUADS;
    let rows = lane / QUADS;
    let k = tile.k * TILE_A + 4u * rows;
    let j0 = tile.j * TILE_B + 4u * rows;
    let column0 = column_of(j0);
    let column1 = column_of(j0 + 1u);
    let column2 = column_of(j0 + 2u);
    let column3 = column_of(j0 + 3u);
    var sums: array<vec4<f32>, 16>;
    for (var first = start; first < end; first += QUADS) {
        let at = first + quad;
        let image = (at / plane) * params.groups + tile.group;
        let within = at % plane;
        let p = within / words;
        let word = within % words;
        let dy0 = (image * params.out_c + k) * plane + within;
        let plane0 = image * params.in_c * params.in_h * (params.in_w / 4u);
        var dy_0 = vec4<f32>();
        var dy_1 = vec4<f32>();
        var dy_2 = vec4<f32>();
        var dy_3 = vec4<f32>();
        var x_0 = vec4<f32>();
        var x_1 = vec4<f32>();
        var x_2 = vec4<f32>();
        var x_3 = vec4<f32>();
        if at < end {
            if k < params.out_c { dy_0 = dy4[dy0]; }
            if k + 1u < params.out_c { dy_1 = dy4[dy0 + plane]; }
            if k + 2u < params.out_c { dy_2 = dy4[dy0 + 2u * plane]; }
            if k + 3u < params.out_c { dy_3 = dy4[dy0 + 3u * plane]; }
            x_0 = read_word(column0, plane0, p, word);
            x_1 = read_word(column1, plane0, p, word);
            x_2 = read_word(column2, plane0, p, word);
            x_3 = read_word(column3, plane0, p, word);
        }
        put(OF_A, 4u * quad, rows, dy_0, dy_1, dy_2, dy_3);
        put(OF_B, 4u * quad, rows, x_0, x_1, x_2, x_3);
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    if tile.split >= params.splits {
        return;
    }
    let row = tile.k * TILE_A + 4u * id.y;
    let j = tile.j * TILE_B + 4u * id.x;
    store_words(tile, row + 0u, j, sums[0], sums[1]);
    store_words(tile, row + 1u, j, sums[2], sums[3]);
    store_words(tile, row + 2u, j, sums[4], sums[5]);
    store_words(tile, row + 3u, j, sums[6], sums[7]);
    store_words(tile, row + TILE_A / 2u + 0u, j, sums[8], sums[9]);
    store_words(tile, row + TILE_A / 2u + 1u, j, sums[10], sums[11]);
    store_words(tile, row + TILE_A / 2u + 2u, j, sums[12], sums[13]);
    store_words(tile, row + TILE_A / 2u + 3u, j, sums[14], sums[15]);
}
