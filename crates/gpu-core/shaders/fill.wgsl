// Writing one word everywhere, and spoiling one element (to prove that a comparison notices).

struct Params {
    len: u32, // words
    value: u32,
    high: u32, // of an f64, which the CPU device alone has
}

@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@group(0) @binding(0) var<storage, read_write> y4: array<vec4<u32>>;

@compute @workgroup_size(256)
fn fill(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        y4[i] = vec4<u32>(params.value);
    }
}

// `len` is the word's index; `value` is 0 for f32, else the bits to flip.
@compute @workgroup_size(1)
fn spoil() {
    let word = y[params.len];
    let v = bitcast<f32>(word);
    y[params.len] = select(word ^ params.value, bitcast<u32>(v + 1.0 + abs(v)), params.value == 0u);
}
