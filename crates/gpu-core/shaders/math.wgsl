// Functions of floats with the edge cases of C, four at a time; it stands before the files that use them.
//
// Results are words: NaN and infinity are told, and made, by their bits, since a WGSL compiler may assume that there are none.

const NAN = 0x7fc00000u;
const INFINITY = 0x7f800000u;
const SIGN = 0x80000000u;

fn bits(v: vec4<f32>) -> vec4<u32> {
    return bitcast<vec4<u32>>(v);
}

fn is_nan(v: vec4<f32>) -> vec4<bool> {
    return (bits(v) & vec4<u32>(~SIGN)) > vec4<u32>(INFINITY);
}

fn is_infinite(v: vec4<f32>) -> vec4<bool> {
    return (bits(v) & vec4<u32>(~SIGN)) == vec4<u32>(INFINITY);
}

fn is_zero(v: vec4<f32>) -> vec4<bool> {
    return (bits(v) & vec4<u32>(~SIGN)) == vec4<u32>(0u);
}

fn is_signed(v: vec4<f32>) -> vec4<bool> {
    return (bits(v) & vec4<u32>(SIGN)) != vec4<u32>(0u);
}

fn sign_bit(v: vec4<f32>) -> vec4<u32> {
    return bits(v) & vec4<u32>(SIGN);
}

/// 1 / v.
fn inverse(v: vec4<f32>) -> vec4<u32> {
    var y = bits(1.0 / v);
    y = select(y, sign_bit(v) | vec4<u32>(INFINITY), is_zero(v));
    return select(y, sign_bit(v), is_infinite(v));
}

fn square_root(v: vec4<f32>) -> vec4<u32> {
    let y = select(bits(sqrt(v)), vec4<u32>(NAN), is_signed(v));
    return select(y, bits(v), is_zero(v) | (bits(v) == vec4<u32>(INFINITY)));
}

fn exponential(v: vec4<f32>) -> vec4<u32> {
    // e^88.72284 is over the largest float; what is under the smallest may be zero at any rate.
    let y = select(bits(exp(v)), vec4<u32>(INFINITY), v > vec4<f32>(88.72284));
    return select(y, vec4<u32>(0u), v < vec4<f32>(-104.0));
}

fn logarithm(v: vec4<f32>) -> vec4<u32> {
    var y = select(bits(log(v)), vec4<u32>(NAN), is_signed(v));
    y = select(y, vec4<u32>(INFINITY | SIGN), is_zero(v));
    return select(y, bits(v), bits(v) == vec4<u32>(INFINITY));
}

/// x to the power of e, as C has it. WGSL's own is for x > 0 only.
fn power(x: vec4<f32>, e: vec4<f32>) -> vec4<u32> {
    let size = abs(x);
    let whole = e == floor(e);
    let odd = whole & (0.5 * e != floor(0.5 * e));
    // Where a logarithm or a product would be infinite, only the direction counts.
    let edge = is_zero(x) | is_infinite(x) | is_infinite(e);
    let limit = select(vec4<u32>(0u), vec4<u32>(INFINITY), (size > vec4<f32>(1.0)) == (e > vec4<f32>(0.0)));
    var y = select(bits(pow(size, e)), limit, edge);
    y = select(y, y | sign_bit(x), odd);
    y = select(y, vec4<u32>(NAN), is_signed(x) & !whole & !is_zero(x) & !is_infinite(x));
    y = select(y, vec4<u32>(NAN), is_nan(x) | is_nan(e));
    let one = is_zero(e) | (x == vec4<f32>(1.0)) | ((size == vec4<f32>(1.0)) & is_infinite(e));
    return select(y, bits(vec4<f32>(1.0)), one);
}
