// Convolution by workgroup tiles: a workgroup owns 8 WG_Y output channels by 128 pixels, walks (c, r, s) in steps of BK through
// workgroup memory, and each invocation holds 8 x 8 sums.

const BK: u32 = 8u;
const TILE_C: u32 = 8u * WG_Y;
const TILE_P: u32 = 128u;
const THREADS: u32 = 16u * WG_Y;
var<workgroup> w_tile: array<vec4<f32>, BK * TILE_C / 4u>;
var<workgroup> x_tile: array<vec4<f32>, BK * TILE_P / 4u>;

fn load_tiles(group: u32, channel0: u32, pixel0: u32, k0: u32, lane: u32) {
    let k_end = params.in_c * TAPS;
    for (var e = lane; e < BK * TILE_C; e += THREADS) {
        let channel = channel0 + e / BK;
        let k = k0 + e % BK;
        var v = 0.0;
        if channel < params.out_c && k < k_end {
            v = w[group * params.w_group + channel * params.w_out + (k / TAPS) * params.w_in + k % TAPS];
        }
        w_tile[(e % BK) * (TILE_C / 4u) + e / (4u * BK)][(e / BK) % 4u] = v;
    }
    for (var p = lane; p < TILE_P; p += THREADS) {
        let pixel = pixel_of(pixel0 + p);
        let inside = pixel.image < params.batch;
        let first = (pixel.image * params.groups + group) * params.in_c;
        for (var kk = 0u; kk < BK; kk++) {
            let k = k0 + kk;
            let tap = k % TAPS;
            var v = 0.0;
            if inside && k < k_end {
                let plane = (first + k / TAPS) * params.in_h * params.in_w;
                v = read_tap(plane, read_row(pixel.row, tap / S), read_column(pixel.column, tap % S));
            }
            x_tile[kk * (TILE_P / 4u) + p / 4u][p % 4u] = v;
        }
    }
}

/// An invocation's rows are 4 y .. and 4 y + TILE_C / 2 .., its columns 4 x .. and 4 x + 64 ..
fn multiply_tiles(sums: ptr<function, array<vec4<f32>, 16>>, x: u32, y: u32) {
    for (var kk = 0u; kk < BK; kk++) {
        let a0 = w_tile[kk * (TILE_C / 4u) + y];
        let a1 = w_tile[kk * (TILE_C / 4u) + WG_Y + y];
        let b0 = x_tile[kk * (TILE_P / 4u) + x];
        let b1 = x_tile[kk * (TILE_P / 4u) + 16u + x];
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
}

fn tiled(group_id: u32, id: vec3<u32>) {
    let tile_p = group_id % params.tiles_p;
    let rest = group_id / params.tiles_p;
    let channel0 = (rest % params.tiles_c) * TILE_C;
    let group = rest / params.tiles_c;
    var sums: array<vec4<f32>, 16>;
    for (var k0 = 0u; k0 < params.in_c * TAPS; k0 += BK) {
        load_tiles(group, channel0, tile_p * TILE_P, k0, id.y * 16u + id.x);
        workgroupBarrier();
        multiply_tiles(&sums, id.x, id.y);
        workgroupBarrier();
    }
    if group >= params.groups {
        return;
    }
    for (var i = 0u; i < 8u; i++) {
        let channel = channel0 + (i / 4u) * (TILE_C / 2u) + 4u * id.y + i % 4u;
        for (var j = 0u; j < 2u; j++) {
            let pixel = tile_p * TILE_P + 64u * j + 4u * id.x;
            let v = sums[2u * i + j];
            store(group, channel, pixel, v.x);
            store(group, channel, pixel + 1u, v.y);
            store(group, channel, pixel + 2u, v.z);
            store(group, channel, pixel + 3u, v.w);
        }
    }
}

@compute @workgroup_size(16, WG_Y)
fn conv2d_tiled(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    tiled(group_index(group, groups), id);
}

@compute @workgroup_size(16, WG_Y)
fn conv2d_bwd_x_tiled(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_id) id: vec3<u32>) {
    tiled(group_index(group, groups), id);
}
