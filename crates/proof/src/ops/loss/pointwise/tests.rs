//! Numbers from PyTorch, plain loops, gradients.
#![allow(clippy::approx_constant, clippy::excessive_precision, reason = "numbers as PyTorch prints them")]

use super::cases::{Sample, inputs, samples};
use crate::{devices, gradients, integers, tensor};
use gpu_core::ops::{PointwiseLoss, Reduction, pointwise_loss, pointwise_loss_bwd_target, pointwise_loss_bwd_x};
use gpu_core::{Device, Shape, Tensor};

/// An input and its target.
type Pair = ([f32; 6], [f32; 6]);
const XT: Pair = ([0.5, -1.0, 2.0, 88.0, -88.0, 0.25], [0.5, 1.0, 0.0, 1.0, 0.25, 0.75]);
const PT: Pair = ([0.5, 0.125, 1.0, 0.75, 0.0, 0.25], [0.5, 1.0, 0.0, 1.0, 0.25, 0.75]);
const KL: Pair = ([-0.5, -1.0, -2.0, -0.125, -3.0, -0.25], [0.5, 0.25, 0.25, 0.125, 0.75, 1.0]);
const LOGS: Pair = ([-0.5, -1.0, -2.0, -0.125, -3.0, -0.25], [-0.5, -2.0, -1.0, -1.5, -0.25, -0.75]);
/// What an unreduced loss is multiplied by before `backward`.
const DLOSS: [f32; 6] = [1.0, -2.0, 0.5, 3.0, 1.0, -1.0];

fn of_pytorch(device: &Device) -> Vec<PointwiseLoss> {
    let by_class = || Some(Tensor::from_slice(device, [3], &[0.5f32, 2.0, 1.25]));
    let each = Some(Tensor::from_slice(device, [2, 3], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]));
    vec![
        PointwiseLoss::Mse,
        PointwiseLoss::L1,
        PointwiseLoss::SmoothL1 { beta: 1.5 },
        PointwiseLoss::Huber { delta: 1.5 },
        PointwiseLoss::BceWithLogits { weight: None, pos_weight: None },
        PointwiseLoss::BceWithLogits { weight: each, pos_weight: by_class() },
        PointwiseLoss::Bce { weight: None },
        PointwiseLoss::Bce { weight: by_class() },
        PointwiseLoss::KlDiv { log_target: false },
        PointwiseLoss::KlDiv { log_target: true },
    ]
}

/// PyTorch 2.11 in float64: the loss in [`of_pytorch`], inputs (2, 3), the loss, the gradients of x and of the target.
#[rustfmt::skip]
const PYTORCH: &[(usize, Pair, Reduction, &[f32], &[f32], &[f32])] = &[
    (0, XT, Reduction::Mean, &[2560.8854], &[0.0, -0.66666667, 0.66666667, 29.0, -29.416667, -0.16666667], &[0.0, 0.66666667, -0.66666667, -29.0, 29.416667, 0.16666667]),
    (0, XT, Reduction::Sum, &[15365.312], &[0.0, -4.0, 4.0, 174.0, -176.5, -1.0], &[0.0, 4.0, -4.0, -174.0, 176.5, 1.0]),
    (0, XT, Reduction::None, &[0.0, 4.0, 4.0, 7569.0, 7788.0625, 0.25], &[0.0, 8.0, 2.0, 522.0, -176.5, 1.0], &[0.0, -8.0, -2.0, -522.0, 176.5, -1.0]),
    (1, XT, Reduction::Mean, &[29.958333], &[0.0, -0.16666667, 0.16666667, 0.16666667, -0.16666667, -0.16666667], &[0.0, 0.16666667, -0.16666667, -0.16666667, 0.16666667, 0.16666667]),
    (1, XT, Reduction::Sum, &[179.75], &[0.0, -1.0, 1.0, 1.0, -1.0, -1.0], &[0.0, 1.0, -1.0, -1.0, 1.0, 1.0]),
    (1, XT, Reduction::None, &[0.0, 2.0, 2.0, 87.0, 88.25, 0.5], &[0.0, 2.0, 0.5, 3.0, -1.0, 1.0], &[0.0, -2.0, -0.5, -3.0, 1.0, -1.0]),
    (2, XT, Reduction::Mean, &[29.388889], &[0.0, -0.16666667, 0.16666667, 0.16666667, -0.16666667, -0.055555556], &[0.0, 0.16666667, -0.16666667, -0.16666667, 0.16666667, 0.055555556]),
    (2, XT, Reduction::Sum, &[176.33333], &[0.0, -1.0, 1.0, 1.0, -1.0, -0.33333333], &[0.0, 1.0, -1.0, -1.0, 1.0, 0.33333333]),
    (2, XT, Reduction::None, &[0.0, 1.25, 1.25, 86.25, 87.5, 0.083333333], &[0.0, 2.0, 0.5, 3.0, -1.0, 0.33333333], &[0.0, -2.0, -0.5, -3.0, 1.0, -0.33333333]),
    (3, XT, Reduction::Mean, &[44.083333], &[0.0, -0.25, 0.25, 0.25, -0.25, -0.083333333], &[0.0, 0.25, -0.25, -0.25, 0.25, 0.083333333]),
    (3, XT, Reduction::Sum, &[264.5], &[0.0, -1.5, 1.5, 1.5, -1.5, -0.5], &[0.0, 1.5, -1.5, -1.5, 1.5, 0.5]),
    (3, XT, Reduction::None, &[0.0, 1.875, 1.875, 129.375, 131.25, 0.125], &[0.0, 3.0, 0.75, 4.5, -1.5, 0.5], &[0.0, -3.0, -0.75, -4.5, 1.5, -0.5]),
    (4, XT, Reduction::Mean, &[4.4671177], &[0.020409889, -0.1218431, 0.14679951, 0.0, -0.041666667, -0.031303917], &[-0.083333333, 0.16666667, -0.33333333, -14.666667, 14.666667, -0.041666667]),
    (4, XT, Reduction::Sum, &[26.802706], &[0.12245933, -0.73105858, 0.88079708, 0.0, -0.25, -0.1878235], &[-0.5, 1.0, -2.0, -88.0, 88.0, -0.25]),
    (4, XT, Reduction::None, &[0.72407698, 1.3132617, 2.126928, 0.0, 22.0, 0.63843942], &[0.12245933, 1.4621172, 0.44039854, 0.0, -0.25, 0.1878235], &[-0.5, -2.0, -1.0, -264.0, 88.0, 0.25]),
    (5, XT, Reduction::Mean, &[39.452993], &[0.03614075, -0.48737239, 0.44039854, 0.0, -0.41666667, -0.26991541], &[-0.12283975, 0.77108723, -0.984134, -58.666667, 146.66667, -0.10601515]),
    (5, XT, Reduction::Sum, &[236.71796], &[0.2168445, -2.9242343, 2.6423912, 0.0, -2.5, -1.6194924], &[-0.73703849, 4.6265234, -5.904804, -352.0, 880.0, -0.63609087]),
    (5, XT, Reduction::None, &[0.60555774, 5.2530468, 6.380784, 1.2109204e-38, 220.0, 4.4785684], &[0.2168445, 5.8484686, 1.3211956, 0.0, -2.5, 1.6194924], &[-0.73703849, -9.2530468, -2.952402, -1056.0, 880.0, 0.63609087]),
    (6, PT, Reduction::Mean, &[21.528652], &[0.0, -1.3333333, 1.6666667e+11, -0.22222222, -4.1666667e+10, -0.44444444], &[0.0, 0.32431836, f32::NEG_INFINITY, -0.18310205, f32::INFINITY, 0.18310205]),
    (6, PT, Reduction::Sum, &[129.17191], &[0.0, -8.0, 1e+12, -1.3333333, -2.5e+11, -2.6666667], &[0.0, 1.9459101, f32::NEG_INFINITY, -1.0986123, f32::INFINITY, 1.0986123]),
    (6, PT, Reduction::None, &[0.69314718, 2.0794415, 100.0, 0.28768207, 25.0, 1.1116413], &[0.0, 16.0, 5e+11, -4.0, -2.5e+11, 2.6666667], &[0.0, -3.8918203, f32::NEG_INFINITY, -3.2958369, f32::INFINITY, -1.0986123]),
    (7, PT, Reduction::Mean, &[30.173142], &[0.0, -2.6666667, 2.0833333e+11, -0.11111111, -8.3333334e+10, -0.55555556], &[0.0, 0.64863672, f32::NEG_INFINITY, -0.091551024, f32::INFINITY, 0.22887756]),
    (7, PT, Reduction::Sum, &[181.03885], &[0.0, -16.0, 1.25e+12, -0.66666667, -5e+11, -3.3333333], &[0.0, 3.8918203, f32::NEG_INFINITY, -0.54930614, f32::INFINITY, 1.3732654]),
    (7, PT, Reduction::None, &[0.34657359, 4.1588831, 125.0, 0.14384104, 50.0, 1.3895516], &[0.0, 32.0, 6.25e+11, -2.0, -5e+11, 3.3333333], &[0.0, -7.7836406, f32::NEG_INFINITY, -1.6479184, f32::INFINITY, -1.3732654]),
    (8, KL, Reduction::Mean, &[0.33336875], &[-0.083333333, -0.041666667, -0.041666667, -0.020833333, -0.125, -0.16666667], &[0.13447547, 0.10228427, 0.26895094, -0.15907359, 0.61871965, 0.20833333]),
    (8, KL, Reduction::Sum, &[2.0002125], &[-0.5, -0.25, -0.25, -0.125, -0.75, -1.0], &[0.80685282, 0.61370564, 1.6137056, -0.95444154, 3.7123179, 1.25]),
    (8, KL, Reduction::None, &[-0.09657359, -0.09657359, 0.15342641, -0.24430519, 2.0342384, 0.25], &[-0.5, 0.5, -0.125, -0.375, -0.75, 1.0], &[0.80685282, -1.2274113, 0.80685282, -2.8633246, 3.7123179, -1.25]),
    (9, LOGS, Reduction::Mean, &[0.30520984], &[-0.10108844, -0.022555881, -0.06131324, -0.03718836, -0.12980013, -0.078727759], &[0.10108844, 0.0, 0.12262648, -0.013945635, 0.48675049, 0.039363879]),
    (9, LOGS, Reduction::Sum, &[1.8312591], &[-0.60653066, -0.13533528, -0.36787944, -0.22313016, -0.77880078, -0.47236655], &[0.60653066, 0.0, 0.73575888, -0.08367381, 2.9205029, 0.23618328]),
    (9, LOGS, Reduction::None, &[0.0, -0.13533528, 0.36787944, -0.30680397, 2.1417022, -0.23618328], &[-0.60653066, 0.27067057, -0.18393972, -0.66939048, -0.77880078, 0.47236655], &[0.60653066, 0.0, 0.36787944, -0.25102143, 2.9205029, -0.23618328]),
];

#[test]
fn losses_and_gradients_are_those_of_pytorch() {
    let near = |got: &Tensor, want: &[f32]| {
        let got = got.to_vec().unwrap();
        // PyTorch clamps the logarithms of the loss, but not those of the target's gradient; here that is the derivative of what
        // was computed.
        let same = |(g, w): (&f32, &f32)| match w.is_infinite() {
            true => g.is_finite() && g.signum() == w.signum(),
            false => (g - w).abs() <= 2e-6 * w.abs().max(1.0),
        };
        assert!(got.len() == want.len() && got.iter().zip(want).all(same), "{got:?} is not {want:?}");
    };
    for device in devices() {
        for &(which, (x, target), reduction, want, want_dx, want_dt) in PYTORCH {
            eprintln!("loss {which} {reduction:?} on {}", device.name());
            let loss = of_pytorch(&device).remove(which);
            let [x, target] = [x, target].map(|values| Tensor::from_slice(&device, [2, 3], &values));
            let y = pointwise_loss(&loss, &x, &target, reduction);
            let dloss = match reduction {
                Reduction::None => Tensor::from_slice(&device, [2, 3], &DLOSS),
                _ => Tensor::scalar(&device, 1.0),
            };
            near(&y, want);
            near(&pointwise_loss_bwd_x(&loss, &x, &target, reduction, &dloss), want_dx);
            near(&pointwise_loss_bwd_target(&loss, &x, &target, reduction, &dloss), want_dt);
        }
    }
}

#[test]
fn gradients_equal_difference_quotients() {
    for shape in [Shape::from([3, 4]), Shape::from([2, 3, 2, 2])] {
        for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
            for which in 0..samples(&Device::Cpu, shape).len() {
                let Sample { loss, of_probabilities, .. } = samples(&Device::cpu_f64(), shape).remove(which);
                gradients(
                    &inputs(&Device::Cpu, shape, of_probabilities),
                    |t| pointwise_loss(&loss, &t[0], &t[1], reduction),
                    |t, dy| {
                        vec![
                            pointwise_loss_bwd_x(&loss, &t[0], &t[1], reduction, dy),
                            pointwise_loss_bwd_target(&loss, &t[0], &t[1], reduction, dy),
                        ]
                    },
                );
            }
        }
    }
}

#[test]
fn sums_of_small_integers_are_exact_whatever_the_length() {
    for device in devices() {
        for len in [1, 3, 4097, 300_001] {
            let (x, target) = (integers(len, 1), integers(len, 2));
            let want: f64 = x.iter().zip(&target).map(|(x, t)| f64::from(x - t).powi(2)).sum();
            let [x, target] = [x, target].map(|values| Tensor::from_slice(&device, [len], &values));
            let sum = pointwise_loss(&PointwiseLoss::Mse, &x, &target, Reduction::Sum);
            assert_eq!(f64::from(sum.item().unwrap()), want, "{len} elements on {}", device.name());
        }
    }
}

#[test]
fn a_weight_repeats_as_broadcasting_has_it() {
    for device in devices() {
        let x = Shape::from([2, 3, 4, 5]);
        for shape in [&[][..], &[1], &[5], &[4, 5], &[4, 1], &[3, 1, 1], &[3, 4, 1], &[2, 1, 1, 1], &[2, 3, 4, 5], &[1, 3, 4, 5]] {
            let weight = tensor(&device, shape, 7);
            let loss = PointwiseLoss::Bce { weight: Some(weight.clone()) };
            let [probabilities, target] = inputs(&device, x, [true; 2]);
            let got = pointwise_loss(&loss, &probabilities, &target, Reduction::None).to_vec().unwrap();
            let plain = pointwise_loss(&PointwiseLoss::Bce { weight: None }, &probabilities, &target, Reduction::None);
            let (plain, values) = (plain.to_vec().unwrap(), weight.to_vec().unwrap());
            let (steps, strides) = (weight.shape().broadcast_strides(x), x.strides());
            for (i, got) in got.iter().enumerate() {
                let at: usize = (0..4).map(|k| i / strides[k] % x.dim(k) * steps[k]).sum();
                assert!((got - plain[i] * values[at]).abs() < 1e-6, "{shape:?}");
            }
        }
    }
}

#[test]
fn no_elements_sum_to_nothing() {
    for device in devices() {
        let none = Tensor::zeros(&device, [0, 3]);
        assert_eq!(pointwise_loss(&PointwiseLoss::Mse, &none, &none, Reduction::Sum).item().unwrap(), 0.0);
        assert!(pointwise_loss(&PointwiseLoss::Mse, &none, &none, Reduction::None).is_empty());
        let dloss = Tensor::scalar(&device, 1.0);
        assert!(pointwise_loss_bwd_x(&PointwiseLoss::Mse, &none, &none, Reduction::Sum, &dloss).is_empty());
    }
}
