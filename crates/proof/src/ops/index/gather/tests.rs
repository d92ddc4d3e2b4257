use crate::{devices, indices, values};
use gpu_core::Tensor;
use gpu_core::ops::{gather, index_select, one_hot};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn elements_are_those_that_the_indices_name(
        outer in 1..5usize, size in 1..50usize, len in 1..70usize, inner in 1..9usize, seed: u64,
    ) {
        let x = values(outer * size * inner, seed);
        let at = |o: usize, place: u32, i: usize| x[(o * size + place as usize) * inner + i];
        let each = indices(outer * len * inner, size, seed);
        let split = |e: usize| (e / inner / len, e / inner % len, e % inner);
        let gathered: Vec<f32> = each.iter().enumerate().map(|(e, &v)| at(split(e).0, v, split(e).2)).collect();
        let selected: Vec<f32> = (0..each.len()).map(|e| at(split(e).0, each[split(e).1], split(e).2)).collect();
        let hot: Vec<f32> = (0..len * size).map(|e| f32::from(u8::from(each[e / size] as usize == e % size))).collect();
        for device in devices() {
            let x = Tensor::from_slice(&device, [outer, size, inner], &x);
            let index = Tensor::from_slice(&device, [outer, len, inner], &each);
            let list = Tensor::from_slice(&device, [len], &each[..len]);
            prop_assert_eq!(&gather(&x, 1, &index).to_vec().unwrap(), &gathered);
            prop_assert_eq!(&index_select(&x, 1, &list).to_vec().unwrap(), &selected);
            prop_assert_eq!(&one_hot(&list, size).to_vec().unwrap(), &hot);
        }
    }
}

/// `torch.gather(x, dim, index)` with `x = torch.arange(6.).reshape(2, 3)`.
#[test]
fn gathered_elements_are_those_of_pytorch() {
    for device in devices() {
        let x = Tensor::from_slice(&device, [2, 3], &[0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let index = |dims: [usize; 2], v: &[u32]| Tensor::from_slice(&device, dims, v);
        let y = gather(&x, 1, &index([2, 4], &[2, 0, 0, 1, 1, 1, 2, 0]));
        assert_eq!(y.to_vec().unwrap(), [2.0, 0.0, 0.0, 1.0, 4.0, 4.0, 5.0, 3.0]);
        let y = gather(&x, 0, &index([1, 3], &[1, 0, 1]));
        assert_eq!(y.to_vec().unwrap(), [3.0, 1.0, 5.0]);
    }
}

#[test]
fn an_index_past_the_end_is_nan_or_nothing() {
    for device in devices() {
        let index = Tensor::from_slice(&device, [3], &[3u32, 0, u32::MAX]);
        for x in [Tensor::full(&device, [3], 2.0), Tensor::full(&device, [3, 3], 2.0), Tensor::full(&device, [3, 4], 2.0)] {
            let y: Vec<u32> = index_select(&x, 0, &index).to_vec().unwrap().into_iter().map(f32::to_bits).collect();
            let want = [f32::NAN, 2.0, f32::NAN].iter().flat_map(|v| vec![v.to_bits(); x.len() / 3]);
            assert!(want.eq(y.iter().copied()), "{y:x?} of {}", x.shape());
        }
        let y = gather(&Tensor::full(&device, [3], 2.0), 0, &index).to_vec().unwrap();
        assert!(y.iter().map(|v| v.to_bits()).eq([f32::NAN, 2.0, f32::NAN].map(f32::to_bits)), "{y:?}");
        let integers = Tensor::from_slice(&device, [3], &[5u32, 6, 7]);
        assert_eq!(gather(&integers, 0, &index).read::<u32>().unwrap(), [0, 5, 0]);
        assert_eq!(index_select(&integers, 0, &index).read::<u32>().unwrap(), [0, 5, 0]);
        assert_eq!(one_hot(&index, 2).to_vec().unwrap(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn nothing_is_picked_from_anything() {
    for device in devices() {
        let none = Tensor::from_slice::<u32>(&device, [0], &[]);
        assert_eq!(index_select(&Tensor::zeros(&device, [0, 3]), 0, &none).shape(), [0, 3].into());
        assert_eq!(gather(&Tensor::zeros(&device, [5]), 0, &none).shape(), [0].into());
        assert_eq!(one_hot(&none, 0).shape(), [0, 0].into());
    }
}
