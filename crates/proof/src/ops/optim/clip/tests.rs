use super::cases::LENGTHS;
use crate::{devices, tensor, values};
use gpu_core::ops::{clip_grad_norm, total_norm};
use gpu_core::{Device, Tensor};

#[test]
fn a_clip_is_the_formula_on_every_device() {
    for device in devices() {
        for lengths in LENGTHS {
            let values: Vec<Vec<f32>> = lengths.iter().map(|&len| values(len, len as u64)).collect();
            let norm = values.iter().flatten().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
            for max_norm in [0.5f32, 1e9] {
                let tensors: Vec<Tensor> = values.iter().map(|v| Tensor::from_slice(&device, [v.len()], v)).collect();
                let got = clip_grad_norm(&tensors.iter().collect::<Vec<_>>(), max_norm).item().unwrap();
                assert!((f64::from(got) / norm - 1.0).abs() < 1e-6, "{lengths:?}: {got} is not {norm}");
                let factor = (f64::from(max_norm) / (norm + 1e-6)).min(1.0);
                for (tensor, before) in tensors.iter().zip(&values) {
                    for (got, before) in tensor.to_vec().unwrap().iter().zip(before) {
                        let want = f64::from(*before) * factor;
                        assert!((f64::from(*got) - want).abs() <= 1e-6 * want.abs(), "{lengths:?}: {got} is not {want}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_small_enough_keeps_its_bits_and_what_is_no_number_spoils_all() {
    for device in devices() {
        let g = tensor(&device, [1000], 1);
        clip_grad_norm(&[&g], 100.0);
        assert_eq!(g.to_vec().unwrap(), values(1000, 1));
    }
    // WGSL promises nothing about NaN; the CPU device does.
    let g = Tensor::from_slice(&Device::Cpu, [2], &[f32::NAN, 1.0]);
    clip_grad_norm(&[&g], 1.0);
    assert!(g.to_vec().unwrap().iter().all(|v| v.is_nan()));
}

#[test]
fn the_end_of_a_buffer_is_no_part_of_a_norm() {
    for device in devices() {
        let arena = Tensor::full(&device, [64], 1e9);
        let five = arena.view(0, [5]);
        five.write(&[3.0f32, 0.0, 0.0, 0.0, 4.0]);
        assert_eq!(total_norm(&[&five]).item().unwrap(), 5.0, "{}", device.name());
    }
}

#[test]
#[should_panic(expected = "clip_grad_norm: max_norm -1 is not a number of 0 or more")]
fn a_negative_norm_is_refused() {
    clip_grad_norm(&[&Tensor::zeros(&Device::Cpu, [2])], -1.0);
}
