// Sums over a training that stay on the device, all of them integers: a float stops counting at 2^24.

struct Params {
    rows: u32, // of this launch
    images: u32, // that the loss is the mean of; 0 for none
}

@group(0) @binding(0) var<storage, read> predicted: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> loss: array<u32>; // the bits of a float
// The sum of the losses in units of 2^-40 (four words, two's complement), right rows, images; low words first.
@group(0) @binding(3) var<storage, read_write> sums: array<u32, 8>;

var<workgroup> counts: array<u32, LANES>;

/// Low words first; `by` bits up, or down without what falls off.
fn shifted(v: vec4<u32>, by: i32) -> vec4<u32> {
    let words = u32(abs(by)) / 32u;
    let bits = u32(abs(by)) % 32u;
    var w = v;
    if by >= 0 {
        w = select(w, vec4<u32>(0u, w.xyz), (words & 1u) != 0u);
        w = select(w, vec4<u32>(0u, 0u, w.xy), (words & 2u) != 0u);
        if bits > 0u {
            w = (w << vec4<u32>(bits)) | (vec4<u32>(0u, w.xyz) >> vec4<u32>(32u - bits));
        }
        return w;
    }
    w = select(w, vec4<u32>(w.yzw, 0u), (words & 1u) != 0u);
    w = select(w, vec4<u32>(w.zw, 0u, 0u), (words & 2u) != 0u);
    if bits > 0u {
        w = (w >> vec4<u32>(bits)) | (vec4<u32>(w.yzw, 0u) << vec4<u32>(32u - bits));
    }
    return w;
}

/// Adds the loss times the images. What is no number, or too large for the words, is told by the word that no sum has.
fn add_loss(bits: u32) {
    if sums[3] == 0x80000000u {
        return;
    }
    let exponent = (bits >> 23u) & 0xffu;
    let product = mul_wide(params.images, (bits & 0x7fffffu) | select(0u, 0x800000u, exponent > 0u));
    // The product times 2^(exponent - 150).
    let up = i32(max(exponent, 1u)) - 110;
    let len = select(firstLeadingBit(product.x) + 33u, firstLeadingBit(product.y) + 1u, product.x == 0u);
    let is_nan = exponent == 255u && (bits & 0x7fffffu) > 0u;
    if exponent == 255u || i32(len) + up > 100 {
        // 0 for infinity, 1 for minus infinity, 2 for what is no number.
        sums[0] = select(bits >> 31u, 2u, is_nan);
        sums[1] = 0u;
        sums[2] = 0u;
        sums[3] = 0x80000000u;
        return;
    }
    var term = shifted(vec4<u32>(product.y, product.x, 0u, 0u), up);
    var carry = bits >> 31u;
    if carry == 1u {
        term = ~term;
    }
    for (var word = 0u; word < 4u; word++) {
        let first = sums[word] + carry;
        let second = first + term[word];
        carry = select(0u, 1u, first < carry || second < first);
        sums[word] = second;
    }
}

@compute @workgroup_size(LANES)
fn accumulate_metrics(@builtin(local_invocation_index) lane: u32) {
    var count = 0u;
    for (var i = lane; i < params.rows; i += LANES) {
        count += select(0u, 1u, predicted[i] == labels[i]);
    }
    if LANES > 1u {
        counts[lane] = count;
        for (var half = LANES / 2u; half > 0u; half >>= 1u) {
            workgroupBarrier();
            if lane < half {
                counts[lane] += counts[lane + half];
            }
        }
        count = counts[lane];
    }
    if lane == 0u {
        add_count(4u, count);
        if params.images > 0u {
            add_count(6u, params.images);
            add_loss(loss[0]);
        }
    }
}
