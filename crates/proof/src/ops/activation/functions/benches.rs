//! What is timed.

use super::cases::{Function, functions};
use crate::{Bench, tensor};
use gpu_core::Device;

pub fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [128, 64, 32, 32];
    let both = |function: Function| {
        let Function { name, f, bwd, .. } = function;
        let forward = Bench::new(name, "128x64x32x32", 0, move |device: &Device| {
            let x = tensor(device, SHAPE, 1);
            move || vec![f(&x)]
        });
        let backward = Bench::new(name, "128x64x32x32, gradient", 0, move |device: &Device| {
            let (kept, dy) = (tensor(device, SHAPE, 1), tensor(device, SHAPE, 2));
            move || vec![bwd(&kept, &dy)]
        });
        [forward, backward]
    };
    functions().into_iter().filter(|function| !function.name.contains(',')).flat_map(both).collect()
}
