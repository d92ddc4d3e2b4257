use super::cases::SMALL;
use crate::{devices, tensor, values};
use gpu_core::Tensor;
use gpu_core::joined;
use gpu_core::ops::join;

#[test]
fn a_sum_is_that_of_f32_and_neighbours_stay() {
    for device in devices() {
        let arena = Tensor::full(&device, [192], 5.0);
        join(&tensor(&device, [61], 3), &arena.view(64, [61]));
        let got = arena.to_vec().unwrap();
        assert_eq!(got[64..125], values(61, 3).iter().map(|v| v + 5.0).collect::<Vec<f32>>());
        assert!(got[..64].iter().chain(&got[125..]).all(|&v| v == 5.0), "{}: a neighbour changed", device.name());
    }
}

/// By f64, where nothing of these is subnormal.
#[test]
fn what_is_subnormal_is_zero_and_zero_is_positive() {
    let normal = |v: f64| if v.abs() < f64::from(f32::MIN_POSITIVE) { 0.0 } else { v };
    for device in devices() {
        for x in SMALL {
            let y = Tensor::from_slice(&device, [16], &SMALL);
            join(&Tensor::full(&device, [16], x), &y);
            for (&y, got) in SMALL.iter().zip(y.to_vec().unwrap()) {
                let want = normal(normal(x.into()) + normal(y.into())) as f32;
                assert_eq!(got.to_bits(), (want + 0.0).to_bits(), "{}: {x:e} + {y:e} = {got:e}, {want:e}", device.name());
                assert_eq!(got.to_bits(), joined(x, y).to_bits());
            }
        }
    }
}
