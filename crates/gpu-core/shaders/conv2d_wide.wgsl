// A workgroup for each element of the output, for sums that one invocation would loop over too often: stands behind conv2d.wgsl.

const WIDE: u32 = 256u;

/// An element of the output: image, channel counted over all groups, row, column.
struct Element {
    image: u32,
    channel: u32,
    row: u32,
    column: u32,
}

fn element_of(index: u32) -> Element {
    let plane = index / (params.out_h * params.out_w);
    let channels = params.groups * params.out_c;
    let at = pixel_of(index);
    return Element(plane / channels, plane % channels, at.row, at.column);
}

/// The first plane of the input that an element meets, counted over the batch.
fn first_plane(e: Element) -> u32 {
    return (e.image * params.groups + e.channel / params.out_c) * params.in_c;
}

/// Where its weights begin.
fn first_weight(e: Element) -> u32 {
    return (e.channel / params.out_c) * params.w_group + (e.channel % params.out_c) * params.w_out;
}

fn store_total(lane: u32, e: Element, total: f32) {
    if lane == 0u && e.image < params.batch {
        let pixel = (e.image * params.out_h + e.row) * params.out_w + e.column;
        store(e.channel / params.out_c, e.channel % params.out_c, pixel, total);
    }
}

@compute @workgroup_size(WIDE)
fn conv2d_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let e = element_of(params.first + group_index(group, groups));
    let plane = first_plane(e);
    let weight = first_weight(e);
    var sum = 0.0;
    for (var t = lane; t < select(0u, params.in_c * TAPS, e.image < params.batch); t += WIDE) {
        let c = t / TAPS;
        let tap = t % TAPS;
        let v = read_tap((plane + c) * params.in_h * params.in_w, read_row(e.row, tap / S), read_column(e.column, tap % S));
        sum += v * w[weight + c * params.w_in + tap];
    }
    store_total(lane, e, workgroup_sum(lane, WIDE, sum));
}

/// The first and one past the last place of the input, along one axis, that reaches output place `at` (with the padding) through a tap.
fn reaching(at: u32, taps: u32, stride: u32, dilation: u32, extent: u32) -> vec2<u32> {
    let first = ceil_div(at - min(at, (taps - 1u) * dilation), stride);
    return vec2<u32>(first, max(min(at / stride + 1u, extent), first));
}

// Here a stride runs backwards: the few places that reach an element are walked, not the taps, most of which meet none.
@compute @workgroup_size(WIDE)
fn conv2d_bwd_x_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let e = element_of(params.first + group_index(group, groups));
    let plane = first_plane(e);
    let weight = first_weight(e);
    let rows = reaching(e.row + PAD_H, R, STRIDE_H, DILATION_H, params.in_h);
    let columns = reaching(e.column + PAD_W, S, STRIDE_W, DILATION_W, params.in_w);
    let across = columns.y - columns.x;
    let places = (rows.y - rows.x) * across;
    var sum = 0.0;
    for (var t = lane; t < select(0u, params.in_c * places, e.image < params.batch); t += WIDE) {
        let c = t / places;
        let i = rows.x + t % places / across;
        let j = columns.x + t % places % across;
        let r = e.row + PAD_H - i * STRIDE_H;
        let s = e.column + PAD_W - j * STRIDE_W;
        // Between two taps a dilated kernel passes over the place.
        if r % DILATION_H == 0u && s % DILATION_W == 0u {
            let tap = r / DILATION_H * S + s / DILATION_W;
            sum += x[((plane + c) * params.in_h + i) * params.in_w + j] * w[weight + c * params.w_in + tap];
        }
    }
    store_total(lane, e, workgroup_sum(lane, WIDE, sum));
}
