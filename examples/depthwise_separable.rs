//! Depthwise separable convolution: `cargo run --release --example depthwise_separable`
//!
//! One filter for each channel, then a product over channels: `y[k] = sum over c of P[k,c] (D[c] * x[c])`. That is the ordinary
//! convolution whose kernel is `W[k,c] = P[k,c] D[c]`: for each input channel a matrix (outputs x taps) of rank 1.
mod common;

use common::{Axes, Grid, Series, Study, row};
use std::time::{Duration, Instant};
use wgrad::gpu_core::ops::{Conv2dGeometry, Reduction};
use wgrad::gpu_core::rng::Key;
use wgrad::nn::{parameter_count, parameters};
use wgrad::prelude::*;

fn main() -> anyhow::Result<()> {
    let question = "What does a convolution save that is split into channels and taps, and what can it no longer do?";
    let mut study = Study::begin("depthwise_separable", question)?;
    count_parameters(&mut study)?;
    compose(&mut study)?;
    count_and_time(&mut study)?;
    approximate(&mut study)?;
    study.finish()
}

fn ordinary(k: usize) -> Conv2d {
    Conv2d::new(k, 3).padding(1).no_bias()
}

/// `multiplier` filters for each channel; one is the usual.
fn separable(c: usize, k: usize, multiplier: usize) -> Sequential {
    let depthwise = Conv2d::new(c * multiplier, 3).padding(1).groups(c).no_bias();
    seq![depthwise, Conv2d::new(k, 1).no_bias()]
}

const C: usize = 3;
const K: usize = 4;
const SIDE: usize = 224;

/// 3 channels of 224 x 224, kernel 3 x 3, 4 output channels, no bias.
fn count_parameters(study: &mut Study) -> anyhow::Result<()> {
    let cx = Init::seeded(&study.device, 0);
    let (one, two) = (ordinary(K).build(&cx, [C, SIDE, SIDE])?, separable(C, K, 1).build(&cx, [C, SIDE, SIDE])?);
    let parts: Vec<usize> = parameters(&two).iter().map(|(_, p)| p.shape().len()).collect();
    study.check("parameters of the convolution", parameter_count(&one) as f64, 108.0, 0.0);
    study.check("parameters of the depthwise part", parts[0] as f64, 27.0, 0.0);
    study.check("parameters of the pointwise part", parts[1] as f64, 12.0, 0.0);
    study.check("parameters of the separable convolution", parameter_count(&two) as f64, 39.0, 0.0);
    let input = Shape::from([1, C, SIDE, SIDE]);
    study.ensure(
        "both map 3 x 224 x 224 to 4 x 224 x 224",
        one.out_shape(input)? == two.out_shape(input)?,
        &one.out_shape(input)?.to_string(),
    );
    let macs = [Summary::of(&one, input)?.multiply_adds, Summary::of(&two, input)?.multiply_adds];
    let rows = vec![
        row!["convolution", 108, macs[0]],
        row!["depthwise separable", 39, macs[1]],
        row!["  its share", 39.0 / 108.0, macs[1] as f64 / macs[0] as f64],
    ];
    study.table("3 channels to 4 at 224 x 224", &["layer", "parameters", "multiply-adds"], rows);
    Ok(())
}

/// The two layers, and the one convolution that they make.
fn compose(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "Drawing the pointwise matrix into the filters gives one ordinary convolution, W[k,c] = P[k,c] D[c]: all outputs see \
         the same filter of an input channel, each in a size of its own.",
    );
    let device = &study.device.clone();
    let step = Tensor::from_slice(device, [1], &[0u32]);
    let draw = |shape: &[usize], stream| ops::normal(Shape::new(shape), 0.0, 1.0, Key { seed: 1, stream }, &step);
    // Of small integers every sum is exact, whatever its order: then the two ways must agree to the bit.
    let whole =
        |shape: &[usize], stream| ops::cast(&ops::randint(Shape::new(shape), -3, 4, Key { seed: 6, stream }, &step), DType::F32);
    let mut factors = Vec::new();
    for (name, make, tolerance) in [
        ("integers", &whole as &dyn Fn(&[usize], u32) -> Tensor, 0.0),
        // 27 products of normal numbers, of which the largest are about 5: some 30 roundings of sums below 64.
        ("normal numbers", &draw, 30.0 * 64.0 * f64::from(f32::EPSILON) / 2.0),
    ] {
        let (x, d, p) = (make(&[1, C, SIDE, SIDE], 0), make(&[C, 1, 3, 3], 1), make(&[K, C, 1, 1], 2));
        let padded = Conv2dGeometry { padding: 1.into(), ..Default::default() };
        let channels = ops::conv2d(&x, &d, None, Conv2dGeometry { groups: C, ..padded });
        let two = ops::conv2d(&channels, &p, None, Conv2dGeometry::default());
        let w = ops::mul(&p, &d.reshape([1, C, 3, 3])); // W[k,c] = P[k,c] D[c]
        let one = ops::conv2d(&x, &w, None, padded);
        study.check_all(
            &format!("of {name}: depthwise, then pointwise = one convolution"),
            &two.to_vec()?,
            &one.to_vec()?,
            tolerance,
        );
        factors.push([d, p, w]);
    }
    let [d, p, w] = [&factors[0][0], &factors[0][1], &factors[0][2]].map(Tensor::to_vec);
    let (d, p, w) = (d?, p?, w?);
    let mut grids: Vec<Grid> = (0..C).map(|c| grid(&format!("D[{c}]"), 3, &d[9 * c..][..9])).collect();
    grids.push(grid("P", C, &p));
    study.grids("The factors: a filter for each channel, and a matrix over channels", &grids);
    let slices = (0..C).flat_map(|c| (0..K).map(move |k| (k, c)));
    let slices: Vec<Grid> = slices.map(|(k, c)| grid(&format!("W[{k},{c}]"), 3, &w[9 * (k * C + c)..][..9])).collect();
    study.grids("Their kernel: in each row one filter, in four sizes", &slices);
    Ok(())
}

fn grid(name: &str, columns: usize, values: &[f32]) -> Grid {
    Grid::new(name, columns, &values.iter().map(|&v| v.into()).collect::<Vec<f64>>()).numbered()
}

/// Median seconds of a run of `net`, and of a run forwards and backwards.
fn seconds(net: &dyn Module, x: &Tensor) -> anyhow::Result<[f64; 2]> {
    let device = x.device();
    let (_y, forward) = device.capture(|| net.forward(&Var::constant(x)).value().clone())?;
    let (_gradients, both) = device.capture(|| net.forward(&Tape::new(device).variable(x)).sum().backward())?;
    let median = |capture: &Capture| -> anyhow::Result<f64> {
        capture.replay_timed()?;
        let (begun, mut times) = (Instant::now(), Vec::new());
        while times.len() < 5 || begun.elapsed() < Duration::from_millis(100) {
            let run = Instant::now();
            // The GPU's own time where it tells it, else the time that one waits.
            let on_device = capture.replay_timed()?;
            times.push(on_device.unwrap_or_else(|| run.elapsed().as_secs_f64()));
        }
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    };
    Ok([median(&forward)?, median(&both)?])
}

/// Layers from c channels to as many: what is counted, and what is measured.
fn count_and_time(study: &mut Study) -> anyhow::Result<()> {
    let (batch, side) = study.pick((1, 7), (1, 28), (16, 28));
    let cx = Init::seeded(&study.device, 0);
    let step = Tensor::from_slice(&study.device, [1], &[0u32]);
    let (mut counts, mut times, mut savings) = (Vec::new(), Vec::new(), Vec::new());
    for c in [32, 64, 128, 256, 512] {
        let (one, two) = (ordinary(c).build(&cx, [c, side, side])?, separable(c, c, 1).build(&cx, [c, side, side])?);
        let x = ops::normal([batch, c, side, side], 0.0, 1.0, Key { seed: 3, stream: 0 }, &step);
        let parameters = [parameter_count(&one), parameter_count(&two)].map(|n| n as f64);
        let macs = [Summary::of(&one, x.shape())?.multiply_adds, Summary::of(&two, x.shape())?.multiply_adds].map(|n| n as f64);
        // K C 9 against C 9 + K C: a share of 1 / K + 1 / 9.
        let share = 1.0 / c as f64 + 1.0 / 9.0;
        study.check(&format!("{c} channels: share of the parameters"), parameters[1] / parameters[0], share, 1e-12);
        study.check(&format!("{c} channels: share of the multiply-adds"), macs[1] / macs[0], share, 1e-12);
        let [ordinary, separable] = [seconds(&one, &x)?, seconds(&two, &x)?];
        counts.push(row![c, parameters[0] as u64, parameters[1] as u64, macs[0] as u64, macs[1] as u64, 1.0 / share]);
        let faster = [ordinary[0] / separable[0], ordinary[1] / separable[1]];
        let ms = [ordinary, separable].map(|t| t.map(|s| 1e3 * s));
        times.push(row![c, ms[0][0], ms[1][0], faster[0], ms[0][1], ms[1][1], faster[1]]);
        savings.push([c as f64, 1.0 / share, faster[0], faster[1]]);
    }
    let columns = [
        "channels",
        "parameters, ordinary",
        "parameters, separable",
        "multiply-adds, ordinary",
        "multiply-adds, separable",
        "ratio",
    ];
    study.table("What is counted", &columns, counts);
    let columns = [
        "channels",
        "forward, ordinary (ms)",
        "forward, separable (ms)",
        "forward, ratio",
        "training, ordinary (ms)",
        "training, separable (ms)",
        "training, ratio",
    ];
    study.note(&format!(
        "Times are medians, of a batch of {batch} with {side} x {side} pixels; training is forwards and backwards."
    ));
    study.table("What is measured", &columns, times);
    let line = |i: usize| savings.iter().map(|s| [s[0], s[i]]).collect::<Vec<_>>();
    let series = [
        Series::line("time, forward", line(2)),
        Series::line("time, training", line(3)),
        Series::curve("multiply-adds", line(1)),
        Series::curve("no saving", [[32.0, 1.0], [512.0, 1.0]]),
    ];
    let axes = Axes::new("How many times cheaper the separable convolution is", "channels in and out", "ratio");
    study.plot(axes.log_x().log_y().x_ticks(&[32.0, 64.0, 128.0, 256.0, 512.0]), &series);
    if !study.quick() {
        // 8.8 times fewer multiply-adds, but each number that is loaded serves fewer of them, and there are two launches: a quarter of
        // the saving should be seen. It may be passed (a product over channels runs nearer to the peak), but not threefold.
        study.tell_speed("With 512 channels, forward, the separable form is faster, times", savings[4][2], 8.8 / 4.0, 8.8 * 3.0);
    }
    Ok(())
}

/// The best separable imitation of a given kernel, for `m` filters a channel: found by descent, and by the theorem of Eckart and
/// Young: what is left are the singular values beyond the m-th of each channel's matrix (outputs x taps).
fn approximate(study: &mut Study) -> anyhow::Result<()> {
    study.note(
        "For each input channel, an ordinary kernel is a matrix of outputs by taps, and a separable one is such a matrix of \
         rank 1, or of rank m with m filters a channel. What an imitation must miss are the singular values beyond the m-th.",
    );
    let (c, k) = (4, 16);
    let device = &study.device.clone();
    let step = Tensor::from_slice(device, [1], &[0u32]);
    let w = ops::normal([c, k, 9], 0.0, 1.0, Key { seed: 4, stream: 0 }, &step); // a matrix for each input channel
    let values: Vec<f64> = w.to_vec()?.iter().map(|&v| v.into()).collect();
    let squares: Vec<Vec<f64>> = values.chunks(k * 9).map(squared_singular_values).collect();
    let total: f64 = values.iter().map(|v| v * v).sum();
    let left = |m: usize| (squares.iter().flat_map(|s| &s[m..]).sum::<f64>().max(0.0) / total).sqrt();
    study.check(
        "the squares of all singular values add up to the kernel's",
        squares.iter().flatten().sum::<f64>() / total,
        1.0,
        1e-9,
    );

    let (mut found, mut rows) = (Vec::new(), Vec::new());
    let target = Var::constant(&w);
    for m in 1..=9 {
        let net = separable(c, k, m).build(&Init::seeded(device, 5), [c, 3, 3])?;
        let layers: Vec<Param> = parameters(&net).into_iter().map(|(_, p)| p).collect();
        let sgd = Sgd::new(&net, 0.01).momentum(0.9);
        let mut rest = 0.0;
        for _ in 0..study.pick(300, 1500, 6000) {
            let here = Tape::new(device).input(&w);
            let d = layers[0].var(&here).reshape([c, m, 9]);
            let p = layers[1].var(&here).reshape([k, c, m]).permute(&[1, 0, 2]);
            let loss = p.matmul(&d).mse_loss(&target, Reduction::Sum);
            sgd.step(&loss.backward());
            rest = f64::from(loss.item()?);
        }
        let error = (rest / total).sqrt();
        study.check(&format!("{m} filters a channel: relative error of the best imitation"), error, left(m), 2e-3);
        found.push([m as f64, error]);
        rows.push(row![m, parameter_count(&net), error, left(m)]);
    }
    let columns = ["filters a channel", "parameters", "error, by descent", "error, by singular values"];
    study.table(&format!("Imitating a random kernel of {} parameters", k * c * 9), &columns, rows);
    let bound: Vec<[f64; 2]> = (0..=9).map(|m| [m as f64, left(m)]).collect();
    let series = [Series::dots("by descent", found), Series::curve("singular values", bound)];
    study.plot(
        Axes::new("The best separable imitation of a random kernel", "filters a channel", "relative error").y_range(0.0, 1.05),
        &series,
    );
    Ok(())
}

/// Of a matrix with rows of 9, the largest first: by power iteration on its 9 x 9 Gram matrix, which loses each that is found.
fn squared_singular_values(matrix: &[f64]) -> Vec<f64> {
    let mut gram = [[0.0; 9]; 9];
    for row in matrix.chunks(9) {
        for i in 0..9 {
            (0..9).for_each(|j| gram[i][j] += row[i] * row[j]);
        }
    }
    let mut found = Vec::new();
    for k in 0..9 {
        let mut v: [f64; 9] = std::array::from_fn(|i| if i == k { 2.0 } else { 1.0 });
        let mut square = 0.0;
        for _ in 0..5000 {
            let u: [f64; 9] = std::array::from_fn(|i| (0..9).map(|j| gram[i][j] * v[j]).sum());
            square = u.iter().map(|x| x * x).sum::<f64>().sqrt();
            v = u.map(|x| x / square);
        }
        for i in 0..9 {
            (0..9).for_each(|j| gram[i][j] -= square * v[i] * v[j]);
        }
        found.push(square);
    }
    found
}
