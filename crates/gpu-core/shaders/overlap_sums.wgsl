// How far what was predicted is what there is, class by class: integers that stay on the device, a workgroup each class.

struct Params {
    rows: u32, // of this launch
    classes: u32,
}

@group(0) @binding(0) var<storage, read> predicted: array<u32>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
// Of each class the rows that were predicted rightly, those predicted, and those labelled: two words each, the lower first.
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;

var<workgroup> counts: array<vec4<u32>, LANES>;

@compute @workgroup_size(LANES)
fn accumulate_overlaps(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let mine = group_index(group, groups);
    var count = vec4<u32>(0u);
    for (var i = lane; i < params.rows; i += LANES) {
        // A row whose label is no class counts nowhere.
        if labels[i] < params.classes {
            let is = vec2<u32>(select(0u, 1u, predicted[i] == mine), select(0u, 1u, labels[i] == mine));
            count += vec4<u32>(is.x * is.y, is.x, is.y, 0u);
        }
    }
    if LANES > 1u {
        counts[lane] = count;
        for (var half = LANES / 2u; half > 0u; half >>= 1u) {
            workgroupBarrier();
            if lane < half {
                counts[lane] += counts[lane + half];
            }
        }
        count = counts[lane];
    }
    if lane == 0u && mine < params.classes {
        add_count(6u * mine, count.x);
        add_count(6u * mine + 2u, count.y);
        add_count(6u * mine + 4u, count.z);
    }
}
