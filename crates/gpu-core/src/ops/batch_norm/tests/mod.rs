mod rectified;

use super::tables::{SHAPES, around, of_channels};
use super::*;
use crate::check;
use crate::device::Device;

/// Mean and biased variance of each channel, two passes in f64.
fn statistics(x: &[f32], shape: Shape) -> Vec<(f64, f64)> {
    let of_channel = |c: usize| {
        let mine = || (0..shape.len()).filter(|i| i / shape.inner(2) % shape.c() == c).map(|i| f64::from(x[i]));
        let count = (shape.len() / shape.c()) as f64;
        let mean = mine().sum::<f64>() / count;
        (mean, mine().map(|v| (v - mean).powi(2)).sum::<f64>() / count)
    };
    (0..shape.c()).map(of_channel).collect()
}

fn close(what: &str, got: f32, want: f64, tolerance: f64) {
    assert!((f64::from(got) - want).abs() <= tolerance * want.abs().max(1.0), "{what}: {got} is not {want}");
}

#[test]
fn training_is_the_formula_on_every_device() {
    for device in check::devices() {
        for shape in SHAPES.iter().map(|dims| Shape::new(dims)) {
            let all @ [gamma, beta, running_mean, running_var] = &of_channels(&device, shape.c());
            let x = around(&device, shape, -2.0, 1);
            let [g, b, old_mean, old_var] = [0, 1, 2, 3].map(|i| all[i].to_vec().unwrap());
            let bn = batch_norm(&x, gamma, beta, running_mean, running_var, 0.3, 1e-3);
            let (x, y) = (x.to_vec().unwrap(), bn.y.to_vec().unwrap());
            let want = statistics(&x, shape);
            let count = (shape.len() / shape.c()) as f64;
            let [new_mean, new_var] = [running_mean, running_var].map(|t| t.to_vec().unwrap());
            for (c, &(mean, var)) in want.iter().enumerate() {
                close("running mean", new_mean[c], 0.7 * f64::from(old_mean[c]) + 0.3 * mean, 1e-5);
                close("running variance", new_var[c], 0.7 * f64::from(old_var[c]) + 0.3 * var * count / (count - 1.0), 1e-5);
            }
            for i in 0..shape.len() {
                let c = i / shape.inner(2) % shape.c();
                let (mean, var) = want[c];
                let xhat = (f64::from(x[i]) - mean) / (var + 1e-3).sqrt();
                close("y", y[i], xhat * f64::from(g[c]) + f64::from(b[c]), 1e-5);
            }
        }
    }
}

#[test]
fn a_large_mean_does_not_swallow_the_variance() {
    for device in check::devices() {
        for (shape, mean) in [([8, 2, 31, 33], 1e4), ([8, 4, 32, 32], -1e4), ([4096, 3, 1, 1], 1e4), ([16, 2, 64, 64], 1e5)] {
            let shape = Shape::from(shape);
            let [gamma, beta, running_mean, running_var] = of_channels(&device, shape.c());
            let x = around(&device, shape, mean, 1);
            let bn = batch_norm(&x, &gamma, &beta, &running_mean, &running_var, 0.1, 1e-5);
            let (mean, rstd) = (bn.mean.to_vec().unwrap(), bn.rstd.to_vec().unwrap());
            for (c, (m, v)) in statistics(&x.to_vec().unwrap(), shape).into_iter().enumerate() {
                close("mean", mean[c], m, 3e-7);
                close("rstd", rstd[c], 1.0 / (v + 1e-5).sqrt(), 1e-4);
            }
        }
    }
}

#[test]
fn a_constant_channel_has_no_variance() {
    for device in check::devices() {
        let [gamma, beta, running_mean, running_var] = of_channels(&device, 3);
        let x = Tensor::full(&device, [7, 3, 5, 4], 1234.5);
        let bn = batch_norm(&x, &gamma, &beta, &running_mean, &running_var, 0.1, 1e-4);
        assert_eq!(bn.mean.to_vec().unwrap(), [1234.5; 3]);
        bn.rstd.to_vec().unwrap().iter().for_each(|&v| close("rstd", v, 100.0, 1e-6));
    }
}

/// Zeros that no test looks at: made where they are used, in that place's precision.
fn unread(c: usize) -> Tensor {
    Tensor::zeros(&Device::Cpu, [c])
}

const GRADIENT_SHAPES: [&[usize]; 3] = [&[5, 3], &[3, 2, 3], &[2, 3, 2, 2]];

#[test]
fn the_gradients_are_the_difference_quotients() {
    for shape in GRADIENT_SHAPES.map(Shape::new) {
        let c = shape.c();
        let [gamma, beta, ..] = of_channels(&Device::Cpu, c);
        let inputs = [around(&Device::Cpu, shape, 0.5, 3), gamma, beta];
        let train = |t: &[Tensor]| batch_norm(&t[0], &t[1], &t[2], &unread(c), &unread(c), 0.1, 1e-3);
        check::gradients(
            &inputs,
            |t| train(t).y,
            |t, dy| {
                let kept = train(t);
                let (dx, dgamma, dbeta) = batch_norm_bwd(&t[0], dy, &t[1], &kept.mean, &kept.rstd);
                vec![dx, dgamma, dbeta]
            },
        );
        let eval = |t: &[Tensor]| {
            let [.., mean, var] = of_channels(&Device::Cpu, c);
            batch_norm_eval(&t[0], &t[1], &t[2], &mean, &var, 1e-3)
        };
        check::gradients(&inputs, eval, |t, dy| {
            let [.., mean, var] = of_channels(&Device::Cpu, c);
            let (dx, dgamma, dbeta) = batch_norm_eval_bwd(&t[0], dy, &t[1], &mean, &var, 1e-3);
            vec![dx, dgamma, dbeta]
        });
    }
}

#[test]
fn the_gradients_of_demean_norm_are_the_difference_quotients() {
    for shape in GRADIENT_SHAPES.map(Shape::new) {
        let c = shape.c();
        let [gamma, beta, ..] = of_channels(&Device::Cpu, c);
        let inputs = [around(&Device::Cpu, shape, 0.5, 3), gamma, beta];
        let train = |t: &[Tensor]| demean_norm(&t[0], &t[1], &t[2], &unread(c), 0.1);
        check::gradients(
            &inputs,
            |t| train(t).0,
            |t, dy| {
                let (dx, dgamma, dbeta) = demean_norm_bwd(&t[0], dy, &t[1], &train(t).1);
                vec![dx, dgamma, dbeta]
            },
        );
        let mean = |c| of_channels(&Device::Cpu, c)[2].clone();
        let eval = |t: &[Tensor]| demean_norm_eval(&t[0], &t[1], &t[2], &mean(c));
        check::gradients(&inputs, eval, |t, dy| {
            let (dx, dgamma, dbeta) = demean_norm_eval_bwd(&t[0], dy, &t[1], &mean(c));
            vec![dx, dgamma, dbeta]
        });
    }
}

/// x (2, 2, 3), gamma, beta and dy of the numbers from PyTorch below.
fn of_pytorch(device: &Device) -> [Tensor; 4] {
    let x = [1.0f32, 2.0, 4.0, 0.0, -1.0, 3.0, 5.0, 1.0, 0.0, 2.0, 2.0, -6.0];
    let dy = [1.0f32, 0.0, -1.0, 2.0, 1.0, 0.0, 0.0, 3.0, 1.0, -1.0, -2.0, 1.0];
    [
        Tensor::from_slice(device, [2, 2, 3], &x),
        Tensor::from_slice(device, [2], &[2.0f32, -0.5]),
        Tensor::from_slice(device, [2], &[0.25f32, 1.0]),
        Tensor::from_slice(device, [2, 2, 3], &dy),
    ]
}

fn hold(what: &str, got: &Tensor, want: &[f64]) {
    let got = got.to_vec().unwrap();
    assert_eq!(got.len(), want.len(), "{what}");
    got.iter().zip(want).for_each(|(&got, &want)| close(what, got, want, 2e-6));
}

// F.batch_norm(x, [1, -1], [4, .5], gamma, beta, training=True, momentum=.25, eps=1e-3).backward(dy)
#[test]
fn batch_norm_gives_the_numbers_of_pytorch() {
    for device in check::devices() {
        let [x, gamma, beta, dy] = of_pytorch(&device);
        let mean = Tensor::from_slice(&device, [2], &[1.0f32, -1.0]);
        let var = Tensor::from_slice(&device, [2], &[4.0f32, 0.5]);
        let bn = batch_norm(&x, &gamma, &beta, &mean, &var, 0.25, 1e-3);
        let y =
            [-1.0668, 0.0618856, 2.319256, 1.0, 1.166657, 0.5000278, 3.447941, -1.0668, -2.195485, 0.6666852, 0.6666852, 1.999944];
        hold("y", &bn.y, &y);
        hold("running mean", &mean, &[1.291667, -0.75]);
        hold("running variance", &var, &[3.941667, 3.075]);
        let (dx, dgamma, dbeta) = batch_norm_bwd(&x, &dy, &gamma, &bn.mean, &bn.rstd);
        let want = [
            -0.2295395,
            -0.8389952,
            -0.9292213,
            -0.3055386,
            -0.0987644,
            -0.09257408,
            0.7186936,
            2.027831,
            -0.748769,
            0.1142001,
            0.2808575,
            0.1018195,
        ];
        hold("dx", &dx, &want);
        hold("dgamma", &dgamma, &[-4.89097, -4.333093]);
        hold("dbeta", &dbeta, &[4.0, 1.0]);
    }
}

// y = gamma * (x - x.mean((0, 2), keepdim=True)) + beta; y.backward(dy)
#[test]
fn demean_norm_gives_the_numbers_of_pytorch() {
    for device in check::devices() {
        let [x, gamma, beta, dy] = of_pytorch(&device);
        let running = Tensor::from_slice(&device, [2], &[1.0f32, -1.0]);
        let (y, mean) = demean_norm(&x, &gamma, &beta, &running, 0.25);
        let want = [-25.0, -1.0, 47.0, 12.0, 18.0, -6.0, 71.0, -25.0, -49.0, 0.0, 0.0, 48.0].map(|v| v / 12.0);
        hold("y", &y, &want);
        hold("mean", &mean, &[13.0 / 6.0, 0.0]);
        hold("running mean", &running, &[0.75 + 13.0 / 24.0, -0.75]);
        let (dx, dgamma, dbeta) = demean_norm_bwd(&x, &dy, &gamma, &mean);
        let want = [8.0, -16.0, -40.0, -11.0, -5.0, 1.0, -16.0, 56.0, 8.0, 7.0, 13.0, -5.0].map(|v| v / 12.0);
        hold("dx", &dx, &want);
        hold("dgamma", &dgamma, &[-26.0 / 3.0, -13.0]);
        hold("dbeta", &dbeta, &[4.0, 1.0]);
    }
}

#[test]
fn demean_norm_of_small_integers_is_exact() {
    // 64 values a channel whose sum is a multiple of 64: every mean and every product is a whole number.
    for device in check::devices() {
        let shape = Shape::from([4, 3, 4, 4]);
        let mut x = check::integers(shape.len(), 5);
        for c in 0..3 {
            let places = |i: &usize| i / 16 % 3 == c;
            let sum: f32 = (0..x.len()).filter(places).map(|i| x[i]).sum();
            x[16 * c] -= sum - 64.0 * c as f32;
        }
        let (x, dy) =
            (Tensor::from_slice(&device, shape, &x), Tensor::from_slice(&device, shape, &check::integers(shape.len(), 6)));
        let gamma = Tensor::from_slice(&device, [3], &[2.0f32, -1.0, 3.0]);
        let (y, mean) = demean_norm(&x, &gamma, &gamma, &Tensor::zeros(&device, [3]), 0.5);
        assert_eq!(mean.to_vec().unwrap(), [0.0, 1.0, 2.0]);
        let (dx, dgamma, dbeta) = demean_norm_bwd(&x, &dy, &gamma, &mean);
        let [x, y, dy, dx, dgamma, dbeta] = [x, y, dy, dx, dgamma, dbeta].map(|t| t.to_vec().unwrap());
        for (c, g) in [2.0, -1.0, 3.0].into_iter().enumerate() {
            let mine = || (0..shape.len()).filter(move |i| i / 16 % 3 == c);
            let sum: f32 = mine().map(|i| dy[i]).sum();
            assert_eq!((dbeta[c], dgamma[c]), (sum, mine().map(|i| dy[i] * (x[i] - c as f32)).sum()));
            for i in mine() {
                assert_eq!((y[i], dx[i]), (g * (x[i] - c as f32) + g, g * (dy[i] - sum / 64.0)));
            }
        }
    }
}

#[test]
fn a_tensor_without_elements_leaves_the_running_statistics_alone() {
    for device in check::devices().iter().map(check::poisoned) {
        for dims in [&[0usize, 3][..], &[2, 3, 0, 4]] {
            let [gamma, beta, mean, var] = &of_channels(&device, 3);
            let x = Tensor::zeros(&device, dims);
            let before = [mean, var].map(|t| t.to_vec().unwrap());
            let bn = batch_norm(&x, gamma, beta, mean, var, 0.1, 1e-5);
            let (y, own) = demean_norm(&x, gamma, beta, mean, 0.1);
            assert_eq!([mean, var].map(|t| t.to_vec().unwrap()), before);
            for (dx, dgamma, dbeta) in [
                batch_norm_bwd(&x, &bn.y, gamma, &bn.mean, &bn.rstd),
                batch_norm_eval_bwd(&x, &y, gamma, mean, var, 1e-5),
                batch_norm_relu_bwd(&x, &y, gamma, beta, &bn.mean, &bn.rstd),
                demean_norm_bwd(&x, &y, gamma, &own),
                demean_norm_eval_bwd(&x, &batch_norm_eval(&x, gamma, beta, mean, var, 1e-5), gamma, mean),
            ] {
                assert_eq!(dx.shape(), x.shape());
                assert_eq!([dgamma, dbeta].map(|t| t.to_vec().unwrap()), [[0.0; 3]; 2]);
            }
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let run = || {
        let x = around(&Device::Cpu, Shape::from([23, 6, 31, 33]), 3.0, 1);
        let [gamma, beta, mean, var] = of_channels(&Device::Cpu, 6);
        let kept = batch_norm(&x, &gamma, &beta, &mean, &var, 0.1, 1e-5);
        let (dx, dgamma, dbeta) = batch_norm_bwd(&x, &kept.y, &gamma, &kept.mean, &kept.rstd);
        [kept.y, mean, var, dx, dgamma, dbeta].map(|t| t.to_vec().unwrap())
    };
    let with_threads = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(run);
    assert_eq!(with_threads(1), with_threads(5));
}

#[test]
fn running_statistics_may_be_views_into_one_arena() {
    for device in check::devices() {
        let arena = Tensor::zeros(&device, [128]);
        let (mean, var) = (arena.view(0, [2]), arena.view(64, [2]));
        let one = Tensor::full(&device, [2], 1.0);
        let x = Tensor::from_slice(&device, [2, 2], &[1.0f32, 2.0, 3.0, 6.0]);
        batch_norm(&x, &one, &one, &mean, &var, 0.5, 1e-5);
        assert_eq!((mean.to_vec().unwrap(), var.to_vec().unwrap()), (vec![1.0, 2.0], vec![1.0, 4.0]));
    }
}
