// `y = x + y`, four elements an invocation: the sums of two parts of a batch. What is subnormal counts as zero, before and after, since a
// device may take it for that and a host does not; and a zero is positive. What lies behind the tensor is left alone.

struct Params {
    len: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<u32>>;

fn without_subnormals(bits: vec4<u32>) -> vec4<u32> {
    return select(bits, vec4<u32>(), (bits & vec4<u32>(0x7f800000u)) == vec4<u32>());
}

@compute @workgroup_size(256)
fn join(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    let sum = bitcast<vec4<f32>>(without_subnormals(x[i])) + bitcast<vec4<f32>>(without_subnormals(y[i]));
    let inside = vec4<u32>(4u * i) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.len);
    y[i] = select(y[i], without_subnormals(bitcast<vec4<u32>>(sum)), inside);
}
