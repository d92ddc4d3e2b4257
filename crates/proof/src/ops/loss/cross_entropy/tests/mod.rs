mod pytorch;

use super::cases::{SHAPES, class_weights, labels, logits};
use crate::{devices, gpu, gradients, tensor};
use gpu_core::ops::internals::cross_entropy::{self as forms, Form};
use gpu_core::ops::{
    CrossEntropy, MetricSums, Overlap, Reduction, accumulate_loss, accumulate_metrics, accumulate_overlaps, argmax, cross_entropy,
    cross_entropy_bwd, log_softmax, log_softmax_bwd_x, nll_loss, nll_loss_bwd, soft_cross_entropy, soft_cross_entropy_bwd_target,
    soft_cross_entropy_bwd_x, softmax, softmax_bwd_x,
};
use gpu_core::{DType, Device, Shape, Tensor};

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
            assert_near(&softmax(&x, 1), &want_probs, 1e-6);
            assert_near(&log_softmax(&x, 1), &want_logs, 1e-6);
        }
    }
}

/// Every combination of options that follows another way through the code.
fn every_option(device: &Device, c: usize) -> Vec<CrossEntropy> {
    let mut all = Vec::new();
    for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
        for (smoothing, weighted, ignore_index) in
            [(0.0, false, None), (0.2, true, None), (0.0, true, Some(1)), (0.3, true, Some(0))]
        {
            all.push(CrossEntropy { smoothing, weight: weighted.then(|| class_weights(device, c)), ignore_index, reduction });
        }
    }
    all
}

#[test]
fn gradients_equal_difference_quotients() {
    for shape in [Shape::from([5, 7]), Shape::from([2, 3, 2, 2])] {
        let (x, labels) = (tensor(&Device::Cpu, shape, 1), labels(&Device::cpu_f64(), shape));
        for which in 0..every_option(&Device::Cpu, shape.c()).len() {
            let options = || every_option(&Device::cpu_f64(), shape.c()).remove(which);
            gradients(
                std::slice::from_ref(&x),
                |t| cross_entropy(&t[0], &labels, options()).0,
                |t, dy| {
                    let (_, probs) = cross_entropy(&t[0], &labels, options());
                    vec![cross_entropy_bwd(&probs, &labels, options(), dy)]
                },
            );
            let unsmoothed = || CrossEntropy { smoothing: 0.0, ..options() };
            gradients(
                std::slice::from_ref(&x),
                |t| nll_loss(&t[0], &labels, unsmoothed()),
                |t, dy| vec![nll_loss_bwd(t[0].shape(), &labels, unsmoothed(), dy)],
            );
            let soft = || CrossEntropy { ignore_index: None, ..options() };
            gradients(
                &[x.clone(), tensor(&Device::Cpu, shape, 2)],
                |t| soft_cross_entropy(&t[0], &t[1], soft()).0,
                |t, dy| {
                    let (_, probs) = soft_cross_entropy(&t[0], &t[1], soft());
                    vec![soft_cross_entropy_bwd_x(&probs, &t[1], soft(), dy), soft_cross_entropy_bwd_target(&t[0], soft(), dy)]
                },
            );
        }
    }
    let x = tensor(&Device::Cpu, [3, 4, 5], 1);
    let inputs = std::slice::from_ref(&x);
    for axis in 0..3 {
        gradients(inputs, |t| softmax(&t[0], axis), |t, dy| vec![softmax_bwd_x(&softmax(&t[0], axis), dy, axis)]);
        gradients(inputs, |t| log_softmax(&t[0], axis), |t, dy| vec![log_softmax_bwd_x(&log_softmax(&t[0], axis), dy, axis)]);
    }
}

/// The axis `axis` last, by index arithmetic.
fn turned(x: &[f32], shape: Shape, axis: usize) -> Vec<f32> {
    let (c, inner) = (shape.dim(axis), shape.inner(axis + 1));
    (0..x.len()).map(|i| x[(i / c / inner * c + i % c) * inner + i / c % inner]).collect()
}

#[test]
fn any_axis_is_the_last_one_turned_there() {
    for device in devices() {
        for (shape, axis) in [(Shape::from([4, 5, 3]), 0), (Shape::from([4, 5, 3]), 1), (Shape::from([2, 300, 7, 1]), 1)] {
            let (x, dy) = (logits(&device, shape, 3), tensor(&device, shape, 4));
            let rows = [shape.len() / shape.dim(axis), shape.dim(axis)];
            let turn = |t: &Tensor| Tensor::from_slice(&device, rows, &turned(&t.to_vec().unwrap(), shape, axis));
            let want: [fn(&Tensor, usize) -> Tensor; 2] = [softmax, log_softmax];
            let bwd: [fn(&Tensor, &Tensor, usize) -> Tensor; 2] = [softmax_bwd_x, log_softmax_bwd_x];
            for (f, bwd) in want.into_iter().zip(bwd) {
                let (y, y_turned) = (f(&x, axis), f(&turn(&x), 1));
                assert_near(&turn(&y), &doubles(&y_turned), 1e-6);
                assert_near(&turn(&bwd(&y, &dy, axis)), &doubles(&bwd(&y_turned, &turn(&dy), 1)), 2e-6);
            }
        }
    }
}

fn doubles(t: &Tensor) -> Vec<f64> {
    t.to_vec().unwrap().into_iter().map(f64::from).collect()
}

#[test]
fn labels_of_pixels_are_those_of_rows() {
    for device in devices() {
        let shape = Shape::from([2, 5, 3, 4]);
        let (x, labels) = (logits(&device, shape, 3), labels(&device, shape));
        let rows = Tensor::from_slice(&device, [24, 5], &turned(&x.to_vec().unwrap(), shape, 1));
        let flat = labels.reshape([24]);
        for options in every_option(&device, 5) {
            let ((got, _), (want, _)) = (cross_entropy(&x, &labels, &options), cross_entropy(&rows, &flat, &options));
            assert_near(&got.reshape(want.shape()), &doubles(&want), 1e-6);
        }
        assert_eq!(argmax(&x).read::<u32>().unwrap(), argmax(&rows).read::<u32>().unwrap());
        let [images, pixels] = [(&x, &labels), (&rows, &flat)].map(|(x, labels)| {
            let sums = MetricSums::zeros(&device);
            accumulate_metrics(&Tensor::scalar(&device, 0.5), x, labels, &sums);
            MetricSums::of(&sums.read().unwrap())
        });
        assert_eq!((images.images, images.loss, pixels.images, pixels.loss), (2, 1.0, 24, 12.0));
        assert!(images.correct == pixels.correct && images.correct > 0);
    }
}

/// 2^24 + 1 and 2^32 + 1 are no floats, and neither is the sum of the losses.
#[test]
fn metrics_count_on_where_a_float_would_stop() {
    for device in devices() {
        for (count, word) in [(1u64 << 24, 0), ((1 << 32) - 1, 0), ((1 << 40) + 3, 0x100)] {
            let low = count as u32;
            let sums = Tensor::from_slice(&device, [8], &[0, low << 8, low >> 24 | word << 8, 0, low, word, low, word]);
            let x = Tensor::from_slice(&device, [3, 2], &[1.0f32, 0.0, 1.0, 0.0, 0.0, 1.0]);
            let labels = Tensor::from_slice(&device, [3], &[0u32, 1, 1]);
            accumulate_metrics(&Tensor::scalar(&device, -0.25), &x, &labels, &sums);
            let want = MetricSums { loss: count as f64 - 0.75, correct: count + 2, images: count + 3 };
            assert_eq!(MetricSums::of(&sums.read().unwrap()), want, "{}", device.name());
        }
    }
}

#[test]
fn a_sum_that_is_none_stays_one() {
    for device in devices() {
        for (first, second) in [(f32::INFINITY, 1.0), (f32::NEG_INFINITY, f32::INFINITY), (f32::NAN, 1.0), (3e38, -3e38)] {
            let sums = MetricSums::zeros(&device);
            [first, second, 0.5].iter().for_each(|&loss| accumulate_loss(&Tensor::scalar(&device, loss), 2, &sums));
            let got = MetricSums::of(&sums.read().unwrap());
            assert_eq!((got.images, got.loss.to_bits()), (6, (f64::from(first) * f64::INFINITY).to_bits()), "{first}");
        }
    }
}

/// Of the four rows with a class each of the two is told once, missed once and named once too often.
#[test]
fn overlaps_are_counted_by_class_and_no_pause_changes_them() {
    let (predicted, labels) = ([0u32, 0, 1, 1, 2, 0, 2], [0u32, 1, 0, 1, 255, 255, 255]);
    for device in devices() {
        let of = |rows: std::ops::Range<usize>, sums: &Tensor| {
            let logits: Vec<f32> =
                predicted[rows.clone()].iter().flat_map(|&p| [0, 1, 2].map(|c| f32::from(u8::from(c == p)))).collect();
            let labels = Tensor::from_slice(&device, [rows.len()], &labels[rows.clone()]);
            accumulate_overlaps(&Tensor::from_slice(&device, [rows.len(), 3], &logits), &labels, sums);
        };
        let sums = Overlap::zeros(&device, 3);
        of(0..7, &sums);
        let classes = Overlap::of(&sums.read().unwrap());
        assert_eq!(classes.iter().map(Overlap::iou).collect::<Vec<_>>(), [Some(1.0 / 3.0), Some(1.0 / 3.0), None]);
        assert_eq!((Overlap::mean_iou(&classes), Overlap::accuracy(&classes)), (1.0 / 3.0, 0.5));
        let parts = Overlap::zeros(&device, 3);
        [0..3, 3..4, 4..7].into_iter().for_each(|rows| of(rows, &parts));
        assert_eq!(Overlap::of(&parts.read().unwrap()), classes);
    }
}

/// More than a launch takes.
#[test]
fn the_overlaps_of_a_large_batch_are_all_counted() {
    for device in devices() {
        let rows = (1 << 23) + 70;
        let (x, labels) = (Tensor::zeros(&device, [1, 1, rows]), Tensor::zeros_of(&device, [1, rows], DType::U32));
        let sums = Overlap::zeros(&device, 1);
        accumulate_overlaps(&x, &labels, &sums);
        let rows = rows as u64;
        assert_eq!(Overlap::of(&sums.read().unwrap()), [Overlap { both: rows, predicted: rows, labelled: rows }]);
    }
}

/// More than a launch takes.
#[test]
fn the_pixels_of_a_large_batch_are_all_counted() {
    for device in devices() {
        let rows = (1 << 23) + 70;
        let (x, labels) = (Tensor::zeros(&device, [1, 1, rows]), Tensor::zeros_of(&device, [1, rows], DType::U32));
        let sums = MetricSums::zeros(&device);
        accumulate_metrics(&Tensor::scalar(&device, 1.0), &x, &labels, &sums);
        assert_eq!(MetricSums::of(&sums.read().unwrap()), MetricSums { loss: 1.0, correct: rows as u64, images: 1 });
    }
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
    let Some(device) = gpu() else { return };
    for (lanes, group) in [(1, 64), (16, 64), (16, 256), (256, 256)] {
        for shape in [&[67, 17][..], &[5, 1000], &[3, 3], &[2, 17, 67], &[3, 500, 7]] {
            let (form, shape) = (Form { lanes, group }, Shape::new(shape));
            let x = logits(&device, shape, 7);
            let on_host = logits(&Device::Cpu, shape, 7);
            let (want_loss, want_probs) = cross_entropy(&on_host, &labels(&Device::Cpu, shape), 0.1);
            let (losses, probs) = forms::cross_entropy(form, &x, &labels(&device, shape), 0.1);
            assert_near(&probs, &doubles(&want_probs), 1e-5);
            assert_eq!(forms::argmax(form, &x).read::<u32>().unwrap(), argmax(&on_host).read::<u32>().unwrap());
            assert_near(&forms::mean(form, &losses), &doubles(&want_loss), 1e-5);
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
fn no_rows_have_no_loss_and_an_empty_gradient() {
    for device in devices() {
        let (x, labels) = (Tensor::zeros(&device, [0, 3]), Tensor::from_slice(&device, [0], &[] as &[u32]));
        let options = |reduction| CrossEntropy { reduction, ..CrossEntropy::default() };
        assert_eq!(cross_entropy(&x, &labels, options(Reduction::Sum)).0.item().unwrap(), 0.0);
        assert_eq!(cross_entropy(&x, &labels, options(Reduction::None)).0.shape(), labels.shape());
        let dloss = Tensor::scalar(&device, 1.0);
        assert_eq!(cross_entropy_bwd(&x, &labels, options(Reduction::Sum), &dloss).shape(), x.shape());
        assert_eq!((softmax(&x, 0).shape(), log_softmax(&x, 1).shape()), (x.shape(), x.shape()));
        assert!(argmax(&x).is_empty());
    }
}
