//! What is held against the mirror: the same bits.

use crate::{Bound, Case};
use gpu_core::ops::{Warp, Window, warp, warp_masks};
use gpu_core::{DType, Device, Tensor};

/// Pixels that are a pure function of their position.
pub(super) fn pixels<const RANK: usize>(device: &Device, shape: [usize; RANK]) -> Tensor {
    let bytes: Vec<u8> = (0..shape.iter().product()).map(|i: usize| ((i as u64 * 2_654_435_761) >> 7) as u8).collect();
    Tensor::from_slice(device, shape, &bytes)
}

/// Turned by an angle and resized about the centre of the source.
pub(super) fn turned(angle: f64, scale: f64, [h, w]: [usize; 2], [rows, columns]: [usize; 2]) -> [[f64; 3]; 2] {
    let (sin, cos) = angle.sin_cos();
    let half = |n: usize| (n as f64 - 1.0) / 2.0;
    let (p, q) = (half(rows), half(columns));
    let along = [[cos * scale, sin * scale], [-sin * scale, cos * scale]];
    [(half(h), along[0]), (half(w), along[1])].map(|(centre, [down, right])| [centre - down * p - right * q, down, right])
}

/// All that can be done to a picture, in place `b` of a batch.
pub(super) fn all(b: usize, batch: usize, source: [usize; 2], result: [usize; 2]) -> Warp {
    let (part, [rows, columns]) = (b as f64 / batch as f64, result.map(|side| side as u32));
    Warp {
        source: turned(6.3 * part, 0.4 + part, source, result),
        colour: [[1.2, -0.1, 0.05, 0.03], [part, 0.7, 0.1, -0.1], [0.0, -0.4, 1.9, 0.2]],
        blank: Window { rows: [rows / 3, rows / 2], columns: [columns / 4, columns] },
        // One of them past the end: no partner.
        partner: (b + 1) as u32,
        share: 0.3 + 0.7 * part,
        window: Window { rows: [0, rows.div_ceil(2)], columns: [columns / 2, columns / 2 + b as u32] },
    }
}

/// The words of a batch.
pub(super) fn warps(device: &Device, all: &[Warp]) -> Tensor {
    let words: Vec<i32> = all.iter().flat_map(|warp| warp.words()).collect();
    Tensor::from_slice(device, [all.len(), Warp::WORDS], &words)
}

pub(super) const MEAN: [f32; 4] = [0.49, 0.48, 0.45, 0.5];
pub(super) const STD: [f32; 4] = [0.25, 0.24, 0.26, 0.5];

pub fn cases() -> Vec<Case> {
    const SHAPES: &[([usize; 4], usize, [usize; 2])] = &[
        ([1, 1, 1, 1], 1, [1, 1]),
        ([7, 1, 28, 28], 13, [28, 28]),
        ([5, 3, 7, 5], 11, [9, 4]),
        ([3, 2, 5, 6], 3, [5, 6]),
        ([2, 4, 3, 11], 7, [6, 22]),
        ([19, 3, 32, 32], 64, [32, 32]),
        ([4, 3, 96, 80], 5, [64, 64]),
    ];
    let mut cases = Vec::new();
    for &(shape, batch, result) in SHAPES {
        for changed in [false, true] {
            let what = format!("{shape:?}, batch {batch} of {result:?}, {}", if changed { "changed" } else { "as they are" });
            let of_masks = what.clone();
            cases.push(Case::new("warp", what, Bound::Exact, move |device| {
                let [m, c, h, w] = shape;
                // One past the end: a black picture.
                let chosen: Vec<u32> = (0..batch).map(|b| (b * 7919 % (m + 1)) as u32).collect();
                let of = |b: usize| if changed { all(b, batch, [h, w], result) } else { Warp::default() };
                let warps = warps(device, &(0..batch).map(of).collect::<Vec<_>>());
                let x = Tensor::empty(device, [batch, c, result[0], result[1]]);
                warp(&pixels(device, shape), &Tensor::from_slice(device, [batch], &chosen), &warps, &x, MEAN, STD);
                vec![x]
            }));
            cases.push(Case::new("warp_masks", of_masks, Bound::Exact, move |device| {
                let [m, _, h, w] = shape;
                let chosen: Vec<u32> = (0..batch).map(|b| (b * 7919 % (m + 1)) as u32).collect();
                let of = |b: usize| if changed { all(b, batch, [h, w], result) } else { Warp::default() };
                let warps = warps(device, &(0..batch).map(of).collect::<Vec<_>>());
                let labels = Tensor::empty_of(device, [batch, result[0], result[1]], DType::U32);
                warp_masks(&pixels(device, [m, h, w]), &Tensor::from_slice(device, [batch], &chosen), &warps, &labels, 70_001);
                vec![labels]
            }));
        }
    }
    cases
}
