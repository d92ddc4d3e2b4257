//! What is timed.

use super::cases::numbers;
use crate::{Bench, tensor};
use gpu_core::ops::{PadMode, concat, flip, internals, pad, pad_bwd_x, permute, roll, slice};
use gpu_core::{DType, Shape, Tensor};

pub fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [128, 64, 32, 32];
    let moved = |name, what: &str, f: fn(&Tensor) -> Tensor| {
        Bench::new(name, format!("128x64x32x32 {what}"), 0, move |device| {
            let x = tensor(device, SHAPE, 1);
            move || vec![f(&x)]
        })
    };
    let mut benches = vec![
        moved("permute", "to NHWC", |x| permute(x, &[0, 2, 3, 1])),
        moved("permute", "to NHWC in tiles", |x| internals::permute(false, x, &[0, 2, 3, 1])),
        moved("permute", "to CNHW", |x| permute(x, &[1, 0, 2, 3])),
        moved("flip", "columns", |x| flip(x, &[3])),
        moved("slice", "of odd columns", |x| slice(x, &[(..).into(), (..).into(), (..).into(), (1..30).into()])),
        moved("roll", "rows", |x| roll(x, &[5], &[2])),
        moved("concat", "twice, channels", |x| concat(&[x, x], 1)),
        moved("pad", "by 4, constant", |x| pad(x, &[4; 4], PadMode::Constant(0.0))),
        moved("pad", "by 3, reflected", |x| pad(x, &[3, 4, 3, 4], PadMode::Reflect)),
        moved("pad_bwd_x", "by 3, reflected", |x| pad_bwd_x(x, [128, 64, 26, 26], &[3; 4], PadMode::Reflect)),
    ];
    let bytes = |name, f: fn(&Tensor) -> Tensor| {
        Bench::new(name, "512x32x32x3 bytes", 0, move |device| {
            let x = numbers(device, Shape::from([512, 32, 32, 3]), DType::U8);
            move || vec![f(&x)]
        })
    };
    benches.push(bytes("permute", |x| permute(x, &[0, 3, 1, 2])));
    benches.push(bytes("pad", |x| pad(x, &[0, 0, 3, 2, 1, 1], PadMode::Reflect)));
    benches
}
