// Numbers stand as PyTorch printed them.
#![allow(clippy::approx_constant)]

use super::cases::bools;
use crate::{devices, gradients, integers, tensor, values};
use gpu_core::ops::{
    add, copy_into, div, div_bwd_b, eq, ge, gt, le, logical_not, lt, maximum, maximum_bwd_a, minimum, minimum_bwd_a, mul, ne, pow,
    pow_bwd_a, pow_bwd_b, spread, sub, where_,
};
use gpu_core::{Device, Shape, Tensor};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use proptest::test_runner::RngSeed;

/// The plainest broadcast: every index is taken apart by all extents.
fn places(t: &Tensor, y: Shape) -> Vec<usize> {
    let (steps, strides) = (t.shape().broadcast_strides(y), y.strides());
    (0..y.len()).map(|i| (0..y.rank()).map(|k| i / strides[k] % y.dim(k) * steps[k]).sum()).collect()
}

fn naive(a: &Tensor, b: &Tensor, f: impl Fn(f64, f64) -> f64) -> Vec<f32> {
    let y = a.shape().broadcast(b.shape()).unwrap();
    let (from_a, from_b) = (places(a, y), places(b, y));
    let (a, b) = (a.to_vec().unwrap(), b.to_vec().unwrap());
    from_a.into_iter().zip(from_b).map(|(i, j)| f(a[i].into(), b[j].into()) as f32).collect()
}

#[test]
fn the_mirrors_are_the_formulas() {
    let pairs: &[(&[usize], &[usize])] =
        &[(&[], &[]), (&[3, 4], &[3, 4]), (&[4, 1], &[1, 6]), (&[2, 3, 4, 5], &[3, 1, 1]), (&[3, 1, 5, 1, 2, 1], &[4, 1, 3, 1, 7])];
    for &(a, b) in pairs {
        let (a, b) = (tensor(&Device::Cpu, a, 1), tensor(&Device::Cpu, b, 2));
        let exact: [(fn(&Tensor, &Tensor) -> Tensor, fn(f64, f64) -> f64); 6] = [
            (add, |a, b| a + b),
            (sub, |a, b| a - b),
            (mul, |a, b| a * b),
            (div, |a, b| a / b),
            (maximum, f64::max),
            (minimum, f64::min),
        ];
        for (op, f) in exact {
            assert_eq!(op(&a, &b).to_vec().unwrap(), naive(&a, &b, f));
        }
        let squared = mul(&a, &a);
        let (got, want) = (pow(&squared, &b).to_vec().unwrap(), naive(&squared, &b, f64::powf));
        assert!(got.iter().zip(&want).all(|(g, w)| (g - w).abs() <= 1e-6 * w), "{got:?} {want:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Default::default() })]

    /// Two shapes that broadcast: extents of a third, each kept or 1, with leading ones left out.
    #[test]
    fn integers_broadcast_as_in_a_plain_loop(
        extents in proptest::collection::vec((1usize..6, any::<bool>(), any::<bool>()), 0..=6),
        short in 0usize..3,
        seed in any::<u64>(),
    ) {
        let of = |keeps: fn(&(usize, bool, bool)) -> bool| extents.iter().map(|e| if keeps(e) { e.0 } else { 1 }).collect::<Vec<_>>();
        let (a, b) = (of(|e| e.1), of(|e| e.2));
        let b = &b[short.min(b.len())..];
        for device in devices() {
            let make = |dims: &[usize], seed| {
                let shape = Shape::new(dims);
                Tensor::from_slice(&device, shape, &integers(shape.len(), seed))
            };
            let (a, b) = (make(&a, seed), make(b, seed ^ 1));
            prop_assert_eq!(add(&a, &b).to_vec().unwrap(), naive(&a, &b, |a, b| a + b));
            prop_assert_eq!(mul(&b, &a).to_vec().unwrap(), naive(&b, &a, |b, a| b * a));
            prop_assert_eq!(maximum(&a, &b).to_vec().unwrap(), naive(&a, &b, f64::max));
            let below: Vec<bool> = naive(&a, &b, |a, b| f64::from(u8::from(a < b))).into_iter().map(|v| v == 1.0).collect();
            prop_assert_eq!(lt(&a, &b).read::<bool>().unwrap(), below);

            let y = a.shape().broadcast(b.shape()).unwrap();
            let cond = bools(&device, y, seed ^ 2);
            let (flags, from_a, from_b) = (cond.read::<bool>().unwrap(), places(&a, y), places(&b, y));
            let (left, right) = (a.to_vec().unwrap(), b.to_vec().unwrap());
            let chosen: Vec<f32> = (0..y.len()).map(|i| if flags[i] { left[from_a[i]] } else { right[from_b[i]] }).collect();
            prop_assert_eq!(where_(&cond, &a, &b).to_vec().unwrap(), chosen);
            let spread: Vec<f32> = from_a.iter().map(|&i| 3.0 * left[i]).collect();
            prop_assert_eq!(gpu_core::ops::spread(&a, y, 3.0).to_vec().unwrap(), spread);
        }
    }
}

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;

/// Equal, and a NaN where one is wanted. Of zeros the sign counts.
#[track_caller]
fn same(what: &str, device: &Device, got: &[f32], want: &[f32]) {
    let close = |g: f32, w: f32| {
        (g.is_nan() && w.is_nan()) || g == w && (g != 0.0 || g.to_bits() == w.to_bits()) || (g - w).abs() <= 2e-6 * w.abs()
    };
    let all = got.len() == want.len() && got.iter().zip(want).all(|(&g, &w)| close(g, w));
    assert!(all, "{what} on {}: {got:?} is not {want:?}", device.name());
}

/// `torch.pow(torch.tensor(BASES), torch.full((10,), exponent))` of PyTorch 2.11.
const BASES: [f32; 10] = [0.0, -0.0, -2.0, 2.0, INF, -INF, NAN, 1.0, -1.0, 0.5];
const POWERS: [(f32, [f32; 10]); 10] = [
    (-2.0, [INF, INF, 0.25, 0.25, 0.0, 0.0, NAN, 1.0, 1.0, 4.0]),
    (3.0, [0.0, -0.0, -8.0, 8.0, INF, -INF, NAN, 1.0, -1.0, 0.125]),
    (0.5, [0.0, 0.0, NAN, 1.414_213_5, INF, INF, NAN, 1.0, NAN, 0.707_106_77]),
    (-1.0, [INF, -INF, -0.5, 0.5, 0.0, -0.0, NAN, 1.0, -1.0, 2.0]),
    (0.0, [1.0; 10]),
    (-3.0, [INF, -INF, -0.125, 0.125, 0.0, -0.0, NAN, 1.0, -1.0, 8.0]),
    (1.5, [0.0, 0.0, NAN, 2.828_427, INF, INF, NAN, 1.0, NAN, 0.353_553_4]),
    (INF, [0.0, 0.0, INF, INF, INF, INF, NAN, 1.0, 1.0, 0.0]),
    (-INF, [INF, INF, 0.0, 0.0, 0.0, 0.0, NAN, 1.0, 1.0, INF]),
    (NAN, [NAN, NAN, NAN, NAN, NAN, NAN, NAN, 1.0, NAN, NAN]),
];

#[test]
fn the_edges_of_a_power_are_those_of_pytorch() {
    for device in devices() {
        let bases = Tensor::from_slice(&device, [10], &BASES);
        for (exponent, want) in POWERS {
            let got = pow(&bases, &Tensor::scalar(&device, exponent)).to_vec().unwrap();
            same(&format!("pow {exponent}"), &device, &got, &want);
        }
    }
}

#[test]
fn a_nan_wins_a_maximum_and_loses_a_comparison() {
    for device in devices() {
        let a = Tensor::from_slice(&device, [5], &[NAN, 1.0, 0.0, -0.0, 2.0]);
        let b = Tensor::from_slice(&device, [5], &[1.0, NAN, -0.0, 0.0, INF]);
        // torch.maximum, torch.minimum
        same("maximum", &device, &maximum(&a, &b).to_vec().unwrap(), &[NAN, NAN, 0.0, -0.0, INF]);
        same("minimum", &device, &minimum(&a, &b).to_vec().unwrap(), &[NAN, NAN, 0.0, -0.0, 2.0]);
        let one = Tensor::full(&device, [5], 1.0);
        // Through autograd: torch.maximum(a, b).sum().backward()
        same("maximum_bwd_a", &device, &maximum_bwd_a(&a, &b, &one).to_vec().unwrap(), &[1.0, 1.0, 0.5, 0.5, 0.0]);
        for (f, want) in
            [(eq as fn(&Tensor, &Tensor) -> Tensor, false), (lt, false), (le, false), (gt, false), (ge, false), (ne, true)]
        {
            assert_eq!(f(&a, &b).read::<bool>().unwrap()[..2], [want; 2]);
        }
    }
}

#[test]
fn the_gradients_of_a_power_at_nought_are_those_of_pytorch() {
    for device in devices() {
        let a = Tensor::from_slice(&device, [6], &[0.0f32, -0.0, 2.0, -2.0, 0.0, 0.0]);
        let b = Tensor::from_slice(&device, [6], &[0.0f32, 2.0, 0.0, 2.0, 0.5, -1.0]);
        let dy = Tensor::full(&device, [6], 1.0);
        // torch.pow(a, b).sum().backward()
        same("pow_bwd_a", &device, &pow_bwd_a(&a, &b, &dy).to_vec().unwrap(), &[0.0, -0.0, 0.0, -4.0, INF, -INF]);
        same("pow_bwd_b", &device, &pow_bwd_b(&a, &b, &dy).to_vec().unwrap(), &[0.0, 0.0, std::f32::consts::LN_2, NAN, 0.0, -INF]);
    }
}

#[test]
fn where_moves_a_nan_that_it_does_not_choose_nowhere() {
    for device in devices() {
        let cond = Tensor::from_slice(&device, [3], &[true, false, true]);
        let (a, b) = (Tensor::from_slice(&device, [3], &[1.0, NAN, 3.0]), Tensor::scalar(&device, 5.0));
        assert_eq!(where_(&cond, &a, &b).to_vec().unwrap(), [1.0, 5.0, 3.0]);
        assert!(where_(&logical_not(&cond), &a, &b).to_vec().unwrap()[1].is_nan());
    }
}

#[test]
fn gradients_are_difference_quotients() {
    let positive = |dims: &[usize], seed| {
        let values: Vec<f32> = values(dims.iter().product(), seed).iter().map(|v| v + 1.5).collect();
        Tensor::from_slice(&Device::Cpu, dims, &values)
    };
    let inputs = [positive(&[3, 4], 1), positive(&[3, 4], 2)];
    gradients(&inputs, |t| div(&t[0], &t[1]), |t, dy| vec![div(dy, &t[1]), div_bwd_b(&t[0], &t[1], dy)]);
    gradients(&inputs, |t| pow(&t[0], &t[1]), |t, dy| vec![pow_bwd_a(&t[0], &t[1], dy), pow_bwd_b(&t[0], &t[1], dy)]);
    gradients(&inputs, |t| maximum(&t[0], &t[1]), |t, dy| vec![maximum_bwd_a(&t[0], &t[1], dy), maximum_bwd_a(&t[1], &t[0], dy)]);
    gradients(&inputs, |t| minimum(&t[0], &t[1]), |t, dy| vec![minimum_bwd_a(&t[0], &t[1], dy), minimum_bwd_a(&t[1], &t[0], dy)]);
}

#[test]
fn integers_wrap_around() {
    for device in devices() {
        let (a, b) = (Tensor::from_slice(&device, [2], &[i32::MAX, -7]), Tensor::from_slice(&device, [1], &[3i32]));
        assert_eq!(add(&a, &b).read::<i32>().unwrap(), [i32::MIN + 2, -4]);
        assert_eq!(sub(&a, &b).read::<i32>().unwrap(), [i32::MAX - 3, -10]);
        assert_eq!(mul(&a, &b).read::<i32>().unwrap(), [i32::MAX.wrapping_mul(3), -21]);
    }
}

#[test]
fn operators_are_the_functions() {
    for device in devices() {
        let (a, b) = (Tensor::from_slice(&device, [2], &[6.0f32, -8.0]), Tensor::full(&device, [2], 2.0));
        assert_eq!((&a + &b).to_vec().unwrap(), [8.0, -6.0]);
        assert_eq!((&a - &b).to_vec().unwrap(), [4.0, -10.0]);
        assert_eq!((&(&a * &b) / &(-&b)).to_vec().unwrap(), [-6.0, 8.0]);
        assert_eq!((&a * 0.5).to_vec().unwrap(), [3.0, -4.0]);
    }
}

#[test]
fn copy_into_leaves_the_neighbours_of_a_slot_alone() {
    for device in devices() {
        let arena = Tensor::full(&device, [192], 5.0);
        copy_into(&tensor(&device, [61], 3), &arena.view(64, [61]));
        let got = arena.to_vec().unwrap();
        assert_eq!(got[64..125], values(61, 3));
        assert!(got[..64].iter().chain(&got[128..]).all(|&v| v == 5.0));
    }
}

#[test]
fn empty_tensors_are_left_alone() {
    for device in devices() {
        let (none, three) = (Tensor::zeros(&device, [0, 3]), Tensor::zeros(&device, [3]));
        assert!(add(&none, &three).to_vec().unwrap().is_empty());
        assert!(where_(&lt(&none, &three), &none, &three).to_vec().unwrap().is_empty());
        assert!(spread(&three, [2, 0, 3], 1.0).to_vec().unwrap().is_empty());
        assert!(logical_not(&eq(&none, &none)).read::<bool>().unwrap().is_empty());
    }
}
