// c + k * b rounded once, by integers alone: WGSL lets a device fuse a product and a sum or not, so floats would differ.

/// Leading zeros of a 64-bit number (high word, low word) that is not zero.
fn leading_zeros(v: vec2<u32>) -> u32 {
    return select(31u - firstLeadingBit(v.x), 63u - firstLeadingBit(v.y), v.x == 0u);
}

fn shift_left(v: vec2<u32>, n: u32) -> vec2<u32> {
    if n == 0u {
        return v;
    }
    if n >= 32u {
        return vec2<u32>(v.y << (n - 32u), 0u);
    }
    return vec2<u32>((v.x << n) | (v.y >> (32u - n)), v.y << n);
}

/// What falls off is kept as one bit: enough to round by.
fn shift_right(v: vec2<u32>, n: u32) -> vec2<u32> {
    if n == 0u {
        return v;
    }
    if n >= 64u {
        return vec2<u32>(0u, select(0u, 1u, (v.x | v.y) != 0u));
    }
    if n >= 32u {
        let kept = select(v.x >> (n - 32u), 0u, n == 64u);
        let lost = v.y | select(v.x << (64u - n), 0u, n == 32u);
        return vec2<u32>(0u, kept | select(0u, 1u, lost != 0u));
    }
    let lost = v.y << (32u - n);
    return vec2<u32>(v.x >> n, (v.y >> n) | (v.x << (32u - n)) | select(0u, 1u, lost != 0u));
}

/// The bits of `c + k * b`, the nearest f32, the even one of two; b and c are the bits of finite numbers.
fn multiple_plus(k: u32, b: u32, c: u32) -> u32 {
    // A number is m * 2^(e - 150).
    let b_exponent = max((b >> 23u) & 0xffu, 1u);
    let c_exponent = max((c >> 23u) & 0xffu, 1u);
    let b_mantissa = (b & 0x7fffffu) | select(0u, 0x800000u, (b & 0x7f800000u) != 0u);
    let c_mantissa = (c & 0x7fffffu) | select(0u, 0x800000u, (c & 0x7f800000u) != 0u);
    var p = mul_wide(k, b_mantissa);
    var q = vec2<u32>(0u, c_mantissa);
    if (p.x | p.y) == 0u {
        return c;
    }
    // Both with their highest bit at 61: a sum fits, and what cancels much is shifted little.
    let p_up = leading_zeros(p) - 2u;
    p = shift_left(p, p_up);
    var e = i32(b_exponent) - i32(p_up);
    if c_mantissa != 0u {
        let q_up = leading_zeros(q) - 2u;
        q = shift_left(q, q_up);
        let ahead = e - (i32(c_exponent) - i32(q_up));
        if ahead >= 0 {
            q = shift_right(q, u32(ahead));
        } else {
            p = shift_right(p, u32(-ahead));
            e -= ahead;
        }
    }
    var sign = b & 0x80000000u;
    var sum: vec2<u32>;
    if ((b ^ c) >> 31u) == 0u {
        let low = p.y + q.y;
        sum = vec2<u32>(p.x + q.x + select(0u, 1u, low < p.y), low);
    } else {
        if p.x < q.x || (p.x == q.x && p.y < q.y) {
            let larger = q;
            q = p;
            p = larger;
            sign ^= 0x80000000u;
        }
        sum = vec2<u32>(p.x - q.x - select(0u, 1u, p.y < q.y), p.y - q.y);
    }
    if (sum.x | sum.y) == 0u {
        return 0u;
    }
    let up = leading_zeros(sum);
    sum = shift_left(sum, up);
    var exponent = e - i32(up) + 40;
    if exponent < 1 {
        sum = shift_right(sum, u32(1 - exponent));
        exponent = 1;
    }
    if exponent > 254 {
        return sign | 0x7f800000u;
    }
    let kept = sum.x >> 8u;
    let rest = sum.x & 0xffu;
    let more = rest > 0x80u || (rest == 0x80u && (sum.y != 0u || (kept & 1u) == 1u));
    // The mantissa's highest bit and a carry go into the exponent, as they should.
    return sign | ((u32(exponent - 1) << 23u) + kept + select(0u, 1u, more));
}
