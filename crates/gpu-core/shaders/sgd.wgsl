// Stochastic gradient descent with momentum, over flat arenas, four elements an invocation.

struct Params {
    len: u32,
}

@group(0) @binding(0) var<storage, read> grads: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> hyper: array<f32, 8>; // as SgdHyper::to_array lays it out
@group(0) @binding(2) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> momentum_buf: array<vec4<f32>>;

@compute @workgroup_size(256)
fn sgd_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if 4u * i >= params.len {
        return;
    }
    let lr = hyper[0];
    let momentum = hyper[1];
    let w = weights[i];
    let g = grads[i] + hyper[3] * w;
    var step = g;
    if momentum != 0.0 {
        var buf = momentum * momentum_buf[i] + hyper[2] * g;
        if hyper[5] != 0.0 {
            buf = g;
        }
        momentum_buf[i] = buf;
        step = buf;
        if hyper[4] != 0.0 {
            step = g + momentum * buf;
        }
    }
    weights[i] = w - lr * step;
}
