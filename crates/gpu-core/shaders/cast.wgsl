// Elements of one type as another, by integer arithmetic on their bits, so that every device gives the same. Four elements an
// invocation: a vec4 of words, or the one or two words that four narrow elements take.
//
// The header gives FROM and TO: 0 f32, 1 f16, 2 i32, 3 u32, 4 u8, 5 bool. `halves.wgsl` stands before this file.

struct Params {
    len: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(0) var<storage, read> x4: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(1) var<storage, read_write> y4: array<vec4<u32>>;

const F32 = 0u;
const F16 = 1u;
const I32 = 2u;
const U32 = 3u;
const U8 = 4u;
const BOOL = 5u;

/// An f16 as f32.
fn float_of_half(h: u32) -> u32 {
    let sign = (h & 0x8000u) << 16u;
    let e = (h >> 10u) & 31u;
    let m = h & 0x3ffu;
    if e == 31u {
        return sign | 0x7f800000u | (m << 13u) | select(0u, 0x400000u, m != 0u);
    }
    if e != 0u {
        return sign | ((e + 112u) << 23u) | (m << 13u);
    }
    if m == 0u {
        return sign;
    }
    let k = firstLeadingBit(m);
    return sign | ((k + 103u) << 23u) | ((m << (23u - k)) & 0x7fffffu);
}

/// The f32 nearest to an integer, the even one of two.
fn float_of_magnitude(sign: u32, n: u32) -> u32 {
    if n == 0u {
        return 0u;
    }
    let k = firstLeadingBit(n);
    let exponent = sign | ((k + 126u) << 23u);
    if k <= 23u {
        return exponent + (n << (23u - k));
    }
    let shift = k - 23u;
    let q = n >> shift;
    let rest = n & ((1u << shift) - 1u);
    let half = 1u << (shift - 1u);
    // A carry goes into the exponent, as it should.
    return exponent + q + select(0u, 1u, rest > half || (rest == half && (q & 1u) == 1u));
}

/// An f32 without its fraction, the nearest that TO holds; 0 for NaN.
fn integer_of(v: u32) -> u32 {
    let negative = (v >> 31u) == 1u;
    let a = v & 0x7fffffffu;
    if a > 0x7f800000u || a < 0x3f800000u || (negative && TO != I32) {
        return 0u;
    }
    let e = (a >> 23u) - 127u;
    let m = (a & 0x7fffffu) | 0x800000u;
    var n = 0xffffffffu;
    if e < 32u {
        n = select(m >> (23u - min(e, 23u)), m << (max(e, 23u) - 23u), e > 23u);
    }
    if TO == I32 {
        return select(min(n, 0x7fffffffu), 0u - min(n, 0x80000000u), negative);
    }
    return select(n, min(n, 255u), TO == U8);
}

fn converted(v: u32) -> u32 {
    if FROM == F32 || FROM == F16 {
        let bits = select(v, float_of_half(v), FROM == F16);
        switch TO {
            case F32: { return bits; }
            case F16: { return half_of(bits); }
            case BOOL: { return select(0u, 1u, (bits & 0x7fffffffu) != 0u); }
            default: {}
        }
        return integer_of(bits);
    }
    let n = select(v, min(v, 1u), FROM == BOOL);
    let negative = FROM == I32 && (n >> 31u) == 1u;
    let bits = float_of_magnitude(select(0u, 0x80000000u, negative), select(n, 0u - n, negative));
    switch TO {
        case F32: { return bits; }
        case F16: { return half_of(bits); } // Exact in f32 wherever it is finite in f16.
        case BOOL: { return select(0u, 1u, n != 0u); }
        case U8: { return n & 0xffu; }
        default: {}
    }
    return n;
}

fn converted4(v: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(converted(v.x), converted(v.y), converted(v.z), converted(v.w));
}

/// Elements `4 * i ..` of a narrow x.
fn unpacked(i: u32) -> vec4<u32> {
    if FROM == F16 {
        let a = x[2u * i];
        let b = x[2u * i + 1u];
        return vec4<u32>(a & 0xffffu, a >> 16u, b & 0xffffu, b >> 16u);
    }
    return (vec4<u32>(x[i]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(0xffu);
}

/// Writes elements `4 * i ..` of a narrow y.
fn pack(i: u32, v: vec4<u32>) {
    if TO == F16 {
        y[2u * i] = v.x | (v.y << 16u);
        y[2u * i + 1u] = v.z | (v.w << 16u);
    } else {
        y[i] = v.x | (v.y << 8u) | (v.z << 16u) | (v.w << 24u);
    }
}

@compute @workgroup_size(256)
fn cast_words(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        y4[i] = converted4(x4[i]);
    }
}

@compute @workgroup_size(256)
fn cast_narrowing(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        pack(i, converted4(x4[i]));
    }
}

@compute @workgroup_size(256)
fn cast_widening(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        y4[i] = converted4(unpacked(i));
    }
}

@compute @workgroup_size(256)
fn cast_narrow(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i < params.len {
        pack(i, converted4(unpacked(i)));
    }
}
