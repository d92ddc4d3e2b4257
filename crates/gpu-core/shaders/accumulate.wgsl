// `y = keep * y + scale * x`: gradients on their way into an arena, statistics of a batch into the running ones; four elements an
// invocation. What lies behind the tensor is left alone: it may be a neighbour's, and in an arena of gradients it is zero.

struct Params {
    len: u32,
    keep: f32, // of what lies there; at 0 it may be anything
    scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(256)
fn accumulate(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= ceil_div(params.len, 4u) {
        return;
    }
    var sum = params.scale * x[i];
    if params.keep != 0.0 {
        sum += params.keep * y[i];
    }
    if 4u * i + 4u > params.len {
        let inside = vec4<u32>(4u * i) + vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(params.len);
        sum = select(y[i], sum, inside);
    }
    y[i] = sum;
}
