// The class of a row. Stands behind rows.wgsl.

@compute @workgroup_size(GROUP)
fn argmax(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let at = part(group, groups, local);
    var largest = LOWEST;
    var index = at.lane;
    for (var c = at.lane; c < at.count; c += LANES) {
        let value = x[place(at, c)];
        if value > largest {
            largest = value;
            index = c;
        }
    }
    if LANES > 1u {
        shared_value[local] = largest;
        shared_index[local] = index;
        workgroupBarrier();
        for (var half = LANES / 2u; half > 0u; half >>= 1u) {
            if at.lane < half {
                let value = shared_value[local + half * lane_step()];
                let other = shared_index[local + half * lane_step()];
                if value > shared_value[local] || (value == shared_value[local] && other < shared_index[local]) {
                    shared_value[local] = value;
                    shared_index[local] = other;
                }
            }
            workgroupBarrier();
        }
        index = shared_index[local];
    }
    if at.count > 0u && at.lane == 0u {
        indices[at.row] = index;
    }
}
