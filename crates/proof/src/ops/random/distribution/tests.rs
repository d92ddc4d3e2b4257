use super::cases::{KEY, step};
use crate::devices;
use gpu_core::ops::{bernoulli, normal, permutation, randint, uniform};
use gpu_core::rng::{Key, Stream};
use gpu_core::{Device, Tensor};

fn cpu(value: u32) -> Tensor {
    step(&Device::Cpu, value)
}

/// Mean and variance, and how far from what they should be in their own standard errors; `fourth` is the fourth central moment.
fn moments(values: &[f64], mean: f64, variance: f64, fourth: f64) -> (f64, f64) {
    let n = values.len() as f64;
    let got = values.iter().sum::<f64>() / n;
    let spread = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    ((got - mean) / (variance / n).sqrt(), (spread - variance) / ((fourth - variance * variance) / n).sqrt())
}

/// Chi-square of counts against equal ones, in standard deviations from its mean.
fn unevenness(counts: &[u32]) -> f64 {
    let (n, bins) = (f64::from(counts.iter().sum::<u32>()), counts.len() as f64);
    let chi: f64 = counts.iter().map(|&c| (f64::from(c) - n / bins).powi(2) / (n / bins)).sum();
    (chi - (bins - 1.0)) / (2.0 * (bins - 1.0)).sqrt()
}

#[test]
fn uniform_numbers_are_evenly_spread() {
    let y: Vec<f64> = uniform([400_000], -2.0, 3.0, KEY, &cpu(1)).to_vec().unwrap().into_iter().map(f64::from).collect();
    assert!(y.iter().all(|v| (-2.0..3.0).contains(v)));
    let (mean, variance) = moments(&y, 0.5, 25.0 / 12.0, 625.0 / 80.0);
    assert!(mean.abs() < 4.0 && variance.abs() < 4.0, "{mean} and {variance} standard errors");
    let mut bins = vec![0; 1000];
    y.iter().for_each(|v| bins[((v + 2.0) * 200.0) as usize] += 1);
    assert!(unevenness(&bins).abs() < 4.0, "{}", unevenness(&bins));
    // Neighbours are not alike.
    let product: f64 = y.windows(2).map(|pair| (pair[0] - 0.5) * (pair[1] - 0.5)).sum();
    assert!((product / (25.0 / 12.0) / 400_000f64.sqrt()).abs() < 4.0);
}

#[test]
fn a_uniform_number_never_reaches_the_end() {
    // Two numbers that are neighbours as f32: half of the sums round up.
    let high = 1e7f32.next_up();
    for device in devices() {
        let y = uniform([10_000], 1e7, high, KEY, &step(&device, 1)).to_vec().unwrap();
        assert!(y.iter().all(|&v| v == 1e7));
    }
}

#[test]
fn normal_numbers_have_the_moments_and_tails_of_the_bell() {
    for device in devices() {
        let y: Vec<f64> =
            normal([400_000], 3.0, 2.0, KEY, &step(&device, 2)).to_vec().unwrap().into_iter().map(f64::from).collect();
        let (mean, variance) = moments(&y, 3.0, 4.0, 3.0 * 16.0);
        assert!(mean.abs() < 4.0 && variance.abs() < 4.0, "{mean} and {variance} standard errors");
        // The fractions within 1, 2 and 3 standard deviations, from a table.
        for (within, fraction) in [(1.0, 0.682_689_5), (2.0, 0.954_499_7), (3.0, 0.997_300_2f64)] {
            let count = y.iter().filter(|v| ((*v - 3.0) / 2.0).abs() < within).count() as f64;
            let sigma = (4e5 * fraction * (1.0 - fraction)).sqrt();
            assert!((count - 400_000.0 * fraction).abs() < 4.0 * sigma, "{count} within {within}");
        }
    }
}

#[test]
fn normal_numbers_are_those_of_the_formula() {
    let y = normal([8], 0.0, 1.0, KEY, &cpu(9)).to_vec().unwrap();
    for block in 0..2 {
        let words = Stream::new(KEY.seed, KEY.stream, 9).block(block).map(f64::from);
        for pair in 0..2 {
            let radius = (-2.0 * ((words[2 * pair] + 1.0) * 2f64.powi(-32)).ln()).sqrt();
            let angle = std::f64::consts::TAU * words[2 * pair + 1] * 2f64.powi(-32);
            let at = 4 * block as usize + 2 * pair;
            assert_eq!([y[at], y[at + 1]], [(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]);
        }
    }
}

#[test]
fn truths_come_as_often_as_they_should() {
    for p in [0.1f32, 0.5, 0.9] {
        let y = bernoulli([300_000], p, KEY, &cpu(3)).read::<bool>().unwrap();
        let (count, p) = (y.iter().filter(|&&v| v).count() as f64, f64::from(p));
        assert!((count - 3e5 * p).abs() < 4.0 * (3e5 * p * (1.0 - p)).sqrt(), "{count}");
    }
}

#[test]
fn integers_are_evenly_spread() {
    let mut bins = vec![0; 97];
    for v in randint([200_000], -40, 57, KEY, &cpu(4)).read::<i32>().unwrap() {
        bins[(v + 40) as usize] += 1;
    }
    assert!(unevenness(&bins).abs() < 4.0, "{}", unevenness(&bins));
}

#[test]
fn permutations_name_every_element_once() {
    for device in devices() {
        for n in (0..40).chain([255, 256, 257, 1023, 1024, 1025, 1026, 1031, 2039, 4099, 10_007, 65_536, 99_991]) {
            let mut y = permutation(n, Key { seed: n as u64, stream: 1 }, &step(&device, 2)).read::<u32>().unwrap();
            y.sort_unstable();
            assert!((0..n as u32).eq(y), "{n}");
        }
    }
}

#[test]
fn all_orders_of_three_come_equally_often() {
    let mut counts = vec![0; 6];
    for seed in 0..12_000 {
        let y = permutation(3, Key { seed, stream: 0 }, &cpu(0)).read::<u32>().unwrap();
        counts[(y[0] * 2 + u32::from(y[1] > y[2])) as usize] += 1;
    }
    assert!(unevenness(&counts).abs() < 4.0, "{counts:?}");
}

/// Of many elements: where one ends up, which follows which, and how many stay are as for orders drawn at random.
#[test]
fn large_permutations_look_random() {
    let n = 1100;
    let (mut places, mut steps, mut stay) = (vec![0; 11], vec![0; 11], 0);
    for seed in 0..600 {
        let y = permutation(n, Key { seed, stream: 7 }, &cpu(0)).read::<u32>().unwrap();
        places[y[5] as usize / 100] += 1;
        steps[((y[701] + n as u32 - y[700]) as usize % n) / 100] += 1;
        stay += y.iter().zip(0..).filter(|(y, i)| **y == *i).count();
    }
    assert!(unevenness(&places).abs() < 4.0 && unevenness(&steps).abs() < 4.0, "{places:?} {steps:?}");
    // One on average, with variance one.
    assert!((stay as f64 - 600.0).abs() < 4.0 * 600f64.sqrt(), "{stay}");
}

#[test]
fn steps_streams_and_seeds_draw_differently_and_a_capture_draws_anew() {
    let draw = |key, s| uniform([64], 0.0, 1.0, key, &cpu(s)).to_vec().unwrap();
    assert_eq!(draw(KEY, 1), draw(KEY, 1));
    for other in [draw(KEY, 2), draw(Key { stream: 6, ..KEY }, 1), draw(Key { seed: 1, ..KEY }, 1)] {
        assert!(draw(KEY, 1).iter().zip(&other).filter(|(a, b)| a == b).count() < 2);
    }
    for device in devices() {
        let counter = step(&device, 0);
        let (y, capture) = device.capture(|| permutation(1500, KEY, &counter)).unwrap();
        for s in [3u32, 4] {
            counter.write(&[s]);
            capture.replay().unwrap();
            assert_eq!(y.read::<u32>().unwrap(), permutation(1500, KEY, &step(&device, s)).read::<u32>().unwrap());
        }
    }
}

#[test]
fn nothing_is_drawn_for_nothing() {
    for device in devices() {
        let s = step(&device, 0);
        let all = [uniform([0], 0.0, 1.0, KEY, &s), normal([2, 0], 0.0, 1.0, KEY, &s)];
        assert!(all.iter().all(|t| t.to_vec().unwrap().is_empty()));
        assert!(bernoulli([0], 0.5, KEY, &s).is_empty() && randint([0], 0, 2, KEY, &s).is_empty());
    }
}
