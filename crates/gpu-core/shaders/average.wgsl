// Averages of the weights over the steps, over flat arenas, four elements an invocation. The figures lie in a tensor, so that a
// replayed capture knows when it is time.

struct Params {
    len: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> figure: array<f32>; // how far to go: 0 not at all, 1 the whole way
@group(0) @binding(2) var<storage, read_write> average: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> fast: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> u: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> v: array<vec4<u32>>;

@compute @workgroup_size(256)
fn ema_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let w = weights[i];
        if figure[0] >= 1.0 {
            average[i] = w;
        } else {
            let before = average[i];
            average[i] = before + (w - before) * figure[0];
        }
    }
}

@compute @workgroup_size(256)
fn lookahead_step(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if figure[0] == 0.0 {
        return; // not this step: nothing else is read
    }
    if i < ceil_div(params.len, 4u) {
        let before = average[i];
        let slow = before + (fast[i] - before) * figure[0];
        average[i] = slow;
        fast[i] = slow;
    }
}

// As integers: a float may be changed on its way.
@compute @workgroup_size(256)
fn exchange(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < ceil_div(params.len, 4u) {
        let before = u[i];
        u[i] = v[i];
        v[i] = before;
    }
}
