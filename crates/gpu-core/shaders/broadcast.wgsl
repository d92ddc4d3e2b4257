// How up to three operands are read as one of y's shape; it stands before the files of the operators that broadcast.
//
// A thread makes four neighbours of y. All data are words, so that one kernel serves every type: a constant says what they are.
// FORM 0: every operand has y's shape. 1: four neighbours lie in one row of each operand, because rows of y are a multiple of
// four, or there is one row. 2: anything.

const FLAT = 0u;
const ROWS = 1u;

struct Params {
    len: u32, // elements of y
    rank: u32,
    factor: f32,
    // Extents of y, and the steps through a, b and c, the last axis first; unused axes are not read. A first step is 0 or 1.
    d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32,
    a0: u32, a1: u32, a2: u32, a3: u32, a4: u32, a5: u32,
    b0: u32, b1: u32, b2: u32, b3: u32, b4: u32, b5: u32,
    c0: u32, c1: u32, c2: u32, c3: u32, c4: u32, c5: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> c: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<u32>>;

/// Where element `i` of y comes from in a, b and c.
fn source(i: u32) -> vec3<u32> {
    var rest = i;
    var at = (rest % params.d0) * vec3<u32>(params.a0, params.b0, params.c0);
    if params.rank > 1u {
        rest /= params.d0;
        at += (rest % params.d1) * vec3<u32>(params.a1, params.b1, params.c1);
    }
    if params.rank > 2u {
        rest /= params.d1;
        at += (rest % params.d2) * vec3<u32>(params.a2, params.b2, params.c2);
    }
    if params.rank > 3u {
        rest /= params.d2;
        at += (rest % params.d3) * vec3<u32>(params.a3, params.b3, params.c3);
    }
    if params.rank > 4u {
        rest /= params.d3;
        at += (rest % params.d4) * vec3<u32>(params.a4, params.b4, params.c4);
    }
    if params.rank > 5u {
        rest /= params.d4;
        at += (rest % params.d5) * vec3<u32>(params.a5, params.b5, params.c5);
    }
    return at;
}

/// Where each of four neighbours comes from.
struct Sources {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
}

/// Of the elements `4 i ..`; past the end of y, those of its last element.
fn sources(i: u32) -> Sources {
    let first = 4u * i;
    let start = source(first);
    let next = vec4<u32>(0u, 1u, 2u, 3u);
    if FORM == ROWS || (first % params.d0 + 3u < params.d0 && first + 3u < params.len) {
        return Sources(start.x + params.a0 * next, start.y + params.b0 * next, start.z + params.c0 * next);
    }
    let last = params.len - 1u;
    let p = source(min(first + 1u, last));
    let q = source(min(first + 2u, last));
    let r = source(min(first + 3u, last));
    return Sources(vec4<u32>(start.x, p.x, q.x, r.x), vec4<u32>(start.y, p.y, q.y, r.y), vec4<u32>(start.z, p.z, q.z, r.z));
}

/// Four neighbours of a, b or c.
fn words_a(i: u32, at: vec4<u32>) -> vec4<u32> {
    if FORM == FLAT {
        return a[i];
    }
    if FORM == ROWS && params.a0 == 1u {
        return a[at.x >> 2u];
    }
    return vec4<u32>(a[at.x >> 2u][at.x & 3u], a[at.y >> 2u][at.y & 3u], a[at.z >> 2u][at.z & 3u], a[at.w >> 2u][at.w & 3u]);
}

fn words_b(i: u32, at: vec4<u32>) -> vec4<u32> {
    if FORM == FLAT {
        return b[i];
    }
    if FORM == ROWS && params.b0 == 1u {
        return b[at.x >> 2u];
    }
    return vec4<u32>(b[at.x >> 2u][at.x & 3u], b[at.y >> 2u][at.y & 3u], b[at.z >> 2u][at.z & 3u], b[at.w >> 2u][at.w & 3u]);
}

fn words_c(i: u32, at: vec4<u32>) -> vec4<u32> {
    if FORM == FLAT {
        return c[i];
    }
    if FORM == ROWS && params.c0 == 1u {
        return c[at.x >> 2u];
    }
    return vec4<u32>(c[at.x >> 2u][at.x & 3u], c[at.y >> 2u][at.y & 3u], c[at.z >> 2u][at.z & 3u], c[at.w >> 2u][at.w & 3u]);
}

fn unpacked(word: u32) -> vec4<u32> {
    return (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
}

/// Four neighbours of a or b that are bytes, four to a word.
fn bytes_a(i: u32, at: vec4<u32>) -> vec4<u32> {
    if FORM == FLAT {
        return unpacked(a[i >> 2u][i & 3u]);
    }
    if FORM == ROWS && params.a0 == 1u {
        return unpacked(a[at.x >> 4u][(at.x >> 2u) & 3u]);
    }
    let w = vec4<u32>(
        a[at.x >> 4u][(at.x >> 2u) & 3u],
        a[at.y >> 4u][(at.y >> 2u) & 3u],
        a[at.z >> 4u][(at.z >> 2u) & 3u],
        a[at.w >> 4u][(at.w >> 2u) & 3u],
    );
    return (w >> (8u * (at & vec4<u32>(3u)))) & vec4<u32>(255u);
}

fn bytes_b(i: u32, at: vec4<u32>) -> vec4<u32> {
    if FORM == FLAT {
        return unpacked(b[i >> 2u][i & 3u]);
    }
    if FORM == ROWS && params.b0 == 1u {
        return unpacked(b[at.x >> 4u][(at.x >> 2u) & 3u]);
    }
    let w = vec4<u32>(
        b[at.x >> 4u][(at.x >> 2u) & 3u],
        b[at.y >> 4u][(at.y >> 2u) & 3u],
        b[at.z >> 4u][(at.z >> 2u) & 3u],
        b[at.w >> 4u][(at.w >> 2u) & 3u],
    );
    return (w >> (8u * (at & vec4<u32>(3u)))) & vec4<u32>(255u);
}

fn is_mine(i: u32) -> bool {
    return i < ceil_div(params.len, 4u);
}
