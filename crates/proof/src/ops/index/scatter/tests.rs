use crate::{devices, gradients, indices, integers, tensor};
use gpu_core::ops::{gather, gather_bwd_x, index_add, index_select, index_select_bwd_x, scatter_add};
use gpu_core::{Device, Tensor};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn sums_of_small_integers_are_those_of_a_plain_loop(
        outer in 1..4usize,
        size in 1..40usize,
        len in prop_oneof![0..40usize, 60..300usize, 2000..2700usize],
        inner in 1..6usize,
        seed: u64,
    ) {
        let (x, src) = (integers(outer * size * inner, seed), integers(outer * len * inner, seed ^ 1));
        let each = indices(outer * len * inner, size, seed);
        let plain = |start: &[f32], shared: bool| {
            let mut y = start.to_vec();
            for (e, v) in src.iter().enumerate() {
                let (o, j, i) = (e / inner / len, e / inner % len, e % inner);
                y[(o * size + each[if shared { j } else { e }] as usize) * inner + i] += v;
            }
            y
        };
        let zeros = vec![0.0; x.len()];
        for device in devices() {
            let shape = [outer, size, inner];
            let (x_t, src) = (Tensor::from_slice(&device, shape, &x), Tensor::from_slice(&device, [outer, len, inner], &src));
            let index = Tensor::from_slice(&device, [outer, len, inner], &each);
            let list = Tensor::from_slice(&device, [len], &each[..len]);
            prop_assert_eq!(scatter_add(&x_t, 1, &index, &src).to_vec().unwrap(), plain(&x, false));
            prop_assert_eq!(index_add(&x_t, 1, &list, &src).to_vec().unwrap(), plain(&x, true));
            prop_assert_eq!(gather_bwd_x(&src, 1, &index, shape).to_vec().unwrap(), plain(&zeros, false));
            prop_assert_eq!(index_select_bwd_x(&src, 1, &list, shape).to_vec().unwrap(), plain(&zeros, true));
        }
    }
}

/// `torch.ones(3, 4).scatter_add(0, index, src)` and `torch.ones(4, 3).index_add(1, ...)`, with `src` = 1, 2, 3, ...
#[test]
fn sums_are_those_of_pytorch() {
    for device in devices() {
        let src = |shape: [usize; 2]| Tensor::from_slice(&device, shape, &(1..=8).map(|v| v as f32).collect::<Vec<_>>());
        let index = Tensor::from_slice(&device, [2, 4], &[0u32, 2, 2, 1, 0, 0, 2, 2]);
        let y = scatter_add(&Tensor::full(&device, [3, 4], 1.0), 0, &index, &src([2, 4]));
        assert_eq!(y.to_vec().unwrap(), [7.0, 7.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 1.0, 3.0, 11.0, 9.0]);
        let list = Tensor::from_slice(&device, [2], &[2u32, 0]);
        let y = index_add(&Tensor::full(&device, [4, 3], 1.0), 1, &list, &src([4, 2]));
        assert_eq!(y.to_vec().unwrap(), [3.0, 1.0, 2.0, 5.0, 1.0, 4.0, 7.0, 1.0, 6.0, 9.0, 1.0, 8.0]);
    }
}

#[test]
fn the_gradients_of_picking_are_the_difference_quotients() {
    let x = tensor(&Device::Cpu, [3, 5, 2], 1);
    let list = Tensor::from_slice(&Device::cpu_f64(), [2, 3], &indices(6, 5, 1));
    let backward = |_: &[Tensor], dy: &Tensor| vec![index_select_bwd_x(dy, 1, &list, [3, 5, 2])];
    gradients(std::slice::from_ref(&x), |t| index_select(&t[0], 1, &list), backward);
    let each = Tensor::from_slice(&Device::cpu_f64(), [3, 40, 2], &indices(240, 5, 1));
    let backward = |_: &[Tensor], dy: &Tensor| vec![gather_bwd_x(dy, 1, &each, [3, 5, 2])];
    gradients(&[x], |t| gather(&t[0], 1, &each), backward);
}

#[test]
fn an_index_past_the_end_adds_nothing() {
    for (device, len) in devices().into_iter().flat_map(|device| [2, 40].map(|len| (device.clone(), len))) {
        let mut index = vec![u32::MAX; len];
        (index[0], index[1]) = (2, 1);
        let (index, src, x) =
            (Tensor::from_slice(&device, [len], &index), Tensor::full(&device, [len], 3.0), Tensor::zeros(&device, [2]));
        let sums = [
            scatter_add(&x, 0, &index, &src),
            index_add(&x, 0, &index, &src),
            gather_bwd_x(&src, 0, &index, [2]),
            index_select_bwd_x(&src, 0, &index, [2]),
        ];
        for (i, sum) in sums.iter().enumerate() {
            assert_eq!(sum.to_vec().unwrap(), [0.0, 3.0], "sum {i} of {len} on {}", device.name());
        }
    }
}

#[test]
fn nothing_adds_to_nothing() {
    for device in devices() {
        let (none, index) = (Tensor::zeros(&device, [0]), Tensor::from_slice::<u32>(&device, [0], &[]));
        assert_eq!(scatter_add(&Tensor::full(&device, [2], 5.0), 0, &index, &none).to_vec().unwrap(), [5.0, 5.0]);
        assert_eq!(index_select_bwd_x(&none, 0, &index, [2]).to_vec().unwrap(), [0.0, 0.0]);
        let wide = Tensor::from_slice(&device, [40], &[0u32; 40]);
        assert_eq!(index_select_bwd_x(&Tensor::zeros(&device, [40, 0]), 0, &wide, [3, 0]).shape(), [3, 0].into());
    }
}
