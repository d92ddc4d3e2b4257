//! What is timed.

use super::cases::Function;
use crate::{Bench, tensor};
use gpu_core::Device;
use gpu_core::ops::{erf, exp, isnan, neg, sin, sqrt_bwd_x};

pub fn benches() -> Vec<Bench> {
    const LEN: usize = 1 << 24;
    let x = |device: &Device| tensor(device, [LEN], 1);
    let functions: [(&'static str, Function); 5] = [("neg", neg), ("exp", exp), ("sin", sin), ("erf", erf), ("isnan", isnan)];
    let mut rows: Vec<Bench> = functions
        .map(|(name, f)| {
            Bench::new(name, "16777216 elements", 0, move |device| {
                let x = x(device);
                move || vec![f(&x)]
            })
        })
        .into();
    rows.push(Bench::new("sqrt_bwd_x", "16777216 elements", 0, move |device| {
        let (y, dy) = (x(device), x(device));
        move || vec![sqrt_bwd_x(&y, &dy)]
    }));
    rows
}
