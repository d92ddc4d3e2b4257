// Tensors that are made from numbers alone.

struct Params {
    len: u32,
    rows: u32, // of an identity, plus one
    turn: u32, // from this element on, numbers are counted from the end
    // The bits of f32.
    start: u32,
    end: u32,
    step: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<u32>;

/// Ones on the diagonal.
@compute @workgroup_size(256)
fn eye(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i < params.len {
        y[i] = select(0u, 0x3f800000u, i % params.rows == 0u);
    }
}

/// Evenly spaced numbers.
@compute @workgroup_size(256)
fn linspace(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if i >= params.len {
        return;
    }
    if i < params.turn {
        y[i] = multiple_plus(i, params.step, params.start);
    } else {
        y[i] = multiple_plus(params.len - 1u - i, params.step ^ 0x80000000u, params.end);
    }
}
