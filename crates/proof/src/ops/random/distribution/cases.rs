//! What is held against the mirror.

use crate::{Bound, Case};
use gpu_core::ops::{bernoulli, normal, permutation, randint, uniform};
use gpu_core::rng::Key;
use gpu_core::{Device, Tensor};

pub(super) const KEY: Key = Key { seed: 0x0123_4567_89ab_cdef, stream: 5 };

pub(super) fn step(device: &Device, value: u32) -> Tensor {
    Tensor::from_slice(device, [1], &[value])
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [1usize, 5, 1031, 300_001] {
        for (low, high) in [(0.0, 1.0), (-0.1, 0.7), (1e7, 1.1e7), (-1e-38, 3e-38)] {
            cases.push(Case::new("uniform", format!("{len} in [{low}, {high})"), Bound::Exact, move |device| {
                vec![uniform([len], low, high, KEY, &step(device, 41))]
            }));
        }
        cases.push(normals(len));
        cases.push(Case::new("bernoulli", format!("{len} elements"), Bound::Exact, move |device| {
            [0.0, 0.3, 1.0].map(|p| bernoulli([len], p, KEY, &step(device, 5))).to_vec()
        }));
        cases.push(Case::new("randint", format!("{len} elements"), Bound::Exact, move |device| {
            [(0, 1), (-3, 4), (0, 1_000_003), (i32::MIN, i32::MAX)]
                .map(|(low, high)| randint([len], low, high, KEY, &step(device, 6)))
                .to_vec()
        }));
    }
    for n in [1usize, 2, 3, 255, 1024, 1025, 1031, 50_021, 60_000] {
        cases.push(Case::new("permutation", format!("of {n}"), Bound::Exact, move |device| {
            vec![permutation(n, KEY, &step(device, 7))]
        }));
    }
    cases
}

/// A few roundings of f32 in each of the logarithm, the root, the circle and their product. A place on a circle is right to a part of its
/// radius, however near to an axis it lies, and what is counted is that and its own size.
fn normals(len: usize) -> Case {
    // Mean, deviation, step.
    const OF: [(f32, f32, u32); 2] = [(0.0, 1.0, 3), (-7.0, 0.3, 4)];
    let run = move |device: &Device| OF.map(|(mean, std, at)| normal([len], mean, std, KEY, &step(device, at))).to_vec();
    let radii = move |device: &Device, (std, at): (f32, u32)| {
        let places = normal([len.next_multiple_of(2)], 0.0, std, KEY, &step(device, at)).to_vec().expect("the CPU device");
        let radii: Vec<f32> = places.as_chunks().0.iter().flat_map(|&[x, y]: &[f32; 2]| [x.hypot(y); 2]).collect();
        Tensor::from_slice(device, [len], &radii[..len])
    };
    Case::new("normal", format!("{len} elements"), Bound::own(6e-7), run)
        .adding(move |device| OF.map(|(_, std, at)| radii(device, (std, at))).to_vec())
}
