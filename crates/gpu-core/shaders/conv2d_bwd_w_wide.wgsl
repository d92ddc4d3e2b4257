// A workgroup for each weight, over all pixels of the batch: for rows of pixels so long that no part of a sum is one row. Stands behind
// conv2d_bwd_w.wgsl.

const WIDE: u32 = 256u;

@compute @workgroup_size(WIDE)
fn conv2d_bwd_w_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let at = params.first + group_index(group, groups);
    let columns = params.in_c * TAPS;
    let k = at / columns;
    let channels = params.groups * params.out_c;
    let plane = params.out_h * params.out_w;
    var sum = 0.0;
    for (var t = lane; t < select(0u, params.rows * params.out_w, k < channels); t += WIDE) {
        let image = t / plane;
        let pixel = t % plane;
        let plane0 = (image * params.groups + k / params.out_c) * params.in_c * params.in_h * params.in_w;
        let v = read_column_of(plane0, at % columns, pixel / params.out_w, pixel % params.out_w);
        sum += dy[(image * channels + k) * plane + pixel] * v;
    }
    let total = workgroup_sum(lane, WIDE, sum);
    if lane == 0u && k < channels {
        dw[at] = total;
    }
}
