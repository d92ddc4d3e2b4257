use crate::{devices, gradients, integers, tensor};
use gpu_core::ops::{cumsum, cumsum_bwd_x};
use gpu_core::{Device, Tensor};
use proptest::prelude::*;
use std::ops::Range;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn running_sums_are_those_of_a_plain_loop(
        outer in 1..4usize,
        len in prop_oneof![1..40usize, 120..300usize, 1000..3000usize],
        inner in prop_oneof![Just(1), 1..6usize],
        seed: u64,
    ) {
        let x = integers(outer * len * inner, seed);
        let at = |e: usize| (e / inner / len * len * inner + e % inner, e / inner % len);
        let sum = |first: usize, of: Range<usize>| of.map(|j| x[first + j * inner]).sum::<f32>();
        let forward: Vec<f32> = (0..x.len()).map(|e| sum(at(e).0, 0..at(e).1 + 1)).collect();
        let backward: Vec<f32> = (0..x.len()).map(|e| sum(at(e).0, at(e).1..len)).collect();
        for device in devices() {
            let x = Tensor::from_slice(&device, [outer, len, inner], &x);
            prop_assert_eq!(&cumsum(&x, 1).to_vec().unwrap(), &forward);
            prop_assert_eq!(&cumsum_bwd_x(&x, 1).to_vec().unwrap(), &backward);
        }
    }
}

#[test]
fn the_gradient_is_the_difference_quotient() {
    for axis in 0..3 {
        let x = tensor(&Device::Cpu, [2, 5, 3], 1);
        gradients(&[x], |t| cumsum(&t[0], axis), |_, dy| vec![cumsum_bwd_x(dy, axis)]);
    }
}

#[test]
fn running_sums_of_nothing_are_nothing() {
    for device in devices() {
        for dims in [[0, 3], [3, 0]] {
            assert_eq!(cumsum(&Tensor::zeros(&device, dims), 0).shape(), dims.into());
        }
    }
}
