//! What is timed.

use super::cases::affine_of;
use crate::{Bench, tensor};
use gpu_core::Device;
use gpu_core::ops::{
    group_norm, group_norm_bwd_w, group_norm_bwd_x, instance_norm_running, layer_norm, layer_norm_bwd_w, layer_norm_bwd_x, rms_norm,
};

pub fn benches() -> Vec<Bench> {
    let layer = |device: &Device, shape: [usize; 2]| {
        let [gamma, beta] = affine_of(device, [shape[1]]);
        (tensor(device, shape, 1), tensor(device, shape, 2), gamma, beta)
    };
    let mut benches = vec![
        Bench::new("layer_norm", "6272x768", 0, move |device| {
            let (x, _, gamma, beta) = layer(device, [6272, 768]);
            move || vec![layer_norm(&x, [768], Some(&gamma), Some(&beta), 1e-5).y]
        }),
        Bench::new("layer_norm_bwd", "6272x768", 0, move |device| {
            let (x, dy, gamma, beta) = layer(device, [6272, 768]);
            let stats = layer_norm(&x, [768], Some(&gamma), Some(&beta), 1e-5).stats;
            move || vec![layer_norm_bwd_x(&x, &dy, Some(&gamma), &stats), layer_norm_bwd_w(&x, &dy, &stats).0]
        }),
        Bench::new("rms_norm", "6272x768", 0, move |device| {
            let (x, _, gamma, _) = layer(device, [6272, 768]);
            move || vec![rms_norm(&x, [768], Some(&gamma), 1e-5).0]
        }),
        Bench::new("instance_norm_running", "32x64x28x28", 0, move |device| {
            let x = tensor(device, [32, 64, 28, 28], 1);
            let ([mean, var], normed) = (affine_of(device, [64]), group_norm(&x, 64, None, None, 1e-5));
            move || {
                instance_norm_running(&x, &normed.stats, &mean, &var, 0.1, 1e-5);
                vec![mean.clone()]
            }
        }),
    ];
    // Rows that are read once, odd ones, and long ones in parts.
    for (what, shape, groups) in [
        ("32x64x56x56 in 32 groups", [32, 64, 56, 56], 32),
        ("64x64x7x7 in 64 groups", [64, 64, 7, 7], 64),
        ("2x64x128x128 in 8 groups", [2, 64, 128, 128], 8),
    ] {
        let inputs = move |device: &Device| (tensor(device, shape, 1), tensor(device, shape, 2), affine_of(device, [64]));
        benches.push(Bench::new("group_norm", what, 0, move |device| {
            let (x, _, [gamma, beta]) = inputs(device);
            move || vec![group_norm(&x, groups, Some(&gamma), Some(&beta), 1e-5).y]
        }));
        benches.push(Bench::new("group_norm_bwd", what, 0, move |device| {
            let (x, dy, [gamma, beta]) = inputs(device);
            let stats = group_norm(&x, groups, Some(&gamma), Some(&beta), 1e-5).stats;
            move || vec![group_norm_bwd_x(&x, &dy, Some(&gamma), &stats), group_norm_bwd_w(&x, &dy, &stats).0]
        }));
    }
    benches
}
