//! What holds for every size, over sizes drawn at random, bit for bit.

use super::Norm;
use crate::{devices, integers, poisoned, tensor, values};
use gpu_core::ops::internals::row_norm::row_norm;
use gpu_core::ops::{group_norm, group_norm_bwd_x, layer_norm, layer_norm_bwd_x, rms_norm};
use gpu_core::{Device, Tensor};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// n, channels of a group, groups, inner.
type Sizes = (usize, usize, usize, usize);

/// Holds `test` for sizes, and a seed, that are the same in every run.
fn for_all(test: impl Fn(Sizes, u64) -> Result<(), TestCaseError>) {
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let sizes = (1usize..6, 1usize..7, 1usize..5, prop_oneof![Just(1), 2usize..30, Just(1000)]);
    runner.run(&(sizes, 0u64..1000), |(sizes, seed)| test(sizes, seed)).unwrap_or_else(|e| panic!("{e}"));
}

fn norm_of((n, per_group, groups, inner): Sizes) -> Norm {
    Norm::of([n, groups * per_group, inner], groups, 0.5)
}

fn bits(tensors: &[Tensor]) -> Vec<Vec<u32>> {
    tensors.iter().map(|t| t.to_vec().unwrap().into_iter().map(f32::to_bits).collect()).collect()
}

#[test]
fn what_is_added_to_all_elements_changes_nothing() {
    for_all(|sizes, seed| {
        let norm = norm_of(sizes);
        let size = norm.shape;
        for device in devices().iter().map(poisoned) {
            // Whole numbers below 2^24: x + shift is exact, and so is its difference from the first element.
            let of = |shift: f32| {
                let x: Vec<f32> = integers(norm.elements(), seed).iter().map(|v| v + shift).collect();
                let (x, dy) = (Tensor::from_slice(&device, size, &x), tensor(&device, size, seed + 1));
                bits(&row_norm(None, norm.rows, [&x, &dy], [None, None]))
            };
            prop_assert_eq!(of(0.0), of((seed as f32 - 500.0) * 4096.0));
        }
        Ok(())
    });
}

#[test]
fn samples_do_not_know_of_each_other() {
    for_all(|sizes, seed| {
        let norm = norm_of(sizes);
        let size = norm.shape;
        let reversed = |values: &[f32]| values.chunks(size[1] * size[2]).rev().flatten().copied().collect::<Vec<f32>>();
        for device in devices().iter().map(poisoned) {
            let of = |turn: bool| {
                let [x, dy] = [seed, seed + 1].map(|seed| {
                    let values = values(norm.elements(), seed);
                    Tensor::from_slice(&device, size, &if turn { reversed(&values) } else { values })
                });
                let [y, _, _, dx, ..] = row_norm(None, norm.rows, [&x, &dy], [None, None]);
                [y, dx].map(|t| if turn { reversed(&t.to_vec().unwrap()) } else { t.to_vec().unwrap() })
            };
            prop_assert_eq!(of(false), of(true));
        }
        Ok(())
    });
}

#[test]
fn groups_without_an_affine_are_layers() {
    for_all(|sizes @ (n, _, groups, _), seed| {
        let norm = norm_of(sizes);
        let size = norm.shape;
        for device in devices().iter().map(poisoned) {
            let [x, dy] = [seed, seed + 1].map(|seed| tensor(&device, size, seed));
            let grouped = group_norm(&x, groups, None, None, 0.5);
            let flat = [n, groups, norm.len()];
            let layered = layer_norm(&x.reshape(flat), [norm.len()], None, None, 0.5);
            prop_assert_eq!(
                bits(&[group_norm_bwd_x(&x, &dy, None, &grouped.stats), grouped.y]),
                bits(&[layer_norm_bwd_x(&x.reshape(flat), &dy.reshape(flat), None, &layered.stats), layered.y])
            );
        }
        Ok(())
    });
}

// On the CPU device: WGSL promises no rounding of a root or a quotient.
#[test]
fn the_root_mean_square_takes_away_a_power_of_two() {
    for_all(|sizes, seed| {
        let norm = norm_of(sizes);
        let size = norm.shape;
        let of = |scale: f32| {
            let x: Vec<f32> = values(norm.elements(), seed).iter().map(|v| (v + 1.5) * scale).collect();
            let (y, _) = rms_norm(&Tensor::from_slice(&Device::Cpu, size, &x), size, None, 0.0);
            bits(&[y])
        };
        prop_assert_eq!(of(1.0), of(2f32.powi((seed % 20) as i32 - 10)));
        Ok(())
    });
}
