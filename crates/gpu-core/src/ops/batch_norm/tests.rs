use super::*;

#[test]
fn kernels_equal_their_mirrors() {
    check::hold(&cases());
}

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

#[test]
fn the_gradients_are_the_difference_quotients() {
    for dims in [&[5usize, 3][..], &[3, 2, 3], &[2, 3, 2, 2]] {
        let shape = Shape::new(dims);
        let [gamma, beta, running_mean, running_var] = of_channels(&Device::Cpu, shape.c());
        let inputs = [around(&Device::Cpu, shape, 0.5, 3), gamma, beta];
        let train = |t: &[Tensor]| {
            let (mean, var) = (Tensor::zeros(&Device::Cpu, [shape.c()]), Tensor::zeros(&Device::Cpu, [shape.c()]));
            batch_norm(&t[0], &t[1], &t[2], &mean, &var, 0.1, 1e-3)
        };
        check::gradients(
            &inputs,
            |t| train(t).y,
            |t, dy| {
                let kept = train(t);
                let (dx, dgamma, dbeta) = batch_norm_bwd(&t[0], dy, &t[1], &kept.mean, &kept.rstd);
                vec![dx, dgamma, dbeta]
            },
        );
        let eval = |t: &[Tensor]| batch_norm_eval(&t[0], &t[1], &t[2], &running_mean, &running_var, 1e-3);
        check::gradients(&inputs, eval, |t, dy| {
            let (dx, dgamma, dbeta) = batch_norm_eval_bwd(&t[0], dy, &t[1], &running_mean, &running_var, 1e-3);
            vec![dx, dgamma, dbeta]
        });
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

#[test]
#[should_panic(expected = "batch_norm: x [2, 3, 4, 4] has 3 channels, gamma [4]")]
fn batch_norm_names_both_shapes() {
    let wrong = Tensor::zeros(&Device::Cpu, [4]);
    batch_norm(&Tensor::zeros(&Device::Cpu, [2, 3, 4, 4]), &wrong, &wrong, &wrong, &wrong, 0.1, 1e-5);
}

#[test]
#[should_panic(expected = "batch_norm: x [1, 4] has one value a channel, training needs more")]
fn one_value_a_channel_is_refused() {
    let c = Tensor::zeros(&Device::Cpu, [4]);
    batch_norm(&Tensor::zeros(&Device::Cpu, [1, 4]), &c, &c, &c, &c, 0.1, 1e-5);
}

#[test]
#[should_panic(expected = "batch_norm_bwd: x has shape [2, 4], dy has [4, 2]")]
fn batch_norm_bwd_names_both_shapes() {
    let c = Tensor::zeros(&Device::Cpu, [4]);
    batch_norm_bwd(&Tensor::zeros(&Device::Cpu, [2, 4]), &Tensor::zeros(&Device::Cpu, [4, 2]), &c, &c, &c);
}
