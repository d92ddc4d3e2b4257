use super::cases::step_at;
use crate::{devices, gradients, tensor};
use gpu_core::ops::{
    DropoutKey, alpha_dropout, alpha_dropout_bwd_x, bernoulli_keep, bernoulli_keep_bwd_x, dropout, dropout_bwd_x, dropout_mask,
    dropout2d, dropout2d_bwd_x, feature_alpha_dropout, feature_alpha_dropout_bwd_x, gaussian_noise, gaussian_noise_bwd_x,
};
use gpu_core::rng::Stream;
use gpu_core::{Device, Shape, Tensor};

const KEY: DropoutKey = DropoutKey { seed: 9, stream: 2 };

const KEPT_ONE: f32 = 1.315_044_7;
const DROPPED: f32 = -1.059_548_2;

#[test]
fn the_mirrors_follow_the_rule() {
    let x = tensor(&Device::Cpu, [3, 5, 7, 331], 1);
    let values = x.to_vec().unwrap();
    let words = Stream::new(KEY.seed, KEY.stream, 77);
    let keep = |i: usize| f64::from(words.word(i as u64)) >= (f64::from(0.3f32) * 2f64.powi(32)).round();
    let mask = dropout_mask(x.shape(), 0.3, KEY, &step_at(&Device::Cpu, 77)).read::<u32>().unwrap();
    let y = dropout(&x, 0.3, KEY, &step_at(&Device::Cpu, 77)).to_vec().unwrap();
    let y2d = dropout2d(&x, 0.3, KEY, &step_at(&Device::Cpu, 77)).to_vec().unwrap();
    let scale = (1.0 / (1.0 - f64::from(0.3f32))) as f32;
    for (i, &v) in values.iter().enumerate() {
        assert_eq!(y[i], if keep(i) { v * scale } else { 0.0 });
        assert_eq!(y2d[i], if keep(i / (7 * 331)) { v * scale } else { 0.0 });
        assert_eq!(mask[i / 32] >> (i % 32) & 1 == 1, keep(i));
    }
}

#[test]
fn the_kept_fraction_and_the_mean_are_right_within_five_sigma() {
    let n = 1_000_000;
    let x = Tensor::full(&Device::Cpu, [n], 1.0);
    for p in [0.1f32, 0.5, 0.9] {
        let y = dropout(&x, p, KEY, &step_at(&Device::Cpu, 0)).to_vec().unwrap();
        let kept = y.iter().filter(|&&v| v != 0.0).count() as f64 / n as f64;
        let p = f64::from(p);
        let sigma = (p * (1.0 - p) / n as f64).sqrt();
        assert!((kept - (1.0 - p)).abs() < 5.0 * sigma, "p {p}: {kept} kept");
        let mean = y.iter().map(|&v| f64::from(v)).sum::<f64>() / n as f64;
        assert!((mean - 1.0).abs() < 5.0 * sigma / (1.0 - p) + 1e-6, "p {p}: mean {mean}");
    }
}

#[test]
fn masks_of_other_steps_streams_and_seeds_are_independent() {
    let mask = |key, s| dropout_mask(Shape::from([320_000]), 0.5, key, &step_at(&Device::Cpu, s)).read::<u32>().unwrap();
    let first = mask(KEY, 0);
    for other in [mask(KEY, 1), mask(DropoutKey { stream: 3, ..KEY }, 0), mask(DropoutKey { seed: 9 | 1 << 32, ..KEY }, 0)] {
        let equal: u32 = first.iter().zip(&other).map(|(a, b)| (a ^ b).count_zeros()).sum();
        // Sigma is sqrt(320,000) / 2 = 283.
        assert!((i64::from(equal) - 160_000).abs() < 5 * 283, "{equal} of 320,000 equal");
    }
}

#[test]
fn none_and_all() {
    for device in devices() {
        let x = tensor(&device, [1003], 1);
        assert_eq!(dropout(&x, 0.0, KEY, &step_at(&device, 0)).to_vec().unwrap(), x.to_vec().unwrap());
        assert!(dropout(&x, 1.0, KEY, &step_at(&device, 0)).to_vec().unwrap().iter().all(|v| v.to_bits() == 0));
    }
}

#[test]
fn a_replayed_capture_draws_with_the_step_of_the_moment() {
    for device in devices() {
        let (x, counter) = (tensor(&device, [1003], 1), step_at(&device, 0));
        let (y, capture) = device.capture(|| dropout(&x, 0.5, KEY, &counter)).unwrap();
        for s in [5u32, 6, 5] {
            counter.write(&[s]);
            capture.replay().unwrap();
            assert_eq!(y.to_vec().unwrap(), dropout(&x, 0.5, KEY, &step_at(&device, s)).to_vec().unwrap());
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let x = tensor(&Device::Cpu, [3, 5, 70, 331], 1);
    let run = || {
        let step = step_at(&Device::Cpu, 1);
        (dropout(&x, 0.3, KEY, &step).to_vec().unwrap(), dropout2d(&x, 0.3, KEY, &step).to_vec().unwrap())
    };
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(run);
    let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap().install(run);
    assert!(one == three);
}

#[test]
fn gradients_equal_difference_quotients() {
    let (x, step) = (tensor(&Device::Cpu, [2, 3, 3, 5], 1), step_at(&Device::cpu_f64(), 4));
    let hold = |f: &dyn Fn(&Tensor) -> Tensor, bwd: &dyn Fn(&Tensor) -> Tensor| {
        gradients(std::slice::from_ref(&x), |t| f(&t[0]), |_, dy| vec![bwd(dy)]);
    };
    hold(&|x| dropout(x, 0.4, KEY, &step), &|dy| dropout_bwd_x(dy, 0.4, KEY, &step));
    hold(&|x| dropout2d(x, 0.4, KEY, &step), &|dy| dropout2d_bwd_x(dy, 0.4, KEY, &step));
    hold(&|x| alpha_dropout(x, 0.4, KEY, &step), &|dy| alpha_dropout_bwd_x(dy, 0.4, KEY, &step));
    hold(&|x| feature_alpha_dropout(x, 0.4, KEY, &step), &|dy| feature_alpha_dropout_bwd_x(dy, 0.4, KEY, &step));
    hold(&|x| gaussian_noise(x, 0.7, 0.4, KEY, &step), &|dy| gaussian_noise_bwd_x(dy, 0.7, 0.4, KEY, &step));
    hold(&|x| bernoulli_keep(x, 0.4, KEY, &step), &|dy| bernoulli_keep_bwd_x(dy, 0.4, KEY, &step));
}

#[test]
fn every_kind_of_dropout_drops_the_same_elements() {
    for device in devices() {
        let (x, s) = (Tensor::full(&device, [5, 7, 3, 2], 1.0), step_at(&device, 3));
        let dropped = |y: Tensor| -> Vec<bool> { y.to_vec().unwrap().iter().map(|&v| v <= 0.0).collect() };
        let by_element = dropped(dropout(&x, 0.5, KEY, &s));
        assert_eq!(dropped(alpha_dropout(&x, 0.5, KEY, &s)), by_element);
        assert_eq!(dropped(bernoulli_keep(&x, 0.5, KEY, &s)), by_element);
        assert_eq!(dropped(feature_alpha_dropout(&x, 0.5, KEY, &s)), dropped(dropout2d(&x, 0.5, KEY, &s)));
    }
}

#[test]
fn alpha_dropout_gives_pytorchs_two_values() {
    // torch.nn.functional.alpha_dropout(torch.ones(9), 0.3, training=True)
    for device in devices() {
        let y = alpha_dropout(&Tensor::full(&device, [999], 1.0), 0.3, KEY, &step_at(&device, 0)).to_vec().unwrap();
        let near = |v: f32, want: f32| (v - want).abs() < 2e-6;
        assert!(y.iter().all(|&v| near(v, KEPT_ONE) || near(v, DROPPED)), "{:?}", &y[..9]);
        assert!(y.iter().any(|&v| near(v, KEPT_ONE)) && y.iter().any(|&v| near(v, DROPPED)));
    }
}

/// Mean and variance.
fn moments(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    (mean, values.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n)
}

#[test]
fn noise_is_normal_within_five_sigma_and_alpha_dropout_leaves_it_so() {
    const N: usize = 400_000;
    for device in devices() {
        let ones = Tensor::full(&device, [N], 1.0);
        let factors = gaussian_noise(&ones, 0.0, 1.0, KEY, &step_at(&device, 1));
        let z = factors.to_vec().unwrap();
        // Sigma of the mean is 1 / sqrt(N), of the variance sqrt(2 / N), of the fourth moment sqrt(96 / N).
        let sigma = 1.0 / (N as f64).sqrt();
        let (mean, variance) = moments(&z);
        assert!(mean.abs() < 5.0 * sigma && (variance - 1.0).abs() < 5.0 * 2f64.sqrt() * sigma, "{mean} {variance}");
        let fourth = z.iter().map(|&v| f64::from(v).powi(4)).sum::<f64>() / N as f64;
        assert!((fourth - 3.0).abs() < 5.0 * 96f64.sqrt() * sigma, "{fourth}");
        // The pair of one radius, and neighbours of two blocks, are independent.
        for lag in 1..4 {
            let product = z.iter().zip(&z[lag..]).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>() / N as f64;
            assert!(product.abs() < 5.0 * sigma, "lag {lag}: {product}");
        }
        let beyond_two = z.iter().filter(|v| v.abs() > 2.0).count() as f64 / N as f64;
        assert!((beyond_two - 0.0455).abs() < 5.0 * 0.2084 * sigma, "{beyond_two}");
        let (mean, variance) = moments(&alpha_dropout(&factors, 0.3, KEY, &step_at(&device, 2)).to_vec().unwrap());
        assert!(mean.abs() < 5.0 * sigma && (variance - 1.0).abs() < 10.0 * sigma, "{mean} {variance}");
        let scaled = gaussian_noise(&ones, 3.0, 0.5, KEY, &step_at(&device, 1)).to_vec().unwrap();
        assert!(scaled.iter().zip(&z).all(|(s, z)| (s - (3.0 + 0.5 * z)).abs() < 1e-5));
    }
}

#[test]
fn the_fraction_that_is_kept_unscaled_is_right_within_five_sigma() {
    let n = 1_000_000;
    for keep in [0.0f32, 0.2, 0.7, 1.0] {
        let y = bernoulli_keep(&Tensor::full(&Device::Cpu, [n], 1.0), keep, KEY, &step_at(&Device::Cpu, 0)).to_vec().unwrap();
        assert!(y.iter().all(|&v| v == 0.0 || v == 1.0));
        let (kept, keep) = (y.iter().filter(|&&v| v == 1.0).count() as f64 / n as f64, f64::from(keep));
        assert!((kept - keep).abs() <= 5.0 * (keep * (1.0 - keep) / n as f64).sqrt(), "{kept} of {keep} kept");
    }
}

#[test]
fn empty_tensors_are_left_alone() {
    for device in devices() {
        let (x, s) = (Tensor::zeros(&device, [3, 0, 2]), step_at(&device, 0));
        assert!(dropout(&x, 0.5, KEY, &s).is_empty() && feature_alpha_dropout(&x, 0.5, KEY, &s).is_empty());
        assert!(gaussian_noise(&x, 1.0, 0.5, KEY, &s).is_empty() && dropout_mask(x.shape(), 0.5, KEY, &s).is_empty());
    }
}
