use crate::{devices, tensor, values};
use gpu_core::ops::accumulate;
use gpu_core::{Device, Tensor};

#[test]
fn the_mirror_is_the_formula_and_neighbours_stay() {
    for device in devices() {
        for keep in [0.0, 1.0, 0.5] {
            let arena = Tensor::full(&device, [192], 5.0);
            accumulate(&tensor(&device, [61], 3), &arena.view(64, [61]), 0.5, keep);
            let got = arena.to_vec().unwrap();
            let before = keep * 5.0;
            let want: Vec<f32> = values(61, 3).iter().map(|v| before + 0.5 * v).collect();
            assert_eq!(got[64..125], want);
            assert!(got[..64].iter().chain(&got[125..]).all(|&v| v == 5.0), "{}: a neighbour changed", device.name());
        }
    }
}

#[test]
#[should_panic(expected = "accumulate: lengths differ (x [2], y [3])")]
fn lengths_that_differ_are_refused() {
    accumulate(&Tensor::zeros(&Device::Cpu, [2]), &Tensor::zeros(&Device::Cpu, [3]), 1.0, 1.0);
}
