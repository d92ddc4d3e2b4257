//! What is timed.

use super::cases::of_channels;
use crate::{Bench, tensor};
use gpu_core::Device;
use gpu_core::ops::{
    batch_norm, batch_norm_add_relu_bwd, batch_norm_bwd, batch_norm_eval, batch_norm_relu, batch_norm_relu_bwd, demean_norm,
    demean_norm_bwd,
};

pub fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [128, 64, 32, 32];
    const WHAT: &str = "128x64x32x32";
    let inputs = |device: &Device| (tensor(device, SHAPE, 1), tensor(device, SHAPE, 2), of_channels(device, 64));
    vec![
        Bench::new("batch_norm", WHAT, 0, move |device| {
            let (x, _, [gamma, beta, mean, var]) = inputs(device);
            move || vec![batch_norm(&x, &gamma, &beta, &mean, &var, 0.1, 1e-5).y]
        }),
        Bench::new("batch_norm_bwd", WHAT, 0, move |device| {
            let (x, dy, [gamma, _, mean, rstd]) = inputs(device);
            move || vec![batch_norm_bwd(&x, &dy, &gamma, &mean, &rstd).0]
        }),
        Bench::new("batch_norm_relu", WHAT, 0, move |device| {
            let (x, _, [gamma, beta, mean, var]) = inputs(device);
            move || vec![batch_norm_relu(&x, None, &gamma, &beta, &mean, &var, 0.1, 1e-5).y]
        }),
        Bench::new("batch_norm_relu", "128x64x32x32 and a sum", 0, move |device| {
            let (x, beside, [gamma, beta, mean, var]) = inputs(device);
            move || vec![batch_norm_relu(&x, Some(&beside), &gamma, &beta, &mean, &var, 0.1, 1e-5).y]
        }),
        Bench::new("batch_norm_relu_bwd", WHAT, 0, move |device| {
            let (x, dy, [gamma, beta, mean, rstd]) = inputs(device);
            move || vec![batch_norm_relu_bwd(&x, &dy, &gamma, &beta, &mean, &rstd).0]
        }),
        Bench::new("batch_norm_add_relu_bwd", WHAT, 0, move |device| {
            let (x, dy, [gamma, _, mean, rstd]) = inputs(device);
            move || vec![batch_norm_add_relu_bwd(&x, &x, &dy, &gamma, &mean, &rstd).0]
        }),
        Bench::new("batch_norm_add_relu_bwd", "128x64x31x31", 0, move |device| {
            let (x, dy) = (tensor(device, [128, 64, 31, 31], 1), tensor(device, [128, 64, 31, 31], 2));
            let [gamma, _, mean, rstd] = of_channels(device, 64);
            move || vec![batch_norm_add_relu_bwd(&x, &x, &dy, &gamma, &mean, &rstd).0]
        }),
        Bench::new("batch_norm_eval", WHAT, 0, move |device| {
            let (x, _, [gamma, beta, mean, var]) = inputs(device);
            move || vec![batch_norm_eval(&x, &gamma, &beta, &mean, &var, 1e-5)]
        }),
        Bench::new("demean_norm", WHAT, 0, move |device| {
            let (x, _, [gamma, beta, mean, _]) = inputs(device);
            move || vec![demean_norm(&x, &gamma, &beta, &mean, 0.1).0]
        }),
        Bench::new("demean_norm_bwd", WHAT, 0, move |device| {
            let (x, dy, [gamma, _, mean, _]) = inputs(device);
            move || vec![demean_norm_bwd(&x, &dy, &gamma, &mean).0]
        }),
    ]
}
