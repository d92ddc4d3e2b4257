//! What is held against the mirrors, what is timed, and what is refused.

use super::*;
use crate::check::{self, Bench, Bound, Case};
use crate::device::Device;

pub(super) const SHAPES: &[&[usize]] = &[
    &[2, 1],
    &[33, 5],
    &[257, 12],
    &[3, 7, 11],
    &[4, 3, 5, 5],
    &[8, 16, 7, 9],
    &[2, 64, 16, 16],
    &[1, 1, 97, 101],
    &[19, 2, 32, 32],
    &[5, 3, 71, 61],
];

/// Values around `mean` with standard deviation 1.
pub(super) fn around(device: &Device, shape: Shape, mean: f32, seed: u64) -> Tensor {
    let values: Vec<f32> = check::input_values(device, shape.len(), seed).iter().map(|v| mean + v * 3f32.sqrt()).collect();
    Tensor::from_slice(device, shape, &values)
}

/// gamma, beta, running mean, running variance.
pub(super) fn of_channels(device: &Device, c: usize) -> [Tensor; 4] {
    let positive =
        |seed| Tensor::from_slice(device, [c], &check::input_values(device, c, seed).iter().map(|v| v + 1.5).collect::<Vec<f32>>());
    [positive(11), check::tensor(device, [c], 12), check::tensor(device, [c], 13), positive(14)]
}

pub(in crate::ops) fn cases() -> Vec<Case> {
    let shapes = || SHAPES.iter().map(|dims| Shape::new(dims));
    // One mean is an f32 with steps of 1e-3: kernel and mirror may take neighbouring ones.
    let around_means = shapes().flat_map(|shape| [(shape, 0.5, 2e-5), (shape, 1e4, 3e-3)]);
    let normed = around_means.flat_map(|(shape, mean, fraction)| cases_of(shape, mean, fraction));
    let demeaned = shapes().chain([Shape::from([1, 4]), Shape::from([0, 3, 2, 2])]).flat_map(|shape| {
        let bound = Bound::Relative(2e-5);
        [
            Case::new("demean_norm", shape.to_string(), bound, move |device| {
                let [gamma, beta, running_mean, _] = of_channels(device, shape.c());
                let (x, dy) = (around(device, shape, 0.5, 1), check::tensor(device, shape, 2));
                let (y, mean) = demean_norm(&x, &gamma, &beta, &running_mean, 0.1);
                let (dx, dgamma, dbeta) = demean_norm_bwd(&x, &dy, &gamma, &mean);
                vec![y, mean, running_mean, dx, dgamma, dbeta]
            }),
            Case::new("demean_norm_eval", shape.to_string(), bound, move |device| {
                let [gamma, beta, running_mean, _] = of_channels(device, shape.c());
                let (x, dy) = (around(device, shape, 0.5, 1), check::tensor(device, shape, 2));
                let (dx, dgamma, dbeta) = demean_norm_eval_bwd(&x, &dy, &gamma, &running_mean);
                vec![demean_norm_eval(&x, &gamma, &beta, &running_mean), dx, dgamma, dbeta]
            }),
        ]
    });
    normed.chain(demeaned).chain(shapes().flat_map(rectified_cases)).collect()
}

/// With a ReLU, and with a sum before it. The statistics are given: a mean off by its last bit would let other elements through.
fn rectified_cases(shape: Shape) -> [Case; 3] {
    let (what, bound) = (shape.to_string(), Bound::Relative(2e-5));
    let inputs = move |device: &Device| {
        let [gamma, beta, mean, rstd] = of_channels(device, shape.c());
        (around(device, shape, 0.5, 1), check::tensor(device, shape, 2), check::tensor(device, shape, 3), [gamma, beta, mean, rstd])
    };
    [
        Case::new("batch_norm_relu", what.clone(), bound, move |device| {
            let (x, beside, _, [gamma, beta, running_mean, running_var]) = inputs(device);
            let alone = batch_norm_relu(&x, None, &gamma, &beta, &running_mean, &running_var, 0.1, 1e-5);
            let both = batch_norm_relu(&x, Some(&beside), &gamma, &beta, &running_mean, &running_var, 0.1, 1e-5);
            vec![alone.y, alone.mean, alone.rstd, both.y, running_mean, running_var]
        }),
        Case::new("batch_norm_relu_bwd", what.clone(), bound, move |device| {
            let (x, dy, y, [gamma, beta, mean, rstd]) = inputs(device);
            let (dx, dgamma, dbeta) = batch_norm_relu_bwd(&x, &dy, &gamma, &beta, &mean, &rstd);
            let of_sum = batch_norm_add_relu_bwd(&x, &y, &dy, &gamma, &mean, &rstd);
            vec![dx, dgamma, dbeta, of_sum.0, of_sum.1, of_sum.2, of_sum.3]
        }),
        Case::new("batch_norm_eval_relu", what, bound, move |device| {
            let (x, beside, _, [gamma, beta, mean, var]) = inputs(device);
            let of = |beside| batch_norm_eval_relu(&x, beside, &gamma, &beta, &mean, &var, 1e-5);
            vec![of(None), of(Some(&beside))]
        }),
    ]
}

/// Training, its gradient, and evaluation with its gradient.
fn cases_of(shape: Shape, mean: f32, fraction: f32) -> [Case; 3] {
    let what = format!("{shape} around {mean}");
    [
        Case::new("batch_norm", what.clone(), Bound::Relative(fraction), move |device| {
            let [gamma, beta, running_mean, running_var] = of_channels(device, shape.c());
            let x = around(device, shape, mean, 1);
            let BatchNorm { y, mean, rstd } = batch_norm(&x, &gamma, &beta, &running_mean, &running_var, 0.1, 1e-5);
            vec![y, mean, rstd, running_mean, running_var]
        }),
        Case::new("batch_norm_bwd", what.clone(), Bound::Relative(fraction), move |device| {
            let [gamma, _, running_mean, running_var] = of_channels(device, shape.c());
            let x = around(device, shape, mean, 1);
            let kept = batch_norm(&x, &gamma, &gamma, &running_mean, &running_var, 0.1, 1e-5);
            let (dx, dgamma, dbeta) = batch_norm_bwd(&x, &check::tensor(device, shape, 2), &gamma, &kept.mean, &kept.rstd);
            vec![dx, dgamma, dbeta]
        }),
        Case::new("batch_norm_eval", what, Bound::Relative(2e-5), move |device| {
            let [gamma, beta, running_mean, running_var] = of_channels(device, shape.c());
            let (x, dy) = (around(device, shape, mean, 1), check::tensor(device, shape, 2));
            let y = batch_norm_eval(&x, &gamma, &beta, &running_mean, &running_var, 1e-5);
            let (dx, dgamma, dbeta) = batch_norm_eval_bwd(&x, &dy, &gamma, &running_mean, &running_var, 1e-5);
            vec![y, dx, dgamma, dbeta]
        }),
    ]
}

pub(in crate::ops) fn benches() -> Vec<Bench> {
    const SHAPE: [usize; 4] = [128, 64, 32, 32];
    const WHAT: &str = "128x64x32x32";
    let inputs = |device: &Device| (check::tensor(device, SHAPE, 1), check::tensor(device, SHAPE, 2), of_channels(device, 64));
    vec![
        Bench::new("batch_norm", WHAT, 0, move |device| {
            let (x, _, [gamma, beta, mean, var]) = inputs(device);
            move || vec![batch_norm(&x, &gamma, &beta, &mean, &var, 0.1, 1e-5).y]
        }),
        Bench::new("batch_norm_bwd", WHAT, 0, move |device| {
            let (x, dy, [gamma, _, mean, rstd]) = inputs(device);
            move || vec![batch_norm_bwd(&x, &dy, &gamma, &mean, &rstd).0]
        }),
        Bench::new("batch_norm_relu", WHAT, 0, move |device| {
            let (x, _, [gamma, beta, mean, var]) = inputs(device);
            move || vec![batch_norm_relu(&x, None, &gamma, &beta, &mean, &var, 0.1, 1e-5).y]
        }),
        Bench::new("batch_norm_relu", "128x64x32x32 and a sum", 0, move |device| {
            let (x, beside, [gamma, beta, mean, var]) = inputs(device);
            move || vec![batch_norm_relu(&x, Some(&beside), &gamma, &beta, &mean, &var, 0.1, 1e-5).y]
        }),
        Bench::new("batch_norm_relu_bwd", WHAT, 0, move |device| {
            let (x, dy, [gamma, beta, mean, rstd]) = inputs(device);
            move || vec![batch_norm_relu_bwd(&x, &dy, &gamma, &beta, &mean, &rstd).0]
        }),
        Bench::new("batch_norm_add_relu_bwd", WHAT, 0, move |device| {
            let (x, dy, [gamma, _, mean, rstd]) = inputs(device);
            move || vec![batch_norm_add_relu_bwd(&x, &x, &dy, &gamma, &mean, &rstd).0]
        }),
        Bench::new("batch_norm_add_relu_bwd", "128x64x31x31", 0, move |device| {
            let (x, dy) = (check::tensor(device, [128, 64, 31, 31], 1), check::tensor(device, [128, 64, 31, 31], 2));
            let [gamma, _, mean, rstd] = of_channels(device, 64);
            move || vec![batch_norm_add_relu_bwd(&x, &x, &dy, &gamma, &mean, &rstd).0]
        }),
        Bench::new("batch_norm_eval", WHAT, 0, move |device| {
            let (x, _, [gamma, beta, mean, var]) = inputs(device);
            move || vec![batch_norm_eval(&x, &gamma, &beta, &mean, &var, 1e-5)]
        }),
        Bench::new("demean_norm", WHAT, 0, move |device| {
            let (x, _, [gamma, beta, mean, _]) = inputs(device);
            move || vec![demean_norm(&x, &gamma, &beta, &mean, 0.1).0]
        }),
        Bench::new("demean_norm_bwd", WHAT, 0, move |device| {
            let (x, dy, [gamma, _, mean, _]) = inputs(device);
            move || vec![demean_norm_bwd(&x, &dy, &gamma, &mean).0]
        }),
    ]
}

#[cfg(test)]
pub(in crate::ops) fn misuses() -> Vec<check::Misuse> {
    use check::misuse;
    fn zeros(device: &Device, dims: &[usize]) -> Tensor {
        Tensor::zeros(device, dims)
    }
    vec![
        misuse!("batch_norm", ["x has 3 channels, gamma [4]", "x [2, 3, 5]"], |device| {
            let four = zeros(device, &[4]);
            batch_norm(&zeros(device, &[2, 3, 5]), &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm", ["x [1, 4] has one value a channel"], |device| {
            let four = zeros(device, &[4]);
            batch_norm(&zeros(device, &[1, 4]), &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm", ["x needs axes (n, c, ..)", "x [4]"], |device| {
            let four = zeros(device, &[4]);
            batch_norm(&four, &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm_eval", ["running_var holds u32, not f32", "x [2, 4]"], |device| {
            let (four, wrong) = (zeros(device, &[4]), Tensor::from_slice(device, [4], &[1u32; 4]));
            batch_norm_eval(&zeros(device, &[2, 4]), &four, &four, &four, &wrong, 1e-5)
        }),
        misuse!("batch_norm_eval", ["beta on CPU", "x [2, 4]"], |device| {
            let (four, wrong) = (zeros(device, &[4]), zeros(&Device::Cpu, &[4]));
            batch_norm_eval(&zeros(device, &[2, 4]), &four, &wrong, &four, &four, 1e-5)
        }),
        misuse!("batch_norm_bwd", ["x [2, 4]", "dy [4, 2]"], |device| {
            let four = zeros(device, &[4]);
            batch_norm_bwd(&zeros(device, &[2, 4]), &zeros(device, &[4, 2]), &four, &four, &four)
        }),
        misuse!("batch_norm_eval_bwd", ["x has 4 channels, running_mean [4, 1]"], |device| {
            let (x, four) = (zeros(device, &[2, 4]), zeros(device, &[4]));
            batch_norm_eval_bwd(&x, &x, &four, &zeros(device, &[4, 1]), &four, 1e-5)
        }),
        misuse!("batch_norm_relu", ["x [2, 4]", "beside [4, 2]"], |device| {
            let (x, four) = (zeros(device, &[2, 4]), zeros(device, &[4]));
            batch_norm_relu(&x, Some(&zeros(device, &[4, 2])), &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm_relu", ["x [1, 4] has one value a channel"], |device| {
            let (x, four) = (zeros(device, &[1, 4]), zeros(device, &[4]));
            batch_norm_relu(&x, None, &four, &four, &four, &four, 0.1, 1e-5)
        }),
        misuse!("batch_norm_eval_relu", ["beside holds u32, not f32", "x [2, 4]"], |device| {
            let (x, four, wrong) = (zeros(device, &[2, 4]), zeros(device, &[4]), Tensor::from_slice(device, [2, 4], &[1u32; 8]));
            batch_norm_eval_relu(&x, Some(&wrong), &four, &four, &four, &four, 1e-5)
        }),
        misuse!("batch_norm_relu_bwd", ["x has 4 channels, beta [3]"], |device| {
            let (x, four) = (zeros(device, &[2, 4]), zeros(device, &[4]));
            batch_norm_relu_bwd(&x, &x, &four, &zeros(device, &[3]), &four, &four)
        }),
        misuse!("batch_norm_add_relu_bwd", ["the shapes differ", "x [2, 4]", "y [4, 2]"], |device| {
            let (x, four) = (zeros(device, &[2, 4]), zeros(device, &[4]));
            batch_norm_add_relu_bwd(&x, &zeros(device, &[4, 2]), &x, &four, &four, &four)
        }),
        misuse!("demean_norm", ["x has 2 channels, beta [3]", "x [5, 2]"], |device| {
            let two = zeros(device, &[2]);
            demean_norm(&zeros(device, &[5, 2]), &two, &zeros(device, &[3]), &two, 0.1)
        }),
        misuse!("demean_norm_eval", ["x has 2 channels, running_mean [1]", "x [5, 2]"], |device| {
            let two = zeros(device, &[2]);
            demean_norm_eval(&zeros(device, &[5, 2]), &two, &two, &zeros(device, &[1]))
        }),
        misuse!("demean_norm_bwd", ["x [5, 2]", "dy [2, 5]"], |device| {
            let two = zeros(device, &[2]);
            demean_norm_bwd(&zeros(device, &[5, 2]), &zeros(device, &[2, 5]), &two, &two)
        }),
        misuse!("demean_norm_eval_bwd", ["dy holds u32, not f32", "x [1, 2]"], |device| {
            let two = zeros(device, &[2]);
            demean_norm_eval_bwd(&zeros(device, &[1, 2]), &Tensor::from_slice(device, [1, 2], &[1u32; 2]), &two, &two)
        }),
    ]
}
