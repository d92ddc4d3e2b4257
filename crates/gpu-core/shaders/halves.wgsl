// Elements in f16, two to a word: shared by what reads or writes them, and put before it.

/// The element at `at`, which lies in this word.
fn half_in(word: u32, at: u32) -> f32 {
    let both = unpack2x16float(word);
    return select(both.x, both.y, (at & 1u) == 1u);
}

/// The f16 nearest to an f32, the even one of two; subnormals, infinities and NaN included.
fn half_of(v: u32) -> u32 {
    let sign = (v >> 16u) & 0x8000u;
    let a = v & 0x7fffffffu;
    if a > 0x7f800000u {
        return sign | 0x7e00u | ((a >> 13u) & 0x3ffu);
    }
    if a >= 0x477ff000u { // 65520, half a step over the largest
        return sign | 0x7c00u;
    }
    if a >= 0x38800000u { // 2^-14, the smallest normal
        let r = a - 0x38000000u;
        return sign | ((r + 0xfffu + ((r >> 13u) & 1u)) >> 13u);
    }
    let e = a >> 23u;
    if e < 102u { // below 2^-25
        return sign;
    }
    // In units of 2^-24.
    let m = (a & 0x7fffffu) | 0x800000u;
    let shift = 126u - e;
    return sign | ((m + (1u << (shift - 1u)) - 1u + ((m >> shift) & 1u)) >> shift);
}
