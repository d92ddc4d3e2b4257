//! What is held against the mirror.

use crate::{Bound, Case, input_integers, input_values, tensor, tensor_of};
use gpu_core::ops::{
    CrossEntropy, MetricSums, Overlap, Reduction, accumulate_loss, accumulate_metrics, accumulate_overlaps, argmax, cross_entropy,
    cross_entropy_bwd, log_softmax, log_softmax_bwd_x, nll_loss, nll_loss_bwd, soft_cross_entropy, soft_cross_entropy_bwd_target,
    soft_cross_entropy_bwd_x, softmax, softmax_bwd_x,
};
use gpu_core::{Device, Shape, Tensor, ops};

/// Shapes of the table: one lane a row, 16, 256 and folded grids; prime, 1 and long.
pub(super) const SHAPES: &[[usize; 2]] = &[[1, 1], [5, 10], [7, 16], [67, 17], [13, 257], [3, 20_011], [2051, 2], [70_001, 3]];

/// A label for each row of `x` (N, C, ...).
pub(super) fn labels(device: &Device, x: impl Into<Shape>) -> Tensor {
    let x = x.into();
    let (rows, c) = ((x.len() / x.c()) as u32, x.c() as u32);
    let labels: Vec<u32> = (0..rows).map(|i| i.wrapping_mul(7919) % c).collect();
    let mut shape = x.dims().to_vec();
    shape.remove(1);
    Tensor::from_slice(device, Shape::new(&shape), &labels)
}

/// Logits in [-8, 8).
pub(super) fn logits(device: &Device, shape: impl Into<Shape>, seed: u64) -> Tensor {
    spread(device, shape.into(), seed, 8.0)
}

/// Logits whose exponentials are infinite or nothing in f32: only the distance from the largest counts.
fn far_logits(device: &Device, shape: Shape, seed: u64) -> Tensor {
    spread(device, shape, seed, 300.0)
}

/// Logits of which one a row is so much larger that all others come to nothing, each in another place and not as high as its neighbours':
/// whoever misses it finds infinity, whoever takes a neighbour's for it nothing.
fn peaked_logits(device: &Device, shape: Shape, seed: u64) -> Tensor {
    let columns = shape.dims()[shape.rank() - 1];
    let mut values = input_values(device, shape.len(), seed);
    values.chunks_mut(columns).enumerate().for_each(|(row, values)| {
        values[(4133 * row + 1) % columns] = [300.0, 600.0, 900.0][row % 3];
    });
    Tensor::from_slice(device, shape, &values)
}

fn spread(device: &Device, shape: Shape, seed: u64, largest: f32) -> Tensor {
    tensor_of(device, shape, seed, |v| largest * v)
}

/// Weights from 0.1 on.
pub(super) fn class_weights(device: &Device, c: usize) -> Tensor {
    tensor_of(device, [c], 9, |v| v + 1.1)
}

pub fn cases() -> Vec<Case> {
    type Options = fn(&Device, usize) -> CrossEntropy;
    let case = |shape: Shape, options: Options, what: String| hard_case(shape, logits, labels, options, what);
    let mut cases = vec![];
    for shape in [[5, 10], [67, 17], [13, 257], [3, 20_011]] {
        cases.push(hard_case(shape.into(), far_logits, labels, |_, _| 0.1.into(), format!("{shape:?}, logits far apart")));
    }
    for shape in [[67, 17], [61, 257], [12, 20_011]] {
        cases.push(hard_case(shape.into(), peaked_logits, labels, |_, _| 0.1.into(), format!("{shape:?}, a peak in each row")));
    }
    for &shape in SHAPES {
        cases.push(case(shape.into(), |_, _| 0.0.into(), format!("{shape:?}")));
        cases.push(case(shape.into(), |_, _| 0.1.into(), format!("{shape:?}, smoothing 0.1")));
    }
    let weighted: Options =
        |device, c| CrossEntropy { weight: Some(class_weights(device, c)), smoothing: 0.1, ..Default::default() };
    let ignoring: Options = |_, _| CrossEntropy { ignore_index: Some(1), ..Default::default() };
    let all: Options = |device, c| {
        let weight = Some(class_weights(device, c));
        CrossEntropy { smoothing: 0.2, weight, ignore_index: Some(0), reduction: Reduction::None }
    };
    let summed: Options = |_, _| CrossEntropy { reduction: Reduction::Sum, ..Default::default() };
    for (name, options) in [("weighted", weighted), ("one class ignored", ignoring), ("every option", all), ("summed", summed)] {
        for shape in [&[67, 17][..], &[5, 1031], &[3, 5, 7, 2], &[2, 40, 33], &[2, 300, 11]] {
            cases.push(case(Shape::new(shape), options, format!("{shape:?}, {name}")));
        }
    }
    cases.push(case([17_001, 2].into(), ignoring, "17001 rows, one class ignored".to_owned()));
    let no_class = |device: &Device, _: Shape| Tensor::from_slice(device, [3], &[1, 5, u32::MAX]);
    cases.push(hard_case([3, 5].into(), logits, no_class, |_, _| 0.1.into(), "a label that is no class".to_owned()));
    cases.into_iter().chain(softmax_cases()).chain(nll_cases()).chain(soft_cases()).chain(metrics_cases()).collect()
}

type Logits = fn(&Device, Shape, u64) -> Tensor;

/// A loss of labels with its gradient.
fn hard_case(
    shape: Shape,
    logits: Logits,
    labels: fn(&Device, Shape) -> Tensor,
    options: fn(&Device, usize) -> CrossEntropy,
    what: String,
) -> Case {
    let run = move |device: &Device, sign: f32| {
        let (x, labels, options) = (logits(device, shape, 1), labels(device, shape), options(device, shape.c()));
        let (loss, probs) = cross_entropy(&x, &labels, &options);
        let of = if sign < 0.0 { ops::neg(&probs) } else { probs.clone() };
        let dx = cross_entropy_bwd(&of, &labels, &options, &tensor(device, loss.shape(), 5));
        vec![loss, probs, dx]
    };
    // A loss is a logarithm, a part of one off however small it is. From negative probabilities nothing is taken off in a gradient.
    Case::new("cross_entropy", what, Bound::own(2e-5), move |device| run(device, 1.0)).adding(move |device| {
        let dx = run(device, -1.0).remove(2);
        vec![Tensor::scalar(device, 1.0), Tensor::scalar(device, 0.0), dx]
    })
}

fn softmax_cases() -> Vec<Case> {
    let of = |shape: Shape, axis: usize, what: &str, logits: Logits| {
        let case = Case::new("softmax", format!("{shape} along {axis}{what}"), Bound::own(2e-5), move |device| {
            let (x, dy) = (logits(device, shape, 3), tensor(device, shape, 4));
            let (y, log_y) = (softmax(&x, axis), log_softmax(&x, axis));
            let (dx, log_dx) = (softmax_bwd_x(&y, &dy, axis), log_softmax_bwd_x(&log_y, &dy, axis));
            vec![y, log_y, dx, log_dx]
        });
        case.adding(move |device| {
            let (x, dy) = (logits(device, shape, 3), ops::abs(&tensor(device, shape, 4)));
            let (y, log_y) = (softmax(&x, axis), log_softmax(&x, axis));
            let (y_dy, one) = (ops::mul(&y, &dy), Tensor::scalar(device, 1.0));
            // y (|dy| + sum y |dy|) and |dy| + y sum |dy|, by the gradients of |dy|, in which the sums are taken off.
            let dx = ops::sub(&ops::scale(&y_dy, 2.0), &softmax_bwd_x(&y, &dy, axis));
            let log_dx = ops::sub(&ops::scale(&dy, 2.0), &log_softmax_bwd_x(&log_y, &dy, axis));
            vec![Tensor::scalar(device, 0.0), one, dx, log_dx]
        })
    };
    let rows = SHAPES.iter().map(|&shape| (Shape::from(shape), 1));
    let columns: [(&[usize], usize); 6] =
        [(&[7, 5], 0), (&[2, 3, 4, 5], 1), (&[2, 37, 67], 1), (&[3, 300, 2], 1), (&[20_011, 3], 0), (&[4, 1, 2, 3, 2, 5], 4)];
    let usual = rows.chain(columns.map(|(shape, axis)| (Shape::new(shape), axis))).map(|(shape, axis)| of(shape, axis, "", logits));
    let far = [(&[5, 10][..], 1), (&[13, 257], 1), (&[3, 20_011], 1), (&[20_011, 3], 0)];
    let far = far.map(|(shape, axis)| of(Shape::new(shape), axis, ", logits far apart", far_logits));
    let peaked = [[67, 17], [64, 257], [12, 16_411]].map(|shape| of(shape.into(), 1, ", a peak in each row", peaked_logits));
    usual.chain(far).chain(peaked).collect()
}

fn nll_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (shape, weighted, ignore_index, reduction) in [
        (&[1usize, 1][..], false, None, Reduction::Mean),
        (&[67, 17], true, Some(2), Reduction::Mean),
        (&[67, 17], false, Some(2), Reduction::Mean),
        (&[67, 17], true, None, Reduction::Sum),
        (&[3, 5, 7, 2], true, Some(0), Reduction::None),
        (&[70_001, 3], false, None, Reduction::Mean),
    ] {
        let what = format!("{shape:?}, {}weighted, ignored {ignore_index:?}, {reduction:?}", if weighted { "" } else { "un" });
        cases.push(Case::new("nll_loss", what, Bound::own(2e-5), move |device| {
            let (x, labels) = (logits(device, shape, 1), labels(device, shape));
            let weight = weighted.then(|| class_weights(device, shape[1]));
            let options = CrossEntropy { weight, ignore_index, reduction, ..Default::default() };
            let loss = nll_loss(&x, &labels, &options);
            let dloss = tensor(device, loss.shape(), 3);
            vec![nll_loss_bwd(x.shape(), &labels, &options, &dloss), loss]
        }));
    }
    cases
}

fn soft_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let usual: Logits = logits;
    for (shape, smoothing, weighted, reduction, logits, kind) in [
        (&[1usize, 1][..], 0.0, false, Reduction::Mean, usual, ""),
        (&[7, 16], 0.1, true, Reduction::Sum, usual, ""),
        (&[67, 17], 0.0, true, Reduction::None, usual, ""),
        (&[13, 1031], 0.1, false, Reduction::Mean, usual, ""),
        (&[3, 5, 7, 2], 0.1, true, Reduction::None, usual, ""),
        (&[2, 300, 11], 0.0, false, Reduction::Mean, usual, ""),
        (&[67, 17], 0.1, true, Reduction::None, peaked_logits, ", a peak in each row"),
        (&[13, 1031], 0.1, false, Reduction::Sum, peaked_logits, ", a peak in each row"),
    ] {
        let what = format!("{shape:?}, smoothing {smoothing}, {}weighted, {reduction:?}{kind}", if weighted { "" } else { "un" });
        let run = move |device: &Device, sign: f32| {
            let (shape, classes) = (Shape::new(shape), shape[1]);
            let (x, target) = (logits(device, shape, 1), softmax(&usual(device, shape, 2), 1));
            let weight = weighted.then(|| class_weights(device, classes));
            let options = CrossEntropy { smoothing, weight, reduction, ..Default::default() };
            let (loss, probs) = soft_cross_entropy(&x, &target, &options);
            let dloss = tensor(device, loss.shape(), 3);
            let (of, x) = if sign < 0.0 { (ops::neg(&probs), Tensor::zeros(device, x.shape())) } else { (probs.clone(), x) };
            let dx = soft_cross_entropy_bwd_x(&of, &target, &options, &dloss);
            vec![loss, probs, dx, soft_cross_entropy_bwd_target(&x, &options, &dloss)]
        };
        // As above; the gradient of a target is a logarithm, which of like logits is one of the number of classes.
        let case = Case::new("soft_cross_entropy", what, Bound::own(2e-5), move |device| run(device, 1.0));
        cases.push(case.adding(move |device| {
            let [_, _, dx, dtarget] = run(device, -1.0).try_into().expect("four outputs");
            vec![Tensor::scalar(device, 1.0), Tensor::scalar(device, 0.0), dx, dtarget]
        }));
    }
    cases
}

fn metrics_cases() -> Vec<Case> {
    let case = |shape: Shape| {
        Case::new("argmax", shape.to_string(), Bound::Exact, move |device| {
            // Small integers: most rows have several maxima.
            let x = Tensor::from_slice(device, shape, &input_integers(device, shape.len(), 5));
            // One more and the low words are full.
            let sums = Tensor::from_slice(device, [8], &[u32::MAX, u32::MAX, 7, 0, u32::MAX, 1, u32::MAX, 0]);
            for loss in [0.3, -2.5e4] {
                accumulate_metrics(&Tensor::scalar(device, loss), &x, &labels(device, shape), &sums);
            }
            vec![argmax(&x), sums]
        })
    };
    let columns = [Shape::from([3, 5, 8, 8]), Shape::from([2, 300, 4])];
    let rows = SHAPES.iter().map(|&shape| Shape::from(shape)).chain(columns).map(case);
    let rows = rows.chain(overlap_cases());
    rows.chain([Case::new("accumulate_loss", "losses of all sizes".to_owned(), Bound::Exact, losses_of_all_sizes)]).collect()
}

/// Every third label is no class, and the low words of the sums are full.
fn overlap_cases() -> impl Iterator<Item = Case> {
    let shapes = [Shape::from([1, 1]), Shape::from([67, 17]), Shape::from([3, 5, 8, 8]), Shape::from([70_001, 3])];
    shapes.into_iter().map(|shape| {
        Case::new("accumulate_overlaps", shape.to_string(), Bound::Exact, move |device| {
            let x = Tensor::from_slice(device, shape, &input_integers(device, shape.len(), 5));
            let labels = labels(device, shape);
            let some: Vec<u32> =
                labels.read().expect("just made").into_iter().enumerate().map(|(i, l)| if i % 3 == 2 { 255 } else { l }).collect();
            let some = Tensor::from_slice(device, labels.shape(), &some);
            let sums = Tensor::from_slice(device, [shape.c(), Overlap::WORDS], &[u32::MAX, 6].repeat(3 * shape.c()));
            (0..2).for_each(|_| accumulate_overlaps(&x, &some, &sums));
            vec![sums]
        })
    })
}

/// Beginning with the smallest positive ones, up to those that have no sum, of either sign, each added twice.
fn losses_of_all_sizes(device: &Device) -> Vec<Tensor> {
    let sizes = (0..36).map(|i| f32::from_bits((i * 7) << 23 | (i * 0x0003_9a57) & 0x007f_ffff));
    let special = [0.0, f32::from_bits(1), f32::MAX, f32::INFINITY, f32::NAN, 2f32.powi(59), 2f32.powi(60)];
    let losses = sizes.chain(special).flat_map(|loss| [loss, -loss]);
    let sums = losses.flat_map(|loss| {
        [3, u32::MAX as usize].map(|images| {
            let sums = MetricSums::zeros(device);
            for loss in [loss, 1.5, loss] {
                accumulate_loss(&Tensor::scalar(device, loss), images, &sums);
            }
            sums
        })
    });
    sums.collect()
}
