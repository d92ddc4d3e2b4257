//! What is timed.

use crate::{Bench, tensor};
use gpu_core::Shape;
use gpu_core::ops::cumsum;

pub fn benches() -> Vec<Bench> {
    let of = |shape: &'static [usize], axis| {
        Bench::new("cumsum", format!("{:?} along {axis}", Shape::new(shape)), Shape::new(shape).len() as u64, move |device| {
            let x = tensor(device, shape, 1);
            move || vec![cumsum(&x, axis)]
        })
    };
    vec![of(&[1 << 24], 0), of(&[4096, 4096], 0), of(&[4096, 4096], 1)]
}
