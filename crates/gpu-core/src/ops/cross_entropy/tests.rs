use super::*;
use crate::check::{devices, hold};

/// Probabilities, log-probabilities and loss by plain f64 loops, without the subtraction of the maximum.
fn naive(x: &[f32], labels: &[u32], c: usize, smoothing: f64) -> (Vec<f64>, Vec<f64>, f64) {
    let (mut probs, mut log_probs, mut loss) = (Vec::new(), Vec::new(), 0.0);
    for (row, &label) in x.chunks(c).zip(labels) {
        let total: f64 = row.iter().map(|&v| f64::from(v).exp()).sum();
        for (i, &v) in row.iter().enumerate() {
            let p = f64::from(v).exp() / total;
            let wanted = smoothing / c as f64 + if i == label as usize { 1.0 - smoothing } else { 0.0 };
            loss -= wanted * p.ln();
            probs.push(p);
            log_probs.push(p.ln());
        }
    }
    (probs, log_probs, loss / labels.len() as f64)
}

fn assert_near(got: &Tensor, want: &[f64], tolerance: f64) {
    let got = got.to_vec().unwrap();
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(want) {
        assert!((f64::from(*g) - w).abs() <= tolerance * w.abs().max(1.0), "{g} is not {w}");
    }
}

#[test]
fn the_mirrors_equal_naive_loops() {
    for &shape in &SHAPES[..7] {
        for smoothing in [0.0f32, 0.1, 1.0] {
            let (x, labels) = (logits(&Device::Cpu, shape, 6), labels(&Device::Cpu, shape));
            let (want_probs, want_logs, want_loss) =
                naive(&x.to_vec().unwrap(), &labels.read().unwrap(), shape[1], f64::from(smoothing));
            let (loss, probs) = cross_entropy(&x, &labels, smoothing);
            assert_near(&loss, &[want_loss], 1e-6);
            assert_near(&probs, &want_probs, 1e-6);
            assert_near(&softmax(&x), &want_probs, 1e-6);
            assert_near(&log_softmax(&x), &want_logs, 1e-6);
        }
    }
}

#[test]
fn kernels_equal_their_mirrors() {
    hold(&cases());
}

#[test]
fn gradients_equal_difference_quotients() {
    let (x, labels) = (check::tensor(&Device::Cpu, [5, 7], 1), labels(&Device::Cpu, [5, 7]));
    for smoothing in [0.0, 0.2] {
        check::gradients(
            std::slice::from_ref(&x),
            |t| cross_entropy(&t[0], &labels, smoothing).0,
            |t, dy| {
                let (_, probs) = cross_entropy(&t[0], &labels, smoothing);
                vec![cross_entropy_bwd(&probs, &labels, smoothing, dy)]
            },
        );
    }
    let inputs = std::slice::from_ref(&x);
    check::gradients(inputs, |t| softmax(&t[0]), |t, dy| vec![softmax_bwd_x(&softmax(&t[0]), dy)]);
    check::gradients(inputs, |t| log_softmax(&t[0]), |t, dy| vec![log_softmax_bwd_x(&log_softmax(&t[0]), dy)]);
}

#[test]
fn large_logits_do_not_overflow() {
    for device in devices() {
        for c in [3, 40, 300] {
            let mut values = vec![-1e30f32; c];
            values[1] = 1e30;
            let (x, label) = (Tensor::from_slice(&device, [1, c], &values), Tensor::from_slice(&device, [1], &[1u32]));
            let (loss, probs) = cross_entropy(&x, &label, 0.0);
            assert_eq!(loss.item().unwrap(), 0.0);
            let want: Vec<f32> = (0..c).map(|i| if i == 1 { 1.0 } else { 0.0 }).collect();
            assert_eq!(probs.to_vec().unwrap(), want);
        }
    }
}

#[test]
fn every_form_of_a_row_takes_the_first_maximum() {
    for device in devices() {
        for c in [2, 16, 17, 200, 1000, 20_000] {
            let mut values = vec![-3.0f32; 2 * c];
            (values[c - 1], values[c / 2], values[c + c / 3], values[2 * c - 1]) = (1.0, 1.0, 1.0, 1.0);
            let x = Tensor::from_slice(&device, [2, c], &values);
            assert_eq!(argmax(&x).read::<u32>().unwrap(), [(c / 2) as u32, (c / 3) as u32], "{c} columns");
        }
    }
}

#[test]
fn the_forms_for_hardware_run_on_a_software_driver_too() {
    let Some(device) = check::gpu() else { return };
    for (lanes, group) in [(1u32, 64u32), (16, 64), (256, 256)] {
        for shape in [[67, 17], [5, 1000], [3, 3]] {
            let constants = [("LANES", lanes), ("GROUP", group)];
            let grid = |rows: usize| Grid::folded(rows.div_ceil((group / lanes) as usize));
            let (x, p) = (logits(&device, shape, 7), Params { smoothing: 0.1, ..Params::rows(Shape::from(shape)) });
            let labels = labels(&device, shape);
            let on_host = logits(&Device::Cpu, shape, 7);
            let (want_loss, want_probs) = cross_entropy(&on_host, &super::labels(&Device::Cpu, shape), 0.1);
            let (y, losses, indices) = (
                Tensor::empty(&device, shape),
                Tensor::empty(&device, [shape[0]]),
                Tensor::empty_of(&device, [shape[0]], DType::U32),
            );
            CROSS_ENTROPY.with(&constants).launch(p, &[&x, &labels], &[&y, &losses], grid(shape[0]));
            metrics::ARGMAX.with(&constants).launch(p, &[&x], &[&indices], grid(shape[0]));
            let want: Vec<f64> = want_probs.to_vec().unwrap().iter().map(|&v| f64::from(v)).collect();
            assert_near(&y, &want, 1e-5);
            assert_eq!(indices.read::<u32>().unwrap(), argmax(&on_host).read::<u32>().unwrap());
            let loss = Tensor::empty(&device, Shape::SCALAR);
            let p = Params { n: shape[0] as u32, c: shape[0] as u32, smoothing: 0.0, scale: 1.0 / shape[0] as f32 };
            CROSS_ENTROPY_MEAN.with(&constants).launch(p, &[&losses], &[&loss], Grid::folded(1));
            assert_near(&loss, &[f64::from(want_loss.item().unwrap())], 1e-5);
        }
    }
}

#[test]
fn the_same_bits_every_time() {
    for device in devices() {
        let (x, labels) = (logits(&device, [3001, 37], 8), labels(&device, [3001, 37]));
        let run = || cross_entropy(&x, &labels, 0.1).0.item().unwrap().to_bits();
        let first = run();
        assert!((0..5).all(|_| run() == first));
    }
}

#[test]
#[should_panic(expected = "cross_entropy: one label for each of 4 rows is needed (x [4, 3], labels [3])")]
fn labels_that_do_not_fit_are_named() {
    cross_entropy(&Tensor::zeros(&Device::Cpu, [4, 3]), &Tensor::from_slice(&Device::Cpu, [3], &[0u32; 3]), 0.0);
}

#[test]
#[should_panic(expected = "softmax_bwd_x: y and dy differ in shape (y [4, 3], dy [3, 4])")]
fn gradients_that_do_not_fit_are_named() {
    softmax_bwd_x(&Tensor::zeros(&Device::Cpu, [4, 3]), &Tensor::zeros(&Device::Cpu, [3, 4]));
}

#[test]
#[should_panic(expected = "cross_entropy: smoothing 1.5 is not in [0, 1]")]
fn a_smoothing_out_of_range_is_refused() {
    cross_entropy(&Tensor::zeros(&Device::Cpu, [1, 3]), &Tensor::from_slice(&Device::Cpu, [1], &[0u32]), 1.5);
}
