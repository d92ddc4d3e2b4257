//! What is timed.

use crate::Bench;
use gpu_core::ops::peak_multiply_add;

/// Floating-point operations of [`peak_multiply_add`]: two in each round of sixteen chains.
fn peak_flops(len: usize, rounds: usize) -> u64 {
    (2 * 16 * len * rounds) as u64
}

pub fn benches() -> Vec<Bench> {
    let (len, rounds) = (1 << 16, 1024);
    vec![Bench::new("peak_multiply_add", "65536 x 1024", peak_flops(len, rounds), move |device| {
        let device = device.clone();
        move || vec![peak_multiply_add(&device, len, rounds)]
    })]
}
