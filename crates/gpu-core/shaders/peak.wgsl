// The most multiply-adds that a device does: sixteen independent chains a thread, and nothing to load.

struct Params {
    len: u32, // threads
    rounds: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(256)
fn peak_multiply_add(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    let start = f32(i % 61u) * 0.015625;
    var a = vec4<f32>(start, start + 1.0, start + 2.0, start + 3.0);
    var b = a + 4.0;
    var c = a + 8.0;
    var d = a + 12.0;
    for (var round = 0u; round < params.rounds; round++) {
        a = a * 0.5 + 1.0;
        b = b * 0.5 + 1.0;
        c = c * 0.5 + 1.0;
        d = d * 0.5 + 1.0;
    }
    if i < params.len {
        y[i] = dot(a + b + c + d, vec4<f32>(1.0));
    }
}
