// Where the taps of a convolution read: shared by conv2d, im2col and depthwise, and put before them. The geometry stands in
// constants: R, S (taps), STRIDE, PADDING, DILATION by axis, and TRANSPOSED for the direction that runs a stride backwards.

const TAPS: u32 = R * S;

/// Where output position `at` reads through tap `t`; negative or past the end where it reads nothing.
fn read_row(at: u32, t: u32) -> i32 {
    if TRANSPOSED == 1u {
        let moved = i32(at + PAD_H) - i32(t * DILATION_H);
        return select(-1, moved / i32(STRIDE_H), moved >= 0 && moved % i32(STRIDE_H) == 0);
    }
    return i32(at * STRIDE_H + t * DILATION_H) - i32(PAD_H);
}

fn read_column(at: u32, t: u32) -> i32 {
    if TRANSPOSED == 1u {
        let moved = i32(at + PAD_W) - i32(t * DILATION_W);
        return select(-1, moved / i32(STRIDE_W), moved >= 0 && moved % i32(STRIDE_W) == 0);
    }
    return i32(at * STRIDE_W + t * DILATION_W) - i32(PAD_W);
}

