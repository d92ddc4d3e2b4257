//! What is timed.

use super::cases::{floats, truths};
use crate::Bench;
use gpu_core::Tensor;
use gpu_core::ops::{amax, any, argmax_axis, logsumexp, sum, sum_axes, var};

pub fn benches() -> Vec<Bench> {
    type Reduction = fn(&Tensor) -> Tensor;
    const IMAGES: [usize; 4] = [128, 64, 32, 32];
    let rows: [(&'static str, &'static str, Reduction); 8] = [
        ("sum", "128x64x32x32", sum),
        ("sum_axes", "128x64x32x32 over n, h, w", |x| sum_axes(x, &[0, 2, 3], false)),
        ("sum_axes", "128x64x32x32 over c", |x| sum_axes(x, &[1], false)),
        ("amax", "128x64x32x32 over h, w", |x| amax(x, &[2, 3], false)),
        ("argmax_axis", "128x64x32x32 over c", |x| argmax_axis(x, 1, false)),
        ("var", "128x64x32x32 over n, h, w", |x| var(x, &[0, 2, 3], 0, false)),
        ("logsumexp", "128x64x32x32 over c", |x| logsumexp(x, &[1], false)),
        ("logsumexp", "128x64x32x32 over h, w", |x| logsumexp(x, &[2, 3], false)),
    ];
    let mut rows: Vec<Bench> = rows
        .map(|(name, what, f)| {
            Bench::new(name, what, 0, move |device| {
                let x = floats(device, IMAGES.into());
                move || vec![f(&x)]
            })
        })
        .into();
    rows.push(Bench::new("any", "128x64x32x32", 0, |device| {
        let x = truths(device, IMAGES.into());
        move || vec![any(&x)]
    }));
    rows
}
