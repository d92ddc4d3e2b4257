//! Numbers that PyTorch 2.11 gives in float64, for every option.
#![allow(clippy::approx_constant, clippy::excessive_precision, reason = "numbers as PyTorch prints them")]

use crate::devices;
use gpu_core::ops::{
    CrossEntropy, Reduction, cross_entropy, cross_entropy_bwd, nll_loss, nll_loss_bwd, soft_cross_entropy,
    soft_cross_entropy_bwd_target, soft_cross_entropy_bwd_x,
};
use gpu_core::{Device, Tensor};

const X: [f32; 12] = [0.5, -1.0, 2.0, 1.5, 0.25, -0.75, 0.0, 3.0, -2.0, -1.0, -1.0, 1.0];
const LABELS: [u32; 4] = [2, 0, 1, 0];
const WEIGHT: [f32; 3] = [0.5, 2.0, 1.25];
const TARGET: [f32; 12] = [0.2, 0.3, 0.5, 1.0, 0.0, 0.0, 0.1, 0.8, 0.1, 0.25, 0.25, 0.5];
/// What an unreduced loss is multiplied by before `backward`.
const DLOSS: [f32; 4] = [1.0, -2.0, 0.5, 3.0];

/// Options (smoothing, weighted, ignored label, reduction), the loss and the logits' gradient.
#[rustfmt::skip]
const CROSS_ENTROPY: &[(f32, bool, Option<u32>, Reduction, &[f32], &[f32])] = &[
    (0.0, false, None, Reduction::Mean, &[0.71662848], &[0.043822598, 0.0097781433, -0.053600741, -0.070389915, 0.051459151, 0.018930764, 0.011780854, -0.013375219, 0.0015943652, -0.22337326, 0.026626745, 0.19674651]),
    (0.0, false, None, Reduction::Sum, &[2.8665139], &[0.17529039, 0.039112573, -0.21440297, -0.28155966, 0.2058366, 0.075723055, 0.047123417, -0.053500877, 0.0063774609, -0.89349302, 0.10650698, 0.78698604]),
    (0.0, false, None, Reduction::None, &[0.2413113, 0.33067261, 0.054985235, 2.2395448], &[0.17529039, 0.039112573, -0.21440297, 0.56311932, -0.41167321, -0.15144611, 0.023561708, -0.026750439, 0.0031887305, -2.6804791, 0.31952094, 2.3609581]),
    (0.0, false, Some(0), Reduction::Mean, &[0.14814827], &[0.087645196, 0.019556287, -0.10720148, 0.0, 0.0, 0.0, 0.023561708, -0.026750439, 0.0031887305, 0.0, 0.0, 0.0]),
    (0.0, false, Some(0), Reduction::Sum, &[0.29629653], &[0.17529039, 0.039112573, -0.21440297, 0.0, 0.0, 0.0, 0.047123417, -0.053500877, 0.0063774609, 0.0, 0.0, 0.0]),
    (0.0, false, Some(0), Reduction::None, &[0.2413113, 0.0, 0.054985235, 0.0], &[0.17529039, 0.039112573, -0.21440297, 0.0, 0.0, 0.0, 0.023561708, -0.026750439, 0.0031887305, 0.0, 0.0, 0.0]),
    (0.0, true, None, Reduction::Mean, &[0.39922783], &[0.051555998, 0.011503698, -0.063059696, -0.033124666, 0.024216071, 0.0089085947, 0.022175725, -0.025176884, 0.0030011581, -0.10511683, 0.012530233, 0.092586593]),
    (0.0, true, None, Reduction::Sum, &[1.6967183], &[0.21911299, 0.048890717, -0.26800371, -0.14077983, 0.1029183, 0.037861527, 0.094246833, -0.10700175, 0.012754922, -0.44674651, 0.053253489, 0.39349302]),
    (0.0, true, None, Reduction::None, &[0.30163912, 0.1653363, 0.10997047, 1.1197724], &[0.21911299, 0.048890717, -0.26800371, 0.28155966, -0.2058366, -0.075723055, 0.047123417, -0.053500877, 0.0063774609, -1.3402395, 0.15976047, 1.1804791]),
    (0.0, true, Some(0), Reduction::Mean, &[0.12664911], &[0.067419382, 0.015043297, -0.082462679, 0.0, 0.0, 0.0, 0.028999026, -0.032923617, 0.0039245913, 0.0, 0.0, 0.0]),
    (0.0, true, Some(0), Reduction::Sum, &[0.41160959], &[0.21911299, 0.048890717, -0.26800371, 0.0, 0.0, 0.0, 0.094246833, -0.10700175, 0.012754922, 0.0, 0.0, 0.0]),
    (0.0, true, Some(0), Reduction::None, &[0.30163912, 0.0, 0.10997047, 0.0], &[0.21911299, 0.048890717, -0.26800371, 0.0, 0.0, 0.0, 0.047123417, -0.053500877, 0.0063774609, 0.0, 0.0, 0.0]),
    (0.2, false, None, Reduction::Mean, &[0.94996181], &[0.027155931, -0.0068885233, -0.020267408, -0.037056581, 0.034792484, 0.002264097, -0.0048858125, 0.019958114, -0.015072301, -0.19003992, 0.0099600781, 0.18007984]),
    (0.2, false, None, Reduction::Sum, &[3.7998472], &[0.10862373, -0.027554093, -0.081069632, -0.14822633, 0.13916994, 0.0090563882, -0.01954325, 0.079832456, -0.060289206, -0.76015969, 0.039840312, 0.72031938]),
    (0.2, false, None, Reduction::None, &[0.5413113, 0.56400594, 0.58831857, 2.1062114], &[0.10862373, -0.027554093, -0.081069632, 0.29645265, -0.27833987, -0.018112776, -0.0097716251, 0.039916228, -0.030144603, -2.2804791, 0.11952094, 2.1609581]),
    (0.2, false, Some(0), Reduction::Mean, &[0.56481493], &[0.054311863, -0.013777047, -0.040534816, 0.0, 0.0, 0.0, -0.0097716251, 0.039916228, -0.030144603, 0.0, 0.0, 0.0]),
    (0.2, false, Some(0), Reduction::Sum, &[1.1296299], &[0.10862373, -0.027554093, -0.081069632, 0.0, 0.0, 0.0, -0.01954325, 0.079832456, -0.060289206, 0.0, 0.0, 0.0]),
    (0.2, false, Some(0), Reduction::None, &[0.5413113, 0.0, 0.58831857, 0.0], &[0.10862373, -0.027554093, -0.081069632, 0.0, 0.0, 0.0, -0.0097716251, 0.039916228, -0.030144603, 0.0, 0.0, 0.0]),
    (0.2, true, None, Reduction::Mean, &[0.75956936], &[0.04371286, -0.019868851, -0.023844009, 0.0079183267, 0.00010834336, -0.00802667, 0.012669409, 0.0041623632, -0.016831772, -0.085671482, -0.015083246, 0.10075473]),
    (0.2, true, None, Reduction::Sum, &[3.2281698], &[0.18577966, -0.084442617, -0.10133704, 0.033652888, 0.00046045927, -0.034113348, 0.053844987, 0.017690043, -0.071535031, -0.3641038, -0.064103797, 0.42820759]),
    (0.2, true, None, Reduction::None, &[0.75163912, 0.56910386, 0.61838935, 1.2890374], &[0.18577966, -0.084442617, -0.10133704, -0.067305777, -0.00092091853, 0.068226695, 0.026922494, 0.0088450217, -0.035767515, -1.0923114, -0.19231139, 1.2846228]),
    (0.2, true, Some(0), Reduction::Mean, &[0.42154722], &[0.057162971, -0.025982344, -0.031180628, 0.0, 0.0, 0.0, 0.016567688, 0.0054430903, -0.022010779, 0.0, 0.0, 0.0]),
    (0.2, true, Some(0), Reduction::Sum, &[1.3700285], &[0.18577966, -0.084442617, -0.10133704, 0.0, 0.0, 0.0, 0.053844987, 0.017690043, -0.071535031, 0.0, 0.0, 0.0]),
    (0.2, true, Some(0), Reduction::None, &[0.75163912, 0.0, 0.61838935, 0.0], &[0.18577966, -0.084442617, -0.10133704, 0.0, 0.0, 0.0, 0.026922494, 0.0088450217, -0.035767515, 0.0, 0.0, 0.0]),
];

/// The same for `F.nll_loss` of these numbers.
#[rustfmt::skip]
const NLL: &[(f32, bool, Option<u32>, Reduction, &[f32], &[f32])] = &[
    (0.0, false, None, Reduction::Mean, &[-1.375], &[0.0, 0.0, -0.25, -0.25, 0.0, 0.0, 0.0, -0.25, 0.0, -0.25, 0.0, 0.0]),
    (0.0, true, Some(0), Reduction::Mean, &[-2.6153846], &[0.0, 0.0, -0.38461538, 0.0, 0.0, 0.0, 0.0, -0.61538462, 0.0, 0.0, 0.0, 0.0]),
    (0.0, true, None, Reduction::None, &[-2.5, -0.75, -6.0, 0.5], &[0.0, 0.0, -1.25, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0, -1.5, 0.0, 0.0]),
    (0.0, true, Some(0), Reduction::Sum, &[-8.5], &[0.0, 0.0, -1.25, 0.0, 0.0, 0.0, 0.0, -2.0, 0.0, 0.0, 0.0, 0.0]),
];

/// Soft targets: smoothing, weighted, reduction, the loss, the gradients of logits and target.
#[rustfmt::skip]
const SOFT: &[(f32, bool, Reduction, &[f32], &[f32], &[f32])] = &[
    (0.0, false, Reduction::Mean, &[0.96662848], &[-0.006177402, -0.065221857, 0.071399259, -0.070389915, 0.051459151, 0.018930764, -0.013219146, 0.036624781, -0.023405635, -0.035873255, -0.035873255, 0.071746511], &[0.43532782, 0.81032782, 0.060327824, 0.082668152, 0.39516815, 0.64516815, 0.76374631, 0.013746309, 1.2637463, 0.55988619, 0.55988619, 0.059886192]),
    (0.2, true, Reduction::Mean, &[1.4391195], &[0.02907427, -0.14052397, 0.1114497, 0.0084132221, 0.00011511482, -0.0085283369, 0.0013406931, 0.04183005, -0.043170743, -4.9902421e-05, -0.1000499, 0.1000998], &[0.17413113, 1.2965245, 0.060327824, 0.033067261, 0.63226904, 0.64516815, 0.30549852, 0.021994094, 1.2637463, 0.22395448, 0.89581791, 0.059886192]),
    (0.2, true, Reduction::Sum, &[5.756478], &[0.11629708, -0.56209586, 0.44579878, 0.033652888, 0.00046045927, -0.034113348, 0.0053627723, 0.1673202, -0.17268297, -0.00019960968, -0.40019961, 0.40039922], &[0.69652452, 5.1860981, 0.2413113, 0.13226904, 2.5290762, 2.5806726, 1.2219941, 0.087976377, 5.0549852, 0.89581791, 3.5832716, 0.23954477]),
    (0.1, true, Reduction::None, &[2.2979276, 0.36722008, 1.0505454, 1.5910976], &[0.12427842, -0.55513585, 0.43085743, 0.10712694, -0.10337876, -0.0037481797, 0.0097517091, 0.061839036, -0.071590745, 0.011901171, -1.1505988, 1.1386977], &[0.78359008, 5.8343603, 0.27147521, -0.29760535, -5.6904214, -5.8065134, 0.68737168, 0.049486712, 2.8434292, 3.0233854, 12.093542, 0.80846359]),
];

fn assert_near(what: &str, got: &Tensor, want: &[f32]) {
    let got = got.to_vec().unwrap();
    let near = got.len() == want.len() && got.iter().zip(want).all(|(g, w)| (g - w).abs() <= 2e-6 * w.abs().max(1.0));
    assert!(near, "{what}: {got:?} is not {want:?}");
}

fn options(device: &Device, (smoothing, weighted, ignore_index, reduction): (f32, bool, Option<u32>, Reduction)) -> CrossEntropy {
    CrossEntropy { smoothing, weight: weighted.then(|| Tensor::from_slice(device, [3], &WEIGHT)), ignore_index, reduction }
}

fn dloss(loss: &Tensor) -> Tensor {
    if loss.len() == 1 { Tensor::scalar(loss.device(), 1.0) } else { Tensor::from_slice(loss.device(), loss.shape(), &DLOSS) }
}

#[test]
fn losses_and_gradients_are_those_of_pytorch() {
    for device in devices() {
        let (x, labels) = (Tensor::from_slice(&device, [4, 3], &X), Tensor::from_slice(&device, [4], &LABELS));
        for &(smoothing, weighted, ignored, reduction, want, want_dx) in CROSS_ENTROPY {
            let options = options(&device, (smoothing, weighted, ignored, reduction));
            let (loss, probs) = cross_entropy(&x, &labels, &options);
            let what = format!("cross_entropy {smoothing} {weighted} {ignored:?} {reduction:?} on {}", device.name());
            assert_near(&what, &loss, want);
            assert_near(&what, &cross_entropy_bwd(&probs, &labels, &options, &dloss(&loss)), want_dx);
        }
        for &(smoothing, weighted, ignored, reduction, want, want_dx) in NLL {
            let options = options(&device, (smoothing, weighted, ignored, reduction));
            let loss = nll_loss(&x, &labels, &options);
            let what = format!("nll_loss {weighted} {ignored:?} {reduction:?} on {}", device.name());
            assert_near(&what, &loss, want);
            assert_near(&what, &nll_loss_bwd(x.shape(), &labels, &options, &dloss(&loss)), want_dx);
        }
        let target = Tensor::from_slice(&device, [4, 3], &TARGET);
        for &(smoothing, weighted, reduction, want, want_dx, want_dt) in SOFT {
            let options = options(&device, (smoothing, weighted, None, reduction));
            let (loss, probs) = soft_cross_entropy(&x, &target, &options);
            let what = format!("soft_cross_entropy {smoothing} {weighted} {reduction:?} on {}", device.name());
            assert_near(&what, &loss, want);
            assert_near(&what, &soft_cross_entropy_bwd_x(&probs, &target, &options, &dloss(&loss)), want_dx);
            assert_near(&what, &soft_cross_entropy_bwd_target(&x, &options, &dloss(&loss)), want_dt);
        }
    }
}

#[test]
fn where_every_label_is_ignored_the_mean_is_not_a_number_and_the_gradient_is_zero() {
    // F.cross_entropy(x, torch.zeros(4, dtype=torch.long), ignore_index=0) is nan, and x.grad is zero.
    for device in devices() {
        let (x, labels) = (Tensor::from_slice(&device, [4, 3], &X), Tensor::from_slice(&device, [4], &[0u32; 4]));
        let options = CrossEntropy { ignore_index: Some(0), ..CrossEntropy::default() };
        let (loss, probs) = cross_entropy(&x, &labels, &options);
        assert!(loss.item().unwrap().is_nan() && nll_loss(&x, &labels, &options).item().unwrap().is_nan(), "{}", device.name());
        assert_eq!(cross_entropy_bwd(&probs, &labels, &options, &dloss(&loss)).to_vec().unwrap(), [0.0; 12]);
        assert_eq!(nll_loss_bwd(x.shape(), &labels, &options, &dloss(&loss)).to_vec().unwrap(), [0.0; 12]);
    }
}
