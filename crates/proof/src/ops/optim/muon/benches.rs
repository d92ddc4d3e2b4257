//! What is timed.

use super::cases::figures;
use crate::{Bench, tensor};
use gpu_core::ops::{muon_combine, muon_momentum, muon_normalise, muon_step};
use gpu_core::{Device, Tensor};

pub fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 3] = [8, 512, 4608];
    let pair = |device: &Device| (tensor(device, SHAPE, 1), tensor(device, SHAPE, 2));
    vec![
        Bench::new("muon_momentum", "8x512x4608", 6 * 8 * 512 * 4608, move |device| {
            let ((g, m), hyper) = (pair(device), figures(device, true));
            move || vec![muon_momentum(&g, &m, &hyper)]
        }),
        Bench::new("muon_normalise", "8x512x4608", 8 * 512 * 4608, move |device| {
            let (x, squares) = (tensor(device, SHAPE, 1), Tensor::full(device, [8], 9.0));
            move || vec![muon_normalise(&x, &squares, 1e-7)]
        }),
        Bench::new("muon_combine", "8x512x4608", 3 * 8 * 512 * 4608, move |device| {
            let (x, y) = pair(device);
            move || vec![muon_combine(&x, 3.4445, &y, 1.0)]
        }),
        Bench::new("muon_step", "8x512x4608", 4 * 8 * 512 * 4608, move |device| {
            let ((w, x), hyper) = (pair(device), figures(device, true));
            move || {
                muon_step(&w, &x, 1.0, &hyper);
                Vec::new()
            }
        }),
    ]
}
