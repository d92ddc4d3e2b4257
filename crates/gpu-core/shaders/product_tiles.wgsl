// Two tiles in workgroup memory and their product: shared by the tiled forms of matmul and conv2d, and put before them.
//
// A workgroup of WG_X x WG_Y invocations owns TILE_A rows by TILE_B columns of a product and walks its sum in steps of BK; each
// invocation holds 8 x 8 sums. Both tiles lie step-major, four neighbouring rows (or columns) in a word of 16 bytes. A word is written
// as a whole: a write to one component of a vector may touch the others, which another invocation writes.

const TILE_A: u32 = 8u * WG_Y;
const TILE_B: u32 = 8u * WG_X;
const THREADS: u32 = WG_X * WG_Y;
var<workgroup> a_tile: array<vec4<f32>, BK * TILE_A / 4u>;
var<workgroup> b_tile: array<vec4<f32>, BK * TILE_B / 4u>;

/// Which of the two tiles is meant.
const OF_A: bool = false;
const OF_B: bool = true;

fn put_word(of_b: bool, at: u32, v: vec4<f32>) {
    if of_b {
        b_tile[at] = v;
    } else {
        a_tile[at] = v;
    }
}

/// Writes four steps of the sum, from `step` on, of the four rows (of tile B: columns) of a word: what was read along the sum is
/// turned.
fn put(of_b: bool, step: u32, word: u32, row0: vec4<f32>, row1: vec4<f32>, row2: vec4<f32>, row3: vec4<f32>) {
    let steps = transpose(mat4x4<f32>(row0, row1, row2, row3));
    let width = select(TILE_A / 4u, TILE_B / 4u, of_b);
    let at = step * width + word;
    put_word(of_b, at, steps[0]);
    put_word(of_b, at + width, steps[1]);
    put_word(of_b, at + 2u * width, steps[2]);
    put_word(of_b, at + 3u * width, steps[3]);
}

/// Adds one step of the sum: rows 4 y .. and 4 y + TILE_A / 2 .., columns likewise. The two halves keep neighbouring invocations
/// on neighbouring words.
fn multiply_step(sums: ptr<function, array<vec4<f32>, 16>>, a: u32, b: u32) {
    let a0 = a_tile[a];
    let a1 = a_tile[a + WG_Y];
    let b0 = b_tile[b];
    let b1 = b_tile[b + WG_X];
    (*sums)[0] += a0.x * b0;
    (*sums)[1] += a0.x * b1;
    (*sums)[2] += a0.y * b0;
    (*sums)[3] += a0.y * b1;
    (*sums)[4] += a0.z * b0;
    (*sums)[5] += a0.z * b1;
    (*sums)[6] += a0.w * b0;
    (*sums)[7] += a0.w * b1;
    (*sums)[8] += a1.x * b0;
    (*sums)[9] += a1.x * b1;
    (*sums)[10] += a1.y * b0;
    (*sums)[11] += a1.y * b1;
    (*sums)[12] += a1.z * b0;
    (*sums)[13] += a1.z * b1;
    (*sums)[14] += a1.w * b0;
    (*sums)[15] += a1.w * b1;
}

/// Adds the product of the two tiles. Four steps at a time: alone, a step's 64 multiply-adds are 85 % of its instructions, and by
/// fours 90 %.
fn multiply_tiles(sums: ptr<function, array<vec4<f32>, 16>>, x: u32, y: u32) {
    for (var step = 0u; step < BK; step += 4u) {
        let a = step * (TILE_A / 4u) + y;
        let b = step * (TILE_B / 4u) + x;
        multiply_step(sums, a, b);
        multiply_step(sums, a + TILE_A / 4u, b + TILE_B / 4u);
        multiply_step(sums, a + TILE_A / 2u, b + TILE_B / 2u);
        multiply_step(sums, a + 3u * TILE_A / 4u, b + 3u * TILE_B / 4u);
    }
}
