use super::cases::awkward;
use crate::{devices, gradients, tensor};
use gpu_core::ops::{argsort, sort, sort_bwd_x, topk};
use gpu_core::{Device, Tensor};
use proptest::prelude::*;
use std::cmp::Ordering;

/// Ascending or descending, NaN last.
fn compare(a: f32, b: f32, descending: bool) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) if descending => b.partial_cmp(&a).unwrap(),
        (false, false) => a.partial_cmp(&b).unwrap(),
        (a, b) => a.cmp(&b),
    }
}

/// The first `k` of every line by a stable sort of indices: bits and places.
fn naive(values: &[f32], [outer, len, inner]: [usize; 3], k: usize, descending: bool) -> (Vec<u32>, Vec<u32>) {
    let (mut y, mut index) = (vec![0; outer * k * inner], vec![0; outer * k * inner]);
    for line in 0..outer * inner {
        let (o, i) = (line / inner, line % inner);
        let at = |j: usize| values[(o * len + j) * inner + i];
        let mut order: Vec<usize> = (0..len).collect();
        order.sort_by(|&a, &b| compare(at(a), at(b), descending));
        for (j, &place) in order.iter().take(k).enumerate() {
            (y[(o * k + j) * inner + i], index[(o * k + j) * inner + i]) = (at(place).to_bits(), place as u32);
        }
    }
    (y, index)
}

fn bits(sorted: (Tensor, Tensor)) -> (Vec<u32>, Vec<u32>) {
    (sorted.0.to_vec().unwrap().into_iter().map(f32::to_bits).collect(), sorted.1.read().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn order_and_ties_are_those_of_a_stable_sort(
        outer in 1..4usize,
        len in prop_oneof![1..40usize, 1000..1050usize, 2000..4200usize],
        inner in prop_oneof![Just(1), 1..5usize],
        descending: bool,
        seed: u64,
    ) {
        let values = awkward(outer * len * inner, seed);
        let k = 1 + (seed % len as u64) as usize;
        for device in devices() {
            let x = Tensor::from_slice(&device, [outer, len, inner], &values);
            prop_assert_eq!(bits(sort(&x, 1, descending)), naive(&values, [outer, len, inner], len, descending));
            prop_assert_eq!(bits(topk(&x, k, 1, descending)), naive(&values, [outer, len, inner], k, descending), "{} of them", k);
        }
    }
}

/// `torch.sort(x, dim, descending, stable=True)` and `torch.topk(z, k, dim, largest)`.
#[test]
fn values_and_indices_are_those_of_pytorch() {
    const INF: f32 = f32::INFINITY;
    for device in devices() {
        let x = Tensor::from_slice(&device, [2, 6], &[3.0f32, 1.0, 2.0, 1.0, 3.0, -1.0, 0.0, -0.0, 5.0, -5.0, 0.0, INF]);
        let z = Tensor::from_slice(&device, [2, 4], &[0.3f32, -1.2, 2.5, 0.7, 1.1, 4.0, -0.5, 3.9]);
        let rows: [((Tensor, Tensor), &[f32], &[u32]); 6] = [
            (
                sort(&x, 1, false),
                &[-1.0, 1.0, 1.0, 2.0, 3.0, 3.0, -5.0, 0.0, -0.0, 0.0, 5.0, INF],
                &[5, 1, 3, 2, 0, 4, 3, 0, 1, 4, 2, 5],
            ),
            (
                sort(&x, 1, true),
                &[3.0, 3.0, 2.0, 1.0, 1.0, -1.0, INF, 5.0, 0.0, -0.0, 0.0, -5.0],
                &[0, 4, 2, 1, 3, 5, 5, 2, 0, 1, 4, 3],
            ),
            (
                sort(&x, 0, false),
                &[0.0, -0.0, 2.0, -5.0, 0.0, -1.0, 3.0, 1.0, 5.0, 1.0, 3.0, INF],
                &[1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1],
            ),
            (topk(&z, 2, 1, true), &[2.5, 0.7, 4.0, 3.9], &[2, 3, 1, 3]),
            (topk(&z, 3, 1, false), &[-1.2, 0.3, 0.7, -0.5, 1.1, 3.9], &[1, 0, 3, 2, 0, 3]),
            (topk(&z, 1, 0, true), &[1.1, 4.0, 2.5, 3.9], &[1, 1, 0, 1]),
        ];
        for (got, values, index) in rows {
            assert_eq!(bits(got), (values.iter().map(|v| v.to_bits()).collect(), index.to_vec()));
        }
        // `torch.sort(torch.tensor([1., nan, -2, nan, 0]), stable=True)`; descending, PyTorch has NaN first.
        let nans = Tensor::from_slice(&device, [5], &[1.0f32, f32::NAN, -2.0, f32::NAN, 0.0]);
        assert_eq!(argsort(&nans, 0, false).read::<u32>().unwrap(), [2, 4, 0, 1, 3]);
        assert_eq!(argsort(&nans, 0, true).read::<u32>().unwrap(), [0, 4, 2, 1, 3]);
    }
}

#[test]
fn the_gradient_of_a_sort_is_the_difference_quotient() {
    let x = tensor(&Device::Cpu, [3, 7, 2], 1);
    let backward = |t: &[Tensor], dy: &Tensor| vec![sort_bwd_x(dy, &sort(&t[0], 1, true).1, 1, [3, 7, 2])];
    gradients(std::slice::from_ref(&x), |t| sort(&t[0], 1, true).0, backward);
    let backward = |t: &[Tensor], dy: &Tensor| vec![sort_bwd_x(dy, &topk(&t[0], 3, 1, true).1, 1, [3, 7, 2])];
    gradients(&[x], |t| topk(&t[0], 3, 1, true).0, backward);
}

#[test]
fn an_index_past_the_end_names_no_place() {
    for device in devices() {
        let (dy, index) = (Tensor::full(&device, [2], 1.0), Tensor::from_slice(&device, [2], &[7u32, 1]));
        assert_eq!(sort_bwd_x(&dy, &index, 0, [3]).to_vec().unwrap(), [0.0, 1.0, 0.0]);
    }
}

/// No order names a place twice, but whoever calls may. It was another element in every run.
#[test]
fn of_indices_that_name_one_place_the_last_counts() {
    for device in devices() {
        let (len, inner) = (50_000, 3);
        let dy: Vec<f32> = (0..len * inner).map(|i| i as f32).collect();
        let index: Vec<u32> = (0..len * inner).map(|i| (i / inner * 7 % 5) as u32).collect();
        let [dy, index] = [Tensor::from_slice(&device, [len, inner], &dy), Tensor::from_slice(&device, [len, inner], &index)];
        let dx = sort_bwd_x(&dy, &index, 0, [6, inner]).to_vec().unwrap();
        let last = |place: usize| (0..len).rev().find(|j| j * 7 % 5 == place);
        let want = (0..6).flat_map(|place| (0..inner).map(move |i| last(place).map_or(0.0, |j| (j * inner + i) as f32)));
        assert!(dx.iter().copied().eq(want), "{}: {dx:?}", device.name());
    }
}

#[test]
fn nothing_is_sorted_to_nothing() {
    for device in devices() {
        for dims in [[0, 3], [3, 0]] {
            let (y, index) = sort(&Tensor::zeros(&device, dims), 1, false);
            assert_eq!((y.shape(), index.shape()), (dims.into(), dims.into()));
        }
        let (y, _) = topk(&Tensor::zeros(&device, [2, 3]), 0, 1, true);
        assert_eq!(y.shape(), [2, 0].into());
        assert_eq!(sort_bwd_x(&y, &argsort(&y, 1, false), 1, [2, 3]).to_vec().unwrap(), [0.0; 6]);
    }
}
