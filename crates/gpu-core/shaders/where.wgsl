// b where a (truths) holds, c elsewhere; words of any type.

@compute @workgroup_size(256)
fn where_(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = group_index(group, groups) * 256u + lane;
    if is_mine(i) {
        let at = sources(i);
        y[i] = select(words_c(i, at.c), words_b(i, at.b), bytes_a(i, at.a) != vec4<u32>(0u));
    }
}
