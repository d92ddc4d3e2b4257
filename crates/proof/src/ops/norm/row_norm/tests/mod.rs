mod properties;
mod pytorch;

use super::cases::{AFFINE, GROUPS, LAYERS, affine_of};
use crate::{Bound, around, devices, difference, gpu, gradients, poisoned, tensor};
use gpu_core::ops::internals::row_norm::{Form, Rows, row_norm};
use gpu_core::ops::{
    group_norm, group_norm_bwd_w, group_norm_bwd_x, instance_norm_running, layer_norm, layer_norm_bwd_w, layer_norm_bwd_x,
    rms_norm, rms_norm_bwd_w, rms_norm_bwd_x,
};
use gpu_core::{Device, Shape, Tensor};

/// A tensor (n, c, inner), and how its rows are normalised.
#[derive(Clone, Copy)]
struct Norm {
    shape: [usize; 3],
    rows: Rows,
}

impl Norm {
    fn of(shape: [usize; 3], groups: usize, eps: f32) -> Self {
        Self { shape, rows: Rows { groups, centered: true, eps } }
    }

    fn centered(self, centered: bool) -> Self {
        Self { rows: Rows { centered, ..self.rows }, ..self }
    }

    /// Elements of a row.
    fn len(&self) -> usize {
        let [_, c, inner] = self.shape;
        c / self.rows.groups * inner
    }

    fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

fn hold(what: &str, got: &[f32], want: &[f32], fraction: f32) {
    assert_eq!(got.len(), want.len(), "{what}");
    let difference = difference(got, want, Bound::Relative(fraction));
    assert!(difference.ok(), "{what}: {difference:?}");
}

// A device takes one form for a shape; another device may take any other.
#[test]
fn every_form_of_the_kernels_gives_what_the_mirrors_give() {
    let Some(gpu) = gpu() else { return };
    let sizes = [([7, 40, 1], 1), ([3, 6, 35], 2), ([5, 8, 4], 4), ([2, 3, 49], 1), ([70, 4, 1], 2), ([1, 4, 600], 2)];
    for (size @ [n, c, inner], groups) in sizes {
        for (lanes, splits, centered) in
            [(1, 1, true), (16, 1, false), (64, 1, true), (256, 1, true), (1, 3, true), (16, 5, true), (256, 2, false)]
        {
            let norm = Norm::of(size, groups, 1e-3).centered(centered);
            for whole in [false, true].into_iter().filter(|whole| !whole || (splits == 1 && norm.len().is_multiple_of(4))) {
                let form = Form { lanes, splits, whole };
                let [want, got] = [&Device::Cpu, &gpu].map(|device| {
                    let device = &poisoned(device);
                    let [x, dy] = [1, 2].map(|seed| around(device, [n, c, inner], 3.0, seed));
                    let [gamma, beta] = affine_of(device, [c]);
                    row_norm(Some(form), norm.rows, [&x, &dy], [Some(&gamma), Some(&beta)]).map(|t| t.to_vec().unwrap())
                });
                for ((name, got), want) in ["y", "offset", "rstd", "dx", "dgamma", "dbeta"].iter().zip(&got).zip(&want) {
                    hold(&format!("{name} of {size:?} in {groups}, {lanes} lanes, {splits} parts, whole {whole}"), got, want, 2e-5);
                }
            }
        }
    }
}

/// y, dx, dgamma and dbeta by the formulas, plainly, in f64.
fn naive(norm: Norm, x: &[f32], dy: &[f32], gamma: &[f32], beta: &[f32]) -> [Vec<f32>; 4] {
    let ([_, c, inner], len, Rows { centered, eps, .. }) = (norm.shape, norm.len(), norm.rows);
    let (mut y, mut dx) = (Vec::new(), Vec::new());
    let (mut dgamma, mut dbeta) = (vec![0f64; c], vec![0f64; c]);
    for row in 0..x.len() / len {
        let channel = |j: usize| (row * len + j) / inner % c;
        let [x, dy] = [x, dy].map(|t| t[row * len..][..len].iter().map(|&v| f64::from(v)).collect::<Vec<f64>>());
        let mean_of = |f: &dyn Fn(usize) -> f64| (0..len).map(f).sum::<f64>() / len as f64;
        let mean = if centered { mean_of(&|j| x[j]) } else { 0.0 };
        let rstd = 1.0 / (mean_of(&|j| (x[j] - mean).powi(2)) + f64::from(eps)).sqrt();
        let xhat = |j: usize| (x[j] - mean) * rstd;
        let g = |j: usize| dy[j] * f64::from(gamma[channel(j)]);
        let (mean_g, slope) = (if centered { mean_of(&g) } else { 0.0 }, mean_of(&|j| g(j) * xhat(j)));
        for j in 0..len {
            y.push((xhat(j) * f64::from(gamma[channel(j)]) + f64::from(beta[channel(j)])) as f32);
            dx.push((rstd * (g(j) - mean_g - xhat(j) * slope)) as f32);
            dgamma[channel(j)] += dy[j] * xhat(j);
            dbeta[channel(j)] += dy[j];
        }
    }
    [y, dx, dgamma.iter().map(|&v| v as f32).collect(), dbeta.iter().map(|&v| v as f32).collect()]
}

/// A norm on every device against the formulas, in the form that the device takes.
fn hold_formula(what: &str, norm: Norm, x: &[f32], fraction: f32) {
    let shape @ [_, c, _] = norm.shape;
    for device in devices().iter().map(poisoned) {
        let x = Tensor::from_slice(&device, shape, x);
        let ([gamma, beta], dy) = (affine_of(&device, [c]), tensor(&device, shape, 2));
        let got = row_norm(None, norm.rows, [&x, &dy], [Some(&gamma), Some(&beta)]);
        let [x, dy, gamma, beta] = [x, dy, gamma, beta].map(|t| t.to_vec().unwrap());
        let [y, _, _, dx, dgamma, dbeta] = got.map(|t| t.to_vec().unwrap());
        let want = naive(norm, &x, &dy, &gamma, &beta);
        for ((name, got), want) in ["y", "dx", "dgamma", "dbeta"].iter().zip([y, dx, dgamma, dbeta]).zip(&want) {
            hold(&format!("{what}, {shape:?}, {name} on {}", device.name()), &got, want, fraction);
        }
    }
}

#[test]
fn the_norms_are_their_formulas_on_every_device() {
    let layers = LAYERS.iter().map(|(leading, last)| ([Shape::new(leading).len(), Shape::new(last).len(), 1], 1));
    let groups = GROUPS.iter().map(|&(dims, groups)| {
        let shape = Shape::new(dims);
        ([shape.n(), shape.c(), shape.inner(2)], groups)
    });
    for (size, groups) in layers.chain(groups).filter(|(size, _)| !size.contains(&0)) {
        let x = around(&Device::Cpu, [size.iter().product::<usize>()], -2.0, 1).to_vec().unwrap();
        hold_formula("around -2", Norm::of(size, groups, 1e-3), &x, 1e-5);
        // With a small eps the gradient of a row of one element would be a difference of two like numbers.
        hold_formula("without a mean", Norm::of(size, groups, 0.1).centered(false), &x, 1e-5);
    }
}

#[test]
fn a_large_mean_does_not_swallow_the_variance() {
    for (size, groups) in [([64, 40, 1], 1), ([4, 6, 35], 2), ([2, 4, 9000], 2), ([1, 3, 91 * 93], 1)] {
        let norm = Norm::of(size, groups, 1e-5);
        for mean in [1e4, -1e5, 1e6] {
            let x = around(&Device::Cpu, [norm.elements()], mean, 1).to_vec().unwrap();
            hold_formula(&format!("around {mean}"), norm, &x, 1e-5);
        }
    }
}

#[test]
fn a_first_element_far_from_the_others_costs_little_accuracy() {
    // Means are counted from it, and it is at most sqrt(len) deviations away: a rounding of each of len / 4 steps, at random, makes
    // 2^-24 * sqrt(len) * sqrt(len / 4) deviations.
    for (size, groups) in [([3, 4096, 1], 1), ([2, 4, 9000], 2), ([2, 7, 5], 1)] {
        let norm = Norm::of(size, groups, 1e-5);
        let mut x = around(&Device::Cpu, [norm.elements()], 0.5, 1).to_vec().unwrap();
        x.iter_mut().step_by(norm.len()).for_each(|first| *first = 1e5);
        hold_formula("first element 1e5", norm, &x, 2f32.powi(-25) * norm.len() as f32 + 1e-6);
    }
}

#[test]
fn a_constant_row_becomes_beta_and_says_nothing_of_gamma() {
    for device in devices() {
        for (dims, groups) in [(&[3usize, 6][..], 2), (&[2, 3, 35], 1), (&[1, 2, 20_000], 1), (&[4, 5], 5)] {
            let shape = Shape::new(dims);
            let [gamma, beta] = affine_of(&device, [shape.c()]);
            let x = Tensor::full(&device, shape, 1234.5);
            let normed = group_norm(&x, groups, Some(&gamma), Some(&beta), 1e-4);
            let beta = beta.to_vec().unwrap();
            let want: Vec<f32> = (0..shape.len()).map(|i| beta[i / shape.inner(2) % shape.c()]).collect();
            assert_eq!(normed.y.to_vec().unwrap(), want, "{shape}");
            hold("rstd", &normed.stats.rstd.to_vec().unwrap(), &vec![100.0; shape.n() * groups], 1e-6);
            let (dgamma, _) = group_norm_bwd_w(&x, &x, &normed.stats);
            assert_eq!(dgamma.to_vec().unwrap(), vec![0.0; shape.c()]);
        }
    }
}

#[test]
fn a_row_of_one_element_has_no_gradient() {
    for device in devices() {
        let (x, dy) = (tensor(&device, [5, 3], 1), tensor(&device, [5, 3], 2));
        let normed = group_norm(&x, 3, None, None, 1e-5);
        assert_eq!(normed.y.to_vec().unwrap(), [0.0; 15]);
        assert_eq!(group_norm_bwd_x(&x, &dy, None, &normed.stats).to_vec().unwrap(), [0.0; 15]);
    }
}

#[test]
fn a_tensor_without_elements_has_gradients_of_zero() {
    for device in devices().iter().map(poisoned) {
        for (dims, normalized) in [(&[0usize, 3][..], &[3usize][..]), (&[2, 0], &[0]), (&[4, 0, 3], &[3])] {
            let x = Tensor::zeros(&device, dims);
            let normed = layer_norm(&x, Shape::new(normalized), None, None, 1e-5);
            assert_eq!((normed.y.shape(), layer_norm_bwd_x(&x, &x, None, &normed.stats).shape()), (x.shape(), x.shape()));
            let (dgamma, dbeta) = layer_norm_bwd_w(&x, &x, &normed.stats);
            let zeros = vec![0.0; Shape::new(normalized).len()];
            assert_eq!([dgamma, dbeta].map(|t| t.to_vec().unwrap()), [zeros.clone(), zeros.clone()]);
            let (_, rstd) = rms_norm(&x, Shape::new(normalized), None, 1e-5);
            assert_eq!(rms_norm_bwd_w(&x, &x, &rstd).to_vec().unwrap(), zeros);
        }
        let x = Tensor::zeros(&device, [0, 4, 5]);
        let (mean, var) = (Tensor::full(&device, [4], 3.0), Tensor::full(&device, [4], 2.0));
        let normed = group_norm(&x, 4, None, None, 1e-5);
        instance_norm_running(&x, &normed.stats, &mean, &var, 0.5, 1e-5);
        assert_eq!([mean, var].map(|t| t.to_vec().unwrap()), [[3.0; 4], [2.0; 4]]);
        let (dgamma, dbeta) = group_norm_bwd_w(&x, &x, &normed.stats);
        assert_eq!([dgamma, dbeta].map(|t| t.to_vec().unwrap()), [[0.0; 4]; 2]);
    }
}

#[test]
fn the_gradients_are_the_difference_quotients() {
    for (dims, normalized) in [(&[4usize, 5][..], &[5usize][..]), (&[2, 3, 4], &[3, 4]), (&[9], &[9])] {
        let (shape, last) = (Shape::new(dims), Shape::new(normalized));
        let inputs = [&[around(&Device::Cpu, shape, 0.5, 3)], &affine_of(&Device::Cpu, last)[..]].concat();
        for (what, has_gamma, has_beta) in AFFINE {
            let given = |t: &[Tensor]| [has_gamma.then(|| t[1].clone()), has_beta.then(|| t[2].clone())];
            let normed = |t: &[Tensor]| {
                let [gamma, beta] = given(t);
                layer_norm(&t[0], last, gamma.as_ref(), beta.as_ref(), 1e-3)
            };
            let count = 1 + usize::from(has_gamma) + usize::from(has_beta);
            println!("{what}");
            gradients(
                &inputs[..count],
                |t| normed(t).y,
                |t, dy| {
                    let (stats, [gamma, _]) = (normed(t).stats, given(t));
                    let (dgamma, dbeta) = layer_norm_bwd_w(&t[0], dy, &stats);
                    vec![layer_norm_bwd_x(&t[0], dy, gamma.as_ref(), &stats), dgamma, dbeta][..count].to_vec()
                },
            );
        }
        gradients(
            &inputs[..2],
            |t| rms_norm(&t[0], last, Some(&t[1]), 1e-3).0,
            |t, dy| {
                let (_, rstd) = rms_norm(&t[0], last, Some(&t[1]), 1e-3);
                vec![rms_norm_bwd_x(&t[0], dy, Some(&t[1]), &rstd), rms_norm_bwd_w(&t[0], dy, &rstd)]
            },
        );
    }
}

#[test]
fn the_gradients_of_groups_and_of_rows_in_parts_are_the_difference_quotients() {
    let sizes = [([3, 4, 1], 2), ([2, 4, 3], 2), ([2, 3, 4], 3), ([2, 2, 7], 1)];
    for (size @ [n, c, inner], groups) in sizes {
        let inputs = [&[around(&Device::Cpu, [n, c, inner], 0.5, 3)], &affine_of(&Device::Cpu, [c])[..]].concat();
        for (splits, whole) in [(1, true), (2, false)] {
            let (form, rows) = (Form { lanes: 1, splits, whole }, Norm::of(size, groups, 1e-3).rows);
            let of = |t: &[Tensor], dy: &Tensor| row_norm(Some(form), rows, [&t[0], dy], [Some(&t[1]), Some(&t[2])]);
            gradients(
                &inputs,
                |t| of(t, &t[0])[0].clone(),
                |t, dy| {
                    let [_, _, _, dx, dgamma, dbeta] = of(t, dy);
                    vec![dx, dgamma, dbeta]
                },
            );
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let device = poisoned(&Device::Cpu);
    let run = || {
        [([23, 6, 31], 2), ([2, 4, 20_001], 1), ([900, 33, 1], 1)].map(|(size @ [n, c, inner], groups)| {
            let [x, dy] = [1, 2].map(|seed| around(&device, [n, c, inner], 3.0, seed));
            let [gamma, beta] = affine_of(&device, [c]);
            row_norm(None, Norm::of(size, groups, 1e-5).rows, [&x, &dy], [Some(&gamma), Some(&beta)]).map(|t| t.to_vec().unwrap())
        })
    };
    let with_threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(run);
    assert_eq!(with_threads(1), with_threads(5));
}
