// Channels to pixels and back: y[n, c, h R + i, w R + j] = x[n, (c R + i) R + j, h, w]. R is constant.

struct Params {
    planes: u32, // n * c, of the tensor with fewer channels
    h: u32, // of the smaller planes
    w: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

/// Where a pixel of the large planes lies in the small ones.
fn small_of(i: u32) -> u32 {
    let column = i % (params.w * R);
    let row = (i / (params.w * R)) % (params.h * R);
    let plane = i / (params.w * R * params.h * R);
    return ((plane * R * R + (row % R) * R + column % R) * params.h + row / R) * params.w + column / R;
}

@compute @workgroup_size(256)
fn pixel_shuffle(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.planes * params.h * params.w * R * R {
        y[i] = x[small_of(i)];
    }
}

@compute @workgroup_size(256)
fn pixel_unshuffle(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.planes * params.h * params.w * R * R {
        y[small_of(i)] = x[i];
    }
}
