use super::cases::ROWS;
use crate::{counted, devices, faulty, gradients, integers, poisoned, values};
use gpu_core::ops::{adaptive_avg_pool2d, adaptive_avg_pool2d_bwd_x, adaptive_max_pool2d, adaptive_max_pool2d_bwd_x};
use gpu_core::{Device, Shape, Tensor};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// The elements of each window of each plane, as indices into x: PyTorch's start and end, in floating point as the manual has them.
fn windows(x: Shape, output: [usize; 2]) -> Vec<Vec<usize>> {
    let range = |i: usize, parts: usize, extent: usize| {
        let per = extent as f64 / parts as f64;
        // Exact quotients must not be pushed over an integer by rounding.
        ((i as f64 * per + 1e-9).floor() as usize)..(((i + 1) as f64 * per - 1e-9).ceil() as usize)
    };
    let mut all = Vec::new();
    for plane in 0..x.n() * x.c() {
        for (p, q) in (0..output[0]).flat_map(|p| (0..output[1]).map(move |q| (p, q))) {
            let columns = range(q, output[1], x.w());
            let rows = range(p, output[0], x.h());
            all.push(rows.flat_map(|i| columns.clone().map(move |j| (plane * x.h() + i) * x.w() + j)).collect());
        }
    }
    all
}

/// What a device computes that is not as the windows say; `shift` moves the reference's windows: 0 is right.
fn differing(x: Shape, output: [usize; 2], shift: usize, device: &Device) -> Vec<&'static str> {
    let windows: Vec<Vec<usize>> =
        windows(x, output).into_iter().map(|w| w.into_iter().map(|i| (i + shift) % x.len()).collect()).collect();
    let (xs, ds) = (integers(x.len(), 1), integers(windows.len(), 2));
    let (mut avg, mut max, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    let (mut avg_dx, mut max_dx) = (vec![0f64; x.len()], vec![0f32; x.len()]);
    for (window, &dy) in windows.iter().zip(&ds) {
        let size = window.len() as f64;
        avg.push(window.iter().map(|&i| f64::from(xs[i])).sum::<f64>() / size);
        window.iter().for_each(|&i| avg_dx[i] += f64::from(dy) / size);
        let best = window.iter().fold(window[0], |best, &i| if xs[i] > xs[best] { i } else { best });
        max.push(xs[best]);
        indices.push((best % x.inner(2)) as u32);
        max_dx[best] += dy;
    }
    let y_shape = Shape::from([x.n(), x.c(), output[0], output[1]]);
    let device = &poisoned(device);
    let (xt, dt) = (Tensor::from_slice(device, x, &xs), Tensor::from_slice(device, y_shape, &ds));
    let near = |got: Tensor, want: &[f64]| {
        got.to_vec().unwrap().iter().zip(want).all(|(&got, &want)| (f64::from(got) - want).abs() <= 1e-5 * want.abs().max(1.0))
    };
    let (y, at) = adaptive_max_pool2d(&xt, output);
    [
        ("mean", near(adaptive_avg_pool2d(&xt, output), &avg)),
        ("dx of mean", near(adaptive_avg_pool2d_bwd_x(&dt, x), &avg_dx)),
        ("max", y.to_vec().unwrap() == max),
        ("indices", at.read::<u32>().unwrap() == indices),
        ("dx of max", adaptive_max_pool2d_bwd_x(&dt, &at, x).to_vec().unwrap() == max_dx),
    ]
    .into_iter()
    .filter_map(|(what, ok)| (!ok).then_some(what))
    .collect()
}

#[test]
fn any_division_is_pooled_exactly_on_every_device() {
    for device in devices() {
        // The extents are parameters: no geometry is compiled anew.
        let config = Config { cases: if device.is_gpu() { 48 } else { 256 }, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let shapes = (1..=2usize, 1..=3usize, 1..=24usize, 1..=24usize, 1..=26usize, 1..=26usize);
        let held = runner.run(&shapes, |(n, c, h, w, p, q)| {
            let wrong = differing([n, c, h, w].into(), [p, q], 0, &device);
            if wrong.is_empty() { Ok(()) } else { Err(TestCaseError::fail(format!("{wrong:?}"))) }
        });
        held.unwrap_or_else(|e| panic!("on {}: {e}", device.name()));
    }
}

#[test]
fn windows_that_are_off_by_one_and_faulty_kernels_are_noticed_by_the_same_comparison() {
    for device in devices() {
        for output in [[3, 2], [1, 1]] {
            let x = Shape::from([2, 2, 12, 13]);
            assert!(differing(x, output, 0, &device).is_empty());
            // The maximum itself is often the neighbour's too.
            let noticed = differing(x, output, 1, &device);
            assert!(["mean", "dx of mean", "indices", "dx of max"].iter().all(|what| noticed.contains(what)), "only {noticed:?}");
            let (counted, launches) = counted(&device);
            differing(x, output, 0, &counted);
            for kernel in launches.names() {
                let noticed = differing(x, output, 0, &faulty(&device, kernel));
                assert!(!noticed.is_empty(), "{kernel} on {}", device.name());
            }
        }
    }
}

/// From `torch.nn.functional.adaptive_avg_pool2d(x, (3, 2))` and `adaptive_max_pool2d((x * 13) % 35, (2, 3), True)` of
/// `x = torch.arange(35.).view(1, 1, 5, 7)`, and `adaptive_avg_pool2d(torch.arange(6.).view(1, 1, 2, 3), (3, 5))`.
#[test]
fn adaptive_pooling_agrees_with_pytorch() {
    for device in devices() {
        let x = |len: usize, by: usize| (0..len).map(|v| (v * by % len) as f32).collect::<Vec<_>>();
        let five = |by| Tensor::from_slice(&device, [1, 1, 5, 7], &x(35, by));
        assert_eq!(adaptive_avg_pool2d(&five(1), [3, 2]).to_vec().unwrap(), [5.0, 8.0, 15.5, 18.5, 26.0, 29.0]);
        let (y, indices) = adaptive_max_pool2d(&five(13), [2, 3]);
        assert_eq!(y.to_vec().unwrap(), [34.0, 33.0, 30.0, 33.0, 33.0, 31.0]);
        assert_eq!(indices.read::<u32>().unwrap(), [8, 16, 5, 16, 16, 32]);
        let y = adaptive_avg_pool2d(&Tensor::from_slice(&device, [1, 1, 2, 3], &x(6, 1)), [3, 5]).to_vec().unwrap();
        assert_eq!(y, [0.0, 0.5, 1.0, 1.5, 2.0, 1.5, 2.0, 2.5, 3.0, 3.5, 3.0, 3.5, 4.0, 4.5, 5.0]);
    }
}

#[test]
fn a_nan_wins_in_windows_of_any_size() {
    for device in devices() {
        for [h, w] in [[3, 5], [20, 21]] {
            let mut x = values(h * w, 1);
            (x[2], x[h * w - 3]) = (f32::NAN, f32::NAN);
            let (y, indices) = adaptive_max_pool2d(&Tensor::from_slice(&device, [1, 1, h, w], &x), [1, 1]);
            assert!(y.item().unwrap().is_nan());
            assert_eq!(indices.read::<u32>().unwrap(), [(h * w - 3) as u32], "{h}x{w} on {}", device.name());
            let low = Tensor::full(&device, [1, 1, h, w], f32::NEG_INFINITY);
            let (y, indices) = adaptive_max_pool2d(&low, [1, 1]);
            assert_eq!((y.item().unwrap(), indices.read::<u32>().unwrap()), (f32::NEG_INFINITY, vec![0]));
        }
    }
}

#[test]
fn the_gradients_are_the_difference_quotients() {
    for &(x, output) in &ROWS[..6] {
        let shape = Shape::from(x);
        // All elements far enough apart that a step changes no maximum.
        let apart: Vec<f32> = (0..shape.len()).map(|i| (i * 7919 % shape.len()) as f32 * 0.05).collect();
        let x = Tensor::from_slice(&Device::Cpu, shape, &apart);
        let backward =
            |t: &[Tensor], dy: &Tensor| vec![adaptive_max_pool2d_bwd_x(dy, &adaptive_max_pool2d(&t[0], output).1, shape)];
        gradients(std::slice::from_ref(&x), |t| adaptive_max_pool2d(&t[0], output).0, backward);
        gradients(&[x], |t| adaptive_avg_pool2d(&t[0], output), |_, dy| vec![adaptive_avg_pool2d_bwd_x(dy, shape)]);
    }
}

#[test]
fn an_index_outside_its_part_gives_nothing_on_every_device() {
    let x = Shape::from([1, 2, 5, 6]);
    for at in (0..32).chain([u32::MAX]) {
        let on = |device: &Device| {
            let dy = Tensor::from_slice(device, [1, 2, 2, 3], &(1..13).map(|v| v as f32).collect::<Vec<_>>());
            let indices = Tensor::from_slice(device, [1, 2, 2, 3], &[at; 12]);
            adaptive_max_pool2d_bwd_x(&dy, &indices, x).to_vec().unwrap()
        };
        // Rows 0..3 and 2..5, columns in twos.
        let (row, column) = (at as usize / 6, at as usize % 6);
        let mut want = vec![0.0; 60];
        for part in (0..2).filter(|&part| [0..3, 2..5][part].contains(&row)) {
            (0..2).for_each(|plane| want[30 * plane + at as usize] += (6 * plane + 3 * part + column / 2 + 1) as f32);
        }
        devices().iter().for_each(|device| assert_eq!(on(device), want, "{at} on {}", device.name()));
    }
}
