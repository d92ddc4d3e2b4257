//! What is timed.

use super::cases::BILINEAR;
use crate::{Bench, tensor};
use gpu_core::ops::{Interpolation, Resize, Upsample2dGeometry, upsample2d, upsample2d_bwd_x};

pub fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [32, 64, 32, 32];
    let rows = [("nearest", Interpolation::Nearest), ("bilinear", BILINEAR)].into_iter().flat_map(|(name, mode)| {
        let (what, g) = (format!("{name}, 32x64x32x32 by 2"), Upsample2dGeometry { size: Resize::By([2.0; 2]), mode });
        [
            Bench::new("upsample2d", what.clone(), 0, move |device| {
                let x = tensor(device, SHAPE, 1);
                move || vec![upsample2d(&x, g)]
            }),
            Bench::new("upsample2d_bwd_x", what, 0, move |device| {
                let dy = tensor(device, [32, 64, 64, 64], 1);
                move || vec![upsample2d_bwd_x(&dy, SHAPE.into(), g)]
            }),
        ]
    });
    rows.collect()
}
